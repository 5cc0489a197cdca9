"""How each kind of setting is read: from JSON, with words for what is wrong. Pure.

A reader takes the value as it came and gives the value as it is used, or raises `Wrong` with what
to write instead.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

from app.errors import Invalid
from app.ledger.tiers import TierScheme, scheme_as_json, scheme_from_json

Reader: TypeAlias = Callable[[Any], Any]

#: Bounds the digits of a rate: its millionths are a whole number.
RATE_DECIMALS = 6
#: A tier earns at most this many times as much.
HIGHEST_MULTIPLIER = 100
MOST_BONUSES = 50
MOST_CATEGORIES = 200
LONGEST_CATEGORY = 64
#: What the ledger's column holds.
LONGEST_KEY = 40
LONGEST_NAME = 60

_DECIMAL = re.compile(r"[0-9]{1,12}(?:\.([0-9]{1,12}))?", re.ASCII)


class Wrong(ValueError):
    """A value that makes no sense as this setting; says what to write instead."""


@dataclass(frozen=True, slots=True)
class BonusRule:
    """Points for a receipt that earns on *at_least* (major units of the programme's currency).

    With *once* an account gets the bonus of that key a single time.
    """

    name: str
    at_least: Decimal
    points: int
    once: str | None = None

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        kept = {"name": self.name, "at_least": str(self.at_least), "points": self.points}
        return kept | ({"once": self.once} if self.once else {})


@dataclass(frozen=True, slots=True)
class Tiers:
    """The tiers of a programme: what they ask for, what they are called, what they earn.

    *names* are by tier and language, *multipliers* by tier.
    """

    scheme: TierScheme
    names: Mapping[str, Mapping[str, str]]
    multipliers: Mapping[str, Decimal]

    def as_json(self) -> dict[str, Any]:
        """As they are kept."""
        kept = scheme_as_json(self.scheme)
        kept["levels"] = [
            level
            | {
                "names": dict(self.names[level["code"]]),
                "multiplier": str(self.multipliers[level["code"]]),
            }
            for level in kept["levels"]
        ]
        return kept


def whole(lowest: int, highest: int = 1_000_000_000) -> Reader:
    """A whole number in a range; no text, no fraction, no truth value."""

    def read(value: Any) -> int:
        if type(value) is not int or not lowest <= value <= highest:
            most = f" and at most {highest:,}" if highest < 1_000_000_000 else ""
            raise Wrong(f"Give a whole number of at least {lowest}{most}.")
        return value

    return read


def decimal(
    highest: Decimal | int, *, decimals: int = RATE_DECIMALS, zero: bool = False
) -> Callable[[Any], Decimal]:
    """An exact decimal, as text or as a whole number; above zero unless *zero* may be."""

    def read(value: Any) -> Decimal:
        text = str(value) if type(value) is int else value
        if isinstance(text, str) and (match := _DECIMAL.fullmatch(text)):
            number = Decimal(text)
            if len(match[1] or "") <= decimals and number <= highest and (number > 0 or zero):
                return number
        least = "from zero" if zero else "above zero"
        raise Wrong(
            f'Give a number {least} up to {highest:,} as text, such as "1" or "0.5"; '
            f"{decimals} decimals at most."
        )

    return read


def choice(*names: str) -> Reader:
    """One of a few words."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in names:
            raise Wrong(f"Choose {', '.join(names[:-1])} or {names[-1]}.")
        return value

    return read


def yes_or_no(value: Any) -> bool:
    """A truth value of JSON."""
    if not isinstance(value, bool):
        raise Wrong("Choose true or false.")
    return value


def text_of(value: Any, longest: int, what: str) -> str:
    """Text that is not blank. Raises `Wrong` that says *what* it is for."""
    if not isinstance(value, str) or not value.strip() or len(value) > longest:
        raise Wrong(f"{what} has 1 to {longest} characters.")
    return value


def categories(value: Any) -> tuple[str, ...]:
    """Names of categories of goods; big and small letters are the same."""
    if not isinstance(value, list | tuple) or len(value) > MOST_CATEGORIES:
        raise Wrong(f'Give a list of at most {MOST_CATEGORIES} categories, such as ["tobacco"].')
    return tuple(text_of(each, LONGEST_CATEGORY, "A category") for each in value)


_AT_LEAST = decimal(Decimal(1_000_000_000))
_BONUS_POINTS = whole(1)


def bonuses(value: Any) -> tuple[BonusRule, ...]:
    """Bonuses of a receipt."""
    if not isinstance(value, list | tuple) or len(value) > MOST_BONUSES:
        raise Wrong(f"Give a list of at most {MOST_BONUSES} bonuses.")
    read = tuple(_numbered("Bonus", place, _bonus, each) for place, each in enumerate(value, 1))
    if len({bonus.name for bonus in read}) < len(read):
        raise Wrong("Two bonuses have the same name: give each its own.")
    return read


def _bonus(value: Any) -> BonusRule:
    if not isinstance(value, dict):
        raise Wrong('write it as {"name": "Big shop", "at_least": "50", "points": 10}.')
    if unknown := value.keys() - {"name", "at_least", "points", "once"}:
        raise Wrong(f"there is no {min(unknown)!r}; it has name, at_least, points and once.")
    once = value.get("once")
    return BonusRule(
        name=option("name", lambda name: text_of(name, LONGEST_NAME, "A name"), value),
        at_least=option("at_least", _AT_LEAST, value),
        points=option("points", _BONUS_POINTS, value),
        once=None if once is None else text_of(once, LONGEST_KEY, "once"),
    )


def _numbered(what: str, place: int, reader: Reader, value: Any) -> Any:
    try:
        return reader(value)
    except Wrong as wrong:
        raise Wrong(f"{what} {place}: {wrong}") from wrong


def listed(reader: Reader, most: int) -> Reader:
    """A list of one to *most* values, each once."""

    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or not 1 <= len(value) <= most:
            raise Wrong(f"Give a list of 1 to {most}.")
        found = tuple(reader(each) for each in value)
        if len(set(found)) < len(found):
            raise Wrong("Name each once.")
        return found

    return read


def option(name: str, reader: Reader, value: Mapping[str, Any]) -> Any:
    """A part of a value that has to be there; `Wrong` names it."""
    if name not in value:
        raise Wrong(f"{name} is missing.")
    try:
        return reader(value[name])
    except Wrong as wrong:
        raise Wrong(f"{name}: {wrong}") from wrong


_MULTIPLIER = decimal(HIGHEST_MULTIPLIER, decimals=4)
_EXTRAS = ("names", "multiplier")


def tiers(value: Any) -> Tiers | None:
    """The tiers with their names and multipliers, or None for a programme without."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Wrong('Give {"levels": [{"code": "gold", "at_least": 1000}]}, or null for none.')
    levels = value.get("levels")
    plain = dict(value)
    if isinstance(levels, list):
        plain["levels"] = [_without_extras(level) for level in levels]
    try:
        scheme = scheme_from_json(plain)
    except Invalid as wrong:
        said = [f"{name}: {' '.join(texts)}" for name, texts in wrong.fields.items()]
        raise Wrong(" ".join(said) or wrong.message) from wrong
    looks = {
        level["code"]: _numbered("Tier", place, _tier_look, level)
        for place, level in enumerate(levels or [], 1)
    }
    return Tiers(
        scheme,
        {level.code: looks[level.code][0] for level in scheme.levels},
        {level.code: looks[level.code][1] for level in scheme.levels},
    )


def _without_extras(level: Any) -> Any:
    if not isinstance(level, dict):
        return level
    return {name: value for name, value in level.items() if name not in _EXTRAS}


def _tier_look(level: Mapping[str, Any]) -> tuple[dict[str, str], Decimal]:
    names = level.get("names", {})
    if not isinstance(names, dict) or len(names) > 20:
        raise Wrong('names: write them by language, such as {"en": "Gold", "lv": "Zelts"}.')
    for language, name in names.items():
        if not isinstance(language, str) or not re.fullmatch("[a-z]{2}", language):
            raise Wrong('names: a language has two letters, such as "en".')
        text_of(name, LONGEST_NAME, f"names: {language}: a name")
    return dict(names), option("multiplier", _MULTIPLIER, {"multiplier": "1"} | dict(level))
