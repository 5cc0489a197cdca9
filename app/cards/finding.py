"""Finding the cards of people: by what they told us, whole, or by the card itself."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, literal_column, or_, select
from sqlalchemy.orm import Session

from app.cards.models import Card
from app.errors import Invalid
from app.keys import KeyRing
from app.languages import _
from app.ledger.models import Account
from app.members import service as members
from app.members import words
from app.members.models import Member
from app.members.service import Contact
from passes.code import Kind, parse
from passes.errors import CodeError

#: As the index of cards by their day says it: with a bound value SQLite would not use it.
IS_NO_COUPON = Card.kind != literal_column(str(int(Kind.COUPON)))
LONGEST_SEARCH = 200
#: Of so many hits the ones with the most points are found; of more nobody asks.
MOST_RANKED = 1_000
_HEX = frozenset("0123456789abcdef")


class Order(StrEnum):
    """In which order cards are listed."""

    NEWEST = "newest"
    OLDEST = "oldest"
    POINTS = "points"


@dataclass(frozen=True, slots=True)
class Hit:
    """A card with whose it is. *contact* is empty where nobody told us anything."""

    card_id: str
    member_id: str | None
    account_id: str
    contact: Contact
    is_vip: bool
    status: str
    kind: int
    issued_at: datetime
    language: str
    points: int
    tier: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of hits; *next* is where the page after it begins (None: this was the last)."""

    hits: list[Hit]
    next: str | None


def find(
    session: Session,
    keys: KeyRing,
    programme_id: str,
    text: str = "",
    *,
    order: Order = Order.NEWEST,
    after: str | None = None,
    limit: int = 50,
) -> Found:
    """The cards that *text* finds; all of them where it is empty. No replaced one, no coupon.

    *text*: words of a name, a whole e-mail address, telephone number or number of before, a
    card's id, serial number or code. Raises `Invalid` for one too long, or a bad *after*.
    """
    text = " ".join(text.split())
    if len(text) > LONGEST_SEARCH:
        raise Invalid(_("Search for at most %(most)s letters.", most=LONGEST_SEARCH))
    if not text:
        return _listed(session, keys, programme_id, order, after, limit)
    direct = _direct(session, keys, programme_id, text)
    if direct is not None:
        found = _page(session, keys, _cards().where(direct), order, after, limit)
        if found.hits or after is not None:
            return found
    named = words.having(keys, programme_id, text)
    if named is None:
        return Found([], None)
    return _named(session, keys, named, order, after, limit)


def _direct(session: Session, keys: KeyRing, programme_id: str, text: str) -> Any | None:
    """What a card must fulfil that is found by something whole; None: *text* is a name."""
    if "@" in text:
        return Card.member_id.in_(members.members_by_email(session, keys, programme_id, text))
    with suppress(CodeError):
        return Card.id == parse(text).card.card_id_hex
    plain = text.lower()
    is_hex = set(plain) <= _HEX
    known: list[Any] = []
    if is_hex and len(plain) == 16:
        known.append(_with_successor(session, plain))
    elif is_hex and len(plain) == 32:
        known.append(Card.serial_number == plain)
    is_number = " " not in text and any(letter.isdigit() for letter in text)
    if is_number or members.plain_phone(text) is not None:
        ids = [
            *members.members_by_phone(session, keys, programme_id, text),
            *members.members_by_numbers(session, keys, programme_id, [text]).values(),
        ]
        known.append(Card.member_id.in_(ids))
    return or_(*known) if known else None


def _with_successor(session: Session, card_id: str) -> Any:
    """The card of that id, or the one that has its place now."""
    seen = [card_id]
    while True:
        after = session.scalar(select(Card.replaced_by_id).where(Card.id == seen[-1]))
        if after is None or after in seen:
            return Card.id.in_(seen)
        seen.append(after)


# --- pages ------------------------------------------------------------------------------------


def _cards() -> Select[Any]:
    columns: list[Any] = [
        Card.id,
        Card.member_id,
        Card.account_id,
        Card.status,
        Card.kind,
        Card.issued_at,
        Card.language,
        Account.balance,
        Account.tier,
        Member.is_vip,
        *(getattr(Member, field) for field in members.FIELDS),
    ]
    return (
        select(*columns)
        .join(Account, Account.id == Card.account_id)
        .outerjoin(Member, Member.id == Card.member_id)
        .where(IS_NO_COUPON, Card.kind != int(Kind.TEST), Card.replaced_by_id.is_(None))
    )


