"""The one-time value of a rotating code: right, fresh, and taken once."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.attempts import note_attempt, refuse_if_too_many
from app.cards.errors import CardRefused
from app.cards.models import UsedStep
from app.db import programme_of
from app.errors import TooMany
from app.keys import KeyRing, Purpose
from passes import totp
from passes.code import Outcome, Reading

#: Wrong one-time values of a card until none is taken for a while.
WRONG_VALUES = 10
WRONG_VALUES_WINDOW = timedelta(minutes=10)


def use_step(session: Session, keys: KeyRing, reading: Reading, *, now: datetime) -> bool:
    """Take in the one-time value of a rotating code; False where the code is a static one.

    Raises `CardRefused` when the value is wrong or older than one step (`step_out_of_window`), or
    was presented before (`step_used`).
    """
    if reading.rotation is None:
        return False
    step = totp.step(reading.rotation.seconds)
    stale = CardRefused(
        Outcome.STEP_OUT_OF_WINDOW,
        "This code is out of date. Ask the customer to open the card again.",
    )
    if abs(step - totp.step(int(now.timestamp()))) > 1:
        raise stale
    card_id = reading.card.card_id_hex
    try:
        # Eight digits are soon guessed by whoever may try as often as he likes.
        refuse_if_too_many(
            session, "totp", card_id, now=now, limit=WRONG_VALUES, window=WRONG_VALUES_WINDOW
        )
    except TooMany:
        raise stale from None
    right = any(
        secrets.compare_digest(totp.totp(key, reading.rotation.seconds), reading.rotation.totp)
        for key in totp_keys(keys, card_id)
    )
    if not right:
        note_attempt(session, "totp", card_id, now=now)
        raise stale
    row = UsedStep(programme_id=programme_of(session), card_id=card_id, step=step, used_at=now)
    try:
        # The primary key decides between two tills that present the same step at once.
        with session.begin_nested():
            session.add(row)
    except IntegrityError as error:
        raise CardRefused(
            Outcome.STEP_USED, "This code was used already. Wait until it changes, then scan again."
        ) from error
    return True


def totp_keys(keys: KeyRing, card_id: str) -> list[bytes]:
    """The keys that a rotating code of this card may be made with; the newest first."""
    keys.current(Purpose.TOTP_MASTER)
    versions = [
        info.version
        for info in keys.list()
        if info.purpose == Purpose.TOTP_MASTER and info.retired_at is None
    ]
    return [
        keys.derive(Purpose.TOTP_MASTER, version, bytes.fromhex(card_id))[:20]
        for version in sorted(versions, reverse=True)
    ]
