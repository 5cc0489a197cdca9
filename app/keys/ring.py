"""The key ring: opens, makes, rotates and retires keys, and what is done with some of them."""

import hashlib
import hmac
import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.clock import Clock, system_clock
from app.config import Config
from app.errors import Conflict, Invalid
from app.keys import record as records
from app.keys.files import locked, make_private_folder, read_private, write_atomically
from app.keys.master import KEY_BYTES, MasterKey
from app.keys.record import Place, Record
from app.keys.types import Key, KeyExists, KeyInfo, KeyMissing, Purpose

_NONCE_BYTES = 12
_SEAL_FORMAT = b"\x01"
_SEAL_HEAD_BYTES = 3
#: A folder changed this recently may change again without another modification time.
_SETTLED_NS = 2_000_000_000
_LABELS = {purpose: f"counterfoil {purpose}".encode() + b"\0" for purpose in Purpose}


class KeyRing:
    """The keys of one installation, in a folder of files that only this account may read.

    Keys are kept in memory once opened. Files that another process adds or changes are noticed
    without a restart. Safe to share between threads, and after a fork.
    """

    def __init__(self, folder: Path, master: MasterKey, now: Clock) -> None:
        self.folder = folder
        self._watched = str(folder)
        self._master = master
        self._now = now
        self._reading = threading.RLock()
        self._seen: int | None = None
        self._files: dict[str, tuple[tuple[int, ...], Record]] = {}
        self._records: dict[Place, Record] = {}
        self._opened: dict[Place, bytes] = {}
        #: Keys as they were handed out, each with the record it was made of.
        self._made: dict[Place, tuple[Record, Key]] = {}
        #: The newest of a purpose, and of which records it is that.
        self._newest_of: dict[
            tuple[Purpose, str | None], tuple[dict[Place, Record], Record | None]
        ] = {}
        #: What is derived from, of the same keys.
        self._derivers: dict[Place, Callable[[bytes], bytes]] = {}

    @classmethod
    def open(cls, config: Config, *, now: Clock = system_clock) -> "KeyRing":
        """Open the key directory of *config*, made where it is not there yet.

        Raises `Misconfigured` when it, or a file in it, is open to others or cannot be read.
        """
        make_private_folder(config.keys_dir)
        ring = cls(config.keys_dir, MasterKey(config), now)
        ring._refresh()
        return ring

    # -- the keys -----------------------------------------------------------------------------

    def list(self) -> list[KeyInfo]:
        """Every key of the ring, without its secret, in order of purpose, programme, version."""
        infos = [record.info for record in self._refresh().values()]
        return sorted(infos, key=lambda info: (info.purpose, info.programme_id or "", info.version))

    def current(self, purpose: Purpose, programme_id: str | None = None) -> Key:
        """The newest key that is not retired. Raises `KeyMissing`.

        A key that is nothing but random bytes is made when it is first asked for.
        """
        newest = self._newest(purpose, programme_id)
        if newest is not None:
            return self._open(newest)
        if not purpose.made_on_demand:
            raise KeyMissing(f"There is no {purpose} key yet.", purpose=str(purpose))
        with locked(self.folder):
            newest = self._newest(purpose, programme_id)
            if newest is not None:
                return self._open(newest)
            return self._make(purpose, programme_id, None, secrets.token_bytes(KEY_BYTES), None)

    def get(self, purpose: Purpose, version: int, programme_id: str | None = None) -> Key:
        """The key of that version, retired or not. Raises `KeyMissing`."""
        return self._open(self._record(purpose, version, programme_id))

    def create(
        self,
        purpose: Purpose,
        *,
        programme_id: str | None = None,
        version: int | None = None,
        material: bytes | None = None,
        name: str | None = None,
    ) -> Key:
        """Add a key; without *version* the next one, without *material* 32 random bytes.

        Raises `KeyExists` where that version is there, even if it is retired, and `Invalid`.
        """
        records.check_programme(programme_id)
        if material is None:
            if not purpose.made_on_demand:
                raise Invalid(f"A {purpose} key is not made of random bytes.")
            material = secrets.token_bytes(KEY_BYTES)
        with locked(self.folder):
            return self._make(purpose, programme_id, version, material, name)

    def rotate(self, purpose: Purpose, programme_id: str | None = None) -> Key:
        """Make the next version of a key of random bytes; it is used from here on.

        What the earlier ones made stays good until they are retired, and opens even then.
        """
        return self.create(purpose, programme_id=programme_id)

    def retire(self, purpose: Purpose, version: int, programme_id: str | None = None) -> KeyInfo:
        """Use a key for nothing new any more. Raises `Conflict` for the only one in use."""
        with locked(self.folder):
            self._refresh()
            key = self.get(purpose, version, programme_id)
            if key.retired_at is not None:
                return _info(key)
            newest = self._newest(purpose, programme_id)
            if purpose.made_on_demand and newest and newest.info.version == version:
                raise Conflict(f"This {purpose} key is the one in use: rotate it first.")
            info = replace(_info(key), retired_at=self._now())
            self._store(info, key.material)
            return info

    def check(self) -> None:
        """Open every key. Raises `Misconfigured` naming the first file that does not open."""
        with self._reading:
            self._opened.clear()
            self._made.clear()
            self._derivers.clear()
            for found in self._refresh().values():
                self._open(found)

    def rewrap(self, new_master_key: bytes | None = None) -> int:
        """Change the master key and wrap every key anew; the number of keys.

        Without *new_master_key* one is made, if the master key is kept in a file: that file then
        holds the new one. Interrupted, it goes on where it was when called again. Other processes
        keep working with the keys they have opened.
        """
        if new_master_key is not None and len(new_master_key) != KEY_BYTES:
            raise Invalid(f"A master key has {KEY_BYTES} bytes.")
        with locked(self.folder):
            keys = [self._open(found) for found in self._refresh().values()]
            fresh = self._master.prepare_next(new_master_key)
            for key in keys:
                self._store(_info(key), key.material, master_key=fresh)
            self._master.take_next(fresh)
        return len(keys)

    # -- what is done with them ---------------------------------------------------------------

    def seal(self, plaintext: bytes, *, context: bytes, purpose: Purpose = Purpose.FIELD) -> bytes:
        """Encrypt with the newest key of *purpose* (AES-256-GCM), bound to *context*.

        One byte of format, two of key version, nonce, ciphertext with tag.
        """
        return self.sealer(purpose)(plaintext, context)

    def sealer(self, purpose: Purpose = Purpose.FIELD) -> Callable[[bytes, bytes], bytes]:
        """`seal` for many fields at once: the key is looked up and made ready a single time.

        Takes the plaintext and the context. Not to be kept: a rotated key is not noticed.
        """
        key = self.current(purpose)
        head = _SEAL_FORMAT + key.version.to_bytes(2, "big")
        encrypt = AESGCM(key.material).encrypt

        def seal(plaintext: bytes, context: bytes) -> bytes:
            nonce = secrets.token_bytes(_NONCE_BYTES)
            return head + nonce + encrypt(nonce, plaintext, head + context)

        return seal

    def open_sealed(
        self, sealed: bytes, *, context: bytes, purpose: Purpose = Purpose.FIELD
    ) -> bytes:
        """Undo `seal`. Raises `Invalid` where it is damaged or from another place, `KeyMissing`."""
        head, rest = sealed[:_SEAL_HEAD_BYTES], sealed[_SEAL_HEAD_BYTES:]
        if head[:1] != _SEAL_FORMAT or len(rest) < _NONCE_BYTES:
            raise Invalid("This is not a sealed field.")
        key = self.get(purpose, int.from_bytes(head[1:], "big"))
        try:
            return AESGCM(key.material).decrypt(
                rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], head + context
            )
        except InvalidTag as error:
            raise Invalid("A sealed field was damaged, or belongs to another place.") from error

    def blind_index(self, text: str) -> bytes:
        """The keyed hash (HMAC-SHA-256, 32 bytes) to store beside a sealed *text*."""
        return self.blind_indexer()(text)

    def blind_indexer(self) -> Callable[[str], bytes]:
        """`blind_index` for many texts at once; not to be kept, as `sealer`."""
        return partial(_keyed_hash, self.current(Purpose.BLIND_INDEX).material)

    def blind_indexes(self, text: str) -> tuple[bytes, ...]:
        """Every hash *text* may be stored under, one for each key not retired; newest first."""
        return tuple(index(text) for index in self.blind_indexers())

    def blind_indexers(self) -> tuple[Callable[[str], bytes], ...]:
        """`blind_indexes` for many texts at once; not to be kept, as `sealer`."""
        self.current(Purpose.BLIND_INDEX)
        in_use = [
            self._open(found)
            for found in self._refresh().values()
            if found.info.purpose == Purpose.BLIND_INDEX and found.info.retired_at is None
        ]
        newest_first = sorted(in_use, key=lambda key: key.version, reverse=True)
        return tuple(partial(_keyed_hash, key.material) for key in newest_first)

    def derive(self, purpose: Purpose, version: int, info: bytes) -> bytes:
        """32 bytes derived from a key for *info* (HKDF-SHA-256, RFC 5869)."""
        return self.deriver(purpose, version)(info)

    def deriver(self, purpose: Purpose, version: int) -> Callable[[bytes], bytes]:
        """`derive` for many: the key is looked up a single time. Raises `KeyMissing`."""
        found = self._record(purpose, version, None)
        where = records.place(found.info)
        derived = self._derivers.get(where)
        if derived is None:
            # RFC 5869, 2.2 without a salt: the same for every *info*, and half of the work.
            extracted = hmac.digest(bytes(32), self._material(found), "sha256")
            derived = partial(_expanded, extracted, _LABELS[purpose])
            self._derivers[where] = derived
        return derived

    # -- inside -------------------------------------------------------------------------------

    def _record(self, purpose: Purpose, version: int, programme_id: str | None) -> Record:
        place = (purpose, programme_id, version)
        # What a version is never changes: only for one that is unknown the folder is looked at.
        found = self._records.get(place) or self._refresh().get(place)
        if found is None:
            raise KeyMissing(
                f"There is no {purpose} key of version {version} in {self.folder}. "
                "If the keys were restored from a backup, that backup is older than the data.",
                purpose=str(purpose),
            )
        return found

    def _newest(self, purpose: Purpose, programme_id: str | None) -> Record | None:
        known, place = self._refresh(), (purpose, programme_id)
        found = self._newest_of.get(place)
        if found is None or found[0] is not known:
            fitting = [
                each
                for each in known.values()
                if (each.info.purpose, each.info.programme_id) == place
                and each.info.retired_at is None
            ]
            newest = max(fitting, key=lambda each: each.info.version, default=None)
            found = self._newest_of[place] = known, newest
        return found[1]

    def _open(self, found: Record) -> Key:
        where = records.place(found.info)
        made = self._made.get(where)
        if made is None or made[0] is not found:
            key = Key(**_attributes(found.info), material=self._material(found))
            made = self._made[where] = found, key
        return made[1]

    def _material(self, found: Record) -> bytes:
        where = records.place(found.info)
        material = self._opened.get(where)
        if material is None:
            path = self.folder / records.file_name(found.info)
            about = records.about(found.info)
            material = self._master.unwrap(found.master_key, found.wrapped, about, path=path)
            self._opened[where] = material
        return material

    def _make(
        self,
        purpose: Purpose,
        programme_id: str | None,
        version: int | None,
        material: bytes,
        name: str | None,
    ) -> Key:
        """Add a key; the folder is locked by the caller."""
        taken = [
            known
            for known_purpose, known_programme, known in self._refresh()
            if (known_purpose, known_programme) == (purpose, programme_id)
        ]
        if version is None:
            version = max(taken, default=0) + 1
        if version in taken:
            raise KeyExists(f"A {purpose} key of version {version} is there already.")
        if not 0 < version <= records.LAST_VERSION:
            raise Invalid(f"A key's version is from 1 to {records.LAST_VERSION}.")
        info = KeyInfo(
            purpose=purpose,
            version=version,
            programme_id=programme_id,
            created_at=self._now(),
            name=name,
        )
        self._store(info, material)
        return Key(**_attributes(info), material=material)

    def _store(self, info: KeyInfo, material: bytes, *, master_key: bytes | None = None) -> None:
        """Write a key's file; the folder is locked by the caller."""
        mark, wrapped = self._master.wrap(
            material, records.about(info), key=master_key, may_make=not self._records
        )
        data = records.encode(Record(info, mark, wrapped))
        if len(data) > records.LARGEST_FILE:
            raise Invalid("A key as large as this one is none.")
        write_atomically(self.folder / records.file_name(info), data)
        with self._reading:
            self._opened[records.place(info)] = material
            self._derivers.pop(records.place(info), None)
            self._seen = None

    def _refresh(self) -> dict[Place, Record]:
        """What the folder holds, read again where it has changed."""
        stamp = os.stat(self._watched).st_mtime_ns
        if stamp == self._seen:
            return self._records
        with self._reading:
            files = {}
            with os.scandir(self.folder) as entries:
                for entry in entries:
                    if not entry.name.startswith(".") and entry.name.endswith(".json"):
                        files[entry.name] = self._read(entry)
            self._files = files
            self._records = {records.place(found.info): found for _, found in files.values()}
            # Within the clock's grain a further change would leave the same time behind.
            settled = abs(time.time_ns() - stamp) > _SETTLED_NS
            self._seen = stamp if settled else None
            return self._records

    def _read(self, entry: os.DirEntry[str]) -> tuple[tuple[int, ...], Record]:
        """A key file's state and content; read only where its state is another than before."""
        status = entry.stat()
        state = (status.st_ino, status.st_mtime_ns, status.st_size, status.st_mode)
        known = self._files.get(entry.name)
        if known is not None and known[0] == state:
            return known
        path = self.folder / entry.name
        return state, records.decode(read_private(path, records.LARGEST_FILE), path)


def _keyed_hash(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _expanded(extracted: bytes, label: bytes, info: bytes) -> bytes:
    """RFC 5869, 2.3, of which one block is enough."""
    return hmac.digest(extracted, label + info + b"\x01", "sha256")


def _attributes(info: KeyInfo) -> dict[str, Any]:
    return {each.name: getattr(info, each.name) for each in fields(KeyInfo)}


def _info(key: Key) -> KeyInfo:
    return KeyInfo(**_attributes(key))
