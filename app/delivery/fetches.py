"""Which cards' passes phones fetched lately, while somebody wants to know.

A push says that there is something new; only the fetch puts it on the phone. Fetches come by the
ten thousand, so nothing is noted of them but for programmes that are watched: somebody published a
design or sent a campaign, and looks at its progress. What is noted is the moment, per card, written
in bunches after the answer went out.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, func, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.context import Context
from app.db import Base, Id, OfProgramme

_log = logging.getLogger(__name__)

#: How old the list of watched programmes may be, and how long a bunch is gathered.
LOOK_SECONDS = 2.0
GATHER_SECONDS = 0.5
_MOST_TOGETHER = 1000


class PassFetch(OfProgramme, Base):
    """When a phone last fetched a card's pass, or was told that it has the newest."""

    __tablename__ = "pass_fetches"
    __table_args__ = (Index("ix_pass_fetches_fetched", "programme_id", "fetched_at"),)

    card_id: Mapped[str] = mapped_column(String(16), ForeignKey("cards.id"), primary_key=True)
    fetched_at: Mapped[datetime]


class FetchWatch(OfProgramme, Base):
    """A programme whose fetches are noted, until when."""

    __tablename__ = "fetch_watches"

    programme_id: Mapped[str] = mapped_column(Id, ForeignKey("programmes.id"), primary_key=True)
    until: Mapped[datetime]


def watch(session: Session, programme_id: str, *, until: datetime) -> None:
    """Have the fetches of a programme's passes noted until then, or longer if somebody asked."""
    row = session.get(FetchWatch, programme_id)
    if row is None:
        session.add(FetchWatch(programme_id=programme_id, until=until))
    elif row.until < until:
        row.until = until
    session.flush()


def fetched_since(session: Session, programme_id: str, moment: datetime) -> int:
    """Of how many cards of a watched programme the pass was fetched from *moment* on."""
    found = session.scalar(
        select(func.count())
        .select_from(PassFetch)
        .where(PassFetch.programme_id == programme_id, PassFetch.fetched_at >= moment)
    )
    return found or 0


class Fetches:
    """Notes fetches of watched programmes. Safe to share between threads."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._watched: frozenset[str] = frozenset()
        self._looked_at = -LOOK_SECONDS
        self._new: deque[tuple[str, str, datetime]] = deque()
        self._writing = threading.Lock()
        self._timer: threading.Timer | None = None

    def note(self, programme_id: str, card_id: str, now: datetime) -> None:
        """A phone has the newest pass of a card from *now* on. Takes no time worth naming."""
        if time.monotonic() - self._looked_at > LOOK_SECONDS:
            self._look()
        if programme_id not in self._watched:
            return
        self._new.append((programme_id, card_id, now))
        if self._timer is None:
            self._timer = timer = threading.Timer(GATHER_SECONDS, self.flush)
            timer.daemon = True
            timer.start()

    def flush(self) -> None:
        """Write what was noted. What cannot be written is forgotten: it is only for looking at."""
        with self._writing:
            self._timer = None
            by_programme: dict[str, dict[str, datetime]] = {}
            while self._new:
                programme_id, card_id, moment = self._new.popleft()
                by_programme.setdefault(programme_id, {})[card_id] = moment
            for programme_id, moments in by_programme.items():
                rows = list(moments.items())
                for start in range(0, len(rows), _MOST_TOGETHER):
                    self._write_or_warn(programme_id, rows[start : start + _MOST_TOGETHER])

    def _write_or_warn(self, programme_id: str, rows: Sequence[tuple[str, datetime]]) -> None:
        try:
            try:
                self._write(programme_id, rows)
            except IntegrityError:
                # Another process noted one of them just now: it is known by this time.
                self._write(programme_id, rows)
        except DBAPIError as error:
            _log.warning("fetches were not noted: %s", error.orig)

    def _write(self, programme_id: str, rows: Sequence[tuple[str, datetime]]) -> None:
        ids = sorted(card_id for card_id, _ in rows)
        moments = dict(rows)
        latest = max(moments.values())
        with self._context.database.write(programme_id) as session:
            known = set(
                session.scalars(
                    select(PassFetch.card_id)
                    .where(PassFetch.card_id.in_(ids))
                    .order_by(PassFetch.card_id)
                    .with_for_update()
                )
            )
            if known:
                # Half a second between them tells nobody anything.
                session.execute(
                    update(PassFetch)
                    .where(PassFetch.card_id.in_(sorted(known)))
                    .values(fetched_at=latest)
                )
            fresh = [each for each in ids if each not in known]
            if fresh:
                values = [
                    {"programme_id": programme_id, "card_id": each, "fetched_at": moments[each]}
                    for each in fresh
                ]
                session.execute(insert(PassFetch), values)

    def _look(self) -> None:
        self._looked_at = time.monotonic()
        now = self._context.clock()
        try:
            with self._context.database.read_all() as session:
                self._watched = frozenset(
                    session.scalars(select(FetchWatch.programme_id).where(FetchWatch.until > now))
                )
        except DBAPIError as error:
            _log.warning("who watches fetches is not known: %s", error.orig)
