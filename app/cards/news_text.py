"""What a card says as its news: a message for the lock screen, an article for the back. Pure.

Kept as JSON by language::

    {"message": {"en": "{name}, your {points} points wait.", "lv": "…"},
     "article": {"en": ["A new roast", "It comes from …"]}}

``{name}`` is filled in where the card is drawn, since names are kept with members alone; for
whoever gave none it goes, with the comma after it. The other words in braces are filled from
*facts*, which are the card's own and say nothing of a person. A number and a day are written as
the language of the text has them, which is not the card's where the text is not there in it.
"""

import json
import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from app.ledger import writing

NAME = "name"
#: What may stand in braces: the balance when it was told, points that expire soon, and their day.
FACTS = ("points", "expiring", "expires_on")
PLACEHOLDERS = (NAME, *FACTS)
LONGEST_MESSAGE = 170
LONGEST_TITLE = 60
LONGEST_ARTICLE = 3000
#: Invisible. Phones tell of a text that differs: the same one sent again ends with another of it.
_AGAIN = "\u2060"
AGAIN = "again"
_BRACES = re.compile(r"\{([a-z_]*)\}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_NAME_AND_COMMA = re.compile(r"\{name\}\s*,?\s*")


class Shown(NamedTuple):
    """The news as one card shows them."""

    message: str
    article: tuple[str, str] | None


def shown(
    content: str, facts: Mapping[str, Any], *, language: str, member_name: str | None
) -> Shown:
    """The news of *content* (JSON) on the card of *member_name*, in its language or the nearest."""
    made = _read(content)
    spoken, text = in_language(made["message"], language)
    message = filled(text, facts, spoken, member_name)
    again = int(facts.get(AGAIN, 0)) % 2
    article = None
    if made.get("article"):
        spoken, (title, text) = in_language(made["article"], language)
        article = (
            filled(title, facts, spoken, member_name),
            filled(text, facts, spoken, member_name),
        )
    return Shown(message + _AGAIN * again, article)


def in_language(by_language: Mapping[str, Any], language: str) -> tuple[str, Any]:
    """What there is in that language; else in English, else in the first one; and which it is."""
    for wanted in (language, "en"):
        if wanted in by_language:
            return wanted, by_language[wanted]
    return next(iter(by_language.items()))


def nameless(text: str) -> str:
    """A text for whoever gave no name: without it, and the comma after it."""
    bare = _NAME_AND_COMMA.sub("", text)
    return text if bare == text else bare[:1].upper() + bare[1:]


def placeholders(text: str) -> list[str]:
    """The words in braces that stand in a text, known or not."""
    return _BRACES.findall(text)


@lru_cache(maxsize=256)
def _read(content: str) -> Any:
    return json.loads(content)


def filled(text: str, facts: Mapping[str, Any], language: str, name: str | None) -> str:
    """A text of that language for who has that name, or none."""
    text = text if name else nameless(text)
    known = {fact: _written(value, language) for fact, value in facts.items()} | {NAME: name or ""}
    return _BRACES.sub(lambda match: known.get(match[1], match[0]), text)


def _written(value: Any, language: str) -> str:
    """A number, or a day that is kept as 2026-05-12, as people write it."""
    if isinstance(value, int):
        return writing.number(value, language)
    if _DAY.fullmatch(str(value)):
        return writing.day(date.fromisoformat(value), language)
    return str(value)
