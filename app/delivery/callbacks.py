"""What Google tells of saved and removed passes, taken in once."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.delivery.models import GooglePass, SeenNonce
from app.errors import Misconfigured
from passes.errors import CallbackError
from passes.google.callback import Callback, root_keys

_LARGEST_KEYS = 64 * 1024
#: Clocks differ: a nonce is kept a little longer than its message lives.
_KEPT_BEYOND = timedelta(hours=1)
_LONGEST_NONCE = 120


class RootKeys:
    """Google's root keys from a file, read again when it has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reading = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._document = b""

    def good(self, now: datetime) -> tuple[ec.EllipticCurvePublicKey, ...]:
        """The keys that are good at *now*. Raises `Misconfigured` naming the file."""
        try:
            with self._reading:
                status = self._path.stat()
                if self._seen != (status.st_mtime_ns, status.st_size):
                    with self._path.open("rb") as file:
                        self._document = file.read(_LARGEST_KEYS)
                    self._seen = (status.st_mtime_ns, status.st_size)
            return root_keys(self._document, now)
        except (OSError, CallbackError) as error:
            raise Misconfigured(
                f"The file {self._path} (COUNTERFOIL_GOOGLE_ROOT_KEYS) cannot be used: {error} "
                "Download it again from https://pay.google.com/gp/m/issuer/keys"
            ) from error


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
    saved_at = {"save": now, "del": None}
    if callback.event_type in saved_at:
        session.execute(
            update(GooglePass)
            .where(GooglePass.object_id.in_(callback.object_ids))
            .values(saved_at=saved_at[callback.event_type])
        )
    return True


def is_storable(callback: Callback) -> bool:
    """Whether its texts fit the tables; ours always do."""
    return len(callback.nonce) <= _LONGEST_NONCE and "\0" not in callback.nonce + "".join(
        callback.object_ids
    )
