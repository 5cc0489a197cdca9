"""Issuing cards and changing their state; finding them by what was scanned: `scanning`."""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from app.cards import pins
from app.cards.links import LINK_BYTES as LINK_BYTES
from app.cards.links import card_by_link as card_by_link
from app.cards.links import create_link as create_link
from app.cards.links import create_links as create_links
from app.cards.links import hash_token as hash_token
from app.cards.links import revoke_links as revoke_links
from app.cards.models import Card, SigningKey
from app.cards.refusals import refused_cards as refused_cards
from app.cards.refusals import signed_list as signed_list
from app.cards.rotating import WRONG_VALUES as WRONG_VALUES
from app.cards.rotating import WRONG_VALUES_WINDOW as WRONG_VALUES_WINDOW
from app.cards.rotating import totp_keys as totp_keys
from app.cards.rotating import use_step as use_step
from app.cards.scanning import FoundCard as FoundCard
from app.cards.scanning import card_by_code as card_by_code
from app.cards.scanning import cards_asked as cards_asked
from app.cards.scanning import cards_by_codes as cards_by_codes
from app.db import Prepared
from app.errors import Conflict, Invalid, Misconfigured, NotFound
from app.keys import KeyRing, Purpose
from app.languages import _
from app.ledger import service as ledger
from app.members import service as members
from app.webhooks.events import tell
from passes.card import CardStatus
from passes.code import CardCode, Kind, encode

RandomBytes = Callable[[int], bytes]
#: As much as is kept of why a card was blocked or replaced.
LONGEST_REASON = 200
#: What shop systems are told when a card comes to be so.
STATUS_EVENTS = {
    CardStatus.ACTIVE: "card.unblocked",
    CardStatus.BLOCKED: "card.blocked",
    CardStatus.EXPIRED: "card.expired",
    CardStatus.USED: "card.expired",
}


def create_signing_key(session: Session, keys: KeyRing, programme_id: str, *, now: datetime) -> int:
    """Make the programme's next signing key and retire the one before it; the new key id.

    Codes signed with the old key stay valid. Key ids count up over the whole installation, so that
    an id is never used twice and names one programme for ever.
    """
    # Every programme's ids count: the number is looked up past the wall, by a bare column.
    in_database = session.connection().scalar(select(func.max(SigningKey.__table__.c.key_id)))
    # The ring may know more: a key whose row was rolled back, or came after a restored backup.
    in_ring = [info.version for info in keys.list() if info.purpose == Purpose.CARD_SIGNING]
    key_id = max(in_database or 0, *in_ring, 0) + 1
    if key_id > 0xFFFF:
        raise Conflict(_("All 65,535 key ids are used up."))
    private = Ed25519PrivateKey.generate()
    keys.create(
        Purpose.CARD_SIGNING,
        programme_id=programme_id,
        version=key_id,
        material=private.private_bytes_raw(),
    )
    session.execute(
        update(SigningKey)
        .where(SigningKey.programme_id == programme_id, SigningKey.retired_at.is_(None))
        .values(retired_at=now)
    )
    session.add(
        SigningKey(
            key_id=key_id,
            programme_id=programme_id,
            public_key=private.public_key().public_bytes_raw(),
            created_at=now,
        )
    )
    session.flush()
    return key_id


def public_keys(session: Session) -> list[SigningKey]:
    """Every public key of the session's programme, the newest first."""
    return list(session.scalars(select(SigningKey).order_by(SigningKey.key_id.desc())))


def issue_card(
    session: Session,
    keys: KeyRing,
    programme_id: str,
    *,
    account_id: str,
    now: datetime,
    member_id: str | None = None,
    kind: Kind = Kind.MEMBER,
    language: str = "en",
    source: str = "cli",
    random_bytes: RandomBytes = secrets.token_bytes,
) -> Card:
    """Issue a card of *account_id*: a fresh id and serial number, and a signed code."""
    wanted = NewCard(account_id, member_id, language)
    [row] = _new_rows(session, keys, programme_id, [wanted], kind, source, now, random_bytes)
    card = Card(**row)
    session.add(card)
    session.flush()
    tell(session, "card.issued", told_of(card), now=now)
    return card


class NewCard(NamedTuple):
    """A card that is to be issued: whose, and the language that it speaks."""

    account_id: str
    member_id: str | None
    language: str


