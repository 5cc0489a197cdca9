"""An account's statement: what happened, in order, and what stands at the end.

Read as a stream: an account of any length takes the memory of one of its entries. No personal
data: who posted is an id, and whose account it is stands nowhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from app.ledger.errors import UnknownAccount
from app.ledger.models import Account, Draw, Entry, Hold, Lot, Posting, Receipt
from app.ledger.reports import moments
from app.ledger.reports.rules import OpenLot, repay
from app.ledger.rules import Standing


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """One entry; *balance* is what it left. *explain* is told once a posting, as it was stored."""

    sequence: int
    entry_id: str
    posting_id: str | None
    kind: str
    points: int
    balance: int
    occurred_at: datetime
    recorded_at: datetime
    late: bool
    actor_kind: str
    actor_id: str | None
    till_id: str | None
    location_id: str | None
    card_id: str | None
    receipt_number: str | None
    amount_minor: int | None
    currency: str | None
    reverses_id: str | None
    reason: str | None
    explain: list[Any]


@dataclass(frozen=True, slots=True)
class StatementLot:
    """What is left of a lot. *available_from* empty: until it is confirmed.

    *rolling*: it expires when the member has not come for long; *expires_at* is that date as it
    is now.
    """

    lot_id: str
    points: int
    left: int
    held: int
    pending: bool
    available_from: datetime | None
    expires_at: datetime | None
    rolling: bool
    issuing_partner_id: str | None


@dataclass(frozen=True, slots=True)
class StatementHold:
    """A redemption that was not finished."""

    posting_id: str
    points: int
    created_at: datetime
    expires_at: datetime
    receipt_number: str | None


@dataclass(frozen=True, slots=True)
class Statement:
    """One account over a time from *since* (empty: the beginning) to before *before*.

    Make it with `statement`. *lapsed* is what expired and the sweep has not written yet: the last
    entry's balance less that is the closing standing's.
    """

    session: Session
    account_id: str
    merged_into_id: str | None
    since: datetime | None
    before: datetime
    opening: int
    closing: Standing
    lapsed: int
    _repaid: dict[int, int]

    def entries(self) -> Iterator[StatementEntry]:
        """The entries of that time, in their order."""
        balance = self.opening
        told: str | None = None
        for row in self.session.execute(_entries(self), execution_options={"yield_per": 500}):
            facts = dict(row._mapping)
            answer = facts.pop("answer")
            balance += row.points
            explain = []
            if row.posting_id is not None and row.posting_id != told:
                explain = list((answer or {}).get("explain") or ())
                told = row.posting_id
            yield StatementEntry(balance=balance, explain=explain, **facts)

    def lots(self) -> Iterator[StatementLot]:
        """The lots that were open at the end, in draw order."""
        for row in _open_lots(self.session, self.account_id, self.before):
            left = row.left - self._repaid.get(row.sequence, 0)
            if row.expires_at is not None and row.expires_at < self.before:
                left = row.held
            if left:
                yield StatementLot(
                    row.id,
                    row.points,
                    left,
                    row.held,
                    bool(row.pending),
                    row.available_from,
                    row.expires_at,
                    bool(row.rolling),
                    row.issuing_partner_id,
                )

    def holds(self) -> Iterator[StatementHold]:
        """The holds that were open at the end."""
        statement = (
            select(
                Hold.posting_id, Hold.points, Hold.created_at, Hold.expires_at, Hold.receipt_number
            )
            .where(Hold.account_id == self.account_id, moments.is_open(self.before))
            .order_by(Hold.expires_at, Hold.id)
        )
        for row in self.session.execute(statement, execution_options={"yield_per": 500}):
            yield StatementHold(*row)


def statement(
    session: Session, account_id: str, *, since: datetime | None, before: datetime
) -> Statement:
    """An account's statement, in a session for one programme. Raises `UnknownAccount`."""
    account = session.execute(
        select(Account.id, Account.merged_into_id).where(Account.id == account_id)
    ).first()
    if account is None:
        raise UnknownAccount("There is no such account.")
    opening = 0 if since is None else _sum(session, account_id, since)
    balance = _sum(session, account_id, before)
    debt = int(
        session.scalar(
            select(func.coalesce(func.sum(Draw.points), 0)).where(
                Draw.account_id == account_id, Draw.lot_id.is_(None), Draw.recorded_at < before
            )
        )
        or 0
    )
    repaid = _repaid(session, account_id, debt, before)
    pending = held = lapsed = 0
    for row in _open_lots(session, account_id, before):
        left = row.left - repaid.get(row.sequence, 0)
        held += row.held
        if row.expires_at is not None and row.expires_at < before:
            lapsed += left - row.held
        elif row.pending:
            pending += left
    balance -= lapsed
    debt -= sum(repaid.values())
    return Statement(
        session=session,
        account_id=account.id,
        merged_into_id=account.merged_into_id,
        since=since,
        before=before,
        opening=opening,
        closing=Standing(balance, pending, held, balance - pending - held, debt),
        lapsed=lapsed,
        _repaid=repaid,
    )


