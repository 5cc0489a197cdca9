"""The arithmetic of the ledger. Pure: lots and moments in, plans and dates out.

A debit is planned over lots before anything is written, so that the check and the debit cannot
disagree. Nothing here changes what it is given.
"""

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

_NEVER = datetime.max.replace(tzinfo=UTC)


class ReturnPolicy(StrEnum):
    """What a return may take when the points it has to take back are spent already."""

    #: Only points that were still pending; what could be spent stays with the member.
    ONLY_PENDING = "only_pending"
    #: Other points that can be spent now, and no more.
    WITHIN_BALANCE = "within_balance"
    #: Then debt, down to a floor.
    ALLOW_DEBT = "allow_debt"


class RoundUp(StrEnum):
    """The end of what a last usable day is moved to."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(slots=True)
class LotState:
    """A lot at one moment. `free` is what no hold reserves."""

    id: str
    entry_id: str
    sequence: int
    points: int
    remaining: int
    held: int
    pending: bool
    available_from: datetime | None
    expires_at: datetime | None
    issuing_partner_id: str | None = None
    rolling: bool = False
    counts_on: date | None = None

    @property
    def free(self) -> int:
        return self.remaining - self.held

    def is_available(self, now: datetime) -> bool:
        """Whether its points have become available (they may have expired since)."""
        return self.available_from is not None and self.available_from <= now

    def is_expired(self, now: datetime) -> bool:
        """Whether its points have expired: *expires_at* is the first moment without them."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True)
class Standing:
    """What an account shows. ``available == balance - pending - held``.

    *available* is below zero where there is debt: then nothing can be spent.
    """

    balance: int
    pending: int
    held: int
    available: int
    debt: int


def standing(
    balance: int, held: int, debt: int, lots: Iterable[LotState], now: datetime
) -> Standing:
    """The standing of an account of these totals; *lots* contain at least all pending ones."""
    pending = sum(lot.remaining for lot in lots if not lot.is_available(now))
    return Standing(balance, pending, held, balance - pending - held, debt)


# --- spending ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Take:
    """Points from one lot."""

    lot_id: str
    points: int


def draw_order(lots: Iterable[LotState]) -> list[LotState]:
    """Earliest expiry first, then what never expires; ties in the order they were made."""
    return sorted(lots, key=lambda lot: (lot.expires_at or _NEVER, lot.sequence))


def spendable(lots: Iterable[LotState], now: datetime) -> list[LotState]:
    """The lots that can be spent at *now*, in draw order: available, not expired, not held."""
    return draw_order(
        lot for lot in lots if lot.free > 0 and lot.is_available(now) and not lot.is_expired(now)
    )


def plan_debit(lots: Iterable[LotState], points: int) -> tuple[list[Take], int]:
    """Which of *lots*, in the order given, pay *points*; and how many are missing."""
    takes = []
    for lot in lots:
        taken = min(points, lot.free)
        if taken > 0:
            takes.append(Take(lot.id, taken))
            points -= taken
    return takes, points


# --- taking back ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Own:
    """A lot whose points are to be taken back: *limit* at most, *repaid* of them paid a debt."""

    lot: LotState
    limit: int
    repaid: int


@dataclass(frozen=True, slots=True)
class Clawback:
    """How points are taken back.

    *undone* are repayments of debt to undo first (each gives its lot points that *takes* then
    takes); *debt* is new debt; *forgiven* is what the policy leaves with the member.
    """

    undone: list[Take]
    takes: list[Take]
    debt: int
    forgiven: int


