"""Signing in without the service: for cashiers who signed in online on this till lately.

After an online sign-in the till keeps argon2id over HMAC-SHA256(till secret, PIN), for PINs of
six digits only: shorter ones fall to whoever takes the till home. Good for seven days, locked
after five failures until the next online sign-in.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from passlib.hash import argon2

from scanner.config import read_private, state_folder, write_private
from scanner.errors import SignInError

try:
    import fcntl
except ImportError:  # Windows: one process a till there
    fcntl = None  # type: ignore[assignment]

FILE = "cashiers.json"
VALID_FOR = timedelta(days=7)
CLOCK_TOLERANCE = timedelta(minutes=5)
MAX_FAILURES = 5

# The second recommended choice of RFC 9106 (section 4): 64 MiB, three passes, four lanes.
_HASH = argon2.using(type="ID", memory_cost=65536, time_cost=3, parallelism=4)
_SIX_DIGITS = re.compile(r"[0-9]{6}")


@dataclass(frozen=True, slots=True)
class Cashier:
    """Who works at the till. `session` is the service's token, None when signed in offline."""

    id: str
    name: str
    role: str
    session: str | None = field(default=None, repr=False)


class OfflineCashiers:
    """The cashiers who may sign in offline on this till, kept in cashiers.json."""

    def __init__(self, folder: Path, secret: str) -> None:
        self._folder = folder
        self._secret = bytes.fromhex(secret)

    def remember(self, cashier: Cashier, pin: str, now: datetime) -> None:
        """Keep a verifier after an online sign-in; a PIN that is not six digits is not kept."""
        with self._alone():
            self._remember(cashier, pin, now)

    def _remember(self, cashier: Cashier, pin: str, now: datetime) -> None:
        known = self._load()
        if _SIX_DIGITS.fullmatch(pin) is None:
            known.pop(_fold(cashier.name), None)
        else:
            known[_fold(cashier.name)] = {
                "id": cashier.id,
                "name": cashier.name,
                "role": cashier.role,
                "verifier": _HASH.hash(self._keyed(pin)),
                "online_at": now.isoformat(),
                "failures": 0,
            }
        write_private(self._folder, FILE, known)

    def forget(self, name: str, pin: str) -> None:
        """Drop the verifier that `pin` still opens, after the service refused that very PIN."""
        with self._alone():
            self._forget(name, pin)

    def _forget(self, name: str, pin: str) -> None:
        known = self._load()
        entry = known.get(_fold(name))
        if entry is not None and _HASH.verify(self._keyed(pin), entry["verifier"]):
            del known[_fold(name)]
            write_private(self._folder, FILE, known)

    def forget_changed(self, changed: Mapping[str, datetime]) -> None:
        """Drop the verifiers of who left or got another PIN since they were made, by id."""
        with self._alone():
            known = self._load()
            good = {
                name: entry
                for name, entry in known.items()
                if entry["id"] not in changed
                or datetime.fromisoformat(entry["online_at"]) > changed[entry["id"]]
            }
            if len(good) < len(known):
                write_private(self._folder, FILE, good)

    def sign_in(self, name: str, pin: str, now: datetime) -> Cashier:
        """Sign `name` in without the service; raises SignInError, saying what to do."""
        with self._alone():  # two guesses at once would be counted as one
            return self._sign_in(name, pin, now)

    def _sign_in(self, name: str, pin: str, now: datetime) -> Cashier:
        known = self._load()
        entry = known.get(_fold(name))
        if entry is None:
            raise SignInError(
                f"The service cannot be reached, and {name} has not signed in on this till before "
                "with a six-digit PIN. Sign in once with the network up."
            )
        age = now - datetime.fromisoformat(entry["online_at"])
        if not -CLOCK_TOLERANCE <= age <= VALID_FOR:
            raise SignInError(
                f"{name} last signed in online more than 7 days ago. "
                "Sign in once with the network up."
            )
        if entry["failures"] >= MAX_FAILURES:
            raise SignInError(
                f"{name} is locked on this till after {MAX_FAILURES} wrong PINs. "
                "Sign in once with the network up.",
                "locked",
            )
        # Counted before it is tried: pulling the plug must not give a free guess.
        entry["failures"] += 1
        write_private(self._folder, FILE, known)
        if not _HASH.verify(self._keyed(pin), entry["verifier"]):
            left = MAX_FAILURES - entry["failures"]
            tries = "try" if left == 1 else "tries"
            raise SignInError(f"Wrong PIN. {left} {tries} left offline.", "wrong_pin")
        entry["failures"] = 0
        write_private(self._folder, FILE, known)
        return Cashier(entry["id"], entry["name"], entry["role"])

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep every other process and thread of this till out for the block."""
        path = state_folder(self._folder) / f".{FILE}.lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if fcntl is not None:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _keyed(self, pin: str) -> str:
        return hmac.new(self._secret, pin.encode(), hashlib.sha256).hexdigest()

    def _load(self) -> dict[str, Any]:
        return read_private(self._folder, FILE) or {}


def wipe(folder: Path) -> None:
    """Let nobody sign in offline any more: this till is no longer one of the shop's."""
    with suppress(OSError):
        (folder / FILE).unlink()


def _fold(name: str) -> str:
    return name.strip().casefold()
