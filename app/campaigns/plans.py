"""What a campaign says and gives, when, and within which limits. Pure.

{"segment": {"all": []},
 "content": {"message": {"en": "Come back, {name}!"}, "article": {"en": ["Title", "Text"]},
             "points": 20, "points_last_days": 30, "gives": {"coupon": {"cake": 1}},
             "thing_cost_minor": 150, "email": true},
 "when": {"kind": "best_hour"},
 "limits": {"quiet_from": "20:00", "quiet_to": "09:00", "hold_out_percent": 10,
            "per_week": 2, "per_minute": 6000, "budget_minor": 50000},
 "measure_days": 14}
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from app.campaigns.segments import EVERYBODY, Node, as_json, read_segment
from app.campaigns.timing import Quiet, Repeat
from app.cards.news_text import (
    LONGEST_ARTICLE,
    LONGEST_MESSAGE,
    LONGEST_TITLE,
    PLACEHOLDERS,
    placeholders,
)
from app.programmes.fields import Reader, Wrong, choice, text_of, whole, yes_or_no
from app.programmes.mechanics.occasions import read_gives

LANGUAGES = ("en", "de", "lv", "ru")
#: When: now, at a moment, in each member's best hour, every so often, or when something happens.
NOW, AT, BEST_HOUR, REPEATING, EVENT = "now", "at", "best_hour", "repeating", "event"
WHENS = (NOW, AT, BEST_HOUR, REPEATING, EVENT)
JOINED, LAPSED, EXPIRING, TIER, BIRTHDAY = "joined", "lapsed", "expiring", "tier", "birthday"
EVENTS = (JOINED, LAPSED, EXPIRING, TIER, BIRTHDAY)
MOST_PER_MINUTE = 600_000
#: What a campaign begins with where nobody said anything else.
USUAL_LIMITS: Mapping[str, Any] = {
    "quiet_from": "20:00",
    "quiet_to": "09:00",
    "hold_out_percent": 10,
    "per_week": 2,
}
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Content:
    """What is said, by language, and what is given: points, and (kind, code, count) of things."""

    message: Mapping[str, str]
    article: Mapping[str, tuple[str, str]]
    points: int = 0
    points_last_days: int = 0
    gives: tuple[tuple[str, str, int], ...] = ()
    #: What one of the things that are given costs the shop.
    thing_cost_minor: int = 0
    email: bool = False

    def news(self) -> dict[str, Any]:
        """As cards show it; see `app.cards.news_text`."""
        article = {language: list(each) for language, each in self.article.items()}
        return {"message": dict(self.message)} | ({"article": article} if article else {})


@dataclass(frozen=True, slots=True)
class When:
    """*at*: the moment (also the first of a best hour). *days* of an event: see `events`."""

    kind: str = NOW
    at: datetime | None = None
    repeat: Repeat | None = None
    event: str | None = None
    days: int = 0
    least_points: int = 1
    tiers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """*per_week* messages of all campaigns a member (0: any number), *per_minute* in all."""

    quiet: Quiet | None = None
    hold_out_percent: int = 10
    per_week: int = 2
    per_minute: int = 0
    budget_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """All of a campaign. Its effect is measured over *measure_days* from each one's message on."""

    segment: Node
    content: Content
    when: When
    limits: Limits
    measure_days: int = 14


def read_plan(value: Mapping[str, Any]) -> Plan:
    """A plan as it is kept. Raises `Wrong`, which begins with the part that is wrong."""
    parts = {
        "segment": read_segment,
        "content": _content,
        "when": _when,
        "limits": read_limits,
        "measure_days": whole(1, 366),
    }
    if unknown := value.keys() - parts.keys():
        raise Wrong(f"There is no {min(unknown)!r} in a campaign.")
    read: dict[str, Any] = {}
    given = {"segment": EVERYBODY, "when": {"kind": NOW}, "limits": {}} | dict(value)
    for name, reader in parts.items():
        if name in given:
            try:
                read[name] = reader(given[name])
            except Wrong as wrong:
                raise Wrong(f"{name}: {wrong}") from wrong
    if "content" not in read:
        raise Wrong("content: say what customers are to read.")
    return Plan(**read)


def plan_as_json(plan: Plan) -> dict[str, Any]:
    """As it is kept: what `read_plan` reads."""
    content, when, limits = plan.content, plan.when, plan.limits
    gives: dict[str, dict[str, int]] = {}
    for kind, what, count in content.gives:
        gives.setdefault(kind, {})[what] = count
    said: dict[str, Any] = {"kind": when.kind}
    if when.at is not None:
        said["at"] = when.at.isoformat()
    if when.repeat is not None:
        repeat = when.repeat
        said |= {"every_days": repeat.days, "time": f"{repeat.at:%H:%M}"}
        said |= {"first": repeat.first.isoformat()}
        said |= {"until": repeat.until.isoformat()} if repeat.until else {}
    if when.event is not None:
        said |= {"event": when.event, "days": when.days, "least_points": when.least_points}
        said |= {"tiers": list(when.tiers)} if when.tiers else {}
    quiet = limits.quiet
    return {
        "segment": as_json(plan.segment),
        "content": {
            **content.news(),
            "points": content.points,
            "points_last_days": content.points_last_days,
            "gives": gives,
            "thing_cost_minor": content.thing_cost_minor,
            "email": content.email,
        },
        "when": said,
        "limits": {
            **(
                {"quiet_from": f"{quiet.begins:%H:%M}", "quiet_to": f"{quiet.ends:%H:%M}"}
                if quiet
                else {}
            ),
            "hold_out_percent": limits.hold_out_percent,
            "per_week": limits.per_week,
            "per_minute": limits.per_minute,
            "budget_minor": limits.budget_minor,
        },
        "measure_days": plan.measure_days,
    }


