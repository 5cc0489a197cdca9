"""What a preflight finds, and the cure for each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error makes a phone refuse the pass or part of it; a warning is worth knowing."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: a stable `code`, the place, what is wrong and what to do about it.

    The texts repeat what a stranger wrote: what cannot be printed (control characters, half of a
    surrogate pair) stands in them as an escape such as \\x1b, so that any terminal can show them.
    """

    code: str
    severity: Severity
    where: str
    message: str
    cure: str

    def __post_init__(self) -> None:
        for name in ("where", "message", "cure"):
            text = getattr(self, name)
            if not text.isprintable():
                object.__setattr__(self, name, _escaped(text))


def _escaped(text: str) -> str:
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def error(code: str, where: str, message: str, cure: str) -> Finding:
    """A fault that makes a phone refuse."""
    return Finding(code, Severity.ERROR, where, message, cure)


def warning(code: str, where: str, message: str, cure: str) -> Finding:
    """A fault that a phone forgives."""
    return Finding(code, Severity.WARNING, where, message, cure)
