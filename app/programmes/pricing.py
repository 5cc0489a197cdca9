"""What a receipt is worth by the rules, the rate and the tier of its day."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from app.ledger.explain import Reason, because
from app.ledger.postings import AccountFacts, Asked, Line, Value
from app.programmes import earning
from app.programmes.earning import Exchange, Sale
from app.programmes.exchange import rate_on
from app.programmes.places import slug_of
from app.programmes.terms import Rulebook


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
    version = book.at(min(sale.occurred_at, now))
    tariff = version.tariff
    if location_id is not None and tariff.rules is not None and tariff.rules.wants_location:
        sale = replace(sale, location=slug_of(session, location_id))
    day = sale.occurred_at.astimezone(tariff.zone).date()
    exchange: Exchange | None = None
    if sale.currency != book.currency:
        exchange = rate_on(session, book.programme_id, sale.currency, day)
    late: tuple[Reason, ...] = ()
    if version.number != book.at(now).number:
        late = (because("rules_of_day", day=day.isoformat()),)
    earned = earning.earning_of(tariff, sale, exchange)
    return Priced(
        value=partial(earning.value_of, tariff, earned, now=now, because_of=late),
        lines=earning.marked(tariff, sale.lines),
        rule_version=version.number,
        exchange_rate=exchange.rate if exchange else None,
        exchange_source=exchange.source if exchange else None,
        once_keys=earned.once_keys,
        asked=earned.asked(tariff),
        tax_minor=sale.tax_minor,
        coupons_minor=sale.coupons_minor,
        paid_points=sale.paid_with_points,
    )