def _listed(
    session: Session,
    keys: KeyRing,
    programme_id: str,
    order: Order,
    after: str | None,
    limit: int,
) -> Found:
    """All cards, by the day they were given."""
    statement = _cards().where(Card.programme_id == programme_id)
    if after is not None:
        moment, _dash, card_id = after.partition("_")
        try:
            at = datetime.fromisoformat(moment)
        except ValueError:
            raise Invalid(_("There is no such page.")) from None
        if at.tzinfo is None:
            raise Invalid(_("There is no such page."))
        is_old = order is Order.OLDEST
        beyond = Card.issued_at > at if is_old else Card.issued_at < at
        same = Card.id > card_id if is_old else Card.id < card_id
        # The first is for the index; the second says it exactly.
        statement = statement.where(
            Card.issued_at >= at if is_old else Card.issued_at <= at,
            or_(beyond, and_(Card.issued_at == at, same)),
        )
    if order is Order.OLDEST:
        statement = statement.order_by(Card.issued_at, Card.id)
    else:
        statement = statement.order_by(Card.issued_at.desc(), Card.id.desc())
    rows = session.execute(statement.limit(limit + 1)).all()
    next_ = None
    if len(rows) > limit:
        last = rows[limit - 1]
        next_ = f"{last.issued_at.isoformat()}_{last.id}"
    return Found(_hits(keys, rows[:limit]), next_)


def _named(
    session: Session, keys: KeyRing, named: Any, order: Order, after: str | None, limit: int
) -> Found:
    """Cards of members that are found by their names: in the order of the members, which is that
    of their joining; ten thousand of a name are not gone through for a page of fifty."""
    if order is Order.POINTS:
        return _page(session, keys, _cards().where(Card.member_id.in_(named)), order, after, limit)
    # Pages follow members; each has a card or a few.
    is_old = order is Order.OLDEST
    ids = named.subquery().c.member_id
    statement = _cards().where(Card.member_id.in_(select(ids)))
    if after is not None:
        after = _uuid(after)
        statement = statement.where(Card.member_id > after if is_old else Card.member_id < after)
    ordered = (Card.member_id, Card.id) if is_old else (Card.member_id.desc(), Card.id)
    rows = list(session.execute(statement.order_by(*ordered).limit(limit + 1)))
    if len(rows) <= limit:
        return Found(_hits(keys, rows), None)
    # A member's cards stand on one page together.
    last = rows[limit].member_id
    whole = [row for row in rows if row.member_id != last] or rows
    return Found(_hits(keys, whole), str(whole[-1].member_id))


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise Invalid(_("There is no such page.")) from None


def _page(
    session: Session,
    keys: KeyRing,
    statement: Select[Any],
    order: Order,
    after: str | None,
    limit: int,
) -> Found:
    """A few cards, sorted here."""
    try:
        begin = int(after or 0)
    except ValueError:
        raise Invalid(_("There is no such page.")) from None
    rows = list(session.execute(statement.limit(MOST_RANKED)))
    if order is Order.POINTS:
        rows.sort(key=lambda row: (-row.balance, row.id))
    else:
        rows.sort(key=lambda row: (row.issued_at, row.id), reverse=order is Order.NEWEST)
    begin = max(0, begin)
    next_ = str(begin + limit) if len(rows) > begin + limit else None
    return Found(_hits(keys, rows[begin : begin + limit]), next_)


def _hits(keys: KeyRing, rows: Sequence[Any]) -> list[Hit]:
    return [
        Hit(
            card_id=row.id,
            member_id=row.member_id,
            account_id=row.account_id,
            contact=Contact()
            if row.member_id is None
            else members.open_contact(keys, row.member_id, row),
            is_vip=bool(row.is_vip),
            status=row.status,
            kind=row.kind,
            issued_at=row.issued_at,
            language=row.language,
            points=row.balance,
            tier=row.tier,
        )
        for row in rows
    ]
