"""How far the wallets are: in total, and card by card."""

from datetime import timedelta
from typing import Any

import pytest

from app.context import Context
from app.delivery import wanted
from app.delivery.models import AppleRegistration
from app.delivery.sending import DELIVERED, Outcome, Result
from app.delivery.status import CardWallet, Errors, card_wallets, kind_of, wallet_states
from app.errors import NotFound


def state(context: Context, wallet: str = "apple") -> Any:
    with context.database.read_all() as session:
        return wallet_states(session, now=context.clock())[wallet]


def of_card(context: Context, card: str) -> list[CardWallet]:
    with context.database.read_all() as session:
        return card_wallets(session, card)


def take_up(context: Context) -> None:
    with context.database.write_all() as session:
        wanted.take_up(session, now=context.clock(), limit=100)


def settle(context: Context, result: Result) -> None:
    """Send what is due, with the same outcome for all."""
    now = context.clock()
    with context.database.write_all() as session:
        errands = wanted.claim(session, AppleRegistration, now=now, limit=100)
        done = [(errand, result) for errand in errands]
        wanted.settle(
            session, AppleRegistration, done, leased_at=now, now=now, jitter=[0.5] * len(done)
        )


def test_without_passes_there_is_nothing_behind(context: Context) -> None:
    for wallet in ("apple", "google"):
        found = state(context, wallet)
        assert (found.passes, found.behind, found.waiting) == (0, 0, 0)
        assert found.oldest_behind_seconds is None


def test_the_oldest_change_counts_however_often_the_card_changed_since(
    programme: Any, context: Context, clock: Any
) -> None:
    card, _ = programme.watched()
    programme.earn(card)
    first = clock()
    assert state(context).oldest_behind_seconds == pytest.approx(0, abs=1)
    take_up(context)
    for _ in range(3):
        clock.advance(timedelta(minutes=10))
        programme.earn(card)
        take_up(context)
    assert state(context).oldest_behind_seconds == 1800
    [wallet] = of_card(context, card.id)
    assert (wallet.is_behind, wallet.behind_since) == (True, first)


def test_what_is_behind_is_taken_up_or_not_counted_once(programme: Any, context: Context) -> None:
    taken, fresh, calm = (programme.watched()[0] for _ in range(3))
    programme.earn(taken)
    take_up(context)
    programme.earn(fresh)
    found = state(context)
    assert (found.passes, found.delivered, found.behind, found.waiting) == (3, 1, 2, 1)
    assert [each.is_behind for card in (taken, fresh, calm) for each in of_card(context, card.id)] \
        == [True, True, False]  # fmt: skip


def test_a_wallet_that_was_told_is_behind_no_more(
    programme: Any, context: Context, clock: Any
) -> None:
    card, _ = programme.watched()
    programme.earn(card)
    take_up(context)
    clock.advance(timedelta(seconds=5))
    settle(context, DELIVERED)
    found = state(context)
    assert (found.behind, found.waiting, found.oldest_behind_seconds) == (0, 0, None)
    [wallet] = of_card(context, card.serial_number)
    assert (wallet.is_behind, wallet.behind_since) == (False, None)
    assert wallet.delivered_at == clock()


def test_errors_are_counted_by_kind_with_one_in_words(programme: Any, context: Context) -> None:
    cards = [programme.watched()[0] for _ in range(2)]
    for card in cards:
        programme.earn(card)
    take_up(context)
    said = "APNs answered 429 TooManyRequests"
    settle(context, Result(Outcome.RETRY, said))
    found = state(context)
    assert (found.failed, found.waiting) == (2, 0)
    assert found.errors == [Errors("too_many_requests", 2, said)]
    [wallet] = of_card(context, cards[0].id)
    assert (wallet.last_error, wallet.attempts) == (said, 1)
    assert wallet.next_attempt_at is not None


def test_a_device_that_apple_does_not_know_raises_no_alarm_and_hides_none(
    programme: Any, context: Context, clock: Any
) -> None:
    unknown, _ = programme.watched()
    programme.earn(unknown)
    take_up(context)
    assert state(context).oldest_behind_seconds == 0
    settle(context, Result(Outcome.UNKNOWN, "APNs answered 400 BadDeviceToken."))
    clock.advance(timedelta(minutes=20))
    found = state(context)
    assert (found.behind, found.failed, found.oldest_behind_seconds) == (1, 1, None)
    assert [each.kind for each in found.errors] == ["refused"]
    late, _ = programme.watched()
    programme.earn(late)
    take_up(context)
    clock.advance(timedelta(minutes=5))
    assert state(context).oldest_behind_seconds == 300


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("APNs at api.push.apple.com:443 cannot be reached: timed out", "unreachable"),
        ("Google gave no answer for 10 seconds.", "no_answer"),
        ("APNs has been silent for 20 seconds.", "no_answer"),
        ("The card cannot be shown: a name is too long", "not_renderable"),
        ("Google answered 403 quotaExceeded: three a day", "too_many_requests"),
        ("Google answered 403 forbidden: not invited", "not_allowed"),
        ("Google answered 503 backendError", "server_error"),
        ("APNs answered 400 BadDeviceToken", "refused"),
        ("something else", "other"),
    ],
)
def test_every_error_has_a_kind(said: str, kind: str) -> None:
    assert kind_of(said) == kind


@pytest.mark.parametrize("card", ["", "0" * 16, "x" * 5000])
def test_an_unknown_card_is_not_found(context: Context, card: str) -> None:
    with pytest.raises(NotFound):
        of_card(context, card)
