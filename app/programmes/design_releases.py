"""Every design that was published, so that an earlier one can be published again.

Pictures are kept once, however many releases show them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.languages import _
from app.programmes.models import DesignPicture, DesignRelease

PICTURE_NAMES = ("logo", "hero", "poster", "icon")
#: The newest that are kept.
MOST_KEPT = 50


@dataclass(frozen=True, slots=True)
class Release:
    """A published design: its number, what it says, and the digests of its pictures by name."""

    number: int
    content: dict[str, Any]
    pictures: dict[str, str]
    published_at: datetime
    published_by: str


def keep_picture(session: Session, programme_id: str, data: bytes | None) -> str | None:
    """Keep a picture of a programme; its digest. Nothing for None."""
    if data is None:
        return None
    digest = hashlib.sha256(data).hexdigest()
    found = session.scalar(
        select(DesignPicture.digest).where(
            DesignPicture.programme_id == programme_id, DesignPicture.digest == digest
        )
    )
    if found is None:
        session.add(DesignPicture(programme_id=programme_id, digest=digest, data=data))
        session.flush()
    return digest


def picture(session: Session, programme_id: str, digest: str) -> bytes:
    """A picture that was kept. Raises `NotFound`."""
    found = session.scalar(
        select(DesignPicture.data).where(
            DesignPicture.programme_id == programme_id, DesignPicture.digest == digest
        )
    )
    if found is None:
        raise NotFound(_("This picture is no longer kept: upload it again."))
    return found


def record(
    session: Session,
    programme_id: str,
    number: int,
    content: Mapping[str, Any],
    pictures: Mapping[str, bytes | None],
    *,
    by: str,
    now: datetime,
) -> None:
    """Note what was published under *number*, and forget what is too old to go back to."""
    kept = {
        name: digest
        for name, data in pictures.items()
        if (digest := keep_picture(session, programme_id, data)) is not None
    }
    session.add(
        DesignRelease(
            programme_id=programme_id,
            number=number,
            content=dict(content),
            pictures=kept,
            published_at=now,
            published_by=by[:80],
        )
    )
    session.flush()
    session.execute(
        delete(DesignRelease).where(
            DesignRelease.programme_id == programme_id, DesignRelease.number <= number - MOST_KEPT
        )
    )


def releases(session: Session, programme_id: str) -> list[Release]:
    """Every release that is kept, the newest first."""
    rows = session.scalars(
        select(DesignRelease)
        .where(DesignRelease.programme_id == programme_id)
        .order_by(DesignRelease.number.desc())
    )
    return [_release(row) for row in rows]


def release(session: Session, programme_id: str, number: int) -> Release:
    """One of them. Raises `NotFound`."""
    row = session.scalar(
        select(DesignRelease).where(
            DesignRelease.programme_id == programme_id, DesignRelease.number == number
        )
    )
    if row is None:
        raise NotFound(_("There is no such design any more."))
    return _release(row)


def forget_pictures(session: Session, programme_id: str, used: frozenset[str]) -> int:
    """Delete the pictures that no release shows, but for those *used* otherwise; how many."""
    shown = {
        digest for each in releases(session, programme_id) for digest in each.pictures.values()
    }
    gone = session.scalars(
        select(DesignPicture.digest).where(
            DesignPicture.programme_id == programme_id,
            DesignPicture.digest.not_in(sorted(shown | used)),
        )
    ).all()
    if gone:
        session.execute(
            delete(DesignPicture).where(
                DesignPicture.programme_id == programme_id, DesignPicture.digest.in_(gone)
            )
        )
    return len(gone)


def _release(row: DesignRelease) -> Release:
    return Release(
        row.number, dict(row.content), dict(row.pictures), row.published_at, row.published_by
    )
