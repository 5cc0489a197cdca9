"""Who a campaign is for: conditions, combined. Pure.

    {"all": [{"is": "last_visit", "days_at_least": 60},
             {"not": {"is": "tier", "tiers": ["gold"]}},
             {"any": [{"is": "location", "locations": ["old-town"]},
                      {"is": "balance", "at_least": 100}]}]}

``{"all": []}`` is everybody. Days are local ones; "in the last year" are the 365 days that end with
today. A visit is a receipt of which something is kept.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.campaigns.rfm import CLASSES
from app.programmes.fields import Reader, Wrong, listed, text_of, whole

DEEPEST = 5
MOST_CONDITIONS = 40
_DAYS = whole(0, 3660)
_SOME_DAYS = whole(1, 366)
_COUNT = whole(0)
_MONEY = whole(0, 100_000_000_000)


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that somebody is: *kind* is a name of `KINDS`, *values* what was said of it."""

    kind: str
    values: Mapping[str, Any]

    def get(self, name: str) -> Any:
        """One of the values; None where it was not said."""
        return self.values.get(name)


@dataclass(frozen=True, slots=True)
class Group:
    """Several of them: *how* is "all", "any" or "not" (of which there is one)."""

    how: str
    of: tuple["Node", ...]


Node = Condition | Group
EVERYBODY: dict[str, Any] = {"all": []}


def _words(what: str, most: int = 50) -> Reader:
    return listed(lambda value: text_of(value, 40, what), most)


def _classes(value: Any) -> tuple[str, ...]:
    def one(each: Any) -> str:
        if each not in CLASSES:
            raise Wrong(f"choose of {', '.join(CLASSES)}.")
        return str(each)

    return tuple(listed(one, len(CLASSES))(value))


def _day(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise Wrong("Write a day as 2026-05-17.") from None


def _id(value: Any) -> str:
    try:
        return str(uuid.UUID(text_of(value, 36, "a list's id")))
    except ValueError:
        raise Wrong("There is no such list: choose one that was uploaded.") from None


#: What each kind may say; the names after the bar have to be said, one at least.
KINDS: Mapping[str, tuple[Mapping[str, Reader], tuple[str, ...]]] = {
    "rfm": ({"classes": _classes}, ("classes",)),
    "tier": ({"tiers": _words("a tier")}, ("tiers",)),
    "last_visit": (
        {"days_at_least": _DAYS, "days_at_most": _DAYS},
        ("days_at_least", "days_at_most"),
    ),
    "visits": ({"at_least": _COUNT, "at_most": _COUNT}, ("at_least", "at_most")),
    "spend": ({"at_least": _MONEY, "at_most": _MONEY}, ("at_least", "at_most")),
    "birthday": ({"within_days": whole(0, 60)}, ("within_days",)),
    "location": ({"locations": _words("a location")}, ("locations",)),
    "source": ({"sources": _words("a poster or link")}, ("sources",)),
    "joined": ({"from": _day, "to": _day}, ("from", "to")),
    "balance": ({"at_least": _COUNT, "at_most": _COUNT}, ("at_least", "at_most")),
    "expiring": ({"within_days": _SOME_DAYS, "at_least": whole(1)}, ("within_days",)),
    "language": ({"languages": _words("a language", 4)}, ("languages",)),
    "list": ({"list": _id}, ("list",)),
}
#: The tier of those who have none.
NO_TIER = "none"
_SPANS = (("days_at_least", "days_at_most"), ("at_least", "at_most"), ("from", "to"))


def read_segment(value: Any) -> Node:
    """A segment as it is written above. Raises `Wrong`, which says what to write instead."""
    count = [0]
    return _node(value, 1, count)


def as_json(node: Node) -> dict[str, Any]:
    """The same, as it is kept."""
    if isinstance(node, Condition):
        said = {
            name: value.isoformat()
            if isinstance(value, date)
            else list(value)
            if isinstance(value, tuple)
            else value
            for name, value in node.values.items()
        }
        return {"is": node.kind, **said}
    if node.how == "not":
        return {"not": as_json(node.of[0])}
    return {node.how: [as_json(each) for each in node.of]}


def conditions(node: Node) -> Iterator[Condition]:
    """Every condition of a segment."""
    if isinstance(node, Condition):
        yield node
    else:
        for each in node.of:
            yield from conditions(each)


def _node(value: Any, depth: int, count: list[int]) -> Node:
    if not isinstance(value, Mapping):
        raise Wrong('Write a segment as {"all": [{"is": "tier", "tiers": ["gold"]}]}.')
    if depth > DEEPEST:
        raise Wrong(f"A segment is at most {DEEPEST} groups deep: make two campaigns of it.")
    if "is" in value:
        count[0] += 1
        if count[0] > MOST_CONDITIONS:
            raise Wrong(f"A segment has at most {MOST_CONDITIONS} conditions.")
        return _condition(value)
    if len(value) != 1 or (how := next(iter(value))) not in ("all", "any", "not"):
        raise Wrong("A group of conditions is all, any or not.")
    if how == "not":
        return Group("not", (_node(value["not"], depth + 1, count),))
    if not isinstance(value[how], list | tuple) or len(value[how]) > MOST_CONDITIONS:
        raise Wrong(f"{how}: give a list of conditions.")
    return Group(how, tuple(_node(each, depth + 1, count) for each in value[how]))


def _condition(value: Mapping[str, Any]) -> Condition:
    kind = value["is"]
    if not isinstance(kind, str) or kind not in KINDS:
        raise Wrong(f"There is no condition {kind!r}; choose of {', '.join(KINDS)}.")
    readers, needed = KINDS[kind]
    said = {name: each for name, each in value.items() if name != "is" and each is not None}
    for unknown in said.keys() - readers.keys():
        raise Wrong(f"{kind}: there is no {unknown!r}; it may have {', '.join(readers)}.")
    if not any(name in said for name in needed):
        raise Wrong(f"{kind}: say {' or '.join(needed)}.")
    values = {name: _read(f"{kind}: {name}", readers[name], each) for name, each in said.items()}
    for low, high in _SPANS:
        if values.get(low) is not None and values.get(high) is not None:
            if values[low] > values[high]:
                raise Wrong(f"{kind}: {low} is more than {high}: nobody is both.")
    return Condition(kind, values)


def _read(what: str, reader: Callable[[Any], Any], value: Any) -> Any:
    try:
        return reader(value)
    except Wrong as wrong:
        raise Wrong(f"{what}: {wrong}") from wrong