def issue_cards(
    session: Session,
    keys: KeyRing,
    programme_id: str,
    wanted: Sequence[NewCard],
    *,
    source: str,
    now: datetime,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> list[str]:
    """Issue many cards in one statement, a member's each; their ids, in their order."""
    rows = _new_rows(session, keys, programme_id, wanted, Kind.MEMBER, source, now, random_bytes)
    if rows:
        # Of an account that shares its card with nobody.
        told = [{**row, "version": 1, "delivered_version": 0, "role": "owner"} for row in rows]
        _insert_cards(session, told)
    for row in rows:
        facts = {name: row[name] for name in ("account_id", "status")}
        tell(session, "card.issued", {"card_id": row["id"], **facts}, now=now)
    return [str(row["id"]) for row in rows]


def _new_rows(
    session: Session,
    keys: KeyRing,
    programme_id: str,
    wanted: Sequence[NewCard],
    kind: Kind,
    source: str,
    now: datetime,
    random_bytes: RandomBytes,
) -> list[dict[str, Any]]:
    key_id = session.scalar(
        select(SigningKey.key_id).where(
            SigningKey.programme_id == programme_id, SigningKey.retired_at.is_(None)
        )
    )
    if key_id is None:
        raise Misconfigured("The programme has no signing key: run counterfoil keys rotate.")
    secret = keys.get(Purpose.CARD_SIGNING, key_id, programme_id=programme_id).material
    private = Ed25519PrivateKey.from_private_bytes(secret)
    token_key_version = keys.current(Purpose.APPLE_TOKEN).version
    rows = []
    for each in wanted:
        card_id = random_bytes(8)
        code = CardCode(key_id=key_id, card_id=card_id, issued_on=now.date(), kind=kind)
        rows.append(
            {
                "id": card_id.hex(),
                "programme_id": programme_id,
                "serial_number": random_bytes(16).hex(),
                "account_id": each.account_id,
                "member_id": each.member_id,
                "kind": int(kind),
                "status": str(CardStatus.ACTIVE),
                "status_changed_at": now,
                "key_id": key_id,
                "code": encode(code, private),
                "issued_on": now.date(),
                "issued_at": now,
                "language": each.language,
                "source": source[:40],
                "token_key_version": token_key_version,
            }
        )
    return rows


def told_of(card: Card, **more: Any) -> dict[str, Any]:
    """What those who listen are told of a card: nothing of its holder."""
    return {"card_id": card.id, "account_id": card.account_id, "status": card.status, **more}


def card_by_id(session: Session, card_id: str) -> Card:
    """The card of that id in the session's programme. Raises `NotFound`."""
    card = session.scalar(select(Card).where(Card.id == card_id))
    if card is None:
        raise NotFound(_("There is no such card in this programme."))
    return card


def cards_of_members(session: Session, member_ids: Sequence[str]) -> list[Card]:
    """Every card of these members, the newest first."""
    return list(
        session.scalars(
            select(Card).where(Card.member_id.in_(member_ids)).order_by(Card.issued_at.desc())
        )
    )


_cards: Any = Card.__table__
_insert_cards = Prepared(insert(_cards))


def apple_token(keys: KeyRing, card: Card) -> str:
    """The token with which a pass asks our web service for itself. It never changes."""
    return apple_token_of(keys, card.token_key_version, card.serial_number)


def apple_token_of(keys: KeyRing, key_version: int, serial_number: str) -> str:
    """The same, of a card of which no more is known."""
    return keys.derive(Purpose.APPLE_TOKEN, key_version, serial_number.encode()).hex()


def touch(session: Session, card: Card, *, now: datetime) -> None:
    """Note that something the pass shows has changed besides the points."""
    session.execute(update(Card).where(Card.id == card.id).values(version=Card.version + 1))
    ledger.mark_changed(session, card.account_id, now=now)


def set_status(
    session: Session, card_id: str, status: CardStatus, *, now: datetime, reason: str | None = None
) -> Card:
    """Block, unblock or expire a card. A replaced card stays replaced."""
    card = _card_to_change(session, card_id, reason)
    if card.status == CardStatus.REPLACED:
        raise Conflict(_("This card was replaced; change the card that took its place."))
    if status in {CardStatus.REPLACED, CardStatus.ERASED}:
        raise Invalid(_("Replace a card with replace_card, erase one with its member."))
    if card.status != status or card.frozen_at is not None:
        card.status = status
        # What its owner froze is from here on as staff say.
        card.frozen_at = None
        card.status_reason = reason
        card.status_changed_at = now
        session.flush()
        touch(session, card, now=now)
        tell(session, STATUS_EVENTS[status], told_of(card), now=now)
    return card


def replace_card(
    session: Session,
    keys: KeyRing,
    card_id: str,
    *,
    now: datetime,
    reason: str | None = None,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> Card:
    """Issue a new card of the same account; the old one is refused from now on, its links too."""
    # People, cards, accounts: whoever locks several goes in this order. The new card's row alone
    # would hold its member and its account against each other's writers.
    member = select(Card.member_id).where(Card.id == card_id, Card.member_id.is_not(None))
    members.lock(session, [str(each) for each in session.scalars(member)])
    old = _card_to_change(session, card_id, reason)
    if old.status == CardStatus.REPLACED:
        raise Conflict(_("This card was replaced already."))
    if old.kind == Kind.COUPON:
        raise Conflict(
            _("A coupon is not replaced: its holder finds it on the page of their own card.")
        )
    ledger.lock_account(session, old.account_id)
    new = issue_card(
        session,
        keys,
        old.programme_id,
        account_id=old.account_id,
        member_id=old.member_id,
        kind=Kind(old.kind),
        language=old.language,
        source=old.source,
        now=now,
        random_bytes=random_bytes,
    )
    new.role, new.redeem_limit, new.redeem_period = old.role, old.redeem_limit, old.redeem_period
    old.status = CardStatus.REPLACED
    old.frozen_at = None
    old.status_reason = reason
    old.status_changed_at = now
    old.replaced_by_id = new.id
    session.flush()
    pins.move_pin(session, old.id, new.id)
    revoke_links(session, old.id, now=now)
    touch(session, old, now=now)
    tell(session, "card.replaced", told_of(old, replaced_by=new.id), now=now)
    return new


def _card_to_change(session: Session, card_id: str, reason: str | None) -> Card:
    if reason is not None and len(reason) > LONGEST_REASON:
        raise Invalid(
            _("Give a reason of at most %(longest_reason)s letters.", longest_reason=LONGEST_REASON)
        )
    # Locked: replaced by two at once, an account would have two cards that are good.
    card = session.scalar(
        select(Card)
        .where(Card.id == card_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if card is None:
        raise NotFound(_("There is no such card in this programme."))
    if card.status == CardStatus.ERASED:
        raise Conflict(_("This card was erased with its member; it is over for good."))
    return card
