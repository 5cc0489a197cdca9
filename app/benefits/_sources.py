"""Where things came from: the postings behind a reversal, and what is kept of their receipts."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.benefits._page import Where
from app.benefits._settling import Source
from app.benefits.models import Tally, Use
from app.ledger.models import Account, Entry, EntryKind

#: The entry of a posting that may give things.
_GIVING = (EntryKind.ACCRUAL, EntryKind.ADJUSTMENT, EntryKind.OPENING)


@dataclass(frozen=True, slots=True)
class Touched:
    """What a reversal is about.

    *roots* are the postings at the beginning of each chain of reversals, each with whether it is
    undone now (False: a reversal of it was reversed). *family*: the account, and those that were
    merged into it.
    """

    account_id: str
    family: frozenset[str]
    roots: dict[str, bool]
    has_benefits: bool


def of_postings(session: Session, posting_ids: Collection[str]) -> dict[str, tuple[Source, Where]]:
    """The postings as sources, and the circumstances under which they were made."""
    rows = session.execute(
        select(
            Entry.posting_id,
            Entry.account_id,
            Entry.rule_version,
            Entry.occurred_at,
            Entry.card_id,
        ).where(Entry.posting_id.in_(posting_ids), Entry.kind.in_(_GIVING))
    )
    return {
        posting_id: (
            Source(posting_id, account_id, rule_version),
            Where(posting_id, occurred_at, card_id),
        )
        for posting_id, account_id, rule_version, occurred_at, card_id in rows
        if posting_id is not None
    }


def accounts_of(session: Session, posting_id: str) -> list[str]:
    """The accounts that have now what a posting moved."""
    rows = session.scalars(
        select(func.coalesce(Account.merged_into_id, Account.id))
        .join(Entry, Entry.account_id == Account.id)
        .where(Entry.posting_id == posting_id)
        .distinct()
    )
    return sorted(rows)


def touched_by(session: Session, posting_id: str) -> Touched:
    """What the entries of a reversal go back to."""
    rows = session.execute(
        select(Entry.account_id, Entry.reverses_id).where(Entry.posting_id == posting_id)
    ).all()
    account_id = rows[0].account_id
    family = frozenset(
        session.scalars(
            select(Account.id).where(
                or_(Account.id == account_id, Account.merged_into_id == account_id)
            )
        )
    )
    has_benefits = any(
        session.scalar(select(model.account_id).where(model.account_id.in_(family)).limit(1))
        for model in (Tally, Use)
    )
    roots: dict[str, bool] = {}
    if has_benefits:
        for row in rows:
            if row.reverses_id is not None:
                root, undone = _root(session, row.reverses_id)
                roots[root] = undone
    return Touched(account_id, family, roots, has_benefits)


def _root(session: Session, entry_id: str) -> tuple[str, bool]:
    """The posting at the beginning of a chain of reversals, and whether it is undone."""
    undone = True
    while True:
        posting_id, before = session.execute(
            select(Entry.posting_id, Entry.reverses_id).where(Entry.id == entry_id)
        ).one()
        if before is None:
            return posting_id or "", undone
        entry_id, undone = before, not undone
