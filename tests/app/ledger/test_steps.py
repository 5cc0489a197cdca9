"""Background work: bounded, idempotent, and no different from what a posting does by itself."""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from app.clock import FixedClock
from app.ledger import service
from app.ledger.models import Entry, EntryKind, Hold, HoldStatus, Lot
from app.ledger.postings import Capture, Terms
from app.ledger.tiers import Level, TierScheme

DAY = timedelta(days=1)


def run(ledger: Any, step: Any, limit: int = 100) -> int:
    with ledger.database.write_all() as session:
        return int(step(session, ledger.clock.now, limit, lambda _: ledger.terms))


def expiries(ledger: Any) -> list[Entry]:
    with ledger.database.read_all() as session:
        return list(session.scalars(select(Entry).where(Entry.kind == EntryKind.EXPIRY)))


def test_a_sweep_expires_what_is_due_and_says_when_that_was(ledger: Any, clock: FixedClock) -> None:
    account_id = ledger.account()
    due = clock.now + 3 * DAY
    ledger.earn(account_id, 30, expires_at=due)
    ledger.earn(account_id, 20, expires_at=due)
    ledger.earn(account_id, 10, expires_at=due + DAY)
    version = ledger.row(account_id).version
    assert run(ledger, service.expire_lots) == 0
    clock.now = due + timedelta(hours=5)
    assert run(ledger, service.expire_lots) == 2
    (entry,) = expiries(ledger)
    assert (entry.points, entry.occurred_at, entry.recorded_at) == (-50, due, clock.now)
    assert (entry.actor_kind, entry.posting_id) == ("system", None)
    assert ledger.row(account_id).version == version + 1
    assert ledger.standing(account_id).balance == 10
    ledger.prove(account_id)


def test_a_sweep_run_twice_does_nothing_the_second_time(ledger: Any, clock: FixedClock) -> None:
    account_id = ledger.account()
    ledger.earn(account_id, 30, expires_at=clock.now + DAY)
    clock.advance(2 * DAY)
    assert run(ledger, service.expire_lots) == 1
    version = ledger.row(account_id).version
    assert run(ledger, service.expire_lots) == 0
    assert len(expiries(ledger)) == 1
    assert ledger.row(account_id).version == version


def test_a_step_does_no_more_than_it_is_allowed(ledger: Any, clock: FixedClock) -> None:
    for _ in range(5):
        ledger.earn(ledger.account(), 10, expires_at=clock.now + DAY)
    clock.advance(2 * DAY)
    done = [run(ledger, service.expire_lots, limit=2) for _ in range(4)]
    assert done == [2, 2, 1, 0]
    ledger.prove()


def test_a_step_reaches_every_programme(ledger: Any, make_bench: Any, clock: FixedClock) -> None:
    for bench in (ledger, make_bench(ledger.database, clock)):
        bench.earn(bench.account(), 10, expires_at=clock.now + DAY)
    clock.advance(2 * DAY)
    assert run(ledger, service.expire_lots) == 2
    assert len({entry.programme_id for entry in expiries(ledger)}) == 2
    ledger.prove()


def test_points_that_become_available_are_noticed_once(ledger: Any, clock: FixedClock) -> None:
    account_id = ledger.account()
    ledger.earn(account_id, 10, available_from=clock.now + DAY)
    version = ledger.row(account_id).version
    assert run(ledger, service.release_pending) == 0
    clock.advance(DAY)
    assert run(ledger, service.release_pending) == 1
    assert run(ledger, service.release_pending) == 0
    assert ledger.row(account_id).version == version + 1
    assert ledger.standing(account_id).available == 10


def test_pending_points_that_were_taken_back_hold_nothing_up(
    ledger: Any, clock: FixedClock
) -> None:
    account_id = ledger.account()
    ledger.reverse(ledger.earn(account_id, 10, available_from=clock.now + DAY))
    clock.advance(DAY)
    assert run(ledger, service.release_pending) == 0


def test_a_pending_credit_repays_debt_in_the_step(ledger: Any, clock: FixedClock) -> None:
    account_id = ledger.account()
    sale = ledger.earn(account_id, 30)
    ledger.spend(account_id, 30)
    ledger.reverse(sale)
    ledger.earn(account_id, 50, available_from=clock.now + DAY)
    clock.advance(DAY)
    assert run(ledger, service.release_pending) == 1
    assert ledger.row(account_id).debt == 0
    assert ledger.lots(account_id) == [(20, None)]
    ledger.prove(account_id)


def test_a_lapsed_hold_is_released_once(ledger: Any, clock: FixedClock) -> None:
    account_id = ledger.account()
    ledger.earn(account_id, 30)
    held = ledger.hold(account_id, 20)
    clock.advance(timedelta(minutes=14, seconds=59))
    assert run(ledger, service.release_lapsed_holds) == 0
    clock.advance(timedelta(seconds=1))
    assert run(ledger, service.release_lapsed_holds) == 1
    assert run(ledger, service.release_lapsed_holds) == 0
    with ledger.database.read_all() as session:
        assert session.scalar(select(Hold.status)) == HoldStatus.EXPIRED
        assert session.scalar(select(func.sum(Lot.held))) == 0
    assert ledger.row(account_id).held == 0
    ledger.prove(account_id)
    assert held


def test_a_captured_hold_names_its_redemption(ledger: Any) -> None:
    account_id = ledger.account()
    ledger.earn(account_id, 30)
    answer = ledger.post(Capture(ledger.hold(account_id, 20))).answer
    with ledger.database.read_all() as session:
        hold = session.scalars(select(Hold)).one()
        assert (hold.status, hold.entry_id) == (HoldStatus.CAPTURED, answer["entry_id"])


def test_looking_at_a_standing_sees_what_is_due_and_writes_nothing(
    ledger: Any, clock: FixedClock
) -> None:
    account_id = ledger.account()
    ledger.earn(account_id, 30, expires_at=clock.now + DAY)
    ledger.earn(account_id, 20, available_from=clock.now + DAY)
    ledger.hold(account_id, 5)
    clock.advance(DAY)
    shown = ledger.standing(account_id)
    assert (shown.balance, shown.pending, shown.held, shown.available) == (20, 0, 0, 20)
    assert ledger.row(account_id).balance == 50
    assert expiries(ledger) == []


def test_a_programme_without_tiers_any_more_is_not_reviewed_for_ever(ledger: Any) -> None:
    accounts = [ledger.account() for _ in range(3)]
    ledger.terms = Terms(tiers=TierScheme((Level("gold", 10),)))
    for account_id in accounts:
        ledger.earn(account_id, 20)
    ledger.terms = Terms()
    ledger.clock.advance(timedelta(days=400))
    for _ in accounts:
        run(ledger, service.review_tiers, limit=1)
    assert all(ledger.row(account_id).tier_review_at is None for account_id in accounts)


def test_points_of_another_kind_do_not_hold_up_those_that_roll(ledger: Any) -> None:
    ledger.terms = Terms(inactivity_months=1)
    others, rolling = [ledger.account() for _ in range(3)], ledger.account()
    for account_id in others:
        ledger.spend(account_id, ledger.earn(account_id, 10, rolling=True) and 10)
        ledger.earn(account_id, 5)
    ledger.earn(rolling, 10, rolling=True)
    ledger.clock.advance(timedelta(days=100))
    assert run(ledger, service.expire_lots, limit=1) == 1
    assert ledger.standing(rolling).balance == 0
