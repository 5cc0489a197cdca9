"""What accounts have besides points, read under their lock, changed in one transaction.

Every movement goes through `Page.move`, which writes a grant and keeps the tally in step.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from app.benefits.models import Coupon, CouponStatus, Grant, Tally
from app.benefits.promises import COUPON
from app.cards.models import Card
from app.db import new_id, programme_of
from app.ledger.explain import Reason
from app.webhooks.events import tell
from passes.card import CardStatus

#: Why something moved that no rule gave.
RETURN, USE, EXPIRY, MERGE = "return", "use", "expiry", "merge"

#: What the pass of a coupon says.
_SHOWN = {
    CouponStatus.OPEN: CardStatus.ACTIVE,
    CouponStatus.USED: CardStatus.USED,
    CouponStatus.OWED: CardStatus.USED,
    CouponStatus.WITHDRAWN: CardStatus.EXPIRED,
    CouponStatus.EXPIRED: CardStatus.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class Where:
    """The posting under which something moves: its id, its moment, the card and the language."""

    posting_id: str | None
    occurred_at: datetime
    card_id: str | None = None
    language: str = "en"


@dataclass(slots=True)
class Page:
    """The tallies of accounts whose rows are locked by this transaction."""

    session: Session
    now: datetime
    reasons: dict[str, list[Reason]] = field(default_factory=dict)
    _tallies: dict[tuple[str, str, str], Tally] = field(default_factory=dict)
    _rows: list[dict[str, Any]] = field(default_factory=list)

    def load(self, account_ids: Collection[str]) -> None:
        """Read the tallies of these accounts afresh."""
        found = self.session.scalars(
            select(Tally)
            .where(Tally.account_id.in_(account_ids))
            .execution_options(populate_existing=True)
        )
        self._tallies |= {(each.account_id, each.kind, each.what): each for each in found}

    def tallies(self, account_id: str) -> list[Tally]:
        """All of one account."""
        return [each for (owner, _, _), each in self._tallies.items() if owner == account_id]

    def count(self, account_id: str, kind: str, what: str) -> int:
        """How many the account has; below zero where it owes some."""
        found = self._tallies.get((account_id, kind, what))
        return 0 if found is None else found.count

    def move(
        self,
        where: Where,
        account_id: str,
        kind: str,
        what: str,
        count: int,
        *,
        rule: str,
        due: int = 0,
        source_id: str | None = None,
        coupon_id: str | None = None,
        rule_version: int | None = None,
        grounds: Mapping[str, Any] | None = None,
    ) -> Tally:
        """Give so many (below zero: take), and note what that settles of its source."""
        self._rows.append(
            {
                "programme_id": programme_of(self.session),
                "id": new_id(),
                "account_id": account_id,
                "kind": kind,
                "what": what,
                "count": count,
                "due": due,
                "source_id": source_id,
                "posting_id": where.posting_id,
                "coupon_id": coupon_id,
                "card_id": where.card_id,
                "rule": rule[:120],
                "rule_version": rule_version,
                "grounds": None if grounds is None else dict(grounds),
                "occurred_at": where.occurred_at,
                "recorded_at": self.now,
            }
        )
        tally = self._tallies.get((account_id, kind, what))
        if tally is None:
            tally = Tally(
                programme_id=programme_of(self.session),
                account_id=account_id,
                kind=kind,
                what=what,
                count=0,
                changed_at=self.now,
            )
            self.session.add(tally)
            self._tallies[account_id, kind, what] = tally
        tally.count += count
        tally.changed_at = self.now
        if tally.count <= 0:
            tally.expires_at = None
        return tally

    def set_coupon(self, coupon: Coupon, status: CouponStatus) -> None:
        """Move a coupon to another state; its pass shows it.

        The card of the coupon is locked already: cards are locked before accounts.
        """
        counts = {CouponStatus.OPEN: 1, CouponStatus.OWED: -1}
        if counts.get(CouponStatus(coupon.status), 0) == counts.get(status, 0):
            raise AssertionError("a coupon's state moves with its grants")
        coupon.status = str(status)
        coupon.changed_at = self.now
        if coupon.card_id is not None:
            show_status(self.session, coupon.card_id, _SHOWN[status], now=self.now)

    def tell(self, posting_id: str | None, reason: Reason) -> None:
        """Add to what the answer of a posting says."""
        if posting_id is not None:
            self.reasons.setdefault(posting_id, []).append(reason)

    def tell_listeners(self, type_: str, coupon: Coupon) -> None:
        """Let shop systems know what happened to a coupon, after the commit."""
        data = {
            "coupon_id": coupon.id,
            "account_id": coupon.account_id,
            "card_id": coupon.card_id,
            "code": coupon.what,
            "status": str(coupon.status),
        }
        tell(self.session, type_, data, now=self.now)

    def flush(self) -> None:
        """Write what moved."""
        self.session.flush()
        if self._rows:
            self.session.execute(insert(Grant), self._rows)
            self._rows = []


def show_status(session: Session, card_id: str, status: CardStatus, *, now: datetime) -> None:
    """Let the pass of a coupon say how it stands. A card that is blocked or over stays so."""
    session.execute(
        update(Card)
        .where(
            Card.id == card_id,
            Card.status.in_((CardStatus.ACTIVE, CardStatus.USED, CardStatus.EXPIRED)),
        )
        .values(status=status, status_changed_at=now, version=Card.version + 1)
        .execution_options(synchronize_session=False)
    )


def coupons_of(session: Session, coupon_ids: Collection[str]) -> dict[str, Coupon]:
    """These coupons, read afresh; their account is locked."""
    found = session.scalars(
        select(Coupon).where(Coupon.id.in_(coupon_ids)).execution_options(populate_existing=True)
    )
    return {each.id: each for each in found}


def owed_coupons(session: Session, account_id: str, what: str) -> list[Coupon]:
    """Coupons of one kind that the account owes: used, and taken back since; the oldest first."""
    found = session.scalars(
        select(Coupon)
        .where(
            Coupon.account_id == account_id,
            Coupon.what == what,
            Coupon.status == CouponStatus.OWED,
        )
        .order_by(Coupon.issued_at, Coupon.id)
        .execution_options(populate_existing=True)
    )
    return list(found)


def lock_coupon_cards(session: Session, account_ids: Collection[str]) -> None:
    """Lock the passes of all coupons of these accounts; whoever locks accounts too does it first,
    so that no two wait for each other."""
    session.execute(
        select(Card.id)
        .where(
            Card.id.in_(
                select(Coupon.card_id).where(
                    Coupon.account_id.in_(account_ids), Coupon.card_id.is_not(None)
                )
            )
        )
        .order_by(Card.id)
        .with_for_update()
    ).all()


def last_expiry(session: Session, account_id: str, kind: str, what: str) -> int:
    """The number of the grant with which the account's *what* last expired; 0 where none did."""
    found = session.scalar(
        select(func.max(Grant.sequence)).where(
            Grant.account_id == account_id,
            Grant.kind == kind,
            Grant.what == what,
            Grant.rule == EXPIRY,
        )
    )
    return found or 0


__all__ = [
    "COUPON",
    "EXPIRY",
    "MERGE",
    "RETURN",
    "USE",
    "Page",
    "Where",
    "coupons_of",
    "last_expiry",
    "lock_coupon_cards",
    "owed_coupons",
    "show_status",
]
