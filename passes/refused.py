"""The list of refused cards: what a till without a network has to know besides the public keys.

    statement, 123 bytes, big-endian:
      1 byte   version (1)
      2 bytes  key id: the programme's key that signed
     16 bytes  the programme: SHA-256 of its id, the first half
      8 bytes  when it was signed, in milliseconds since 1970
     32 bytes  SHA-256 of the list
     64 bytes  Ed25519 signature (RFC 8032) over b"counterfoil refused cards v1\\0" + the 59 above
    list: for blocked, replaced and expired cards, in this order:
      4 bytes  how many
      8 bytes  each: the card id; ascending, without repeats

Eight bytes a card and nothing to guess: 100,000 cards are 800 kB, and a card that is not on the
list is never refused. The statement is apart from the list, so that a till which has the list
already gets a fresh statement about it and nothing else.
"""

from __future__ import annotations

import hashlib
import operator
import struct
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from passes.code import Outcome
from passes.errors import RefusedListError

STATEMENT_BYTES = 123
CARD_BYTES = 8

_VERSION = 1
_CONTEXT = b"counterfoil refused cards v1\0"
_CLAIMS = struct.Struct(">BH16sQ32s")
_COUNT = struct.Struct(">I")
_OUTCOMES = (Outcome.BLOCKED, Outcome.REPLACED, Outcome.EXPIRED)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Statement:
    """What was signed: when, and of which list (its SHA-256)."""

    key_id: int
    signed_at: datetime
    digest: bytes


class RefusedCards(Mapping[str, Outcome]):
    """Why each refused card is refused, by card id (16 hexadecimal digits), as of `signed_at`."""

    def __init__(self, parts: Mapping[Outcome, array[int]], signed_at: datetime | None) -> None:
        self._parts = parts
        self.signed_at = signed_at

    def __len__(self) -> int:
        return sum(len(ids) for ids in self._parts.values())

    def __iter__(self) -> Iterator[str]:
        return (f"{card_id:016x}" for ids in self._parts.values() for card_id in ids)

    def __getitem__(self, card_id: str) -> Outcome:
        wanted = int(card_id, 16)
        for outcome, ids in self._parts.items():
            place = bisect_left(ids, wanted)
            if place < len(ids) and ids[place] == wanted:
                return outcome
        raise KeyError(card_id)


NOBODY = RefusedCards({}, None)


def pack(cards: Iterable[tuple[str, Outcome]]) -> bytes:
    """Return the list of these cards, each once: its id as 16 hexadecimal digits, and why.

    Raises ValueError for an outcome that no list has.
    """
    parts: dict[Outcome, set[int]] = {outcome: set() for outcome in _OUTCOMES}
    for card_id, outcome in cards:
        if outcome not in parts:
            raise ValueError(f"{outcome} is nothing that a card is refused for without a network")
        parts[outcome].add(int(card_id, 16))
    packed = b""
    for ids in parts.values():
        packed += _COUNT.pack(len(ids)) + _big_endian(array("Q", sorted(ids))).tobytes()
    return packed


def sign(
    packed: bytes,
    *,
    programme_id: str,
    key_id: int,
    signed_at: datetime,
    private_key: Ed25519PrivateKey,
) -> bytes:
    """Return the statement about a list."""
    claims = _CLAIMS.pack(
        _VERSION,
        key_id,
        _programme(programme_id),
        (signed_at - _EPOCH) // timedelta(milliseconds=1),
        hashlib.sha256(packed).digest(),
    )
    return claims + private_key.sign(_CONTEXT + claims)


def verify(
    statement: bytes, *, programme_id: str, keys: Mapping[int, Ed25519PublicKey]
) -> Statement:
    """Return what a statement says; raises RefusedListError unless one of `keys` signed it."""
    if len(statement) != STATEMENT_BYTES or statement[0] != _VERSION:
        raise RefusedListError("This is no statement about refused cards that is known here.")
    claims = statement[: _CLAIMS.size]
    _, key_id, programme, milliseconds, digest = _CLAIMS.unpack(claims)
    key = keys.get(key_id)
    if key is None:
        raise RefusedListError("The list of refused cards is signed with a key not known here.")
    try:
        key.verify(statement[_CLAIMS.size :], _CONTEXT + claims)
    except InvalidSignature:
        raise RefusedListError("The list of refused cards has no good signature.") from None
    if programme != _programme(programme_id):
        raise RefusedListError("The list of refused cards is another programme's.")
    try:
        signed_at = _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        raise RefusedListError("The list of refused cards has no date that can be.") from None
    return Statement(key_id, signed_at, digest)


def unpack(packed: bytes, statement: Statement) -> RefusedCards:
    """Read the list that a verified statement is about; raises RefusedListError for another."""
    if hashlib.sha256(packed).digest() != statement.digest:
        raise RefusedListError("The list of refused cards was changed, or is not whole.")
    parts: dict[Outcome, array[int]] = {}
    start = 0
    for outcome in _OUTCOMES:
        ids, start = _read_part(packed, start)
        parts[outcome] = ids
    if start != len(packed):
        raise RefusedListError("The list of refused cards has something behind it.")
    return RefusedCards(parts, statement.signed_at)


def _read_part(packed: bytes, start: int) -> tuple[array[int], int]:
    first = start + _COUNT.size
    if first > len(packed):
        raise RefusedListError("The list of refused cards ends too early.")
    end = first + _COUNT.unpack_from(packed, start)[0] * CARD_BYTES
    if end > len(packed):
        raise RefusedListError("The list of refused cards ends too early.")
    ids = array("Q")
    ids.frombytes(packed[first:end])
    _big_endian(ids)
    if not all(map(operator.lt, ids, ids[1:])):
        raise RefusedListError("The list of refused cards is not in order.")
    return ids, end


def _big_endian(ids: array[int]) -> array[int]:
    """Turn the numbers between this machine's order of bytes and the list's; return them."""
    if sys.byteorder == "little":
        ids.byteswap()
    return ids


def _programme(programme_id: str) -> bytes:
    return hashlib.sha256(programme_id.encode()).digest()[:16]
