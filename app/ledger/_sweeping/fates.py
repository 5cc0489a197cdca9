"""What becomes of the tiers of many accounts, to be written together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from app.ledger.tiers import Change, TierState

#: What is written of a `TierState`, by the names of its columns.
_COLUMNS = {
    "tier": "tier",
    "tier_before": "before",
    "tier_kept": "kept",
    "reviewed_at": "reviewed_at",
    "grace_until": "grace_until",
    "override": "override",
    "override_until": "override_until",
    "review_at": "review_at",
    "tier_changed_at": "changed_at",
}


@dataclass(slots=True)
class Fates:
    """Accounts by *ids*, and by number (from 1 on) the one of *states* that each of them comes to.

    *is_moved* tells of each state whether it differs from what was. *changes* are those of tiers,
    with their accounts.
    """

    ids: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    states: list[TierState | None] = field(default_factory=list)
    is_moved: list[bool] = field(default_factory=list)
    changes: list[tuple[str, Change]] = field(default_factory=list)

    def add(
        self,
        ids: Sequence[str],
        state: TierState | None,
        is_moved: bool,
        changes: Iterable[tuple[str, Change]] = (),
    ) -> None:
        """Let all of *ids* come to *state*; None: nothing is to be said of their tiers."""
        self.states.append(state)
        self.is_moved.append(is_moved)
        self.ids += ids
        self.numbers += [len(self.states)] * len(ids)
        self.changes += changes

    def values(self) -> dict[str, str]:
        """Everything as texts, which are made and sent faster than lists."""
        return {
            "ids": ",".join(self.ids),
            "numbers": ",".join(map(str, self.numbers)),
            "states": _as_json(
                {"number": number, "is_moved": is_moved}
                | {column: getattr(state, name) for column, name in _COLUMNS.items() if state}
                for number, (state, is_moved) in enumerate(
                    zip(self.states, self.is_moved, strict=True), 1
                )
            ),
            "changes": _as_json(
                {
                    "account_id": account_id,
                    "from_tier": change.from_tier,
                    "to_tier": change.to_tier,
                    "reason": str(change.reason),
                    "counted": change.counted,
                    "effective_from": change.effective_from,
                }
                for account_id, change in self.changes
            ),
        }


def _as_json(rows: Iterable[dict[str, Any]]) -> str:
    return msgspec.json.encode(list(rows)).decode()
