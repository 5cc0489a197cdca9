"""What rules mean for a basket that somebody makes up: by the rules themselves, nothing kept. Pure.

The basket is priced for a member first (member prices, discounts); what is left to pay earns.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from app.ledger.explain import Reason
from app.ledger.postings import AccountFacts, Activity, Line, Value
from app.ledger.rules import add_months
from app.programmes import earning
from app.programmes.earning import Sale, Tariff, tariff_of
from app.programmes.mechanics.baskets import Basket as Priced
from app.programmes.mechanics.baskets import Buyer, price_basket
from app.programmes.rules.streaks import LOOK_BACK_DAYS, Streak
from app.programmes.settings import Settings
from app.programmes.wording import currency_exponent


@dataclass(frozen=True, slots=True)
class Member:
    """Who buys, as far as rules may ask. *visits* and *spent_minor* are those of any time that a
    segment or a scale looks at; *joined_days_ago* 0 is today. *in_a_row*: the visit completes every
    streak that there is."""

    tier: str | None = None
    clubs: frozenset[str] = frozenset()
    kind: str = "personal"
    visits: int = 0
    spent_minor: int = 0
    joined_days_ago: int = 365
    in_a_row: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """A basket: its *lines*, or only an amount; bought at a local moment in a location (a slug)."""

    amount_minor: int
    at: datetime
    lines: tuple[Line, ...] = ()
    location: str | None = None
    member: Member = Member()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comes of it: what it costs the member, and what what is paid earns."""

    priced: Priced
    value: Value

    @property
    def points(self) -> int:
        """All points, bonuses included."""
        return self.value.points + sum(bonus.points for bonus in self.value.bonuses)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why, in the order of the reckoning."""
        return self.value.explain


def reckon(settings: Settings, currency: str, time_zone: str, sample: Sample) -> Outcome:
    """What rules make of a basket. Raises `Invalid` for one that makes no sense."""
    tariff = tariff_of(settings, currency, time_zone)
    exponent = currency_exponent(currency)
    member, day = sample.member, sample.at.date()
    groups = member.clubs | ({member.tier} if member.tier else set())
    spent = {each.code: member.spent_minor for each in settings.discounts}
    priced = price_basket(
        sample.amount_minor,
        sample.lines,
        Buyer(frozenset(groups), member.kind, spent),
        prices=settings.prices,
        discounts=settings.discounts,
        day=day,
        exponent=exponent,
    )
    occurred_at = sample.at.replace(tzinfo=ZoneInfo(time_zone))
    sale = Sale(
        amount_minor=priced.to_pay_minor,
        currency=currency,
        occurred_at=occurred_at,
        lines=_paid(sample.lines, priced),
        location=sample.location,
    )
    earned = earning.earning_of(tariff, sale)
    value = earning.value_of(tariff, earned, _facts(tariff, settings, member, day), now=occurred_at)
    return Outcome(priced, value)


def point_costs(settings: Settings, currency: str, points: int) -> Decimal:
    """What points are worth when they are spent, in minor units of the currency."""
    return settings.point_value.scaleb(currency_exponent(currency)) * points


def _paid(lines: tuple[Line, ...], priced: Priced) -> tuple[Line, ...]:
    """The lines at what is paid for each; a discount goes with those that it is for.

    What rounding leaves goes to the last of them, so that the lines come to what is paid.
    """
    if not lines:
        return ()
    paid = [each.price_minor for each in priced.lines]
    discount = priced.discount
    if discount is not None and priced.discount_minor:
        places = [
            at
            for at, (line, each) in enumerate(zip(lines, priced.lines, strict=True))
            if each.member_price is None and discount.takes_off(line.category)
        ]
        base, left = sum(paid[at] for at in places), priced.discount_minor
        for at in places:
            off = left if at == places[-1] else paid[at] * priced.discount_minor // base
            off = min(off, paid[at])
            paid[at] -= off
            left -= off
        for at in places:  # Where the last one was too small for what rounding left.
            off = min(left, paid[at])
            paid[at] -= off
            left -= off
    return tuple(replace(line, amount_minor=minor) for line, minor in zip(lines, paid, strict=True))


def _facts(tariff: Tariff, settings: Settings, member: Member, day: date) -> AccountFacts:
    windows: dict[int, Activity] = {
        each.within_days: Activity(member.visits, member.spent_minor)
        for each in settings.segments
        if each.within_days is not None
    }
    if member.in_a_row:
        streaks = [each.conditions.streak for each in settings.rules if each.conditions.streak]
        days = frozenset(each for streak in streaks for each in _days_before(streak, day))
        windows[LOOK_BACK_DAYS] = Activity(len(days), member.spent_minor, days)
    return AccountFacts(
        tier=member.tier,
        kind=member.kind,
        joined_on=day - timedelta(days=member.joined_days_ago),
        is_first=not member.visits and not member.in_a_row,
        windows=windows,
    )


def _days_before(streak: Streak, day: date) -> list[date]:
    """Days whose visits a visit on *day* completes a streak with."""
    if streak.unit == "months":
        first = day.replace(day=1)
        return [add_months(first, -back) for back in range(1, streak.count)]
    step = 7 if streak.unit == "weeks" else 1
    return [day - timedelta(days=step * back) for back in range(1, streak.count)]


def sample_baskets(
    settings: Settings, currency: str, at: datetime, places: Mapping[str, str]
) -> tuple[Sample, ...]:
    """Baskets to begin with: a small one, one of goods that the rules name, a large one."""
    unit = 10 ** currency_exponent(currency)
    if currency_exponent(currency) < 2:
        unit *= 100
    location = next(iter(places), None)
    small = Sample(unit * 25 // 2, at, location=location, member=Member(visits=3))
    large = Sample(unit * 80, at, location=location, member=Member(visits=3))
    lines = _named_goods(settings, unit)
    if not lines:
        return small, large
    total = sum(line.amount_minor for line in lines)
    return small, Sample(total, at, lines, location, Member(visits=3)), large


def _named_goods(settings: Settings, unit: int) -> tuple[Line, ...]:
    """A line for each of the first goods that stamps, rules and prices speak of."""
    named: dict[tuple[str | None, str | None], None] = {}
    for card in settings.stamps:
        named |= {(each, None): None for each in card.items}
        named |= {(None, each): None for each in card.categories}
    for rule in settings.rules:
        for goods in (rule.goods, *rule.conditions.contains):
            named |= {(each, None): None for each in goods.items}
            named |= {(None, each): None for each in goods.categories}
        named |= {(None, each): None for each in rule.only_categories}
    named |= {(each.item, None): None for each in settings.prices}
    named |= {(each, None): None for pass_ in settings.multipasses for each in pass_.items}
    named |= {(each, None): None for club in settings.clubs for each in club.items}
    return tuple(
        Line(item or category or "", unit * 4, 1, category) for item, category in list(named)[:4]
    )
