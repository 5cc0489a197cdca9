"""The style of a pass and its fields: which there are, and what the lock screen tells of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from passes.apple.preflight.finding import Finding, error, warning
from passes.apple.preflight.languages import Tables
from passes.apple.preflight.schema import ALL_FIELD_LISTS, STYLES

POSTER = "posterGeneric"
#: What phones show on the front, by style and list; what is beyond is not shown.
_FRONT = {
    POSTER: {"headerFields": 1, "primaryFields": 4, "footerFields": 2},
    "storeCard": {"headerFields": 3, "primaryFields": 1},
    "coupon": {"headerFields": 3, "primaryFields": 1},
    "generic": {"headerFields": 3, "primaryFields": 1},
}
#: Secondary and auxiliary fields share four places.
_SHARED_PLACES = 4
#: So many of one fault are told one by one, and of the rest how many they are.
_MAX_TWICE = 20


def check_fields(content: dict[str, Any], tables: Tables) -> Iterator[Finding]:
    """Yield what is wrong with the style of `content` and its fields.

    `tables` are the strings of its languages: a change message may be the key of one.
    """
    yield from _check_style(content)
    for style in STYLES:
        holder = content.get(style)
        if isinstance(holder, dict):
            yield from _check_keys(style, holder)
            yield from _check_messages(style, holder, tables)
            yield from _check_front(style, holder)


def _check_style(content: dict[str, Any]) -> Iterator[Finding]:
    # A poster comes with another style, for the systems before iOS 27.
    styles = [name for name in STYLES if name in content and name != POSTER]
    if len(styles) == 1:
        return
    if POSTER in content and not styles:
        yield error(
            "style",
            POSTER,
            "The pass is a poster and nothing else: systems before iOS 27 refuse it.",
            "Add a second style beside it, storeCard for a card and coupon for a coupon.",
        )
        return
    shown = " and ".join(styles) if styles else "none"
    yield error(
        "style",
        "pass.json",
        f"A pass has exactly one style; this one has {shown}.",
        "Use storeCard for a card and coupon for a coupon.",
    )


def _fields(style: str, holder: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each field with the place it stands in."""
    for listed in ALL_FIELD_LISTS:
        members = holder.get(listed)
        for number, field in enumerate(members if isinstance(members, list) else ()):
            if isinstance(field, dict):
                yield f"{style}.{listed}[{number}]", field


def _check_keys(style: str, holder: dict[str, Any]) -> Iterator[Finding]:
    seen: set[str] = set()
    twice = 0
    for where, field in _fields(style, holder):
        key = field.get("key")
        if not isinstance(key, str):
            continue
        twice += key in seen
        if key in seen and twice <= _MAX_TWICE:
            yield error(
                "field_key_twice",
                where,
                f"Two fields have the key {key[:60]!r}.",
                "Give every field a key of its own.",
            )
        seen.add(key)
    if twice > _MAX_TWICE:
        yield error(
            "field_key_twice",
            style,
            f"And {twice - _MAX_TWICE} more fields have a key that stands before them already.",
            "Give every field a key of its own.",
        )


def _check_messages(style: str, holder: dict[str, Any], tables: Tables) -> Iterator[Finding]:
    told: list[str] = []
    for where, field in _fields(style, holder):
        message = field.get("changeMessage")
        if not isinstance(message, str):
            continue
        told.append(where)
        spoken = {table[message] for table in tables.values() if message in table} or {message}
        if any("%@" not in words for words in spoken):
            yield warning(
                "change_message_without_value",
                f"{where}.changeMessage",
                "The change message has no %@, so the lock screen shows no new value.",
                'Write it like "You now have %@ points", in every language.',
            )
    if len(told) > 1:
        yield error(
            "change_messages",
            ", ".join(told[:5]),
            f"{len(told)} fields have a change message: where two change, the lock "
            "screen shows a generic line and none of them.",
            "Leave one change message, on the field whose change people care for.",
        )


def _check_front(style: str, holder: dict[str, Any]) -> Iterator[Finding]:
    counts = {
        name: len(found) for name in ALL_FIELD_LISTS if isinstance(found := holder.get(name), list)
    }
    limits = _FRONT.get(style, {})
    crowded = [
        (name, counts[name], most) for name, most in limits.items() if counts.get(name, 0) > most
    ]
    below = counts.get("secondaryFields", 0) + counts.get("auxiliaryFields", 0)
    if style in _FRONT and style != POSTER and below > _SHARED_PLACES:
        crowded.append(("secondaryFields and auxiliaryFields", below, _SHARED_PLACES))
    for name, count, most in crowded:
        yield warning(
            "fields_not_shown",
            f"{style}.{name}",
            f"{style} has {count} {name}; phones show {most} of them.",
            "Move what matters less to backFields.",
        )
