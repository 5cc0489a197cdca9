"""Numbers, money and dates as people write them, quickly. Pure.

Babel knows the forms; it is asked once for each language and currency, because asking it for every
number would cost more than everything else in an answer. A language that we do not speak is
written as English.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from babel.dates import get_month_names
from babel.numbers import (
    format_currency,
    get_currency_precision,
    get_decimal_symbol,
    get_group_symbol,
)

LANGUAGES = ("en", "de", "lv", "ru")

#: Day, month and year. Latvian declines a month's name by what stands before it, so there a date
#: is written in figures, which are read in any case.
_DATES = {
    "en": "{day} {month} {year}",
    "de": "{day}. {month} {year}",
    "lv": "{day:02d}.{number:02d}.{year}.",
    "ru": "{day} {month} {year}\u202fг.",
}


class _Symbols(NamedTuple):
    group: str
    decimal: str
    months: tuple[str, ...]


class _Money(NamedTuple):
    prefix: str
    suffix: str
    exponent: int


def spoken(language: str) -> str:
    """*language* if it is one that we speak, else English."""
    return language if language in LANGUAGES else "en"


@lru_cache(maxsize=16)
def _symbols(language: str) -> _Symbols:
    names = get_month_names("wide", context="format", locale=language)
    months = tuple(names[number] for number in range(1, 13))
    return _Symbols(get_group_symbol(locale=language), get_decimal_symbol(locale=language), months)


@lru_cache(maxsize=1024)
def _money_form(currency: str, language: str) -> _Money:
    exponent = int(get_currency_precision(currency))
    sample = format_currency(1, currency, locale=language)
    figures = [place for place, letter in enumerate(sample) if letter.isdigit()]
    return _Money(sample[: figures[0]], sample[figures[-1] + 1 :], exponent)


def number(value: int, language: str) -> str:
    """A whole number with its thousands apart."""
    return f"{value:,}".replace(",", _symbols(spoken(language)).group)


def decimal_text(text: str, language: str) -> str:
    """An exact decimal that was kept as text ("1.5"), digit for digit."""
    whole, _, fraction = text.partition(".")
    symbols = _symbols(spoken(language))
    grouped = f"{int(whole):,}".replace(",", symbols.group)
    return grouped + symbols.decimal + fraction if fraction else grouped


def money(minor: int | Decimal, currency: str, language: str) -> str:
    """An amount in minor units; what is finer than the currency is written to its last digit."""
    language = spoken(language)
    prefix, suffix, exponent = _money_form(currency, language)
    group, mark, _ = _symbols(language)
    finer = ""
    if isinstance(minor, Decimal):
        finer = f"{minor:f}".partition(".")[2].rstrip("0")
    sign = "-" if minor < 0 else ""
    whole, rest = divmod(abs(int(minor)), 10**exponent)
    fraction = (f"{rest:0{exponent}d}" if exponent else "") + finer
    figures = f"{whole:,}".replace(",", group)
    return f"{sign}{prefix}{figures}{mark + fraction if fraction else ''}{suffix}"


def day(value: date, language: str) -> str:
    """A date: 12 May 2026."""
    language = spoken(language)
    return _DATES[language].format(
        day=value.day,
        month=_symbols(language).months[value.month - 1],
        number=value.month,
        year=value.year,
    )


def moment(value: datetime, time_zone: str, language: str) -> str:
    """A date and its time of day in *time_zone*: 12 May 2026, 14:30."""
    local = value.astimezone(ZoneInfo(time_zone))
    return f"{day(local.date(), language)}, {local.hour:02d}:{local.minute:02d}"


def last_day(end: datetime, time_zone: str, language: str) -> str:
    """The last local day before *end*, which is the first moment without."""
    local = (end - timedelta(microseconds=1)).astimezone(ZoneInfo(time_zone))
    return day(local.date(), language)