def plan_clawback(
    points: int,
    own: Sequence[Own],
    others: Sequence[LotState],
    policy: ReturnPolicy,
    *,
    debt: int,
    debt_floor: int | None,
) -> Clawback:
    """Take *points* back: from their own lots, then as far as *policy* allows from *others*
    (given in draw order), then as debt.

    A repayment that the own lots made is undone before anybody else pays: that restores the debt
    as it was. *debt* is what is owed now, *debt_floor* how much may be owed at most through new
    debt (None: any).
    """
    takes: list[Take] = []
    undone: list[Take] = []
    rest = points
    for part in own:
        free = min(rest, part.limit, part.lot.free)
        back = min(rest - free, part.limit - free, part.repaid)
        if back > 0:
            undone.append(Take(part.lot.id, back))
        if free + back > 0:
            takes.append(Take(part.lot.id, free + back))
        rest -= free + back
    if policy is not ReturnPolicy.ONLY_PENDING:
        mine = {part.lot.id for part in own}
        more, rest = plan_debit((lot for lot in others if lot.id not in mine), rest)
        takes += more
    new_debt = 0
    if policy is ReturnPolicy.ALLOW_DEBT:
        room = rest
        if debt_floor is not None:
            room = max(0, debt_floor - debt - sum(take.points for take in undone))
        new_debt = min(rest, room)
    return Clawback(undone, takes, new_debt, rest - new_debt)


def returnable(own: Iterable[Own], policy: ReturnPolicy, now: datetime) -> list[Own]:
    """The part of *own* that a return may touch under *policy*, in draw order."""
    parts = [
        part
        for part in own
        if policy is not ReturnPolicy.ONLY_PENDING or not part.lot.is_available(now)
    ]
    order = {lot.id: place for place, lot in enumerate(draw_order(part.lot for part in parts))}
    return sorted(parts, key=lambda part: order[part.lot.id])


def due_so_far(points: int, returned_minor: int, sold_minor: int) -> int:
    """How many of *points* are due for what has come back so far, rounded down once.

    Counting from the start each time makes any sequence of partial returns end exactly.
    """
    if returned_minor >= sold_minor:
        return points
    return points * returned_minor // sold_minor


# --- dates ------------------------------------------------------------------------------------

_zone = cache(ZoneInfo)


def local_day(moment: datetime, time_zone: str) -> date:
    """The local day that *moment* is in."""
    return moment.astimezone(_zone(time_zone)).date()


def start_of_day(day: date, time_zone: str) -> datetime:
    """The first instant of a local day, in UTC.

    Where the clocks skip midnight that is the instant of the change; where midnight comes twice
    it is the first of the two.
    """
    return datetime.combine(day, time(), _zone(time_zone)).astimezone(UTC)


def add_months(day: date, months: int) -> date:
    """*day* so many months on; a day that the month has not got becomes its last."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def end_of(day: date, period: RoundUp) -> date:
    """The last day of the month, quarter or year that *day* is in."""
    month = {
        RoundUp.MONTH: day.month,
        RoundUp.QUARTER: (day.month + 2) // 3 * 3,
        RoundUp.YEAR: 12,
    }[period]
    return date(day.year, month, calendar.monthrange(day.year, month)[1])


def expiry(
    earned_at: datetime,
    *,
    time_zone: str,
    months: int = 0,
    days: int = 0,
    round_up: RoundUp | None = None,
) -> datetime:
    """When points earned at *earned_at* expire, in UTC: the first instant without them.

    They last *months* and *days* counted in local days, then to the end of *round_up*; the last
    day counts in full. Raises `ValueError` for a negative length.
    """
    if months < 0 or days < 0:
        raise ValueError("points cannot expire before they are earned")
    day = earned_at.astimezone(_zone(time_zone)).date()
    return _expiry_of(day, time_zone, months, days, round_up)


@lru_cache(4096)
def _expiry_of(
    day: date, time_zone: str, months: int, days: int, round_up: RoundUp | None
) -> datetime:
    """When points of a local day expire: a shop's are the same all day long."""
    last = add_months(day, months)
    last += timedelta(days=days)
    if round_up is not None:
        last = end_of(last, round_up)
    return start_of_day(last + timedelta(days=1), time_zone)
