"""Exchange rates of a programme: what foreign money is worth in its own, from a day on."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from babel.numbers import is_currency
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Conflict, Invalid
from app.programmes.earning import Exchange
from app.programmes.models import ExchangeRate
from app.programmes.service import programme_by_id

LONGEST_SOURCE = 64
_RATE = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,12})?", re.ASCII)


class NoExchangeRate(Conflict):
    """A receipt came in a currency that the programme has no rate for on its day."""

    code = "no_exchange_rate"


def add_rate(
    session: Session,
    programme_id: str,
    currency: str,
    rate: str,
    *,
    day: date,
    source: str,
    now: datetime,
    replace: bool = False,
) -> Exchange:
    """Say what one unit of *currency* is worth in the programme's own from *day* on.

    Receipts keep the rate they were valued at. Raises `Invalid` for a rate that makes no sense and
    `Conflict` where that day has one already, unless it is to *replace* it.
    """
    programme = programme_by_id(session, programme_id)
    wrong: dict[str, list[str]] = {}
    if not is_currency(currency):
        wrong["currency"] = ["Write a currency such as USD."]
    elif currency == programme.currency:
        wrong["currency"] = [f"The programme counts in {currency} itself: it needs no rate."]
    if not _RATE.fullmatch(rate) or not Decimal(rate):
        wrong["rate"] = [
            f"Say what one {currency[:8]} is in {programme.currency}, such as 0.9213; "
            "above zero, 12 decimals at most."
        ]
    if not source.strip() or len(source) > LONGEST_SOURCE:
        wrong["source"] = [f"Say where the rate is from in 1 to {LONGEST_SOURCE} characters."]
    if wrong:
        raise Invalid("That is no exchange rate.", wrong)
    found = session.scalar(
        select(ExchangeRate).where(
            ExchangeRate.programme_id == programme_id,
            ExchangeRate.currency == currency,
            ExchangeRate.day == day,
        )
    )
    if found is None:
        found = ExchangeRate(programme_id=programme_id, currency=currency, day=day, created_at=now)
        session.add(found)
    elif not replace:
        raise Conflict(
            f"From {day} on one {currency} is {found.rate} {programme.currency} already. "
            "Correct it with --replace, or give another day."
        )
    found.rate, found.source = rate, source
    session.flush()
    return Exchange(Decimal(rate), source, day)


def rates(
    session: Session, programme_id: str, currency: str | None = None
) -> Sequence[ExchangeRate]:
    """The rates of a programme, the newest of each currency first."""
    wanted = select(ExchangeRate).where(ExchangeRate.programme_id == programme_id)
    if currency is not None:
        wanted = wanted.where(ExchangeRate.currency == currency)
    return session.scalars(wanted.order_by(ExchangeRate.currency, ExchangeRate.day.desc())).all()


def rate_on(session: Session, programme_id: str, currency: str, day: date) -> Exchange:
    """The rate of a receipt of that local *day*: the latest on or before it.

    Raises `NoExchangeRate` that says how to add one.
    """
    row = session.execute(
        select(ExchangeRate.rate, ExchangeRate.source, ExchangeRate.day)
        .where(
            ExchangeRate.programme_id == programme_id,
            ExchangeRate.currency == currency,
            ExchangeRate.day <= day,
        )
        .order_by(ExchangeRate.day.desc())
        .limit(1)
    ).first()
    if row is None:
        raise NoExchangeRate(
            f"There is no exchange rate for {currency} on {day} yet. Add one, then send the "
            f"receipt again: counterfoil programme rate add {currency} RATE --day {day}",
            currency=currency,
            day=day.isoformat(),
        )
    return Exchange(Decimal(row.rate), row.source, row.day)
