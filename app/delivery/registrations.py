"""Apple's devices and the passes they watch: register, unregister, what has changed."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.cards.models import Card
from app.delivery.models import AppleRegistration
from app.delivery.rules import FIRST_VERSION, decode_tag, encode_tag
from app.delivery.wanted import VERSION, present_version
from app.errors import TooMany
from app.ledger.models import Account

#: Devices that may watch one card. A family has a dozen; whoever found a pass's token and makes
#: devices up must not fill the table.
MOST_DEVICES = 50
_FULL_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Changes:
    """What a device should fetch, and the tag to ask with the next time."""

    serial_numbers: list[str]
    tag: str


def register(
    session: Session, card: Card, *, device_id: str, push_token: str, now: datetime
) -> bool:
    """Let a device watch a pass; whether that is new. A changed push token is stored.

    A card that changed since it was issued is pushed at once: the pass on the device may be one
    from before the change, and nothing else would tell. Raises `TooMany` where so many devices
    watch the card that another one is hardly a person's; those that are there stay.
    """
    version = present_version(session, card.id, locked=True) or FIRST_VERSION
    delivered = version if version == FIRST_VERSION else 0
    known = _find(session, card, device_id)
    if known is None:
        _make_room(session, card)
        row = AppleRegistration(
            programme_id=card.programme_id,
            card_id=card.id,
            device_id=device_id,
            push_token=push_token,
            registered_at=now,
            wanted_version=version,
            delivered_version=delivered,
            next_attempt_at=now if version > delivered else None,
            behind_since=now if version > delivered else None,
        )
        try:
            with session.begin_nested():
                session.add(row)
            return True
        except IntegrityError:
            # The device asked twice at once; the other request was first.
            known = _find(session, card, device_id)
            if known is None:
                raise
    if known.push_token != push_token:
        known.push_token = push_token
        known.registered_at = now
        known.attempts, known.last_error = 0, None
        # What went to the old token may never have arrived.
        known.wanted_version = version
        known.delivered_version = delivered
        known.next_attempt_at = known.behind_since = now if version > delivered else None
        session.flush()
    return False


def unregister(session: Session, card: Card, *, device_id: str) -> None:
    """Let a device watch a pass no more, if it did."""
    known = _find(session, card, device_id)
    if known is not None:
        session.delete(known)
        session.flush()


def changed_since(session: Session, device_id: str, tag: str | None) -> Changes | None:
    """What changed for a device since *tag* was made; None when nothing did.

    One statement, so one state of the database: every pass whose version is not the one that the
    tag names is listed, in whatever order changes were committed.
    """
    rows = session.execute(
        select(AppleRegistration.id, Card.serial_number, VERSION.label("version"))
        .join(Card, Card.id == AppleRegistration.card_id)
        .join(Account, Account.id == Card.account_id)
        .where(AppleRegistration.device_id == device_id)
        .order_by(AppleRegistration.id)
    ).all()
    told = decode_tag(tag)
    changed = [row.serial_number for row in rows if told.get(row.id) != row.version]
    if not changed:
        return None
    return Changes(changed, encode_tag({row.id: row.version for row in rows}))


def _make_room(session: Session, card: Card) -> None:
    """Forget a device that cannot be pushed to, where the card has as many as it may."""
    rows = session.execute(
        select(AppleRegistration.id, AppleRegistration.attempts)
        .where(AppleRegistration.card_id == card.id)
        .order_by(AppleRegistration.attempts.desc(), AppleRegistration.registered_at)
    ).all()
    if len(rows) < MOST_DEVICES:
        return
    if not rows[0].attempts:
        raise TooMany(
            "So many devices have this pass that no other one can have it.", _FULL_SECONDS
        )
    session.execute(delete(AppleRegistration).where(AppleRegistration.id == rows[0].id))


def _find(session: Session, card: Card, device_id: str) -> AppleRegistration | None:
    return session.scalar(
        select(AppleRegistration)
        .where(AppleRegistration.card_id == card.id, AppleRegistration.device_id == device_id)
        .with_for_update()
    )