def read_time(value: Any) -> time:
    """A time of day, "20:00". Raises `Wrong`."""
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Wrong("Write a time as 20:00.")
    return time(int(match[1]), int(match[2]))


def _said(what: str, longest: int) -> Reader:
    def read(value: Any) -> str:
        text = text_of(value, longest, what).strip()
        if not text.replace("\n", "").isprintable():
            raise Wrong(f"{what} has characters that cannot be shown: type it anew.")
        for name in placeholders(text):
            if name not in PLACEHOLDERS:
                known = ", ".join(f"{{{each}}}" for each in PLACEHOLDERS)
                raise Wrong(f"there is no {{{name}}}; a text may have {known}.")
        return text

    return read


_MESSAGE = _said("A message", LONGEST_MESSAGE)
_TITLE = _said("A title", LONGEST_TITLE)
_TEXT = _said("An article", LONGEST_ARTICLE)


def _article(value: Any) -> tuple[str, str]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise Wrong("an article has a title and a text.")
    return _TITLE(value[0]), _TEXT(value[1])


def _by_language(reader: Reader, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or value.keys() - set(LANGUAGES):
        raise Wrong(f"write it by language: {', '.join(LANGUAGES)}.")
    read = {}
    for language in LANGUAGES:
        if language in value:
            try:
                read[language] = reader(value[language])
            except Wrong as wrong:
                raise Wrong(f"{language}: {wrong}") from wrong
    return read


def _options(value: Any, readers: Mapping[str, Reader]) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise Wrong("write it as names with values.")
    for unknown in value.keys() - readers.keys():
        raise Wrong(f"there is no {unknown!r}; it may have {', '.join(readers)}.")
    found = {}
    for name, each in value.items():
        try:
            found[name] = readers[name](each)
        except Wrong as wrong:
            raise Wrong(f"{name}: {wrong}") from wrong
    return found


_CONTENT: dict[str, Reader] = {
    "message": lambda value: _by_language(_MESSAGE, value),
    "article": lambda value: _by_language(_article, value),
    "points": whole(0, 1_000_000),
    "points_last_days": whole(0, 3650),
    "gives": read_gives,
    "thing_cost_minor": whole(0, 100_000_000),
    "email": yes_or_no,
}


def _content(value: Any) -> Content:
    read = {"message": {}, "article": {}} | _options(value, _CONTENT)
    if not read["message"]:
        raise Wrong("message: write what the lock screen is to say, in one language at least.")
    return Content(**read)


def _moment(value: Any) -> datetime:
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise Wrong("Write a moment as 2026-05-17T10:00+03:00.") from None
    if found.tzinfo is None:
        raise Wrong("A moment names its zone.")
    return found


def _day(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise Wrong("Write a day as 2026-05-17.") from None


def _tiers(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or len(value) > 20:
        raise Wrong("give a list of tiers.")
    return tuple(text_of(each, 40, "a tier") for each in value)


_WHEN: dict[str, Reader] = {
    "kind": choice(*WHENS),
    "at": _moment,
    "every_days": whole(1, 366),
    "time": read_time,
    "first": _day,
    "until": _day,
    "event": choice(*EVENTS),
    "days": whole(0, 366),
    "least_points": whole(1),
    "tiers": _tiers,
}


def _when(value: Any) -> When:
    read = _options(value, _WHEN)
    kind = read.get("kind", NOW)
    if kind == AT and "at" not in read:
        raise Wrong("at: say when.")
    repeat = None
    if kind == REPEATING:
        for name in ("every_days", "time", "first"):
            if name not in read:
                raise Wrong(f"{name} is missing.")
        repeat = Repeat(read["every_days"], read["time"], read["first"], read.get("until"))
    if kind == EVENT:
        if "event" not in read:
            raise Wrong("event: say what is waited for.")
        if read["event"] == LAPSED and not read.get("days"):
            raise Wrong("days: after how many days without a visit.")
    return When(
        kind=kind,
        at=read.get("at") if kind in (AT, BEST_HOUR) else None,
        repeat=repeat,
        event=read["event"] if kind == EVENT else None,
        days=read.get("days", 0) if kind == EVENT else 0,
        least_points=read.get("least_points", 1),
        tiers=read.get("tiers", ()),
    )


_LIMITS: dict[str, Reader] = {
    "quiet_from": read_time,
    "quiet_to": read_time,
    "hold_out_percent": whole(0, 50),
    "per_week": whole(0, 100),
    "per_minute": whole(0, MOST_PER_MINUTE),
    "budget_minor": lambda value: None if value is None else whole(0, 100_000_000_000)(value),
}


def read_limits(value: Any) -> Limits:
    """Limits as they are kept. Raises `Wrong`."""
    read = _options(value, _LIMITS)
    begins, ends = read.pop("quiet_from", None), read.pop("quiet_to", None)
    if (begins is None) != (ends is None):
        raise Wrong("quiet hours have a beginning and an end.")
    if begins is not None and begins == ends:
        raise Wrong("quiet hours that begin when they end would be all day or never.")
    quiet = None if begins is None or ends is None else Quiet(begins, ends)
    return Limits(quiet=quiet, **read)
