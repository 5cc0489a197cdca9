"""The master key, which wraps every other key. It is never in a backup."""

import base64
import binascii
import hashlib
import hmac
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.config import Config
from app.errors import Misconfigured
from app.keys.files import read_private, sync_folder, write_atomically
from app.keys.types import WrongMasterKey

KEY_BYTES = 32
_NONCE_BYTES = 12
_LARGEST_FILE = 1024


class MasterKey:
    """Wraps and unwraps. Comes from the environment, from a file named there, or DATA/master.key.

    Beside a file there may be a second one, FILE.new: the key that a rotation of the master key
    has begun to wrap with. Until the rotation is over, both open what they wrapped.
    """

    def __init__(self, config: Config) -> None:
        self._given = config.master_key
        self._named = config.master_key_file
        self._default = config.data / "master.key"
        self._keys: dict[str, bytes] = {}

    @property
    def file(self) -> Path | None:
        """The file that holds it; None where it comes from the environment."""
        return None if self._given else self._named or self._default

    @property
    def next_file(self) -> Path | None:
        """Where the next master key waits while a rotation goes on."""
        return self.file.with_name(self.file.name + ".new") if self.file else None

    @property
    def source(self) -> str:
        """Where it comes from, for messages."""
        return str(self.file) if self.file else "COUNTERFOIL_MASTER_KEY"

    def wrap(
        self, material: bytes, about: bytes, *, key: bytes | None = None, may_make: bool = False
    ) -> tuple[str, bytes]:
        """Wrap *material*, bound to *about*; the key's fingerprint and nonce + ciphertext.

        With *key* instead of the present master key. *may_make*: nothing is wrapped yet, so a
        missing DATA/master.key may be made.
        """
        key = key or self._current(may_make=may_make)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return fingerprint(key), nonce + AESGCM(key).encrypt(nonce, material, about)

    def unwrap(self, mark: str, wrapped: bytes, about: bytes, *, path: Path) -> bytes:
        """Undo `wrap`. Raises `WrongMasterKey`, or `Misconfigured` if *path* was edited."""
        key = self._keys.get(mark) or self._load().get(mark)
        if key is None:
            have = " and ".join(sorted(self._keys)) or "none"
            raise WrongMasterKey(
                f"The key file {path} was wrapped with the master key {mark}, but {self.source} "
                f"holds {have}. Put the master key back that belongs to these keys."
            )
        try:
            return AESGCM(key).decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], about)
        except (InvalidTag, ValueError) as error:
            raise Misconfigured(
                f"The key file {path} was changed since it was written. Restore it from a backup."
            ) from error

    def prepare_next(self, key: bytes | None) -> bytes:
        """Lay the next master key down beside the present one, durably; the key.

        A rotation that was interrupted goes on with the key it began with.
        """
        if self.next_file is None:
            if key is None:
                raise Misconfigured(
                    "The master key comes from COUNTERFOIL_MASTER_KEY: give the new one as well "
                    "(make it with: openssl rand -base64 32)."
                )
            self._keys[fingerprint(key)] = key
            return key
        waiting = _read(self.next_file)
        if waiting is None:
            waiting = key or secrets.token_bytes(KEY_BYTES)
            write_atomically(self.next_file, base64.b64encode(waiting) + b"\n")
        elif key is not None and key != waiting:
            raise Misconfigured(
                f"A change of the master key to the one in {self.next_file} was interrupted. "
                "Finish it first: give no key, or that one."
            )
        self._keys[fingerprint(waiting)] = waiting
        return waiting

    def take_next(self, key: bytes) -> None:
        """The rotation is over: *key* is the master key from here on."""
        if self.file is not None and self.next_file is not None:
            self.next_file.replace(self.file)
            sync_folder(self.file.parent)
        else:
            self._given = key
        self._load()

    def _current(self, *, may_make: bool) -> bytes:
        if self._given:
            return self._given
        assert self.file is not None  # noqa: S101 - for the type checker: not given means a file
        # Between the two steps of a rotation the new key already wraps.
        key = (_read(self.next_file) if self.next_file else None) or _read(self.file)
        if key is not None:
            self._keys[fingerprint(key)] = key
            return key
        if self._named or not may_make:
            raise self._missing()
        key = secrets.token_bytes(KEY_BYTES)
        write_atomically(self.file, base64.b64encode(key) + b"\n")
        self._keys[fingerprint(key)] = key
        return key

    def _load(self) -> dict[str, bytes]:
        """Every master key at hand, by its fingerprint; read anew."""
        found = [self._given]
        if self.file is not None:
            found = [_read(self.file), _read(self.next_file) if self.next_file else None]
            if found[0] is None:
                raise self._missing()
        self._keys = {fingerprint(key): key for key in found if key is not None}
        return self._keys

    def _missing(self) -> Misconfigured:
        if self._named:
            return Misconfigured(
                f"The master key file {self.file} (COUNTERFOIL_MASTER_KEY_FILE) is not there. "
                "For a new installation make it with: "
                f"(umask 077 && openssl rand -base64 32 > {self.file})"
            )
        return Misconfigured(
            f"The master key {self.file} is not there, but keys were wrapped with it. Put it "
            "back: it is not part of a backup and without it the keys cannot be opened."
        )


def fingerprint(key: bytes) -> str:
    """Tells master keys apart without telling anything about them."""
    return hmac.new(key, b"counterfoil master key", hashlib.sha256).hexdigest()[:16]


def _read(path: Path) -> bytes | None:
    try:
        text = read_private(path, _LARGEST_FILE)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Misconfigured(f"The file {path} cannot be read: {error.strerror}.") from error
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise Misconfigured(f"The file {path} does not hold {KEY_BYTES} bytes in base64.")
    return key
