"""What every posting has: its id and fingerprint, when and by whom, the terms, the answer."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec

from app.ledger.tiers import TierScheme

ActorKind = Literal["staff", "till", "api", "system"]


@dataclass(frozen=True, slots=True)
class Request:
    """Who made the posting's id, and the fingerprint that a repeat has to match."""

    id: str
    operation: str
    fingerprint: bytes
    till_id: str | None = None


def fingerprint(
    programme_id: str, till_id: str | None, operation: str, body: Mapping[str, Any]
) -> bytes:
    """SHA-256 over programme, till, operation and body; the order of names does not matter."""
    parts = [programme_id, till_id, operation, body]
    try:
        text = _sorted.encode(parts)
    except (TypeError, ValueError):
        # What it is strict about: half a surrogate pair, names that are no text.
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str).encode()
    return hashlib.sha256(text).digest()


_sorted = msgspec.json.Encoder(order="sorted", enc_hook=str)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """When, where and by whom. *late*: it reached us later than it happened.

    *language* is the member's: what the answer is explained in.
    """

    occurred_at: datetime
    late: bool = False
    actor_kind: ActorKind = "system"
    actor_id: str | None = None
    till_id: str | None = None
    location_id: str | None = None
    card_id: str | None = None
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the ledger itself has to keep of a programme's rules as they are now.

    Days are local days of *time_zone*. *inactivity_months*: how long after an accrual or a
    redemption the points expire that roll (0: there are none). *is_heard*: somebody is to be told
    what happens (`app.webhooks`).
    """

    time_zone: str = "UTC"
    tiers: TierScheme | None = None
    inactivity_months: int = 0
    is_heard: bool = False


@dataclass(frozen=True, slots=True)
class Posted:
    """The answer to a posting; *repeated*: it was given before and nothing happened now."""

    answer: dict[str, Any]
    repeated: bool
