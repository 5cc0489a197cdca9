"""Whose turn it is to write to a SQLite file: threads and processes hand it to each other.

SQLite has one writer at a time. Whoever comes meanwhile polls, with pauses that grow to a tenth of
a second: so a file that is written to all the time stands idle half of it. Here the threads of a
process queue for a lock, and the one in front looks every tenth of a millisecond whether the other
processes are done. The turn is a courtesy: SQLite's own lock is the one that guards the file, and
whoever has waited too long goes on and hears from SQLite that it is busy.
"""

import fcntl
import os
import threading
import time
from pathlib import Path
from types import TracebackType

_FIRST_PAUSE = 0.0001
#: A turn that takes long is looked for less often.
_PAUSE_PART = 0.02


class Turn:
    """Held in a ``with`` block by whoever writes; the same thread may hold it several times."""

    def __init__(self, file: Path | None, longest_ms: int) -> None:
        self._threads = threading.RLock()
        #: Beside the database; None for a database in memory, which no other process has.
        self._path = file and file.with_name(f"{file.name}-turn")
        self._longest = longest_ms / 1000
        self._depth = 0
        self._number: int | None = None
        #: A lock belongs to what was opened: after a fork the child opens the file anew.
        self._opened_by = 0

    def __enter__(self) -> None:
        self._threads.acquire()
        self._depth += 1
        if self._depth == 1 and self._path is not None:
            try:
                self._wait(self._file(self._path))
            except OSError:
                # A folder that cannot be written to: SQLite says so in its own words.
                self._number = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._depth -= 1
        if self._depth == 0 and self._number is not None:
            fcntl.flock(self._number, fcntl.LOCK_UN)
        self._threads.release()

    def _file(self, path: Path) -> int:
        if self._number is None or self._opened_by != os.getpid():
            self._number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._opened_by = os.getpid()
        return self._number

    def _wait(self, number: int) -> None:
        begun = time.monotonic()
        while True:
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waited = time.monotonic() - begun
                if waited > self._longest:
                    return
                time.sleep(max(_FIRST_PAUSE, waited * _PAUSE_PART))
            else:
                return

    def close(self) -> None:
        """Close the file; the next turn opens it again."""
        if self._number is not None and self._opened_by == os.getpid():
            os.close(self._number)
        self._number = None
