"""The ledger's arithmetic: dates, draw order, plans, roundings. No database."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ledger import rules
from app.ledger.rules import LotState, Own, ReturnPolicy, RoundUp, Take, expiry

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
RIGA, BERLIN = "Europe/Riga", "Europe/Berlin"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def lot(name: str, free: int, expires: int | None = None, **facts: object) -> LotState:
    """A lot that can be spent, expiring in so many days."""
    state = LotState(
        id=name,
        entry_id=f"entry of {name}",
        sequence=ord(name[0]),
        points=free,
        remaining=free,
        held=0,
        pending=False,
        available_from=NOW,
        expires_at=None if expires is None else NOW + timedelta(days=expires),
    )
    for fact, value in facts.items():
        setattr(state, fact, value)
    return state


# --- dates ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "earned_at", "days", "expires_at"),
    [
        # Into summer: 29 March has 23 hours.
        (RIGA, "2026-03-28 12:00", 0, "2026-03-28 22:00"),
        (RIGA, "2026-03-28 12:00", 1, "2026-03-29 21:00"),
        (BERLIN, "2026-03-28 12:00", 0, "2026-03-28 23:00"),
        (BERLIN, "2026-03-28 12:00", 1, "2026-03-29 22:00"),
        # Out of summer: 25 October has 25 hours.
        (RIGA, "2026-10-24 12:00", 0, "2026-10-24 21:00"),
        (RIGA, "2026-10-24 12:00", 1, "2026-10-25 22:00"),
        (BERLIN, "2026-10-24 12:00", 0, "2026-10-24 22:00"),
        (BERLIN, "2026-10-24 12:00", 1, "2026-10-25 23:00"),
        # The hour that comes twice belongs to its day, both times.
        (RIGA, "2026-10-25 00:30", 0, "2026-10-25 22:00"),
        (RIGA, "2026-10-25 01:30", 0, "2026-10-25 22:00"),
        # The local day counts, not the UTC one.
        (RIGA, "2026-06-01 20:59", 0, "2026-06-01 21:00"),
        (RIGA, "2026-06-01 21:00", 0, "2026-06-02 21:00"),
        (BERLIN, "2026-06-01 21:30", 0, "2026-06-01 22:00"),
    ],
)
def test_points_last_to_the_end_of_the_local_day(
    zone: str, earned_at: str, days: int, expires_at: str
) -> None:
    assert expiry(utc(earned_at), time_zone=zone, days=days) == utc(expires_at)


def test_a_day_begins_when_the_clocks_skip_its_midnight() -> None:
    # Cairo, 24 April 2026: the clocks go from 00:00 to 01:00.
    assert rules.start_of_day(date(2026, 4, 24), "Africa/Cairo") == utc("2026-04-23 22:00")
    # Havana, 1 November 2026: midnight comes twice; the day begins with the first one.
    assert rules.start_of_day(date(2026, 11, 1), "America/Havana") == utc("2026-11-01 04:00")


@pytest.mark.parametrize(
    ("day", "months", "last"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2026-08-31", 1, "2026-09-30"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2026-12-31", 12, "2027-12-31"),
        ("2026-06-15", 0, "2026-06-15"),
    ],
)
def test_a_day_that_the_month_has_not_got_becomes_its_last(
    day: str, months: int, last: str
) -> None:
    assert rules.add_months(date.fromisoformat(day), months) == date.fromisoformat(last)


def test_a_month_from_the_31st_of_january_is_usable_through_the_28th_of_february() -> None:
    earned_at = utc("2026-01-31 12:00")
    assert expiry(earned_at, time_zone=RIGA, months=1) == utc("2026-02-28 22:00")


@pytest.mark.parametrize(
    ("period", "expires_at"),
    [
        (None, "2026-03-15 22:00"),
        (RoundUp.MONTH, "2026-03-31 21:00"),
        (RoundUp.QUARTER, "2026-03-31 21:00"),
        (RoundUp.YEAR, "2026-12-31 22:00"),
    ],
)
def test_an_expiry_may_be_rounded_up(period: RoundUp | None, expires_at: str) -> None:
    earned_at = utc("2026-02-15 12:00")
    found = expiry(earned_at, time_zone=RIGA, months=1, round_up=period)
    assert found == utc(expires_at)


@pytest.mark.parametrize(("month", "last"), [(1, "03-31"), (6, "06-30"), (7, "09-30")])
def test_quarters_end_in_their_third_month(month: int, last: str) -> None:
    assert rules.end_of(date(2026, month, 1), RoundUp.QUARTER).isoformat() == f"2026-{last}"


def test_points_never_expire_before_they_are_earned() -> None:
    with pytest.raises(ValueError, match="before they are earned"):
        expiry(NOW, time_zone=RIGA, days=-1)


@given(
    st.integers(-50_000, 50_000),
    st.integers(0, 60),
    st.sampled_from([RIGA, BERLIN, "America/Havana", "Pacific/Apia", "UTC"]),
)
def test_points_are_usable_on_the_day_they_are_earned(hours: int, months: int, zone: str) -> None:
    earned_at = NOW + timedelta(hours=hours)
    expires_at = expiry(earned_at, time_zone=zone, months=months)
    assert expires_at > earned_at
    assert expires_at <= earned_at + timedelta(days=31 * months + 2)


# --- spending ---------------------------------------------------------------------------------


def test_what_can_be_spent_is_available_not_expired_and_not_held() -> None:
    lots = [
        lot("a", 5, expires=1),
        lot("b", 5, available_from=NOW + timedelta(seconds=1)),
        lot("c", 5, available_from=None),
        lot("d", 5, expires=0),
        lot("e", 5, held=5),
        lot("f", 5, held=2),
    ]
    assert [(found.id, found.free) for found in rules.spendable(lots, NOW)] == [("a", 5), ("f", 3)]


def test_a_debit_says_how_much_is_missing() -> None:
    lots = [lot("a", 5), lot("b", 5)]
    assert rules.plan_debit(lots, 7) == ([Take("a", 5), Take("b", 2)], 0)
    assert rules.plan_debit(lots, 12) == ([Take("a", 5), Take("b", 5)], 2)


@given(st.lists(st.tuples(st.integers(1, 50), st.none() | st.integers(1, 5))), st.integers(0, 200))
def test_a_debit_takes_all_of_a_lot_before_the_next(
    made: list[tuple[int, int | None]], points: int
) -> None:
    lots = [lot(chr(97 + place), *one) for place, one in enumerate(made)]
    order = rules.draw_order(lots)
    takes, missing = rules.plan_debit(order, points)
    assert sum(take.points for take in takes) + missing == points
    assert missing == 0 or missing == points - sum(one.free for one in lots)
    for take, one in zip(takes[:-1], order, strict=False):
        assert (take.lot_id, take.points) == (one.id, one.free)


def test_a_standing_keeps_its_three_parts_apart() -> None:
    lots = [lot("a", 30, held=10), lot("b", 20, available_from=None)]
    shown = rules.standing(50, 10, 0, lots, NOW)
    assert (shown.balance, shown.pending, shown.held, shown.available) == (50, 20, 10, 20)


# --- returns ----------------------------------------------------------------------------------


@given(st.integers(0, 10_000), st.lists(st.integers(1, 5_000), min_size=1, max_size=20))
def test_any_sequence_of_partial_returns_ends_exactly(points: int, parts: list[int]) -> None:
    sold = sum(parts)
    back = taken = 0
    for part in parts:
        back += part
        due = rules.due_so_far(points, back, sold) - taken
        assert due >= 0
        taken += due
        assert taken * sold <= points * back
    assert taken == points


def test_a_clawback_takes_its_own_lot_then_undoes_repayments_then_others_then_owes() -> None:
    own = Own(lot("a", 10), limit=100, repaid=20)
    plan = rules.plan_clawback(
        60, [own], [lot("b", 5), lot("a", 10)], ReturnPolicy.ALLOW_DEBT, debt=0, debt_floor=None
    )
    assert plan.undone == [Take("a", 20)]
    assert plan.takes == [Take("a", 30), Take("b", 5)]
    assert (plan.debt, plan.forgiven) == (25, 0)


@pytest.mark.parametrize(
    ("policy", "floor", "taken", "debt", "forgiven"),
    [
        (ReturnPolicy.ONLY_PENDING, None, 10, 0, 50),
        (ReturnPolicy.WITHIN_BALANCE, None, 15, 0, 45),
        (ReturnPolicy.ALLOW_DEBT, None, 15, 45, 0),
        (ReturnPolicy.ALLOW_DEBT, 30, 15, 20, 25),
        (ReturnPolicy.ALLOW_DEBT, 10, 15, 0, 45),
        (ReturnPolicy.ALLOW_DEBT, 0, 15, 0, 45),
    ],
)
def test_the_policy_says_what_spent_points_cost(
    policy: ReturnPolicy, floor: int | None, taken: int, debt: int, forgiven: int
) -> None:
    own = Own(lot("a", 10), limit=60, repaid=0)
    plan = rules.plan_clawback(60, [own], [lot("b", 5)], policy, debt=10, debt_floor=floor)
    assert sum(take.points for take in plan.takes) == taken
    assert (plan.debt, plan.forgiven) == (debt, forgiven)


def test_only_pending_touches_only_what_is_pending() -> None:
    pending = Own(lot("b", 5, available_from=None), 5, 0)
    own = [Own(lot("a", 5), 5, 0), pending]
    assert rules.returnable(own, ReturnPolicy.ONLY_PENDING, NOW) == [pending]
    assert len(rules.returnable(own, ReturnPolicy.WITHIN_BALANCE, NOW)) == 2


def test_a_hold_keeps_points_from_a_clawback() -> None:
    own = Own(lot("a", 10, held=8), limit=10, repaid=0)
    plan = rules.plan_clawback(10, [own], [], ReturnPolicy.WITHIN_BALANCE, debt=0, debt_floor=None)
    assert (plan.takes, plan.forgiven) == ([Take("a", 2)], 8)
