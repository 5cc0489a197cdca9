"""What a receipt is worth by the rules, the rate and the tier of its day."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from msgspec.structs import replace
from sqlalchemy.orm import Session

from app.ledger.explain import Reason, because
from app.ledger.postings import AccountFacts, Asked, Line, Value
from app.programmes import earning
from app.programmes.earning import Exchange, Sale
from app.programmes.exchange import rate_on
from app.programmes.places import slug_of
from app.programmes.rules import in_segments
from app.programmes.terms import Rulebook, Version


@dataclass(frozen=True, slots=True)
class Priced:
    """What the ledger has to know of a receipt; the names are those of its `Accrue`."""

    value: Callable[[AccountFacts], Value]
    lines: tuple[Line, ...]
    rule_version: int
    exchange_rate: Decimal | None
    exchange_source: str | None
    once_keys: tuple[str, ...]
    asked: Asked | None
    tax_minor: int
    coupons_minor: int
    paid_points: int

    def fields(self) -> dict[str, Any]:
        """All of it, for `Accrue(..., **priced.fields())`."""
        return {name: getattr(self, name) for name in self.__slots__}


def price(
    session: Session,
    book: Rulebook,
    sale: Sale,
    *,
    now: datetime,
    location_id: str | None = None,
) -> Priced:
    """Value a receipt by the version and the exchange rate of the day on which it happened.

    The tier of that day and what was carried over are told to `Priced.value` by the ledger, which
    has the account's lock. Raises `NoExchangeRate` for a foreign receipt without a rate, `NotFound`
    for a day without rules and `Invalid` for a receipt that makes no sense.
    """
    moment = min(sale.occurred_at, now)
    if book.pilots:
        if location_id is not None:
            sale = replace(sale, location=slug_of(session, location_id))
        choices = book.choices(moment, sale.location)
        held_now = [each.number for each in book.choices(now, sale.location)]
        is_late = [each.number for each in choices] != held_now
    else:
        choices = (book.at(moment),)
        is_late = choices[0].number != book.at(now).number
        rules = choices[0].tariff.rules
        if location_id is not None and rules is not None and rules.wants_location:
            sale = replace(sale, location=slug_of(session, location_id))
    last = choices[-1]
    day = sale.occurred_at.astimezone(last.tariff.zone).date()
    exchange: Exchange | None = None
    if sale.currency != book.currency:
        exchange = rate_on(session, book.programme_id, sale.currency, day)
    late = (because("rules_of_day", day=day.isoformat()),) if is_late else ()
    options = [_option(each, sale, exchange, late, now) for each in choices]
    first = options[-1]
    value = first.value
    asked, once_keys = first.asked, first.once_keys
    if len(options) > 1:
        value = partial(_value_of_first, tuple(options), sale.lines, day)
        once_keys = tuple({key for each in options for key in each.once_keys})
        for each in options[:-1]:
            asked = _both(asked, each.asked)
    return Priced(
        value=value,
        lines=earning.marked(last.tariff, sale.lines),
        rule_version=last.number,
        exchange_rate=exchange.rate if exchange else None,
        exchange_source=exchange.source if exchange else None,
        once_keys=once_keys,
        asked=asked,
        tax_minor=sale.tax_minor,
        coupons_minor=sale.coupons_minor,
        paid_points=sale.paid_with_points,
    )


@dataclass(frozen=True, slots=True)
class _Option:
    """What a receipt is worth under one of the versions that may hold for its account."""

    version: Version
    value: Callable[[AccountFacts], Value]
    asked: Asked | None
    once_keys: tuple[str, ...]

    def holds(self, facts: AccountFacts, day: date) -> bool:
        """Whether the version holds for an account."""
        pilot, tariff = self.version.pilot, self.version.tariff
        if pilot is None or not pilot.segments:
            return True
        held = in_segments(self.version.settings.segments, facts, day, tariff.exponent)
        return not pilot.segments.isdisjoint(held)


def _option(
    version: Version,
    sale: Sale,
    exchange: Exchange | None,
    late: tuple[Reason, ...],
    now: datetime,
) -> _Option:
    tariff, pilot = version.tariff, version.pilot
    earned = earning.earning_of(tariff, sale, exchange)
    because_of = late if pilot is None else (*late, because("on_trial"))
    return _Option(
        version,
        partial(earning.value_of, tariff, earned, now=now, because_of=because_of),
        earned.asked(tariff, besides=pilot.segments if pilot else ()),
        earned.once_keys,
    )


def _value_of_first(
    options: tuple[_Option, ...], lines: tuple[Line, ...], day: date, facts: AccountFacts
) -> Value:
    """The value under the first version that holds for the account; the last one always does."""
    chosen = next(each for each in options if each is options[-1] or each.holds(facts, day))
    return replace(
        chosen.value(facts),
        rule_version=chosen.version.number,
        lines=earning.marked(chosen.version.tariff, lines),
    )


def _both(one: Asked | None, other: Asked | None) -> Asked | None:
    """What either asks."""
    if one is None or other is None:
        return one or other
    return Asked(
        one.day,
        one.today or other.today,
        one.first or other.first,
        tuple(sorted({*one.windows, *other.windows})),
    )
