"""How pages write numbers, shares, money and moments: as people do in the language spoken now."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, format_timedelta
from babel.numbers import format_currency, format_decimal, format_percent
from flask import Flask, g, has_request_context

from app.languages import current_language
from app.programmes.wording import currency_exponent


def number(value: int | float | Decimal) -> str:
    """A number with the separators of the language."""
    return str(format_decimal(value, locale=locale_now()))


def percent(share: float | Decimal, decimals: int = 0) -> str:
    """A share of 1 as per cents."""
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "") + "\u00a0%"
    return str(format_percent(share, pattern, locale=locale_now()))


def money(amount_minor: int, currency: str) -> str:
    """An amount in minor units, with its currency."""
    amount = Decimal(amount_minor).scaleb(-currency_exponent(currency))
    return str(format_currency(amount, currency, locale=locale_now()))


def day(value: date | datetime) -> str:
    """A date; of a moment, the day it falls on in the programme's zone."""
    if isinstance(value, datetime):
        value = value.astimezone(_zone()).date()
    return str(format_date(value, "medium", locale=locale_now()))


def moment(value: datetime) -> str:
    """A date and time in the programme's zone."""
    return local_moment(value.astimezone(_zone()))


def local_moment(value: datetime) -> str:
    """A date and time as the clocks of its zone show it."""
    clock = format_time(value.time(), "short", locale=locale_now())
    return f"{day(value.date())}, {clock}"


def ago(value: datetime, now: datetime) -> str:
    """How long ago a moment is at *now*, in words."""
    return str(format_timedelta(value - now, add_direction=True, locale=locale_now()))


def speak_zone(time_zone: str) -> None:
    """Write the moments of this request in that IANA zone."""
    g.time_zone = time_zone


def install(app: Flask) -> None:
    """Make them filters of the templates."""
    app.jinja_env.filters.update(
        number=number, percent=percent, money=money, date=day, moment=moment, ago=ago
    )


def locale_now() -> str:
    """Of English the British kind: our shops are in Europe, where the day comes first."""
    language = current_language()
    return "en_GB" if language == "en" else language


def _zone() -> ZoneInfo:
    name = g.get("time_zone") if has_request_context() else None
    return ZoneInfo(name or "UTC")
