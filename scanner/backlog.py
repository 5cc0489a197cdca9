"""What the till still owes the service, for people: how much waits, and what to do about the rest.

A posting that the service refused for good is set aside with its reason. There are three ways
out, and each is recorded with who took it and why: send it again (the card was unblocked), hand
it over to a manager (`counterfoil ledger waiting`), or drop it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scanner.client import Client
from scanner.errors import Refused, ScanError
from scanner.unsent import How, Posting, Queue, Resolution, State

LONGEST_REASON = 200
# What a manager can let in later, as the service sees it.
FOR_A_MANAGER = ("accrual", "reversal")


@dataclass(frozen=True, slots=True)
class Status:
    """How much of this till's work is with the service.

    `waiting` counts what is still to be sent for this programme, `oldest_at` since when (the
    till's time); `set_aside` what was refused and waits for somebody to resolve it; `elsewhere`
    what waits for a programme that this till no longer works for.
    """

    waiting: int
    oldest_at: datetime | None
    last_sent_at: datetime | None
    set_aside: int
    elsewhere: int

    @property
    def all_sent(self) -> bool:
        """Whether nothing is left to send."""
        return self.waiting == 0

    def as_json(self) -> dict[str, Any]:
        """Return it for a program."""
        return {
            "waiting": self.waiting,
            "oldest_at": self.oldest_at.isoformat() if self.oldest_at else None,
            "last_sent_at": self.last_sent_at.isoformat() if self.last_sent_at else None,
            "set_aside": self.set_aside,
            "elsewhere": self.elsewhere,
            "all_sent": self.all_sent,
        }


@dataclass(frozen=True, slots=True)
class SetAside:
    """A posting that was refused, and the ways out that it has."""

    posting: Posting
    reason: str
    ways: tuple[How, ...]

    @property
    def amount_minor(self) -> int | None:
        """What was paid, in minor units (0: a visit); None for anything but an accrual."""
        amount = json.loads(self.posting.body).get("amount_minor")
        return amount if isinstance(amount, int) else None


def status(queue: Queue, programme_id: str) -> Status:
    """Return how much waits, since when, and what was set aside. Raises QueueError."""
    waiting = queue.count(State.WAITING, programme_id)
    return Status(
        waiting=waiting,
        oldest_at=queue.oldest_waiting(programme_id) if waiting else None,
        last_sent_at=queue.last_sent(),
        set_aside=queue.count(State.SET_ASIDE),
        elsewhere=queue.count(State.WAITING) - waiting,
    )


def set_aside(queue: Queue) -> list[SetAside]:
    """Return what was refused and is not resolved, oldest first. Raises QueueError."""
    return [
        SetAside(posting, posting.reason or "", ways(posting))
        for posting in queue.all(State.SET_ASIDE)
    ]


def ways(posting: Posting) -> tuple[How, ...]:
    """Return what can be done about a posting that was set aside."""
    if posting.kind in FOR_A_MANAGER:
        return (How.SEND_AGAIN, How.HAND_OVER, How.DROP)
    return (How.SEND_AGAIN, How.DROP)


def resolve(
    queue: Queue,
    client: Client,
    posting_id: str,
    how: How,
    *,
    who: str,
    reason: str | None,
    now: datetime,
) -> Posting:
    """Resolve one posting that was set aside; return it as it stands then.

    Dropping and handing over want a reason. Done twice, the second changes nothing and says so.
    Raises ScanError; TryLater and TillRevoked where the service is needed and cannot be asked,
    Refused where it does not take the posting even for a manager.
    """
    posting = queue.get(posting_id)
    if posting is None or posting.state is not State.SET_ASIDE:
        raise ScanError("No such posting is set aside on this till; it may be resolved already.")
    if how not in ways(posting):
        raise ScanError("Only points given and taken back can be handed over to a manager.")
    reason = " ".join((reason or "").split())[:LONGEST_REASON] or None
    if how is not How.SEND_AGAIN and reason is None:
        raise ScanError("Say why, in a few words: it is kept with the posting.")
    state, answer = State.DROPPED, None
    if how is How.SEND_AGAIN:
        state = State.WAITING
    elif how is How.HAND_OVER:
        state, answer = _hand_over(queue, client, posting, reason or "")
    resolution = Resolution(posting_id, how, posting.reason, reason, who[:80], now)
    if not queue.resolve(resolution, state, answer):
        raise ScanError("Somebody else has just resolved this posting.")
    return queue.get(posting_id) or posting


def forget_refused(queue: Queue, since: datetime, *, who: str, now: datetime) -> None:
    """Drop, on record, what was made since then and refused: it was told at the counter at once."""
    why = "Told at the counter at once."
    for posting in queue.all(State.SET_ASIDE):
        if posting.kept_at >= since:
            resolution = Resolution(posting.id, How.DROP, posting.reason, why, who, now)
            queue.resolve(resolution, State.DROPPED, None)


def _hand_over(
    queue: Queue, client: Client, posting: Posting, reason: str
) -> tuple[State, dict[str, Any]]:
    """Lay it before a manager; where the service has the posting after all, it is sent."""
    try:
        answer = client.hand_over(posting.kind, posting.body, reason)
    except Refused as refused:
        raise Refused(
            refused.status, refused.code, f"A manager could not let it in, either: {refused}"
        ) from None
    waits = answer.get("status") == "waiting_for_manager"
    return (State.HANDED_OVER if waits else State.SENT), answer
