"""What an owner writes on the cards, and which fields they show where. Pure.

A text is kept as it was given: a plain one for all languages, or one by language. Each reader
checks what somebody gave and says what to give instead.
"""

from collections.abc import Mapping
from typing import Any

from app.errors import Invalid
from app.languages import Lazy, _, lazy
from passes.card import Arrangement, Section
from passes.text import LANGUAGES, Text, Words, text

#: Phones cut a longer name off on the strip that sticks out of a stack of cards.
LONGEST_NAME = 40
LONGEST_LABEL = 30
MOST_FIELDS = 40


def words_of(kept: str | Mapping[str, str] | None, *, fills_in: bool = True) -> Words | None:
    """A text as cards have it, from what is kept. English, or the first, stands in for others.

    Without *fills_in* English stays out where it was left out: something else stands in.
    """
    if kept is None or isinstance(kept, str):
        return kept
    return text(({"en": next(iter(kept.values()))} if fills_in else {}) | dict(kept))


def label_of(kept: Mapping[str, str], key: str) -> Text:
    """The label of the field *key* in all languages: what has a key of its own travels in all."""
    return text({"en": next(iter(kept.values()))} | dict(kept), f"own.{key}")


def arrangement_of(
    fields: list[list[str | None]], labels: Mapping[str, Mapping[str, str]]
) -> Arrangement | None:
    """The order and labels of fields, from what is kept; None where all is as it comes."""
    if not fields and not labels:
        return None
    return Arrangement(
        tuple((str(key), None if place is None else Section(place)) for key, place in fields),
        tuple((key, label_of(kept, key)) for key, kept in labels.items()),
    )


def read_words(what: str | Lazy, longest: int, *, lines: bool = False) -> Any:
    """A reader of a text: plain, or by language. Blank ones are left out."""

    def read(value: Any) -> str | dict[str, str] | None:
        if isinstance(value, str):
            return _one(value, what, longest, lines)
        if not isinstance(value, Mapping) or not value.keys() <= set(LANGUAGES):
            raise Invalid(
                _(
                    "%(what)s: write it in %(known)s, or once for all of them.",
                    what=what,
                    known=", ".join(LANGUAGES),
                )
            )
        found = {
            language: _one(value[language], what, longest, lines)
            for language in LANGUAGES
            if str(value.get(language) or "").strip()
        }
        return found or None

    return read


def read_labels(value: Any) -> dict[str, dict[str, str]]:
    """What fields are called, by key and language."""
    reader = read_words(lazy("The name of a field"), LONGEST_LABEL)
    if not isinstance(value, Mapping) or len(value) > MOST_FIELDS:
        raise Invalid(
            _("Give the names of at most %(most_fields)s fields.", most_fields=MOST_FIELDS)
        )
    found = {}
    for key, said in value.items():
        _check_key(key)
        kept = reader(said)
        if isinstance(kept, str):
            kept = {LANGUAGES[0]: kept}
        if kept:
            found[str(key)] = kept
    return found


def read_fields(value: Any) -> list[list[str | None]]:
    """The order of fields, each with its place on the card (None: not shown)."""
    if not isinstance(value, list | tuple) or len(value) > MOST_FIELDS:
        raise Invalid(_("A card has at most %(most_fields)s fields.", most_fields=MOST_FIELDS))
    found: list[list[str | None]] = []
    for key, place in value:
        _check_key(key)
        if place is not None and place not in set(Section):
            raise Invalid(
                _(
                    "A field stands in %(known)s, or nowhere; not in %(place)s.",
                    known=", ".join(Section),
                    place=repr(place),
                )
            )
        found.append([key, place])
    if len({key for key, _ in found}) < len(found):
        raise Invalid(_("Name each field once."))
    return found


def _check_key(key: Any) -> None:
    if not isinstance(key, str) or not 0 < len(key) <= 40 or not key.isascii():
        raise Invalid(_("There is no field %(given)s.", given=repr(str(key)[:40])))


def _one(value: Any, what: str | Lazy, longest: int, lines: bool) -> str:
    if not isinstance(value, str):
        raise Invalid(_("%(what)s is a text.", what=what))
    said = value.replace("\r\n", "\n").strip()
    if not said or len(said) > longest:
        raise Invalid(
            _(
                "%(what)s: 1 to %(longest)s characters, please; it has %(len)s.",
                what=what,
                longest=longest,
                len=len(said),
            )
        )
    plain = said.replace("\n", "").replace("\t", "") if lines else said
    if not plain.isprintable():
        raise Invalid(
            _("%(what)s has characters that cannot be shown: type it as plain text.", what=what)
        )
    return said
