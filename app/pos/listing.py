"""Long lists in pieces: each says where the next one begins."""

import base64
import binascii
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.errors import Invalid

MOST = 200
_MARK = b"1:"
_LARGEST = 2**63 - 1

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """A piece of a list, and the cursor that the next one is asked for with."""

    rows: Sequence[Row]
    next_cursor: str | None


def cursor_of(sequence: int) -> str:
    """The place behind a row, as text that says nothing to anybody else."""
    return base64.urlsafe_b64encode(_MARK + str(sequence).encode()).decode().rstrip("=")


def read_cursor(text: str | None) -> int | None:
    """The row behind which to go on. Raises `Invalid` for what is no cursor of ours."""
    if text is None:
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        number = int(raw.removeprefix(_MARK).decode("ascii"))
    except (binascii.Error, ValueError) as error:
        raise wrong_cursor() from error
    if not raw.startswith(_MARK) or not 0 <= number <= _LARGEST or cursor_of(number) != text:
        raise wrong_cursor()
    return number


def cursor_of_id(id_: str) -> str:
    """The same for a list whose rows are told apart by their ids."""
    return base64.urlsafe_b64encode(uuid.UUID(id_).bytes).decode().rstrip("=")


def read_id_cursor(text: str | None) -> str | None:
    """The id of the row behind which to go on. Raises `Invalid` for what is no cursor of ours."""
    if text is None:
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        found = str(uuid.UUID(bytes=raw))
    except (binascii.Error, ValueError) as error:
        raise wrong_cursor() from error
    if cursor_of_id(found) != text:
        raise wrong_cursor()
    return found


def page_of(rows: Sequence[Row], limit: int, sequence: Callable[[Row], int]) -> Page[Row]:
    """The piece that *rows* are, of which one more than *limit* was asked for."""
    if len(rows) <= limit:
        return Page(rows, None)
    return Page(rows[:limit], cursor_of(sequence(rows[limit - 1])))


def wrong_cursor() -> Invalid:
    """What is said of a cursor that leads nowhere."""
    text = "Send the next_cursor of the page before, as it is, or none."
    return Invalid(text, {"cursor": [text]})


def as_json(page: Page[Any], told: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """A page as it is answered."""
    return {"items": [told(row) for row in page.rows], "next_cursor": page.next_cursor}
