"""What a programme's points and money are called, and how they are counted. Pure."""

from collections.abc import Mapping
from functools import lru_cache

from babel.numbers import get_currency_precision
from babel.plural import PluralRule

from app.errors import Invalid
from app.languages import _
from app.ledger import writing

#: What a point is called has to fit onto a phone's card.
LONGEST_NAME = 30


@lru_cache(maxsize=512)
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
    points = abs(points)
    # The last two figures decide, and whether it is one: so there are few numbers to remember.
    wanted = _plural(language, points if points < 200 else 100 + points % 100)
    return forms.get(wanted) or forms["other"]


def told(names: Mapping[str, Mapping[str, str]], points: int, language: str) -> str:
    """So many points, as people say it: "12 beans"."""
    return f"{writing.number(points, language)} {points_label(names, points, language)}"


@lru_cache(maxsize=1024)
def _plural(language: str, points: int) -> str:
    return str(_PLURALS.get(language, _PLURALS["en"])(points))


def check_points_names(names: Mapping[str, Mapping[str, str]]) -> None:
    """Raise `Invalid` unless each language has a name for "other", and no name is empty or long."""
    forms = [form for each in names.values() for form in each.values()]
    if not names or any("other" not in each for each in names.values()):
        raise Invalid(_('Say what many points are called ("other") in at least one language.'))
    if any(not form.strip() or len(form) > LONGEST_NAME for form in forms):
        raise Invalid(
            _(
                "What points are called has 1 to %(longest_name)s letters.",
                longest_name=LONGEST_NAME,
            )
        )
