"""Wakes delivery the moment something was committed; polling is the net below it.

Any commit may have changed a pass, so every commit of a writing session rings a bell: at once for
the workers in this process, and on PostgreSQL with a NOTIFY for those in others. The NOTIFY goes
out after the commit, from a thread with a connection of its own, once for all commits of a few
milliseconds. PostgreSQL lets only one transaction with a NOTIFY commit at a time: sent by a
trigger, or within the posting itself, it would line all postings up behind each other's flush.
On SQLite the workers of other processes see that the file's data_version has changed.
"""

import logging
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable

import psycopg
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from app.db import Database

CHANNEL = "counterfoil_changed"
_log = logging.getLogger(__name__)

#: How often a SQLite file is looked at.
_GLANCE_SECONDS = 0.05
#: Commits this close together are one NOTIFY.
_COALESCE_SECONDS = 0.02
#: The connection for NOTIFY is closed after this long without a commit.
_IDLE_SECONDS = 5.0
_LISTEN_SECONDS = 0.5
_RECONNECT_SECONDS = 2.0

Wake = Callable[[], None]


class Bell:
    """Rings when a session of its database has committed. See `bell_of`."""

    def __init__(self, database: Database) -> None:
        self._address = None if database.is_sqlite else _address(database)
        self._wakes: list[Wake] = []
        self._change = threading.Condition()
        self._pending = False
        # A thread does not survive a fork: the process it belongs to is kept with it.
        self._ringer: int | None = None

    def add(self, wake: Wake) -> None:
        """Call *wake* at every commit of this process; it must be quick."""
        self._wakes = [*self._wakes, wake]

    def remove(self, wake: Wake) -> None:
        """Call *wake* no more."""
        self._wakes = [other for other in self._wakes if other != wake]

    def ring(self) -> None:
        """Something was committed."""
        for wake in self._wakes:
            wake()
        if self._address is None:
            return
        with self._change:
            self._pending = True
            if self._ringer == os.getpid():
                self._change.notify()
                return
            self._ringer = os.getpid()
        threading.Thread(target=self._notify, name="delivery-bell", daemon=True).start()

    def _notify(self) -> None:
        assert self._address is not None  # noqa: S101 - for the type checker
        try:
            with psycopg.connect(self._address, autocommit=True) as connection:
                # Nothing is written that anyone would miss after a crash.
                connection.execute("SET synchronous_commit = off")
                while self._wait():
                    connection.execute(f"NOTIFY {CHANNEL}")
                    time.sleep(_COALESCE_SECONDS)
        except psycopg.Error as error:
            _log.info("delivery is woken by polling alone for now: %s", error)
            with self._change:
                self._ringer = None

    def _wait(self) -> bool:
        """Whether there is something to tell; without, the thread ends."""
        with self._change:
            if not self._pending:
                self._change.wait(_IDLE_SECONDS)
            if not self._pending:
                self._ringer = None
                return False
            self._pending = False
            return True


_bells: weakref.WeakKeyDictionary[Engine, Bell] = weakref.WeakKeyDictionary()
_making = threading.Lock()


def bell_of(database: Database) -> Bell:
    """The bell of *database*; from here on its commits ring it."""
    with _making:
        bell = _bells.get(database.engine)
        if bell is None:
            bell = _bells[database.engine] = Bell(database)
        return bell


@event.listens_for(Session, "after_commit")
def _committed(session: Session) -> None:
    # A reading session has another bind: it changes nothing and rings no bell.
    bell = _bells.get(session.bind) if isinstance(session.bind, Engine) else None
    if bell is not None:
        bell.ring()


def watch(database: Database, wake: Wake, stop: threading.Event) -> None:
    """Call *wake* whenever any process may have changed a pass, until *stop* is set."""
    while not stop.is_set():
        try:
            if database.is_sqlite:
                _watch_file(database, wake, stop)
            else:
                _listen(database, wake, stop)
        except (psycopg.Error, sqlite3.Error) as error:
            _log.warning("delivery is woken by polling alone for now: %s", error)
            stop.wait(_RECONNECT_SECONDS)


def _watch_file(database: Database, wake: Wake, stop: threading.Event) -> None:
    connection = sqlite3.connect(str(database.path), isolation_level=None)
    try:
        seen = None
        while not stop.wait(_GLANCE_SECONDS):
            version = connection.execute("PRAGMA data_version").fetchone()[0]
            if version != seen:
                seen = version
                wake()
    finally:
        connection.close()


def _listen(database: Database, wake: Wake, stop: threading.Event) -> None:
    with psycopg.connect(_address(database), autocommit=True) as connection:
        connection.execute(f"LISTEN {CHANNEL}")
        # What was committed before this connection listened.
        wake()
        while not stop.is_set():
            for _notice in connection.notifies(timeout=_LISTEN_SECONDS, stop_after=1):
                wake()


def _address(database: Database) -> str:
    return database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
