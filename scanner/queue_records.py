"""What stands in the till's queue: postings, and what was done about those that were refused."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from scanner.clock import Moment


class State(StrEnum):
    """Where a kept posting stands."""

    WAITING = "waiting"
    SENT = "sent"
    SET_ASIDE = "set_aside"
    HANDED_OVER = "handed_over"
    DROPPED = "dropped"


class How(StrEnum):
    """What somebody did about a posting that had been set aside."""

    SEND_AGAIN = "send_again"
    HAND_OVER = "hand_over"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Posting:
    """One kept posting. `path` is below the till API; `body` is what is sent, to the byte.

    `needs_cashier`: only a signed-in cashier may send it. `after_id`: a posting that has to
    be with the service before this one (the accrual that a reversal takes back). `card_id`: the
    card that it is about, as far as that is known. `moment`: when it was made, by the machine's
    uptime, where the time of day was not certain.
    """

    id: str
    programme_id: str
    kind: str
    path: str
    body: bytes
    needs_cashier: bool
    kept_at: datetime
    after_id: str | None = None
    card_id: str | None = None
    moment: Moment | None = None
    state: State = State.WAITING
    attempts: int = 0
    settled_at: datetime | None = None
    answer: dict[str, Any] | None = None
    reason: str | None = None
    number: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Resolution:
    """Who did what about a posting that the service had refused, and why."""

    posting_id: str
    how: How
    refusal: str | None
    reason: str | None
    who: str
    at: datetime


def posting_from(row: tuple[Any, ...]) -> Posting:
    """A posting out of a row of the queue, its columns in their order."""
    return Posting(
        id=row[0],
        programme_id=row[1],
        kind=row[2],
        path=row[3],
        body=bytes(row[4]),
        needs_cashier=bool(row[5]),
        kept_at=datetime.fromisoformat(row[6]),
        after_id=row[7],
        card_id=row[8],
        moment=Moment(row[9], row[10]) if row[9] else None,
        state=State(row[11]),
        attempts=row[12],
        settled_at=datetime.fromisoformat(row[13]) if row[13] else None,
        answer=json.loads(row[14]) if row[14] else None,
        reason=row[15],
        number=row[16],
    )


def as_text(moment: datetime) -> str:
    """UTC in one width, so that texts order as times do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
