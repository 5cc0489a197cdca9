"""Writes a programme as a file that `reading` reads again, the same to the letter. Pure."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.programmes.file import layout
from app.programmes.file.reading import Described, Place
from app.programmes.settings import setting_names

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_NUMBER = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?", re.ASCII)
#: Exact decimals are kept as text; under these names they are told as numbers.
_NUMBERS = frozenset(
    "points per_amount point_value expected at_least factor multiplier quantity per_quantity "
    "amount price value worth percent share from spent".split()
)
_WORDS = {
    "programme": "What customers see.",
    "earning": "What a receipt earns: points for each per_amount of money.",
    "expiry": "How long points last, fixed or by inactivity; to the end of a month, quarter, year.",
    "redeeming": "What a point is worth, and how many may be spent at once.",
    "returns": "When returned points are spent: only_pending, within_balance or allow_debt.",
    "tiers": "Levels rise; what counts is earned or spent in the window, never the balance.",
    "rules": "What a receipt earns beside the rate.",
    "segments": "Kinds of members that rules are for.",
    "stamps": "So many stamps, then a reward. per: visit, item or rule.",
    "rewards": "What points or a full stamp card are good for.",
    "coupons": "Good once, each with a pass of its own; rules give them.",
    "discounts": "A share off every purchase, fixed or rising with what was spent.",
    "prices": "What goods cost members; with tiers, a closed deal.",
    "multipasses": "Entries that are paid for at once and used one by one.",
    "clubs": "Memberships that are bought for some months; to discounts and prices one more tier.",
    "occasions": "Presents for birthdays and for the day of joining.",
    "referral": "What members get for bringing members, and what those get.",
    "volumes": "Points for what a company bought in a whole month, quarter or year.",
    "bonuses": "Points for receipts that are large enough.",
    "locations": "Where it holds; tills stand there.",
}


def write(described: Described) -> str:
    """The file of a programme."""
    kept = described.settings.as_json()
    lines = [
        "# A programme of Counterfoil. What is not said here is as it is by default.",
        "# What would change: counterfoil programme diff FILE; to change it: ... apply FILE",
    ]
    own = {
        setting: kept[setting]
        for setting in setting_names()
        if len(layout.place_of(setting)) == 1 and kept[setting] not in (None, [], {})
    }
    # A key at the top stands before every table: else it would be the table's.
    lines += [
        f"{_key(name)} = {_value(value, name)}"
        for name, value in own.items()
        if not isinstance(value, dict) and not _is_tables(value)
    ]
    lines += _table((layout.PROGRAMME,), described.about)
    for table, keys in layout.known_settings().items():
        lines += _table((table,), {key: kept[setting] for key, setting in keys.items()})
    for name, value in own.items():
        if isinstance(value, dict):
            lines += _table((name,), value)
        elif _is_tables(value):
            lines += _list((name,), value)
    if described.locations:
        lines += _list((layout.LOCATIONS,), [_location(each) for each in described.locations])
    return "\n".join(lines) + "\n"


def _location(place: Place) -> dict[str, Any]:
    told: dict[str, Any] = {"slug": place.slug, "name": place.name}
    if place.degrees is not None:
        told |= {"latitude": place.degrees[0], "longitude": place.degrees[1]}
    return told


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(x, dict) for x in value)


def _comment(path: tuple[str, ...]) -> list[str]:
    words = _WORDS.get(path[0]) if len(path) == 1 else None
    return [f"# {words}"] if words else []


def _table(path: tuple[str, ...], value: Mapping[str, Any]) -> list[str]:
    lines = ["", *_comment(path), f"[{_dotted(path)}]"]
    return lines + list(_body(path, value))


def _list(path: tuple[str, ...], values: Sequence[Mapping[str, Any]]) -> list[str]:
    lines: list[str] = ["", *_comment(path)]
    for number, value in enumerate(values):
        lines += [""] if number else []
        lines.append(f"[[{_dotted(path)}]]")
        lines += _body(path, value)
    return lines


def _body(path: tuple[str, ...], value: Mapping[str, Any]) -> Iterator[str]:
    """First what stands in the table itself, then the tables in it."""
    inner = {
        key: each
        for key, each in value.items()
        if (_is_tables(each) and len(each) > 0 and len(path) < 3 and _is_large(each))
        or (isinstance(each, dict) and _is_large(each))
    }
    for key, each in value.items():
        if key not in inner and each is not None:
            yield f"{_key(key)} = {_value(each, key)}"
    for key, each in inner.items():
        yield from (
            _table((*path, key), each) if isinstance(each, dict) else _list((*path, key), each)
        )


def _is_large(value: Any) -> bool:
    """Whether it is told as a table of its own and not within a line."""
    return (
        isinstance(value, list)
        or len(_value(value)) > 70
        or any(isinstance(each, dict | list) for each in value.values())
    )


def _dotted(path: Sequence[str]) -> str:
    return ".".join(_key(each) for each in path)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(value: str) -> str:
    # JSON's escapes are TOML's, but for the one letter that TOML wants escaped and JSON does not.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any, key: str = "") -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if key in _NUMBERS and _NUMBER.fullmatch(value) else _text(value)
    if isinstance(value, dict):
        inside = ", ".join(
            f"{_key(name)} = {_value(each, name)}"
            for name, each in value.items()
            if each is not None
        )
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list):
        return f"[{', '.join(_value(each) for each in value)}]"
    return repr(value)
