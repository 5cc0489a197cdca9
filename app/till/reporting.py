"""What tills say of themselves: that they are there, and how much waits in their queues."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import Database
from app.errors import NotFound
from app.languages import _
from app.programmes.models import Location
from app.till.models import Till, TillReport

#: The same said again is written down no more often than this.
NOTED_EVERY = timedelta(seconds=30)
#: A till asks for its keys every minute while it is open; two that fail are bad luck.
SILENT_AFTER = timedelta(minutes=3)
_MOST = 10_000_000


class Presence(StrEnum):
    """Whether a till is there."""

    #: Made, and not enrolled yet.
    NEW = "new"
    ONLINE = "online"
    #: It was there and says nothing any more: switched off, or without a network.
    SILENT = "silent"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Seen:
    """A till as the shop's page shows it; *seen_at* is when it last said something."""

    id: str
    name: str
    location: str
    presence: Presence
    enrolled_at: datetime | None
    seen_at: datetime | None
    waiting: int
    oldest_waiting_at: datetime | None
    set_aside: int


def note(
    database: Database,
    till: Till,
    *,
    waiting: str | None,
    oldest: str | None,
    set_aside: str | None,
    now: datetime,
) -> None:
    """Keep what *till* said of itself, as it came in its headers; what makes no sense counts as
    nothing."""
    said = TillReport(
        till_id=till.id,
        programme_id=till.programme_id,
        seen_at=now,
        waiting=_count(waiting),
        oldest_waiting_at=_moment(oldest, now),
        set_aside=_count(set_aside),
    )
    with database.read(till.programme_id) as session:
        known = session.get(TillReport, till.id)
    if known is not None and _same(known, said) and now - known.seen_at < NOTED_EVERY:
        return
    with database.write(till.programme_id) as session:
        # The row is read again, locked: two requests of one till may come at once.
        session.get_one(Till, till.id, with_for_update=True)
        session.merge(said)


def tills(session: Session, *, now: datetime) -> list[Seen]:
    """Every till of the session's programme, by location and name; the revoked ones last."""
    rows = session.execute(
        select(Till, Location.name, TillReport)
        .join(Location, Location.id == Till.location_id)
        .outerjoin(TillReport, TillReport.till_id == Till.id)
        .order_by(Till.revoked_at.is_not(None), Location.name, Till.name)
    )
    return [_seen(till, location, report, now) for till, location, report in rows]


def till_by_id(session: Session, till_id: str) -> Till:
    """The till of that id. Raises `NotFound`."""
    found = session.scalar(select(Till).where(Till.id == till_id))
    if found is None:
        raise NotFound(_("There is no such till in this programme."))
    return found


def _seen(till: Till, location: str, report: TillReport | None, now: datetime) -> Seen:
    at = max(
        (moment for moment in (till.enrolled_at, report and report.seen_at) if moment), default=None
    )
    return Seen(
        id=till.id,
        name=till.name,
        location=location,
        presence=_presence(till, at, now),
        enrolled_at=till.enrolled_at,
        seen_at=at,
        waiting=report.waiting if report else 0,
        oldest_waiting_at=report.oldest_waiting_at if report else None,
        set_aside=report.set_aside if report else 0,
    )


def _presence(till: Till, seen_at: datetime | None, now: datetime) -> Presence:
    if till.revoked_at is not None:
        return Presence.REVOKED
    if till.token_hash is None or seen_at is None:
        return Presence.NEW
    return Presence.ONLINE if now - seen_at <= SILENT_AFTER else Presence.SILENT


def _same(known: TillReport, said: TillReport) -> bool:
    return all(
        getattr(known, name) == getattr(said, name)
        for name in ("waiting", "oldest_waiting_at", "set_aside")
    )


def _count(text: str | None) -> int:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 9:
        return 0
    return min(int(text), _MOST)


def _moment(text: str | None, now: datetime) -> datetime | None:
    try:
        found = datetime.fromisoformat((text or "")[:40])
        return None if found.tzinfo is None else min(found.astimezone(UTC), now)
    except (ValueError, OverflowError):
        return None
