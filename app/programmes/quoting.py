"""What a basket would earn, said before it is bought: by the rules of an accrual, nothing kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.ledger.explain import Reason
from app.ledger.facts import facts_of
from app.ledger.postings import Value
from app.programmes.earning import Sale
from app.programmes.pricing import price
from app.programmes.terms import Rulebook


@dataclass(frozen=True, slots=True)
class Quote:
    """What a basket would earn: *points* in all, of which the bonuses are told apart.

    *reasons* are those of an accrual's answer, for `app.ledger.explain.tell`.
    """

    value: Value
    rule_version: int

    @property
    def points(self) -> int:
        """All points, bonuses included."""
        return self.value.points + sum(bonus.points for bonus in self.value.bonuses)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why, in the order of the reckoning."""
        return self.value.explain

    def as_json(self) -> Mapping[str, Any]:
        """As an API says it; what things hang on is of no use to whoever asks."""
        value = self.value
        return {
            "points": self.points,
            "base_points": value.points,
            "bonuses": [{"name": each.name, "points": each.points} for each in value.bonuses],
            "given": [
                {"kind": each.kind, "what": each.what, "count": each.count, "rule": each.rule}
                for each in value.given
            ],
            "earning_minor": value.earning_minor,
            "available_from": _told(value.available_from),
            "expires_at": _told(value.expires_at),
            "rule_version": self.rule_version,
            "reasons": list(value.explain),
        }


def _told(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def quote(
    session: Session,
    book: Rulebook,
    sale: Sale,
    account_id: str,
    *,
    now: datetime,
    location_id: str | None = None,
) -> Quote:
    """What a basket would earn the account at this moment; nothing is locked and nothing written.

    Raises what an accrual of it would: `Invalid`, `NoExchangeRate`, `NotFound`, `UnknownAccount`.
    """
    priced = price(session, book, sale, now=now, location_id=location_id)
    facts = facts_of(
        session,
        account_id,
        now=now,
        terms=book.terms(now),
        occurred_at=sale.occurred_at,
        once_keys=priced.once_keys,
        asked=priced.asked,
    )
    value = priced.value(facts)
    return Quote(value, value.rule_version or priced.rule_version)
