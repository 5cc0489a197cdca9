"""What every operation is given and what it gives back."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.errors import Invalid
from app.ledger._book import Book
from app.ledger.explain import Reason
from app.ledger.postings import Circumstances, Given, Operation, Request

#: No posting moves more points than this, so that sums stay far inside 64 bits.
MOST_POINTS = 1_000_000_000_000
MOST_MINOR = 1_000_000_000_000_000
_CANONICAL = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Item:
    """A posting that is asked for."""

    request: Request
    operation: Operation
    circumstances: Circumstances


@dataclass(frozen=True, slots=True)
class Context:
    """The posting that is being made, on the page of its account."""

    session: Session
    book: Book
    request: Request
    circumstances: Circumstances

    @property
    def now(self) -> datetime:
        """The moment of the posting."""
        return self.book.now


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an operation did; `points` as it moved the balance (a hold: the points held)."""

    kind: str
    status: str = "posted"
    points: int = 0
    explain: list[Reason] = field(default_factory=list)
    entry_id: str | None = None
    expires_at: datetime | None = None
    given: tuple[Given, ...] = ()
    benefit: Mapping[str, Any] | None = None


def whole_number(value: Any, name: str, lowest: int, highest: int) -> int:
    """*value* if it is an integer in the range. Raises `Invalid` that names the field."""
    if type(value) is not int or not lowest <= value <= highest:
        text = f"Give a whole number from {lowest} to {highest}."
        raise Invalid(f"{name}: {text}", {name: [text]})
    return value


def canonical_id(text: str) -> str | None:
    """The usual spelling of a UUID, or None where *text* is not one.

    The databases disagree on how many spellings an id has; here it has one.
    """
    if isinstance(text, str) and _CANONICAL.fullmatch(text):
        return text
    try:
        return str(uuid.UUID(text))
    except (ValueError, AttributeError, TypeError):
        return None
