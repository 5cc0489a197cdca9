"""Looking members up for a shop system. Each reading of what somebody told us is recorded."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import service as cards
from app.cards.models import Card
from app.errors import NotFound
from app.keys import KeyRing
from app.ledger.models import Account, Entry
from app.members import service as members
from app.members.reads import Reader, note_read
from app.pos.keys import Holder
from app.pos.listing import Page, page_of, read_cursor
from app.till import service

#: Cards shown for one address; whoever has more joined by mistake, or is no person.
MOST_CARDS = 20


def card_page(
    session: Session, keys: KeyRing, holder: Holder, card: Card, *, now: datetime
) -> dict[str, Any]:
    """What a shop system may know of a card and its holder; the reading is recorded first."""
    if card.member_id is not None:
        note_read(session, card.member_id, Reader("api", holder.name), "show", now=now)
    page = service.page_of(session, keys, card, now=now)
    account = session.scalars(select(Account).where(Account.id == card.account_id)).one()
    return {
        "card": page["card"] | {"account_id": card.account_id, "language": card.language},
        "account": {"id": account.id, "kind": account.kind},
        "member": page["member"],
        "tier": page["tier"],
        "standing": page["standing"],
        "redeem": page["redeem"],
        "stamps": page["stamps"],
        "rewards": page["rewards"],
        "coupons": page["coupons"],
        "coupon": page["coupon"],
    }


def search(
    session: Session,
    keys: KeyRing,
    holder: Holder,
    asked: dict[str, str],
    *,
    now: datetime,
) -> list[dict[str, Any]]:
    """The cards behind a code, or of whoever gave a whole e-mail address; the newest first.

    Raises `CardRefused` for a code that is no card of ours.
    """
    if asked.get("code"):
        card, _ = cards.card_by_code(session, asked["code"], now=now)
        found = [card]
    else:
        ids = members.members_by_email(session, keys, holder.programme_id, asked["email"])
        found = cards.cards_of_members(session, ids)[:MOST_CARDS]
    return [card_page(session, keys, holder, card, now=now) for card in found]


def entries(session: Session, account_id: str, *, limit: int, cursor: str | None) -> Page[Entry]:
    """An account's entries, the newest first. Raises `NotFound` for another programme's."""
    before = read_cursor(cursor)
    if session.scalar(select(Account.id).where(Account.id == account_id)) is None:
        raise NotFound("There is no such account.")
    wanted = select(Entry).where(Entry.account_id == account_id)
    if before is not None:
        wanted = wanted.where(Entry.sequence < before)
    rows = session.scalars(wanted.order_by(Entry.sequence.desc()).limit(limit + 1)).all()
    return page_of(rows, limit, lambda entry: entry.sequence)


def entry_json(entry: Entry) -> dict[str, Any]:
    """An entry as a shop system sees it."""
    return {
        "id": entry.id,
        "posting_id": entry.posting_id,
        "kind": entry.kind,
        "points": entry.points,
        "occurred_at": entry.occurred_at.isoformat(),
        "recorded_at": entry.recorded_at.isoformat(),
        "location_id": entry.location_id,
        "card_id": entry.card_id,
        "amount_minor": entry.amount_minor,
        "currency": entry.currency,
        "reverses_id": entry.reverses_id,
        "late": entry.late,
    }