def _sum(session: Session, account_id: str, before: datetime) -> int:
    total = session.scalar(
        select(func.coalesce(func.sum(Entry.points), 0)).where(
            Entry.account_id == account_id, moments.of_entry() < before
        )
    )
    return int(total or 0)


def _repaid(session: Session, account_id: str, debt: int, before: datetime) -> dict[int, int]:
    """What lots repay of the debt and nobody has written yet, by the lot's sequence."""
    if debt <= 0:
        return {}
    lots = (
        OpenLot((), row.sequence, row.left, row.left - row.held, row.available_from, row.expires_at)
        for row in _open_lots(session, account_id, before)
    )
    return {lot.sequence: points for lot, points in repay(lots, debt, before)}


def _entries(of: Statement) -> moments.Statement:
    moment = moments.of_entry()
    found = (
        select(
            Entry.sequence,
            Entry.id.label("entry_id"),
            Entry.kind,
            Entry.points,
            Entry.occurred_at,
            Entry.recorded_at,
            Entry.late,
            Entry.actor_kind,
            Entry.actor_id,
            Entry.till_id,
            Entry.location_id,
            Entry.card_id,
            func.coalesce(Receipt.number, Hold.receipt_number).label("receipt_number"),
            Entry.amount_minor,
            Entry.currency,
            Entry.reverses_id,
            Entry.reason,
            Entry.posting_id,
            Posting.answer,
        )
        .outerjoin(Receipt, Receipt.id == Entry.receipt_id)
        .outerjoin(Hold, and_(Hold.entry_id == Entry.id, Hold.account_id == Entry.account_id))
        .outerjoin(Posting, Posting.id == Entry.posting_id)
        .where(Entry.account_id == of.account_id, moment < of.before)
        .order_by(Entry.sequence)
    )
    return found if of.since is None else found.where(moment >= of.since)


class _OpenLot(NamedTuple):
    """A lot with something left."""

    id: str
    sequence: int
    points: int
    left: int
    held: int
    pending: bool
    available_from: datetime | None
    expires_at: datetime | None
    rolling: bool
    issuing_partner_id: str | None


def _open_lots(session: Session, account_id: str, before: datetime) -> Iterator[_OpenLot]:
    """Lots with something left, in draw order. Found through the entries: those have an index."""
    drawn = moments.drawn(before, Draw.account_id == account_id)
    reserved = moments.reserved(before, Hold.account_id == account_id)
    left = Lot.points - func.coalesce(drawn.c.points, 0)
    rolling = moments.rolls(session)
    expires_at = moments.lapses_at(rolling)
    found = (
        select(
            Lot.id,
            Lot.sequence,
            Lot.points,
            left.label("left"),
            func.coalesce(reserved.c.points, 0).label("held"),
            moments.is_pending(before).label("pending"),
            Lot.available_from,
            expires_at.label("expires_at"),
            Lot.rolling,
            Lot.issuing_partner_id,
        )
        .join_from(Entry, Lot, Lot.entry_id == Entry.id)
        .outerjoin(drawn, drawn.c.lot_id == Lot.id)
        .outerjoin(reserved, reserved.c.lot_id == Lot.id)
        .where(Entry.account_id == account_id, Entry.recorded_at < before, left > 0)
        .order_by(expires_at.is_(None), expires_at, Lot.sequence)
    )
    found = moments.beside_account(found, rolling)
    for row in session.execute(found, execution_options={"yield_per": 500}):
        # PostgreSQL adds whole numbers up to decimals.
        yield _OpenLot(*row)._replace(left=int(row.left), held=int(row.held))
