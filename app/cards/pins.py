"""The PIN of a card's holder: with it a code that may be a photograph redeems like the phone.

A PIN has four to six digits, so it is guarded by how often it may be tried: five wrong ones in a
row lock it for a quarter of an hour, the next five for an hour, then for a day each. The ways out:
wait, open the card on the phone (its code changes), have a manager approve, or set another PIN.
"""

from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.cards.models import Card, CardPin
from app.errors import Conflict, Forbidden, Invalid, TooMany
from app.languages import _
from app.staff.service import PIN_HASH
from passes.card import CardStatus

FEWEST_DIGITS, MOST_DIGITS = 4, 6
#: Wrong PINs in a row until a lock, and how long the first, the second and any further one lasts.
TRIES = 5
LOCKS = (timedelta(minutes=15), timedelta(hours=1), timedelta(days=1))


class WrongMemberPin(Forbidden):
    """The PIN is not the card's, or the card has none; which of the two is not said."""

    code = "wrong_member_pin"
    keeps_changes = True


class MemberPinLocked(TooMany):
    """Too many wrong PINs in a row; says until when, and the ways out."""

    code = "member_pin_locked"
    keeps_changes = True


def set_pin(session: Session, card: Card, pin: str, *, now: datetime) -> None:
    """Give the card a PIN, or another one; a lock ends. Raises `Invalid` for one that is guessed.

    For somebody who has shown to be its holder, or for staff.
    """
    if card.status not in {CardStatus.ACTIVE, CardStatus.BLOCKED}:
        raise Conflict(_("This card is over. Change the card that took its place."))
    check_choice(pin)
    _remove(session, card.id)
    session.add(
        CardPin(
            programme_id=card.programme_id,
            card_id=card.id,
            pin_hash=str(PIN_HASH.hash(pin)),
            set_at=now,
        )
    )
    session.flush()


def remove_pin(session: Session, card_id: str) -> bool:
    """Take a card's PIN away; False where it has none."""
    return _remove(session, card_id)


def unlock(session: Session, card_id: str) -> bool:
    """Let a card's PIN be tried again; False where nothing was locked."""
    row = session.scalar(select(CardPin).where(CardPin.card_id == card_id).with_for_update())
    if row is None or not row.failures:
        return False
    row.failures, row.locked_until = 0, None
    session.flush()
    return True


def locked_until(session: Session, card_id: str, *, now: datetime) -> datetime | None:
    """Until when the card's PIN is not taken; None where it is."""
    until = session.scalar(select(CardPin.locked_until).where(CardPin.card_id == card_id))
    return until if until is not None and until > now else None


def has_pin(session: Session, card_id: str) -> bool:
    """Whether the card has a PIN."""
    return session.scalar(select(CardPin.card_id).where(CardPin.card_id == card_id)) is not None


def move_pin(session: Session, old_id: str, new_id: str) -> None:
    """The card that takes another's place has its PIN."""
    session.execute(update(CardPin).where(CardPin.card_id == old_id).values(card_id=new_id))


def check_pin(session: Session, card: Card, pin: str, *, now: datetime) -> None:
    """Raise `WrongMemberPin` or `MemberPinLocked` unless *pin* is the card's.

    The caller commits in any case: a wrong PIN is counted.
    """
    row = session.scalar(select(CardPin).where(CardPin.card_id == card.id).with_for_update())
    wrong = WrongMemberPin(
        "The customer's PIN is not right. Try again, or ask the customer to open the card on the "
        "phone so that its code changes."
    )
    if row is None:
        PIN_HASH.verify(pin[:64], _nobody())
        raise wrong
    if row.locked_until is not None and row.locked_until > now:
        wait = int((row.locked_until - now).total_seconds()) + 1
        raise MemberPinLocked(
            f"Too many wrong PINs for this card: it is taken again in {wait} seconds. Until then "
            "ask the customer to open the card on the phone so that its code changes, or ask a "
            "manager to approve. The customer can set another PIN.",
            retry_after_seconds=wait,
        )
    if PIN_HASH.verify(pin[:64], row.pin_hash):
        row.failures, row.locked_until = 0, None
        session.flush()
        return
    row.failures += 1
    if row.failures % TRIES == 0:
        row.locked_until = now + LOCKS[min(row.failures // TRIES, len(LOCKS)) - 1]
    session.flush()
    raise wrong


def check_choice(pin: str) -> None:
    """Raise `Invalid` unless *pin* is four to six digits that nobody tries first."""
    if not pin.isascii() or not pin.isdigit() or not FEWEST_DIGITS <= len(pin) <= MOST_DIGITS:
        raise Invalid(_("A PIN has four to six digits."), {"pin": [_("four to six digits")]})
    if is_trivial(pin):
        text = _("That PIN is among the first to be guessed. Choose another.")
        raise Invalid(text, {"pin": [text]})


def is_trivial(pin: str) -> bool:
    """Whether *pin* is a row up or down, one pattern again and again, or a year."""
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    if len(steps) == 1 and steps <= {0, 1, 9}:
        return True
    length = len(pin)
    if any(
        length % size == 0 and pin == pin[:size] * (length // size)
        for size in range(1, length // 2 + 1)
    ):
        return True
    is_year = length == 4 and 1900 <= int(pin) <= 2099
    return is_year or pin in {"2580", "0852", "1122", "112233"}


_NOBODY: list[str] = []


def _nobody() -> str:
    """Checked where there is no PIN, so that it takes as long; made when first needed."""
    if not _NOBODY:
        _NOBODY.append(str(PIN_HASH.hash("000000")))
    return _NOBODY[0]


def _remove(session: Session, card_id: str) -> bool:
    gone = session.execute(
        delete(CardPin).where(CardPin.card_id == card_id).returning(CardPin.card_id)
    )
    return gone.first() is not None
