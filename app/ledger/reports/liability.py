"""What the points that are out may cost: outstanding, expected breakage, revenue recognised.

The money of a sale that belongs to the points given with it is recognised as the points are
redeemed (IFRS 15, ASC 606; witness: KPMG, Revenue for customer loyalty programmes, 2019, examples
10A and 10B). *issued* is what was credited less what returns took back; redemptions that were
undone are not *redeemed*. So at any moment, over all accounts::

    issued - redeemed - lapsed == outstanding - debt
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from app.ledger.reports import _sums, rules
from app.ledger.reports._sums import Amounts, Flows, Key
from app.ledger.reports.rules import Period

__all__ = ["Amounts", "Liability", "Month", "Recognised", "Terms", "Valuation", "liability"]


@dataclass(frozen=True, slots=True)
class Valuation:
    """What the owner says of points from a moment on (*since* empty: from the beginning).

    *point_value* is the money, in major units, that is set aside for each point issued; without
    it the report counts points alone. *expected_share* is the part of the points that will be
    redeemed, from 0 to 1; without it, it is what became of the points whose time is over.
    """

    since: datetime | None = None
    point_value: Decimal | None = None
    expected_share: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """Where the programme is, and its valuations in the order in which they came to hold.

    A point keeps the value with which it was issued; a changed expectation is caught up with.
    """

    currency_exponent: int
    time_zone: str
    valuations: tuple[Valuation, ...] = (Valuation(),)

    def before(self, moment: datetime) -> Valuation:
        """The valuation that held until *moment*."""
        held = self.valuations[0]
        for each in self.valuations[1:]:
            if each.since is not None and each.since < moment:
                held = each
        return held

    def changes(self, before: datetime) -> set[datetime]:
        """When another valuation came to hold."""
        moments = {each.since for each in self.valuations[1:] if each.since is not None}
        return {moment for moment in moments if moment < before}


@dataclass(frozen=True, slots=True)
class Recognised:
    """Revenue of a period (empty: of all time). The rest is to date, at the period's end.

    *observed_share* is what became of the points whose time was over by then (empty: of none).
    """

    period: Period | None
    issued: int
    redeemed: int
    lapsed: int
    expected_share: Decimal
    observed_share: Decimal | None
    expected_redeemed: int
    allocated_minor: int | None
    to_date_minor: int | None
    recognised_minor: int | None


@dataclass(frozen=True, slots=True)
class Month:
    """What lapses with the days of a month unless it is used; *first* empty: it has no date.

    *rolling*: it lapses when its member has not come for long.
    """

    first: date | None
    rolling: bool
    points: int
    value_minor: int | None


@dataclass(frozen=True, slots=True)
class Liability:
    """The report. Points are whole numbers, money is in minor units (None without a value)."""

    before: datetime
    total: Amounts
    value_minor: int | None
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
    session: _sums.Session, terms: Terms, before: datetime, periods: Sequence[Period] = ()
) -> Liability:
    """The report on all that was recorded before *before*, in a session for one programme.

    *periods* lie one after the other and end by *before*; revenue of the time before the first
    is left out of the list and counted in what is "to date".
    """
    bounds = sorted(terms.changes(before) | {period.start for period in periods})
    open_lots, flows, debt = _sums.add_up(session, before, bounds)
    total = Amounts()
    by_partner: dict[str | None, Amounts] = defaultdict(Amounts)
    months: dict[tuple[bool, bool, date], int] = defaultdict(int)
    for key, amounts in open_lots.items():
        total.add(amounts)
        by_partner[key.partner_id].add(amounts)
        months[_month(key, terms.time_zone)] += amounts.outstanding
    states = _states(terms, [*bounds, before], flows)
    return Liability(
        before=before,
        total=total,
        value_minor=value_minor(terms, before, total.outstanding),
        debt=debt,
        by_partner=dict(by_partner),
        by_month=[
            Month(None if dateless else first, rolling, points, value_minor(terms, before, points))
            for (dateless, rolling, first), points in sorted(months.items())
            if points
        ],
        latest=_recognise(None, states[before], None),
        periods=[
            _recognise(period, states[period.end], states.get(period.start)) for period in periods
        ],
    )


def value_minor(terms: Terms, before: datetime, points: int) -> int | None:
    """What *points* are worth by the valuation that held until *before*, in minor units."""
    value = terms.before(before).point_value
    return None if value is None else rules.worth_minor(points, value, terms.currency_exponent)


def _month(key: Key, time_zone: str) -> tuple[bool, bool, date]:
    """Sorts by date; what rolls and what never lapses comes last."""
    if key.rolling or key.expires_at is None:
        return (True, key.rolling, date.min)
    return (False, False, rules.last_day(key.expires_at, time_zone).replace(day=1))


@dataclass(frozen=True, slots=True)
class _State:
    """All that has happened by a moment; *allocated* is exact, in points times their value."""

    flows: Flows
    share: Decimal | None
    allocated_minor: int | None


def _states(
    terms: Terms, moments: Sequence[datetime], flows: Sequence[Flows]
) -> dict[datetime, _State]:
    """What had happened by each of *moments*; *flows* are what happened up to each."""
    states: dict[datetime, _State] = {}
    so_far = Flows()
    issued_at: dict[Decimal | None, int] = defaultdict(int)
    for moment, flow in zip(moments, flows, strict=True):
        valuation = terms.before(moment)
        so_far = so_far.plus(flow)
        issued_at[valuation.point_value] += flow.issued
        states[moment] = _State(
            so_far, valuation.expected_share, _allocated(terms, issued_at, valuation)
        )
    return states


def _allocated(
    terms: Terms, issued_at: dict[Decimal | None, int], valuation: Valuation
) -> int | None:
    if valuation.point_value is None:
        return None
    worth = [(points, value) for value, points in issued_at.items() if value is not None]
    return rules.sum_minor(worth, terms.currency_exponent)


def _recognise(period: Period | None, now: _State, then: _State | None) -> Recognised:
    flows = now.flows
    observed = rules.share_of(flows.over_redeemed, flows.over_lapsed)
    to_date, expected, share = _to_date(now)
    earlier = 0 if then is None else _to_date(then)[0] or 0
    return Recognised(
        period=period,
        issued=flows.issued,
        redeemed=flows.redeemed,
        lapsed=flows.lapsed,
        expected_share=share,
        observed_share=observed,
        expected_redeemed=expected,
        allocated_minor=now.allocated_minor,
        to_date_minor=to_date,
        recognised_minor=None if to_date is None else to_date - earlier,
    )


def _to_date(state: _State) -> tuple[int | None, int, Decimal]:
    """Revenue to date, how many points are expected to be redeemed, and their share."""
    flows = state.flows
    share = state.share
    if share is None:
        # Nothing is over yet: nothing is known to lapse, and nothing is recognised early.
        observed = rules.share_of(flows.over_redeemed, flows.over_lapsed)
        share = Decimal(1) if observed is None else observed
    expected = rules.expected_redeemed(flows.issued, flows.redeemed, flows.lapsed, share)
    allocated = state.allocated_minor
    if allocated is None:
        return None, expected, share
    if flows.issued - flows.lapsed <= flows.redeemed:
        return allocated, expected, share  # Nothing is left that could be redeemed.
    return rules.recognised_to_date(allocated, flows.redeemed, expected), expected, share
