"""What a receipt earns. Pure: numbers in, numbers and their explanation out."""

import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from babel.numbers import format_currency, get_currency_precision
from babel.plural import PluralRule

from app.errors import Invalid

#: A receipt above this is a typing mistake: 1,000,000.00 in most currencies.
HIGHEST_AMOUNT_MINOR = 100_000_000
#: Bounds the digits of a rate, so that every product below is exact in 28 digits.
RATE_DECIMALS = 6
#: Points for one unit of money; with the highest receipt far below what a database counts to.
HIGHEST_RATE = 1_000_000
#: What a point is called has to fit onto a phone's card.
LONGEST_NAME = 30


@dataclass(frozen=True, slots=True)
class Settings:
    """One version of a programme's settings.

    A receipt earns *points* for every full *per_amount* of money (both exact decimals, money in
    major units), rounded down once. Points last *expires_after_months* (0: for ever), counted to
    the end of the last local day. A redemption takes at least *redeem_minimum* points in steps of
    *redeem_step*; more than *static_redeem_limit* needs a rotating code or a manager.
    *return_policy* says what happens when returned points are spent already: only_pending,
    within_balance or allow_debt (down to *debt_floor* points of debt).
    """

    points: Decimal
    per_amount: Decimal
    expires_after_months: int = 0
    redeem_minimum: int = 1
    redeem_step: int = 1
    static_redeem_limit: int = 50
    return_policy: str = "allow_debt"
    debt_floor: int = 1_000_000

    def as_json(self) -> dict[str, Any]:
        """The settings as they are kept; decimals as text, so that nothing is rounded."""
        return {
            name: str(value) if isinstance(value, Decimal) else value
            for name in self.__slots__
            for value in (getattr(self, name),)
        }


def settings_from_json(data: Mapping[str, Any]) -> Settings:
    """Read settings. Raises `Invalid` that names each wrong field."""
    values: dict[str, Any] = {}
    wrong: dict[str, list[str]] = {}
    for name, value in data.items():
        if name in {"points", "per_amount"}:
            values[name] = _rate(name, value, wrong)
        elif name == "return_policy":
            values[name] = value
            if value not in ("only_pending", "within_balance", "allow_debt"):
                wrong[name] = ["Choose only_pending, within_balance or allow_debt."]
        elif name in _WHOLE:
            values[name] = value
            lowest = _WHOLE[name]
            if type(value) is not int or not lowest <= value <= 1_000_000_000:
                wrong[name] = [f"Give a whole number of at least {lowest}."]
        else:
            wrong[name] = ["There is no such setting."]
    for name in {"points", "per_amount"} - data.keys():
        wrong[name] = ["This setting is missing."]
    if not wrong and values["points"] > HIGHEST_RATE * values["per_amount"]:
        wrong["points"] = [f"Give at most {HIGHEST_RATE:,} points for one unit of money."]
    if wrong:
        raise Invalid("The programme's settings do not make sense.", wrong)
    return Settings(**values)


_WHOLE = {
    "expires_after_months": 0,
    "redeem_minimum": 1,
    "redeem_step": 1,
    "static_redeem_limit": 0,
    "debt_floor": 0,
}


def _rate(name: str, value: object, wrong: dict[str, list[str]]) -> Decimal:
    try:
        rate = Decimal(str(value))
        if rate.is_finite() and 0 < rate < 1_000_000 and rate == round(rate, RATE_DECIMALS):
            return rate
    except InvalidOperation:
        pass
    wrong[name] = [
        f'Give a number above zero as text, such as "1" or "0.5"; {RATE_DECIMALS} decimals at most.'
    ]
    return Decimal(1)


def points_for(settings: Settings, amount_minor: int, exponent: int) -> int:
    """Points that a receipt of *amount_minor* earns; rounded down, once.

    *exponent* is the number of decimals of the currency (EUR 2, JPY 0).
    """
    amount = Decimal(amount_minor).scaleb(-exponent)
    # One division at the very end: points per unit first would round twice (one point per 3). And
    # only its whole part: a quotient of 28 digits could be rounded up to a whole one before.
    return int(amount * settings.points // settings.per_amount)


def explain_points(
    settings: Settings, amount_minor: int, currency: str, points: int, label: str
) -> str:
    """The sentence that says where the points come from."""
    exponent = currency_exponent(currency)
    paid = money(Decimal(amount_minor).scaleb(-exponent), currency)
    unit = money(settings.per_amount, currency)
    return f"{paid} at {settings.points.normalize():f} per full {unit}: {points} {label}."


def money(amount: Decimal, currency: str, language: str = "en") -> str:
    """Money as people write it in *language*."""
    return str(format_currency(amount, currency, locale=language))


def currency_exponent(currency: str) -> int:
    """Number of decimals of a currency (EUR 2, JPY 0, KWD 3)."""
    return int(get_currency_precision(currency))


#: CLDR's plural rules for whole numbers in the languages that we speak.
_PLURALS = {
    "en": PluralRule({"one": "n is 1"}),
    "de": PluralRule({"one": "n is 1"}),
    "lv": PluralRule(
        {
            "zero": "n mod 10 is 0 or n mod 100 in 11..19",
            "one": "n mod 10 is 1 and n mod 100 is not 11",
        }
    ),
    "ru": PluralRule(
        {
            "one": "n mod 10 is 1 and n mod 100 is not 11",
            "few": "n mod 10 in 2..4 and n mod 100 not in 12..14",
            "many": "n mod 10 is 0 or n mod 10 in 5..9 or n mod 100 in 11..14",
        }
    ),
}


def points_label(names: Mapping[str, Mapping[str, str]], points: int, language: str) -> str:
    """What *points* points are called: "bean", "beans", in the plural that the number asks for."""
    if language not in names:
        language = "en" if "en" in names else next(iter(names))
    forms = names[language]
    wanted = _PLURALS.get(language, _PLURALS["en"])(abs(points))
    return forms.get(wanted) or forms["other"]


def check_points_names(names: Mapping[str, Mapping[str, str]]) -> None:
    """Raise `Invalid` unless each language has a name for "other", and no name is empty or long."""
    forms = [form for each in names.values() for form in each.values()]
    if not names or any("other" not in each for each in names.values()):
        raise Invalid('Say what many points are called ("other") in at least one language.')
    if any(not form.strip() or len(form) > LONGEST_NAME for form in forms):
        raise Invalid(f"What points are called has 1 to {LONGEST_NAME} letters.")


def check_time_zone(name: str) -> None:
    """Raise `Invalid` unless *name* is an IANA zone."""
    if name not in zoneinfo.available_timezones():
        raise Invalid(f"There is no time zone {name!r}; write one such as Europe/Riga.")
