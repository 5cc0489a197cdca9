"""What a page of the ledger has to tell those who listen: one event a posting, and each tier."""

from collections.abc import Iterable
from typing import Any

from app.ledger._book import Book, Row
from app.ledger.models import EntryKind
from app.webhooks.events import event_row

_TYPES = {
    EntryKind.ACCRUAL: "points.accrued",
    EntryKind.BONUS: "points.accrued",
    EntryKind.REDEMPTION: "points.redeemed",
    EntryKind.REVERSAL: "points.returned",
    EntryKind.ADJUSTMENT: "points.adjusted",
    EntryKind.OPENING: "points.adjusted",
    EntryKind.EXPIRY: "points.expired",
    EntryKind.TRANSFER_IN: "points.transferred",
    EntryKind.TRANSFER_OUT: "points.transferred",
}


def events_of(books: Iterable[Book]) -> list[Row]:
    """Rows for the outbox; none of programmes that nobody listens to."""
    return [event for book in books if book.terms.is_heard for event in _of_page(book)]


def _of_page(book: Book) -> list[Row]:
    by_posting: dict[tuple[Any, str], list[Row]] = {}
    for entry in book.entries:
        type_ = _TYPES[EntryKind(entry["kind"])]
        # What a return takes back and what it gives back is one event; an expiry is one each.
        about = entry["posting_id"] or entry["id"]
        by_posting.setdefault((about, type_), []).append(entry)
    receipts = {receipt["id"]: receipt for receipt in book.receipts}
    programme_id, now = book.account.programme_id, book.now
    events = [
        event_row(programme_id, type_, _points(book, entries, receipts), now=now)
        for (_, type_), entries in by_posting.items()
    ]
    events += [
        event_row(programme_id, "tier.changed", _tier(change), now=now)
        for change in book.tier_changes
    ]
    return events


def _points(book: Book, entries: list[Row], receipts: dict[str, Row]) -> Row:
    first = entries[0]
    standing = book.standing()
    receipt = receipts.get(first["receipt_id"] or "", {})
    return {
        "account_id": book.account.id,
        "card_id": first["card_id"],
        "posting_id": first["posting_id"],
        "location_id": first["location_id"],
        "points": sum(entry["points"] for entry in entries),
        "entries": [
            {"entry_id": entry["id"], "kind": entry["kind"], "points": entry["points"]}
            for entry in entries
        ],
        "receipt": receipt.get("number"),
        "amount_minor": first["amount_minor"],
        "currency": first["currency"],
        "occurred_at": first["occurred_at"].isoformat(),
        "standing": {name: getattr(standing, name) for name in standing.__slots__},
    }


def _tier(change: Row) -> Row:
    return {
        "account_id": change["account_id"],
        "from_tier": change["from_tier"],
        "to_tier": change["to_tier"],
        "reason": change["reason"],
        "effective_from": change["effective_from"].isoformat(),
        "posting_id": change["posting_id"],
    }
