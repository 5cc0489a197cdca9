"""A card held up to a locked till is served by who signs in, while its customer is there."""

from collections.abc import Callable
from typing import Any

import pytest

from passes.code import rotating_text
from scanner.page.early import KEPT_SECONDS, Early
from scanner.page.showing import Showing
from scanner.unsent import State


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def early(clock: Clock) -> Early:
    return Early(Showing(), clock)


def asked(service: Any) -> list[str]:
    """The paths that the service was asked for, presentations of cards among them."""
    return [path for _, path, _ in service.requests]


def test_a_card_is_kept_for_a_moment_after_it_was_last_seen(
    early: Early, clock: Clock, make_card: Callable[..., str]
) -> None:
    card, other = make_card(1), make_card(2)
    early.keep(card)
    for _ in range(5):  # held up all the while somebody looks for the PIN
        clock.seconds += KEPT_SECONDS
        early.sighted(card)
    assert early.waits
    clock.seconds += KEPT_SECONDS
    early.sighted(other)  # another phone in view keeps the first customer no longer
    assert early.waits
    clock.seconds += 0.1
    assert not early.waits


def test_the_next_card_takes_the_place_of_the_one_before(
    early: Early, clock: Clock, make_card: Callable[..., str]
) -> None:
    early.keep(make_card(1))
    early.keep(make_card(2))
    assert early.take() == make_card(2)
    assert not early.waits and early.take() is None


def test_of_a_code_that_changes_the_newest_is_kept(
    early: Early, make_card: Callable[..., str]
) -> None:
    first, second = (
        rotating_text(make_card(1), *step) for step in ((0, "12345678"), (30, "87654321"))
    )
    early.keep(first)
    early.sighted(second)
    assert early.take() == second


def test_a_locked_till_says_that_a_card_waits_and_asks_nobody_about_it(
    till: Any, service: Any, make_card: Callable[..., str]
) -> None:
    view = till.page("code", text=make_card(1))
    assert view["stage"] == "locked" and view["card"] is None and view["card_waits"] is True
    assert "/presentations" not in asked(service)
    view = till.page("sign-in", name="Anna", pin="000000")
    assert view["notice"]["told"] == "wrong_pin" and view["card_waits"] is True
    assert "/presentations" not in asked(service)
    view = till.page("sign-in", name="Anna", pin="271828")
    assert view["stage"] == "card" and view["card"]["name"] == "Ada Kalnina"
    assert view["card_waits"] is False
    # It is served once: who locks and signs in again starts anew.
    till.page("sign-out")
    assert till.page("sign-in", name="Anna", pin="271828")["stage"] == "waiting"


def test_a_customer_who_has_gone_is_not_served(
    till: Any, make_card: Callable[..., str], clock: Clock
) -> None:
    till.desk.early = Early(till.desk.showing, clock)
    assert till.page("code", text=make_card(1))["card_waits"] is True
    clock.seconds += KEPT_SECONDS + 0.1
    till.desk.early.show()
    assert till.page("touched")["card_waits"] is False
    assert till.page("sign-in", name="Anna", pin="271828")["stage"] == "waiting"


def test_what_hangs_at_the_counter_waits_for_nobody(till: Any) -> None:
    for text in ("https://example.com/menu", "4006381333931"):
        assert not till.page("code", text=text).get("card_waits")
    assert till.page("sign-in", name="Anna", pin="271828")["notice"] is None


def test_a_bad_card_is_told_to_who_signs_in(
    till: Any, service: Any, make_card: Callable[..., str]
) -> None:
    service.refused = {"0000000000000002": "blocked"}
    assert till.page("code", text=make_card(2))["card_waits"] is True
    view = till.page("sign-in", name="Anna", pin="271828")
    assert (view["stage"], view["notice"]["told"]) == ("waiting", "blocked")


def test_a_session_that_ends_in_mid_sale_brings_the_card_back_after_signing_in(
    till: Any, service: Any, make_card: Callable[..., str]
) -> None:
    till.page("sign-in", name="Anna", pin="271828")
    card = till.page("code", text=make_card(1))["card"]["number"]
    till.page("give", card=card, amount="20", receipt="")
    card = till.page("code", text=make_card(1))["card"]["number"]
    service.sessions.clear()
    view = till.page("redeem", card=card, points=12, amount="", receipt="")
    assert (view["stage"], view["notice"]["told"]) == ("locked", "sign_in_again")
    assert view["card_waits"] is True and view["card"] is None
    view = till.page("sign-in", name="Anna", pin="271828")
    assert view["stage"] == "card" and view["card"]["balance"] == 20
    # "What was not confirmed was not done": nothing of it comes later.
    assert till.desk.queue.count(State.WAITING) == 0
    view = till.page("redeem", card=view["card"]["number"], points=12, amount="", receipt="")
    assert view["done"]["told"] == "redeemed" and service.balance == 8
    assert service.kinds.count("hold") == 1
