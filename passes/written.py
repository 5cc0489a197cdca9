"""How values are written for people: numbers, shares, money and days as each language has them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent

from passes.card import Field, Form
from passes.text import LANGUAGES, Text, primary, said


def written(field: Field, language: str) -> str:
    """The value of `field` as people write it in the BCP 47 `language`."""
    locale = primary(language)
    if locale not in LANGUAGES:
        locale = LANGUAGES[0]
    value = field.value
    if isinstance(value, str | Text):
        return said(value, language)
    if isinstance(value, date):
        return str(format_date(value, "medium", locale=locale))
    match field.form:
        case Form.PERCENT:
            return str(format_percent(value, _percent_format(value), locale=locale))
        case Form.MONEY:
            return str(format_currency(value, str(field.currency), locale=locale))
        case _:
            return str(format_decimal(value, locale=locale))


def is_same_everywhere(field: Field) -> bool:
    """Whether the value is written alike in every language."""
    return isinstance(field.value, str)


def _percent_format(value: int | Decimal) -> str | None:
    """CLDR writes whole per cents; a discount of 7.5 % keeps its decimals."""
    return None if value * 100 == int(value * 100) else "#,##0.###\u00a0%"
