"""What a card says as its news: a message for the lock screen, an article for the back. Pure.

Kept as JSON by language::

    {"message": {"en": "{name}, your {points} points wait.", "lv": "…"},
     "article": {"en": ["A new roast", "It comes from …"]}}

``{name}`` is filled in where the card is drawn, since names are kept with members alone; for
whoever gave none it goes, with the comma after it. The other words in braces are filled from
*facts*, which are the card's own and say nothing of a person.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

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
    message = _filled(in_language(made["message"], language), facts, member_name)
    again = int(facts.get(AGAIN, 0)) % 2
    article = None
    if made.get("article"):
        title, text = in_language(made["article"], language)
        article = (_filled(title, facts, member_name), _filled(text, facts, member_name))
    return Shown(message + _AGAIN * again, article)


def in_language(by_language: Mapping[str, Any], language: str) -> Any:
    """What there is in that language; else in English, else in the first one."""
    for wanted in (language, "en"):
        if wanted in by_language:
            return by_language[wanted]
    return next(iter(by_language.values()))


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


def _filled(text: str, facts: Mapping[str, Any], name: str | None) -> str:
    text = text if name else nameless(text)
    known = {**facts, NAME: name or ""}
    return _BRACES.sub(lambda match: str(known.get(match[1], match[0])), text)
