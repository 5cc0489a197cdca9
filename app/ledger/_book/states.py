"""What a page knows of rows that are stored: its account, its holds, other receipts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.clock import whole_second
from app.ledger.postings import Activity
from app.ledger.tiers import TierState

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class OtherReceipts:
    """What an account's other receipts come to: see `postings.Asked`."""

    visits_today: int = 0
    is_first: bool = False
    windows: Mapping[int, Activity] = field(default_factory=dict)


@dataclass(slots=True)
class AccountState:
    """The account's row."""

    id: str
    programme_id: str
    balance: int
    held: int
    debt: int
    version: int
    changed_at: datetime
    created_at: datetime
    carried_micro: int
    rolling_expires_at: datetime | None
    kind: str
    merged_into_id: str | None
    tier: TierState

    def raise_version(self, now: datetime) -> None:
        """Say that a pass shows something new. No two versions share a second."""
        self.version += 1
        self.mark_changed(now)

    def mark_changed(self, now: datetime) -> None:
        """Move `changed_at` on, to *now* or by a second."""
        self.changed_at = max(whole_second(now), self.changed_at + timedelta(seconds=1))


@dataclass(slots=True)
class HoldState:
    """An open hold and the points it reserves by lot."""

    id: str
    points: int
    expires_at: datetime
    lots: dict[str, int] = field(default_factory=dict)
