"""Built passes, kept for whoever asks again: no second signature for one version of a card.

Where they are kept, and why there. All processes of a machine share one file in the data folder: so
two of them build a pass once, a restart keeps what was built, and a command that erases a member
reaches what the service has built. Memory of a process would give none of that, a table of the
database would cost each build a durable commit. What can be lost without harm needs no engine: the
file has a fixed number of places (128 MB at most, and sparse: a small shop's takes a few), a card
has four places where it may stand, and there the oldest makes room. Only what is the card's own is
kept, some kilobytes; pictures and texts of its design are laid out in memory anyway.

Every place is sealed (AES-256-GCM) with a key of the key ring, since a pass shows a name. The seal
covers the *stamp*, in which the caller puts whatever the pass was made from: what was built for
another version, design or certificate does not open. A place that two processes write at once, or
that a crash left half written, does not open either, and counts as empty.
"""

import fcntl
import logging
import os
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from weakref import WeakValueDictionary

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.context import Context
from app.keys import KeyRing, Purpose

_log = logging.getLogger(__name__)

FILE = "built-passes"
#: Changed with the file's form: a file of another form is begun anew.
_FORM = b"counterfoil built passes 1\n"
_PAGE = 4096

SETS, WAYS = 2048, 4
#: The most that is kept of one pass; a larger one is built for whoever asks.
LARGEST = 16 * 1024 - 16
_ROOM = 16 * 1024

#: Card, stamp, nonce, length, and when it was kept in seconds since 1970. A length of zero after a
#: time says that it was purged then: what was read before must not come back.
_HEAD = struct.Struct("<8s16s12sId")
_SET_HEADS = 256
STAMP_BYTES = 16

#: Builds are taken in turn by card; this many of them may be going on at once.
_TURNS = 1024
#: A key that was rotated is no longer used after so long.
_KEY_SECONDS = 60.0


class _Place(NamedTuple):
    """One place: its number within the file, and what its head says."""

    number: int
    card: bytes
    stamp: bytes
    nonce: bytes
    length: int
    at: float


class _Turn:
    """See `KeptPasses.turn`. Entered once for each pass that is built: no generator."""

    __slots__ = ("_file", "_is_locked", "_lock", "_number", "_tell")

    def __init__(
        self,
        lock: threading.Lock,
        file: int | None,
        number: int,
        tell: Callable[[OSError], None],
    ) -> None:
        self._lock, self._file, self._number, self._tell = lock, file, number, tell
        self._is_locked = False

    def __enter__(self) -> None:
        self._lock.acquire()
        if self._file is None:
            return
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX, 1, self._number)
            self._is_locked = True
        except OSError as error:
            # A file system without locks: then two processes may build the same pass.
            self._tell(error)
        except BaseException:
            self._lock.release()
            raise

    def __exit__(self, *_: object) -> None:
        try:
            if self._is_locked and self._file is not None:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, self._number)
        finally:
            self._lock.release()


