"""The signed list of refused cards, as this till keeps it: refused.bin, statement and list.

A list that the programme did not sign, that was changed, or that is older than the one at hand
is not taken: who could bring an old list could bring a blocked card back.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from passes import refused
from passes.errors import RefusedListError
from passes.refused import STATEMENT_BYTES, RefusedCards, Statement
from scanner.client import Client
from scanner.config import write_private_bytes

if TYPE_CHECKING:
    from scanner.check import KeyRing

FILE = "refused.bin"
MAX_BYTES = 8_200_000

Keys = Mapping[int, Ed25519PublicKey]


def load(folder: Path, programme_id: str, keys: Keys) -> tuple[RefusedCards, bytes]:
    """Return the list in refused.bin and its bytes; nobody and nothing where there is none.

    Raises RefusedListError where it is not the programme's, or was changed.
    """
    path = folder / FILE
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RefusedListError("The list of refused cards is too large.")
        kept = path.read_bytes()
    except FileNotFoundError:
        return refused.NOBODY, b""
    except OSError as error:
        raise RefusedListError(f"{path} cannot be read: {error.strerror}.") from None
    statement, packed = kept[:STATEMENT_BYTES], kept[STATEMENT_BYTES:]
    said = refused.verify(statement, programme_id=programme_id, keys=keys)
    return refused.unpack(packed, said), packed


def with_refused(folder: Path, programme_id: str, ring: KeyRing) -> KeyRing:
    """Return `ring` with the refused cards that this till knows, or with why it knows none."""
    keys = {key_id: key.public for key_id, key in ring.keys.items()}
    try:
        cards, _ = load(folder, programme_id, keys)
    except RefusedListError as error:
        return replace(ring, trouble=f"{error} Connect the till to the service.")
    return replace(ring, refused=cards, refused_at=cards.signed_at)


def fetch(folder: Path, programme_id: str, client: Client, keys: Keys) -> RefusedCards:
    """Ask the service for the list, where it has another one; keep it and return it.

    Raises RefusedListError for a list that is not taken, ServiceError, and ConfigError where the
    disk refuses.
    """
    try:
        known, packed = load(folder, programme_id, keys)
    except RefusedListError:
        known, packed = refused.NOBODY, b""
    heard = client.refused_cards(_name(folder) if known.signed_at else None)
    try:
        statement = base64.b64decode(heard.statement, validate=True)
    except (binascii.Error, ValueError):
        raise RefusedListError("The list of refused cards has no statement.") from None
    said = refused.verify(statement, programme_id=programme_id, keys=keys)
    _check_is_no_older(said, known)
    packed = packed if heard.status == 304 else heard.content
    cards = refused.unpack(packed, said)
    write_private_bytes(folder, FILE, statement + packed)
    return cards


def _check_is_no_older(said: Statement, known: RefusedCards) -> None:
    if known.signed_at is not None and said.signed_at < known.signed_at:
        raise RefusedListError(
            f"The list of refused cards is of {said.signed_at:%Y-%m-%d %H:%M} UTC, older than the "
            "one this till has."
        )


def _name(folder: Path) -> str:
    """Return the name of the list at hand, as the service would call it."""
    with (folder / FILE).open("rb") as file:
        return f'"{file.read(43)[27:].hex()}"'
