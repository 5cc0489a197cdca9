"""What the readers of mechanics share. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from app.programmes.fields import LONGEST_NAME, Reader, Wrong, text_of

Read = TypeVar("Read")

_CODE = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,38}[a-z0-9])?", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2}", re.ASCII)
#: Kinds of one thing that a programme may have.
MOST = 50
MOST_LANGUAGES = 20
MOST_CODES = 50


def code(value: Any) -> str:
    """The code of a thing: it stands in files and grants, and never changes."""
    if not isinstance(value, str) or not _CODE.fullmatch(value):
        raise Wrong("write small letters, digits, hyphens and underscores, 40 at most.")
    return value


def codes(value: Any) -> tuple[str, ...]:
    """A list of codes, each once."""
    if not isinstance(value, list | tuple) or len(value) > MOST_CODES:
        raise Wrong(f"give a list of at most {MOST_CODES} codes.")
    return tuple(dict.fromkeys(code(each) for each in value))


def names(value: Any) -> dict[str, str]:
    """What a thing is called, by language; in English at least, or in one other language."""
    if isinstance(value, str):
        value = {"en": value}
    if not isinstance(value, dict) or not 0 < len(value) <= MOST_LANGUAGES:
        raise Wrong('write them by language, such as {"en": "Coffee", "lv": "Kafija"}.')
    for language, name in value.items():
        if not isinstance(language, str) or not _LANGUAGE.fullmatch(language):
            raise Wrong('a language has two letters, such as "en".')
        if not text_of(name, LONGEST_NAME, f"{language}: a name").isprintable():
            raise Wrong(f"{language}: a name is one line that can be shown.")
    return dict(value)


def in_language(by_language: Mapping[str, str], language: str, code: str) -> str:
    """The name in *language*, else in English, else in the first there is, else the code."""
    return (
        by_language.get(language) or by_language.get("en") or next(iter(by_language.values()), code)
    )


def items(what: str, readers: Mapping[str, Reader], needed: set[str], value: Any) -> dict[str, Any]:
    """The parts of one thing that is written as an object. Raises `Wrong` that names the part."""
    if not isinstance(value, dict):
        raise Wrong(f"write it as an object with {', '.join(sorted(needed))}.")
    if unknown := value.keys() - readers.keys():
        raise Wrong(f"there is no {min(map(str, unknown))!r}; {what} has {', '.join(readers)}.")
    if missing := needed - value.keys():
        raise Wrong(f"{min(missing)} is missing.")
    read = {}
    for name, part in value.items():
        try:
            read[name] = readers[name](part)
        except Wrong as wrong:
            raise Wrong(f"{name}: {wrong}") from wrong
    return read


def many(
    what: str, reader: Callable[[Any], Read], value: Any, key: Callable[[Read], str]
) -> tuple[Read, ...]:
    """A list of things, each with a code of its own."""
    if not isinstance(value, list | tuple) or len(value) > MOST:
        raise Wrong(f"Give a list of at most {MOST}.")
    read = []
    for place, each in enumerate(value, 1):
        try:
            read.append(reader(each))
        except Wrong as wrong:
            raise Wrong(f"{what} {place}: {wrong}") from wrong
    if len({key(each) for each in read}) < len(read):
        raise Wrong("Two have the same code: give each its own.")
    return tuple(read)


def or_none(reader: Reader) -> Reader:
    """The same, or nothing."""
    return lambda value: None if value is None else reader(value)


def as_json(thing: Any) -> dict[str, Any]:
    """A thing as it is kept: what is as it is by default is left out."""
    kept: dict[str, Any] = {}
    for each in fields(thing):
        value = getattr(thing, each.name)
        if not each.init or (each.default is not MISSING and value == each.default):
            continue
        match value:
            case Decimal():
                value = str(value)
            case date():
                value = value.isoformat()
            case tuple():
                value = list(value)
            case Mapping():
                value = dict(value)
        kept[each.name] = value
    return kept


def day(value: Any) -> date:
    """A local day."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value)
    except (ValueError, TypeError) as error:
        raise Wrong('write a day as "2026-06-01".') from error