class KeptPasses:
    """The kept passes of one data folder. Safe to share between threads. See `kept_of`."""

    def __init__(self, path: Path, keys: KeyRing) -> None:
        self._path = path
        self._keys = keys
        self._opening = threading.Lock()
        self._file: int | None = None
        self._seal: AESGCM | None = None
        self._sealed_until = 0.0
        self._turns = [threading.Lock() for _ in range(_TURNS)]
        self._said = False

    def __del__(self) -> None:
        if self._file is not None:
            os.close(self._file)

    def find(self, card_id: str, stamp: bytes) -> bytes | None:
        """What was kept for the card under this very stamp; None where there is nothing."""
        card = bytes.fromhex(card_id)
        try:
            file, number = self._opened(), _set_of(card)
            heads = _read_heads(file, number)
            at = heads.find(card + stamp)
            # Most who ask find nothing: that is all they pay.
            if at < 0 or at % _HEAD.size:
                return None
            _, _, nonce, length, _ = _HEAD.unpack_from(heads, at)
            if length:
                sealed = os.pread(file, length, _body(number * WAYS + at // _HEAD.size))
                return self._key().decrypt(nonce, sealed, card + stamp)
        except InvalidTag:
            return None
        except OSError as error:
            self._tell(error)
        return None

    def keep(self, card_id: str, stamp: bytes, content: bytes, *, read_at: float) -> None:
        """Keep *content* in the place of what was kept for the card before.

        *read_at* (`time.time()`) is when what it was made from was about to be read: after a purge
        since then nothing is kept.
        """
        if len(content) > LARGEST:
            return
        card, nonce = bytes.fromhex(card_id), os.urandom(12)
        sealed = self._key().encrypt(nonce, content, card + stamp)
        try:
            file, number = self._opened(), _set_of(card)
            way = _way_for(card, _read_heads(file, number), read_at)
            if way is None:
                return
            place = number * WAYS + way
            # The head goes last: what another process reads until then does not open.
            os.pwrite(file, sealed, _body(place))
            head = _HEAD.pack(card, stamp, nonce, len(sealed), time.time())
            os.pwrite(file, head, _head(place))
        except OSError as error:
            self._tell(error)

    def purge(self, card_ids: Iterable[str]) -> None:
        """Overwrite what is kept of these cards. Raises OSError where that fails."""
        file = self._opened()
        for card_id in card_ids:
            card = bytes.fromhex(card_id)
            with self.turn(card_id):
                places = self._places(file, card)
                mine = [place for place in places if place.card == card]
                # One place is enough to remember that nothing older may be kept.
                for place in mine or [min(places, key=lambda each: each.at)]:
                    head = _HEAD.pack(card, bytes(16), bytes(12), 0, time.time())
                    os.pwrite(file, head, _head(place.number))
                    os.pwrite(file, bytes(_ROOM), _body(place.number))

    def turn(self, card_id: str) -> "_Turn":
        """Be the only one, among all threads and processes of this machine, at this card."""
        number = int(card_id, 16) % _TURNS
        try:
            file = self._opened()
        except OSError as error:
            self._tell(error)
            file = None
        return _Turn(self._turns[number], file, number, self._tell)

    def cards(self) -> Iterator[tuple[str, float]]:
        """Every card that something is kept of, and since when (`time.time()`)."""
        file = self._opened()
        for number in range(SETS):
            for place in _read_set(file, number):
                if place.length:
                    yield place.card.hex(), place.at

    def _places(self, file: int, card: bytes) -> list[_Place]:
        return _read_set(file, _set_of(card))

    def _opened(self) -> int:
        if self._file is None:
            with self._opening:
                if self._file is None:
                    self._file = _open(self._path)
        return self._file

    def _key(self) -> AESGCM:
        now = time.monotonic()
        if self._seal is None or now > self._sealed_until:
            version = self._keys.current(Purpose.FIELD).version
            self._seal = AESGCM(self._keys.derive(Purpose.FIELD, version, b"built passes"))
            self._sealed_until = now + _KEY_SECONDS
        return self._seal

    def _tell(self, error: OSError) -> None:
        if not self._said:
            self._said = True
            _log.warning("built passes are not kept in %s: %s", self._path, error)


def _open(path: Path) -> int:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.lockf(file, fcntl.LOCK_EX, 1, _TURNS)
        if os.pread(file, len(_FORM), 0) != _FORM:
            os.ftruncate(file, 0)
            os.ftruncate(file, _body(SETS * WAYS))
            os.pwrite(file, _FORM, 0)
        fcntl.lockf(file, fcntl.LOCK_UN, 1, _TURNS)
    except OSError:
        os.close(file)
        raise
    return file


def _set_of(card: bytes) -> int:
    return int.from_bytes(card[:4], "big") % SETS


def _read_heads(file: int, number: int) -> bytes:
    """The heads of a set, one behind the other."""
    heads = os.pread(file, _HEAD.size * WAYS, _PAGE + number * _SET_HEADS)
    return heads.ljust(_HEAD.size * WAYS, b"\0")


def _read_set(file: int, number: int) -> list[_Place]:
    heads = _HEAD.iter_unpack(_read_heads(file, number))
    return [_Place(number * WAYS + way, *head) for way, head in enumerate(heads)]


def _way_for(card: bytes, heads: bytes, read_at: float) -> int | None:
    """Where in its set a card is kept: in its own place, else in the oldest.

    None where it was purged after *read_at*.
    """
    mine: tuple[float, int] | None = None
    oldest: tuple[float, int] | None = None
    for way, (whose, _, _, length, at) in enumerate(_HEAD.iter_unpack(heads)):
        if whose == card:
            if not length and at >= read_at:
                return None
            if mine is None or at < mine[0]:
                mine = at, way
        elif oldest is None or at < oldest[0]:
            oldest = at, way
    found = mine or oldest
    assert found is not None  # noqa: S101 - for the type checker: a set has places
    return found[1]


def _head(place: int) -> int:
    """Where the head of a place is in the file: those of a set stand together."""
    number, way = divmod(place, WAYS)
    return _PAGE + number * _SET_HEADS + way * _HEAD.size


def _body(place: int) -> int:
    return _PAGE + SETS * _SET_HEADS + place * _ROOM


_known: WeakValueDictionary[Path, KeptPasses] = WeakValueDictionary()
_making = threading.Lock()


def kept_of(context: Context) -> KeptPasses:
    """The kept passes of an installation: one object for each data folder and process, since the
    operating system's locks are a process's."""
    path = context.config.data / FILE
    with _making:
        kept = _known.get(path)
        if kept is None:
            kept = _known[path] = KeptPasses(path, context.keys)
        return kept


def purge(context: Context, card_ids: Iterable[str]) -> None:
    """Overwrite the built passes of these cards; call it once their erasure is committed.

    A pass that is being built meanwhile from what was read before is not kept. Raises OSError where
    the file cannot be written: then call it again.
    """
    kept_of(context).purge(card_ids)
