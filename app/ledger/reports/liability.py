"""What the points that are out may cost: outstanding, expected breakage, revenue recognised.

The money of a sale that belongs to the points given with it is recognised as the points are
redeemed (IFRS 15, ASC 606; witness: KPMG, Revenue for customer loyalty programmes, 2019, examples
10A and 10B). *issued* is what was credited less what returns took back; redemptions that were
undone are not *redeemed*. So at any moment, over all accounts::

    issued - redeemed - lapsed == outstanding - debt
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from app.ledger.reports import _sums, rules
from app.ledger.reports._sums import Amounts, Flows, Key
from app.ledger.reports.rules import Period

__all__ = ["Amounts", "Liability", "Month", "Recognised", "Terms", "liability"]


@dataclass(frozen=True, slots=True)
class Terms:
    """What the owner says of the points, and where the programme is.

    *point_value* is the money, in major units, that is set aside for each point issued; without
    it the report counts points alone. *expected_share* is the part of the points that will be
    redeemed, from 0 to 1; without it, it is what became of the points whose time is over.
    """

    currency_exponent: int
    time_zone: str
    point_value: Decimal | None = None
    expected_share: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Recognised:
    """Revenue of a period. All numbers of points and *to_date_minor* are to date, at its end."""

    period: Period
    issued: int
    redeemed: int
    lapsed: int
    expected_share: Decimal
    share_is_estimated: bool
    expected_redeemed: int
    allocated_minor: int | None
    to_date_minor: int | None
    recognised_minor: int | None


@dataclass(frozen=True, slots=True)
class Month:
    """What lapses at the end of a month's days unless it is used; *first* empty: no date."""

    first: date | None
    points: int
    value_minor: int | None


@dataclass(frozen=True, slots=True)
class Liability:
    """The report. Points are whole numbers, money is in minor units (None without a value)."""

    before: datetime
    total: Amounts
    debt: int
    by_partner: dict[str | None, Amounts]
    by_month: list[Month]
    latest: Recognised
    periods: list[Recognised] = field(default_factory=list)

    @property
    def expected_breakage(self) -> int:
        """How many of the outstanding points are not expected to be redeemed."""
        coming = self.latest.expected_redeemed - self.latest.redeemed
        return max(0, self.total.outstanding - max(0, coming))

    @property
    def deferred_minor(self) -> int | None:
        """What was set aside and is not recognised yet: the liability in the books."""
        latest = self.latest
        if latest.allocated_minor is None or latest.to_date_minor is None:
            return None
        return latest.allocated_minor - latest.to_date_minor


def liability(
    session: _sums.Session, terms: Terms, before: datetime, periods: list[Period]
) -> Liability:
    """The report on all that was recorded before *before*, in a session for one programme.

    *periods* lie one after the other and end by *before*; revenue of the time before the first
    is left out of the list and counted in what is "to date".
    """
    bounds = [period.start for period in periods]
    open_lots, flows, debt = _sums.add_up(session, before, bounds)
    total = Amounts()
    by_partner: dict[str | None, Amounts] = defaultdict(Amounts)
    months: dict[date | None, int] = defaultdict(int)
    for key, amounts in open_lots.items():
        total.add(amounts)
        by_partner[key.partner_id].add(amounts)
        months[_month(key, terms.time_zone)] += amounts.outstanding
    done = _recognise(terms, before, periods, flows)
    by_month = [
        Month(first, points, _value(terms, points))
        for first, points in sorted(
            months.items(), key=lambda month: (month[0] is None, month[0] or date.min)
        )
        if points
    ]
    return Liability(
        before=before,
        total=total,
        debt=debt,
        by_partner=dict(by_partner),
        by_month=by_month,
        latest=done[-1],
        periods=done[1:] if periods else [],
    )


def _month(key: Key, time_zone: str) -> date | None:
    if key.expires_at is None:
        return None
    return rules.last_day(key.expires_at, time_zone).replace(day=1)


def _value(terms: Terms, points: int) -> int | None:
    if terms.point_value is None:
        return None
    return rules.worth_minor(points, terms.point_value, terms.currency_exponent)


def _recognise(
    terms: Terms, before: datetime, periods: list[Period], flows: list[Flows]
) -> list[Recognised]:
    """One for the time before the first period, then one a period; each adds to the one before."""
    result: list[Recognised] = []
    issued = redeemed = lapsed = over_redeemed = over_lapsed = 0
    beginning = periods[0].start if periods else before
    whole = [Period(beginning.date(), beginning, beginning), *periods]
    for period, flow in zip(whole, flows, strict=True):
        issued += flow.issued
        redeemed += flow.redeemed
        lapsed += flow.lapsed
        over_redeemed += flow.over_redeemed
        over_lapsed += flow.over_lapsed
        share = terms.expected_share
        estimated = share is None
        if share is None:
            # Nothing is over yet: nothing is known to break, and nothing is recognised early.
            share = rules.share_of(over_redeemed, over_lapsed)
            share = Decimal(1) if share is None else share
        expected = rules.expected_redeemed(issued, redeemed, lapsed, share)
        allocated = _value(terms, issued)
        to_date = recognised = None
        if allocated is not None:
            earlier = (result[-1].to_date_minor or 0) if result else 0
            recognised = _revenue(allocated, redeemed, expected, issued - lapsed, earlier)
            to_date = earlier + recognised
        result.append(
            Recognised(
                period,
                issued,
                redeemed,
                lapsed,
                share,
                estimated,
                expected,
                allocated,
                to_date,
                recognised,
            )
        )
    return result


def _revenue(allocated: int, redeemed: int, expected: int, alive: int, earlier: int) -> int:
    if alive <= redeemed:
        return allocated - earlier  # Nothing is left that could be redeemed.
    return rules.recognised(allocated, redeemed, expected, earlier)
