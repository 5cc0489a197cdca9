"""Tiers as they are written in a programme's settings."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from app.errors import Invalid
from app.ledger.tiers.model import Downgrade, Level, Measure, TierScheme, Window

MOST_LEVELS = 20
#: Far below what a database counts to, and exact as a number of JSON.
HIGHEST_THRESHOLD = 1_000_000_000_000
#: A longer grace would reach into the next review.
LONGEST_GRACE_DAYS = 180

_CODE = re.compile(r"[a-z0-9-]{1,40}", re.ASCII)
_FIELDS = ("levels", "measure", "window", "downgrade", "grace_days")
_Choice = TypeVar("_Choice", bound=StrEnum)


def scheme_as_json(scheme: TierScheme) -> dict[str, Any]:
    """A scheme as `scheme_from_json` reads it."""
    return {
        "levels": [{"code": level.code, "at_least": level.at_least} for level in scheme.levels],
        "measure": str(scheme.measure),
        "window": str(scheme.window),
        "downgrade": str(scheme.downgrade),
        "grace_days": scheme.grace_days,
    }


def scheme_from_json(data: Any) -> TierScheme:
    """The scheme of ``{"levels": [{"code": "gold", "at_least": 1000}], "measure": "points" or
    "spend", "window": "calendar", "anniversary" or "rolling", "downgrade": "recomputed" or
    "one_step", "grace_days": 0}``. Only the levels have to be there, the lowest first.

    Raises `Invalid`, with all wrong fields (``levels.2.at_least`` is of the second level).
    """
    if not isinstance(data, Mapping):
        text = 'Write the tiers as {"levels": [{"code": "gold", "at_least": 1000}]}.'
        raise Invalid(text, {"tiers": [text]})
    wrong: dict[str, list[str]] = {}
    _refuse_unknown(data, _FIELDS, "", wrong)
    levels = _levels(data.get("levels"), wrong)
    grace_days = data.get("grace_days", 0)
    if type(grace_days) is not int or not 0 <= grace_days <= LONGEST_GRACE_DAYS:
        wrong["grace_days"] = [f"Give a whole number of days from 0 to {LONGEST_GRACE_DAYS}."]
    measure = _choice(data, "measure", Measure.POINTS, wrong)
    window = _choice(data, "window", Window.CALENDAR, wrong)
    downgrade = _choice(data, "downgrade", Downgrade.RECOMPUTED, wrong)
    if wrong:
        raise Invalid("The tiers do not make sense like this.", wrong)
    return TierScheme(levels, measure, window, downgrade, grace_days)


def _levels(value: Any, wrong: dict[str, list[str]]) -> tuple[Level, ...]:
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= MOST_LEVELS:
        wrong["levels"] = [f"Give a list of 1 to {MOST_LEVELS} tiers, the lowest first."]
        return ()
    levels: list[Level] = []
    codes: set[str] = set()
    lowest = 1
    for number, each in enumerate(value, 1):
        place = f"levels.{number}"
        if not isinstance(each, Mapping):
            wrong[place] = ['Write a tier as {"code": "gold", "at_least": 1000}.']
            continue
        _refuse_unknown(each, ("code", "at_least"), f"{place}.", wrong)
        code, at_least = each.get("code"), each.get("at_least")
        if not isinstance(code, str) or not _CODE.fullmatch(code):
            wrong[f"{place}.code"] = ["Give 1 to 40 of the characters a to z, 0 to 9 and -."]
        elif code in codes:
            wrong[f"{place}.code"] = ["Another tier has this code: give each its own."]
        else:
            codes.add(code)
        if type(at_least) is not int or not lowest <= at_least <= HIGHEST_THRESHOLD:
            wrong[f"{place}.at_least"] = [
                f"Give a whole number from {lowest:,} to {HIGHEST_THRESHOLD:,}"
                + (": more than the tier before it." if number > 1 else ".")
            ]
        else:
            lowest = at_least + 1
            levels.append(Level(str(code), at_least))
    return tuple(levels)


def _choice(
    data: Mapping[str, Any], name: str, usual: _Choice, wrong: dict[str, list[str]]
) -> _Choice:
    value = data.get(name, usual)
    for each in type(usual):
        if isinstance(value, str) and value == each.value:
            return each
    wrong[name] = [f"Choose one of: {', '.join(type(usual))}."]
    return usual


def _refuse_unknown(
    data: Mapping[Any, Any], known: tuple[str, ...], place: str, wrong: dict[str, list[str]]
) -> None:
    unknown = sorted(str(name)[:40] for name in data if name not in known)
    for name in unknown[:10]:
        wrong[f"{place}{name}"] = [f"There is no such field; there are {', '.join(known)}."]
