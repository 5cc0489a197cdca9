"""What Google tells of saved and removed passes, taken in once."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.delivery.models import GooglePass, SeenNonce
from passes.google.callback import Callback

#: Clocks differ: a nonce is kept a little longer than its message lives.
_KEPT_BEYOND = timedelta(hours=1)
_LONGEST_NONCE = 120
#: What the column holds; no true moment is anywhere near.
_LARGEST_MOMENT_MS = 2**62


def take_in(session: Session, callback: Callback, *, now: datetime) -> bool:
    """Note what a verified callback says; False for one that was taken in before.

    The session is open for all programmes: the object's id says which card it is about.
    """
    expires_at = datetime.fromtimestamp(min(callback.expires_at_ms / 1000, 253e9), UTC)
    session.execute(delete(SeenNonce).where(SeenNonce.expires_at < now - _KEPT_BEYOND))
    nonce = SeenNonce(nonce=callback.nonce, seen_at=now, expires_at=expires_at)
    if session.scalar(select(SeenNonce.nonce).where(SeenNonce.nonce == callback.nonce)):
        return False
    try:
        with session.begin_nested():
            session.add(nonce)
    except IntegrityError:
        return False
    changed = {
        "save": {"saved_at": now, "removed_at": None},
        "del": {"saved_at": None, "removed_at": now},
    }.get(callback.event_type)
    if changed is not None:
        # Callbacks may overtake each other; the later one expires later.
        moment = min(callback.expires_at_ms, _LARGEST_MOMENT_MS)
        session.execute(
            update(GooglePass)
            .where(
                GooglePass.object_id.in_(callback.object_ids),
                or_(GooglePass.heard_ms.is_(None), GooglePass.heard_ms <= moment),
            )
            .values(heard_ms=moment, **changed)
        )
    return True


def is_storable(callback: Callback) -> bool:
    """Whether its texts fit the tables; ours always do."""
    return len(callback.nonce) <= _LONGEST_NONCE and "\0" not in callback.nonce + "".join(
        callback.object_ids
    )
