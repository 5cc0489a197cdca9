"""Lots that changed accounts: what a merge made of them, looked up from where they came.

An entry of an account that was merged names lots of that account. Their points are in other lots
by now, of the account that stays; each of those names the lot that it came from.
"""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.ledger._book import Book
from app.ledger._store import load_lots
from app.ledger.models import Account, AccountMerge, Entry, EntryKind, Lot


def families(session: Session, book: Book, lot_ids: Collection[str]) -> dict[str, list[str]]:
    """Each of the lots with those that its points moved to, up to this account, on the page."""
    if unknown := [lot_id for lot_id in lot_ids if lot_id not in book.lots]:
        load_lots(session, book, ids=unknown)
    found = {lot_id: [lot_id] for lot_id in lot_ids}
    level = {lot_id: lot_id for lot_id in lot_ids if lot_id in book.elsewhere}
    while level:
        moved = {lot_id: level[origin] for lot_id, origin in _moved(session, book, level)}
        if moved:
            load_lots(session, book, ids=moved)
        for lot_id, first in moved.items():
            # Those on the way too: what expired there has expired of the first.
            if lot_id in book.lots:
                found[first].append(lot_id)
        level = moved
    return found


def _moved(session: Session, book: Book, origins: Collection[str]) -> list[tuple[str, str]]:
    """The lots that transfers made of others, each with the one that it came from."""
    rows = session.execute(
        select(Lot.id, Lot.origin_lot_id)
        .join(Entry, Entry.id == Lot.entry_id)
        .where(Lot.origin_lot_id.in_(origins), Entry.kind == EntryKind.TRANSFER_IN)
    )
    just_now = {entry["id"] for entry in book.entries if entry["kind"] == EntryKind.TRANSFER_IN}
    unwritten = [
        (new["lot"].id, new["origin_lot_id"])
        for new in book.new_lots
        if new["origin_lot_id"] in origins and new["lot"].entry_id in just_now
    ]
    return [(row.id, row.origin_lot_id) for row in rows] + unwritten


def merged_accounts(session: Session, account_id: str) -> list[str]:
    """The accounts that were merged into this one."""
    return list(session.scalars(select(Account.id).where(Account.merged_into_id == account_id)))


def merged_at_first(session: Session, account_id: str) -> list[str]:
    """The same of an account that was itself merged since: as they were before that."""
    found: list[str] = []
    level = [account_id]
    while level:
        level = list(
            session.scalars(
                select(AccountMerge.from_account_id).where(
                    AccountMerge.into_account_id.in_(level), AccountMerge.undone_at.is_(None)
                )
            )
        )
        found += level
    return found
