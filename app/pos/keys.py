"""Making API keys, and finding out whose one is."""

import hmac
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.orm import Session

from app.attempts import count_attempt
from app.db import EVERYWHERE, Database, Prepared, enter
from app.errors import Conflict, Invalid, NotFound
from app.languages import _
from app.pos.errors import ScopeMissing, UnknownKey
from app.pos.models import ApiKey
from app.pos.rules import KeyText, Scope, make_key, read_key, read_scopes
from app.programmes.service import location_by_slug

RandomBytes = Callable[[int], bytes]
#: Wrong keys from one address; right ones count for nothing.
WRONG_KEYS = 20
WRONG_KEYS_WINDOW = timedelta(minutes=5)
#: That a key was used is noted no more often than this.
NOTED_EVERY = timedelta(minutes=1)
#: Compared with where there is no such key, so that it takes as long.
_NOBODY = bytes(32)

_keys: Any = ApiKey.__table__
#: Asked with every request: built once.
_by_handle = Prepared(
    select(
        *(
            _keys.c[name]
            for name in (
                "id",
                "name",
                "programme_id",
                "location_id",
                "scopes",
                "key_hash",
                "last_used_at",
                "revoked_at",
            )
        )
    ).where(_keys.c.handle == bindparam("handle"))
)


@dataclass(frozen=True, slots=True)
class Holder:
    """The key that a request came with, and what it is good for."""

    id: str
    name: str
    programme_id: str
    location_id: str | None
    scopes: frozenset[Scope]

    def check(self, scope: Scope) -> None:
        """Raise `ScopeMissing` unless the key was made for this."""
        if scope not in self.scopes:
            raise ScopeMissing(
                f"This API key may not do this: it lacks the scope {scope}. "
                "Make one that has it: counterfoil api-key add",
                scope=str(scope),
            )


def add_key(
    session: Session,
    programme_id: str,
    *,
    name: str,
    scopes: Iterable[str],
    location: str | None = None,
    now: datetime,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> tuple[ApiKey, str]:
    """Make a key for a shop system, of a location (its slug) or of all; the key, and its text.

    The text is never to be had again. Raises `Invalid`, `NotFound`, `Conflict`.
    """
    if not name.strip() or len(name) > 80 or not name.isprintable():
        raise Invalid(_("A name has 1 to 80 characters."), {"name": [_("1 to 80 characters")]})
    chosen = read_scopes(scopes)
    if _in_use(session, name) is not None:
        raise Conflict(
            _(
                "There is an API key called '%(name)s' already. Revoke it, or choose another.",
                name=name,
            )
        )
    place = location_by_slug(session, programme_id, location).id if location else None
    made = make_key(random_bytes)
    key = ApiKey(
        programme_id=programme_id,
        name=name,
        handle=made.handle,
        key_hash=made.digest,
        scopes=sorted(str(scope) for scope in chosen),
        location_id=place,
        created_at=now,
    )
    session.add(key)
    session.flush()
    return key, made.text


def key_by_name(session: Session, name: str) -> ApiKey:
    """The key of that name (or handle) that is not revoked. Raises `NotFound`."""
    found = _in_use(session, name)
    if found is None:
        raise NotFound(f"There is no API key called {name!r}. See: counterfoil api-key list")
    return found


def _in_use(session: Session, name: str) -> ApiKey | None:
    return session.scalar(
        select(ApiKey)
        .where(or_(ApiKey.name == name, ApiKey.handle == name), ApiKey.revoked_at.is_(None))
        .with_for_update()
    )


def keys(session: Session) -> list[ApiKey]:
    """Every key of the session's programme, the oldest first; the revoked ones too."""
    return list(session.scalars(select(ApiKey).order_by(ApiKey.created_at, ApiKey.id)))


def revoke(session: Session, key: ApiKey, *, now: datetime) -> None:
    """Refuse the key from now on, for good."""
    key.revoked_at = now
    session.flush()


def rotate(
    session: Session, key: ApiKey, *, random_bytes: RandomBytes = secrets.token_bytes
) -> str:
    """Give the key another text; the old one is refused at once.

    It stays the same key: a posting that is repeated with the new text gets its first answer.
    """
    made = make_key(random_bytes)
    key.handle, key.key_hash = made.handle, made.digest
    session.flush()
    return made.text


def authenticate(database: Database, text: str | None, *, address: str, now: datetime) -> Holder:
    """Whose key *text* is. Raises `UnknownKey`, and `TooMany` for wrong ones from one *address*."""
    given = read_key(text) if text else None
    if given is None:
        said = "is not a whole API key" if text else "carries no API key"
        raise UnknownKey(f"This request {said}. Send: Authorization: Bearer cfk_…")
    with database.read_all() as session:
        found = _by_handle(session, {"handle": given.handle}, programme_id=EVERYWHERE).first()
    if not _is_right(given, found):
        with database.write_all() as session:
            count_attempt(
                session, "api_key", address, now=now, limit=WRONG_KEYS, window=WRONG_KEYS_WINDOW
            )
            raise UnknownKey(
                "This API key is wrong or was revoked. Ask for a new one: counterfoil api-key add"
            )
    _note_use(database, found, now)
    scopes = frozenset(Scope(name) for name in found.scopes)
    return Holder(found.id, found.name, found.programme_id, found.location_id, scopes)


def _is_right(given: KeyText, found: Any) -> bool:
    kept = found.key_hash if found is not None else _NOBODY
    is_same = hmac.compare_digest(given.digest, kept)
    return is_same and found is not None and found.revoked_at is None


def _note_use(database: Database, key: Any, now: datetime) -> None:
    if key.last_used_at is not None and now - key.last_used_at < NOTED_EVERY:
        return
    with database.write_all() as session:
        enter(session, key.programme_id)
        session.execute(update(ApiKey).where(ApiKey.id == key.id).values(last_used_at=now))
