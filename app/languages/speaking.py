"""Saying things in the reader's language."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from html import escape
from typing import Any

from app.languages.catalogues import translations
from passes.text import LANGUAGES

_language: ContextVar[str] = ContextVar("language", default=LANGUAGES[0])


def current_language() -> str:
    """The language (ISO 639-1) that is spoken now."""
    return _language.get()


def speak(language: str) -> None:
    """Speak *language* from now on, in this thread; one that is not known becomes English."""
    _language.set(language if language in LANGUAGES else LANGUAGES[0])


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak *language* for the block."""
    token = _language.set(language if language in LANGUAGES else LANGUAGES[0])
    try:
        yield
    finally:
        _language.reset(token)


def _(message: str, /, **facts: Any) -> str:
    """*message* in the language that is spoken now, with *facts* put in: ``%(name)s``."""
    return translations(_language.get()).gettext(message) % facts


def ngettext(one: str, many: str, num: int, /, **facts: Any) -> str:
    """The form of a message that fits the number *num*, which is put in as ``%(num)s``."""
    found = translations(_language.get()).ngettext(one, many, num)
    return found % {"num": num, **facts}


@dataclass(frozen=True, slots=True)
class Lazy:
    """A message that is translated when it is shown: for what is made before anybody asks."""

    message: str

    def __str__(self) -> str:
        return _(self.message)

    def __html__(self) -> str:
        return escape(str(self))


def lazy(message: str) -> Lazy:
    """*message*, translated each time it is shown."""
    return Lazy(message)
