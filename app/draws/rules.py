"""How winners follow from a seed, a list of tickets and a public value. Pure; `docs/draws.md`.

    commitment  SHA-256("counterfoil-draw-1 seed" LF seed), published before the first ticket
    list        a line "pseudonym count" LF for each who has tickets, sorted; its SHA-256 at closing
    key         SHA-256("counterfoil-draw-1 key" LF seed, SHA-256(list), SHA-256(public value))
    words       HMAC-SHA256(key, i as 8 bytes), i = 0, 1, ...; 8 bytes at a time, big-endian
    below n     the next word below the largest multiple of n that a word can be, modulo n

Who knows the seed cannot choose the public value, who knows the value when it comes cannot choose
the seed or the list any more.
"""

import hashlib
import hmac
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

VERSION = "counterfoil-draw-1"
SEED_BYTES = 32
PSEUDONYM_BYTES = 16
_WORD = 8
_WORDS = 1 << (8 * _WORD)


@dataclass(frozen=True, slots=True)
class Prize:
    """A prize, *count* of which there are."""

    code: str
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody with tickets, by a name that says nothing outside of this draw."""

    pseudonym: str
    tickets: int


@dataclass(frozen=True, slots=True)
class Winner:
    """Who has won which prize; *place* counts from 1 over all prizes."""

    place: int
    prize: str
    pseudonym: str


def commitment(seed: bytes) -> str:
    """What is published of a seed beforehand, in hexadecimal."""
    return hashlib.sha256(f"{VERSION} seed\n".encode() + seed).hexdigest()


def pseudonym(list_key: bytes, account_id: str) -> str:
    """The name of an account in one list: nobody without the list's key can tell whose it is."""
    return hmac.digest(list_key, account_id.encode(), "sha256")[:PSEUDONYM_BYTES].hex()


def list_text(holders: Sequence[Holder]) -> str:
    """The list as it is hashed."""
    ordered = sorted(holders, key=lambda holder: holder.pseudonym)
    return "".join(f"{each.pseudonym} {each.tickets}\n" for each in ordered)


def digest(text: str) -> str:
    """The SHA-256 of a text in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def plain_value(text: str) -> str:
    """A public value as it is hashed: NFC, single blanks, none around it."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def draw_key(seed: bytes, list_sha256: str, public_value: str) -> bytes:
    """What all choices are made with."""
    value = hashlib.sha256(plain_value(public_value).encode()).digest()
    head = f"{VERSION} key\n".encode()
    return hashlib.sha256(head + seed + bytes.fromhex(list_sha256) + value).digest()


def words(key: bytes) -> Iterator[int]:
    """Numbers of 64 bits without end."""
    block = 0
    while True:
        data = hmac.digest(key, block.to_bytes(8, "big"), "sha256")
        for at in range(0, len(data), _WORD):
            yield int.from_bytes(data[at : at + _WORD], "big")
        block += 1


def below(source: Iterator[int], bound: int) -> int:
    """A number from 0 to below *bound*, all alike: words that would prefer some are passed over."""
    if not 0 < bound <= _WORDS:
        raise ValueError("there is nothing to choose from")
    limit = _WORDS - _WORDS % bound
    return next(word for word in source if word < limit) % bound


def choose(
    holders: Sequence[Holder],
    prizes: Sequence[Prize],
    key: bytes,
    *,
    one_each: bool,
) -> list[Winner]:
    """The winners, prize after prize. A ticket wins once; with *one_each* a holder does too.

    Tickets are numbered in the order of the list; those that are out are left out of the count.
    Where no ticket is left, the prizes that remain have no winner.
    """
    ordered = sorted(holders, key=lambda holder: holder.pseudonym)
    left = _Counts([each.tickets for each in ordered])
    source = words(key)
    winners: list[Winner] = []
    for prize in prizes:
        for _ in range(prize.count):
            if left.total == 0:
                return winners
            place = left.find(below(source, left.total))
            left.take(place, left.count(place) if one_each else 1)
            winners.append(Winner(len(winners) + 1, prize.code, ordered[place].pseudonym))
    return winners


class _Counts:
    """Counts in a row, with the place of any one of all of them found in a few steps (Fenwick)."""

    def __init__(self, counts: Sequence[int]) -> None:
        self._counts = list(counts)
        self._sums = [0, *counts]
        for at in range(1, len(self._sums)):
            above = at + (at & -at)
            if above < len(self._sums):
                self._sums[above] += self._sums[at]
        self.total = sum(counts)

    def count(self, place: int) -> int:
        return self._counts[place]

    def take(self, place: int, many: int) -> None:
        self._counts[place] -= many
        self.total -= many
        at = place + 1
        while at < len(self._sums):
            self._sums[at] -= many
            at += at & -at

    def find(self, number: int) -> int:
        """The place that holds the one of that number, counted from 0 over all."""
        at = 0
        step = 1 << (len(self._sums) - 1).bit_length()
        while step:
            if at + step < len(self._sums) and self._sums[at + step] <= number:
                at += step
                number -= self._sums[at]
            step >>= 1
        return at
