"""The same measures by hand: from receipts and what came back of them, every account at a time."""

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.insight.models import (
    InsightAsked,
    InsightCohort,
    InsightDay,
    InsightMembers,
    InsightMove,
    InsightReturn,
)
from app.insight.rules import NOWHERE
from app.ledger.models import Entry, EntryKind, Receipt, ReceiptReturn

TABLES = (InsightAsked, InsightCohort, InsightDay, InsightMembers, InsightMove, InsightReturn)


def rows(session: Session, *, only: Any = TABLES) -> dict[str, Counter[Any]]:
    """What stands in the tables, without what has become nothing."""
    found: dict[str, Counter[Any]] = {}
    for model in only:
        table = model.__table__
        keys = [column.key for column in table.primary_key.columns]
        sums = [column.key for column in table.columns if column.key not in keys]
        counted: Counter[Any] = Counter()
        for row in session.execute(select(*table.columns)).mappings():
            for name in sums:
                if model is InsightAsked or row[name]:
                    counted[(*(row[key] for key in keys), name)] += (
                        1 if model is InsightAsked else row[name]
                    )
        found[table.name] = counted
    return found


def visits(session: Session) -> list[tuple[str, date, datetime, str, int]]:
    """Account, day, moment, location and money of every receipt of which something was kept."""
    back: Counter[str] = Counter()
    gone = set()
    for each in session.scalars(select(ReceiptReturn).where(ReceiptReturn.reversed_at.is_(None))):
        back[each.receipt_id] += each.amount_minor
        gone.add(each.receipt_id)
    found = []
    for receipt, day in session.execute(
        select(Receipt, Entry.day)
        .join(Entry, Entry.receipt_id == Receipt.id)
        .where(Entry.kind == EntryKind.ACCRUAL)
    ):
        kept = receipt.amount_minor - back[receipt.id]
        if kept > 0 or (receipt.amount_minor == 0 and receipt.id not in gone):
            found.append(
                (receipt.account_id, day, receipt.occurred_at, receipt.location_id or NOWHERE, kept)
            )
    return found


def points(session: Session) -> dict[str, int]:
    """Points issued, spent and expired in all, each reversal followed to where it began."""
    entries = {entry.id: entry for entry in session.scalars(select(Entry))}
    sums: Counter[str] = Counter()
    for entry in entries.values():
        root = entry
        while root.kind == EntryKind.REVERSAL:
            root = entries[root.reverses_id or ""]
        sums[root.kind] += entry.points
    return {
        "issued": sum(sums[kind] for kind in ("accrual", "bonus", "adjustment", "opening")),
        "spent": -sums["redemption"],
        "expired": -sums["expiry"],
        "all": sum(sums.values()),
    }


def came(
    found: list[tuple[str, date, datetime, str, int]], first: date, until: date
) -> tuple[int, int]:
    """Of the days from *first* to before *until*: who came, and who came on two or more."""
    days: defaultdict[str, set[date]] = defaultdict(set)
    for account_id, day, *_ in found:
        if first <= day < until:
            days[account_id].add(day)
    return len(days), sum(len(each) > 1 for each in days.values())


def unasked(
    found: list[tuple[str, date, datetime, str, int]],
    nudges: list[tuple[str, datetime]],
    within: timedelta,
) -> list[tuple[str, date, datetime, str, int]]:
    """Only what was bought on days on which nobody had asked for it."""
    firsts: dict[tuple[str, date], datetime] = {}
    for account_id, day, moment, *_ in found:
        firsts[account_id, day] = min(moment, firsts.get((account_id, day), moment))
    asked = {
        key
        for key, moment in firsts.items()
        for account_id, nudge in nudges
        if account_id == key[0] and nudge < moment <= nudge + within
    }
    return [each for each in found if (each[0], each[1]) not in asked]
