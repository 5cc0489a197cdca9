"""What the holder of a card may redeem from an account that several share."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.cards import holders
from app.cards import service as cards
from app.cards.rules import Holder, Period, Role, read_holder
from app.clock import FixedClock
from app.ledger import service as ledger
from app.ledger.postings import Adjust, Circumstances, Request
from app.programmes.service import change_settings

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class Family:
    """A household with points on its account, and cards with roles."""

    def __init__(self, shop: Any, points: int = 10_000) -> None:
        self.shop, self.now = shop, shop.context.clock
        with self.writing() as session:
            # What a photographed code may redeem is no subject here.
            change = {"static_redeem_limit": points}
            change_settings(session, shop.programme_id, change, valid_from=self.now())
            self.account_id = ledger.open_account(session, now=self.now(), kind="household").id
            if points:
                request = Request(str(uuid.uuid4()), "adjustment", bytes(32))
                adjust = Adjust(self.account_id, points, "a present")
                ledger.post(session, request, adjust, Circumstances(self.now()), now=self.now())

    def writing(self) -> Any:
        return self.shop.context.database.write(self.shop.programme_id)

    def card(self, role: str = "owner", limit: int | None = None, period: str | None = None) -> Any:
        with self.writing() as session:
            return holders.issue(
                session,
                self.shop.context.keys,
                self.shop.programme_id,
                account_id=self.account_id,
                holder=read_holder(role, limit, period),
                now=self.now(),
            )

    def hold(self, card: Any, points: int) -> Any:
        body = self.shop.posting(code=card.code, points=points)
        return self.shop.ask("POST", "/holds", body)

    def spend(self, card: Any, points: int) -> str:
        """The id of a hold that was captured."""
        held = self.hold(card, points)
        assert held.status_code == 201, held.json
        hold_id = str(held.json["posting_id"])
        done = self.shop.ask("POST", f"/holds/{hold_id}/capture", self.shop.posting())
        assert done.status_code == 201, done.json
        return hold_id

    def refused(self, card: Any, points: int) -> dict[str, Any]:
        answer = self.hold(card, points)
        assert answer.status_code == 403, answer.json
        return dict(answer.json)

    def look(self, card: Any) -> dict[str, Any]:
        answer = self.shop.ask("POST", "/presentations", {"code": card.code})
        assert answer.status_code == 200, answer.json
        return dict(answer.json)


@pytest.fixture
def family(shop: Any) -> Family:
    return Family(shop)


def test_all_cards_earn_for_and_see_one_balance(shop: Any, family: Family) -> None:
    cards_ = [family.card(), family.card("spender", 100, "week"), family.card("collector")]
    for card in cards_:
        assert shop.accrue(card).status_code == 201
    assert {family.look(card)["standing"]["balance"] for card in cards_} == {10_036}


@on_sqlite
def test_a_look_up_says_what_the_card_may_redeem(family: Family) -> None:
    for card, most in (
        (family.card(), 10_000),
        (family.card("spender"), 10_000),
        (family.card("spender", 120, "day"), 120),
        (family.card("collector"), 0),
    ):
        seen = family.look(card)
        assert (seen["card"]["role"], seen["redeem"]["maximum"]) == (card.role, most)


@on_sqlite
def test_a_collector_redeems_nothing(family: Family) -> None:
    said = family.refused(family.card("collector"), 10)
    assert said["code"] == "card_only_collects"
    assert "redeems none" in said["detail"]


def test_a_spender_redeems_up_to_the_limit_and_is_told_how_much_is_left(
    shop: Any, family: Family
) -> None:
    card = family.card("spender", 300, "week")
    family.spend(card, 200)
    said = family.refused(card, 110)
    # The clock stands at a Monday; the week ends with Sunday.
    assert said["detail"] == (
        "This card may redeem 300 points a week: of these only 100 are left until the end of "
        "7 June 2026. Redeem at most 100 points, or ask an owner of the account."
    )
    assert (said["code"], said["left"]) == ("limit_reached", 100)
    assert family.look(card)["redeem"]["maximum"] == 100
    family.spend(card, 100)
    assert "nothing is left until the end of 7 June 2026. Ask" in family.refused(card, 10)["detail"]
    # Another card of the account is not concerned.
    family.spend(family.card("spender", 50, "day"), 50)


@on_sqlite
def test_an_open_hold_counts_until_it_is_released_or_lapses(
    shop: Any, family: Family, clock: FixedClock
) -> None:
    card = family.card("spender", 100, "day")
    held = family.hold(card, 80).json["posting_id"]
    assert family.refused(card, 30)["left"] == 20
    released = shop.ask("POST", f"/holds/{held}/release", shop.posting())
    assert released.status_code == 201
    assert family.hold(card, 90).status_code == 201
    clock.advance(timedelta(minutes=16))
    assert family.hold(card, 100).status_code == 201


@on_sqlite
@pytest.mark.parametrize(
    ("period", "last", "next_"),
    [
        # The programme's zone is Riga's: in summer its days begin at 21:00 UTC.
        ("day", "2026-06-01 20:59", "2026-06-01 21:00"),
        ("week", "2026-06-07 20:59", "2026-06-07 21:00"),
        ("month", "2026-06-30 20:59", "2026-06-30 21:00"),
    ],
)
def test_a_limit_begins_anew_with_the_local_day_week_or_month(
    shop: Any, family: Family, clock: FixedClock, period: str, last: str, next_: str
) -> None:
    card = family.card("spender", 100, period)
    family.spend(card, 100)
    clock.now = datetime.fromisoformat(last).replace(tzinfo=UTC)
    shop.session = shop.sign_in()
    assert family.refused(card, 10)["left"] == 0
    clock.now = datetime.fromisoformat(next_).replace(tzinfo=UTC)
    assert family.hold(card, 100).status_code == 201


def test_a_card_that_takes_another_s_place_has_its_role_and_what_is_left(family: Family) -> None:
    card = family.card("spender", 100, "month")
    family.spend(card, 70)
    with family.writing() as session:
        new = cards.replace_card(session, family.shop.context.keys, card.id, now=family.now())
        again = cards.replace_card(session, family.shop.context.keys, new.id, now=family.now())
    assert (again.role, again.redeem_limit, again.redeem_period) == ("spender", 100, "month")
    assert family.refused(again, 40)["left"] == 30
    family.spend(again, 30)


def test_a_hold_made_with_a_card_that_was_replaced_is_completed(shop: Any, family: Family) -> None:
    card = family.card()
    held = family.hold(card, 50).json["posting_id"]
    with family.writing() as session:
        new = cards.replace_card(session, shop.context.keys, card.id, now=family.now())
    assert new.serial_number != card.serial_number
    refused = family.hold(card, 50)
    assert (refused.status_code, refused.json["outcome"]) == (409, "replaced")
    assert "was replaced" in refused.json["detail"]
    done = shop.ask("POST", f"/holds/{held}/capture", shop.posting())
    assert (done.status_code, done.json["points"]) == (201, -50)


def test_of_two_holds_at_once_within_one_limit_one_succeeds(shop: Any, family: Family) -> None:
    card = family.card("spender", 100, "day")
    barrier = threading.Barrier(6)

    def hold(_: int) -> int:
        client = shop.client.application.test_client()
        barrier.wait(timeout=30)
        answer = client.post(
            "/api/till/v1/holds",
            json=shop.posting(code=card.code, points=60),
            headers={
                "Authorization": f"Bearer {shop.token}",
                "Counterfoil-Cashier": shop.session,
            },
        )
        return int(answer.status_code)

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(hold, range(6))) == [201, 403, 403, 403, 403, 403]


def test_roles_are_read_by_name() -> None:
    assert read_holder("spender", 5, "week") == Holder(Role.SPENDER, 5, Period.WEEK)
