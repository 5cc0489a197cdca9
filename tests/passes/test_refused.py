"""The signed list of refused cards: exact, small, quick, and nobody else's."""

import random
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from passes.code import Outcome
from passes.errors import RefusedListError
from passes.refused import NOBODY, STATEMENT_BYTES, Statement, pack, sign, unpack, verify

NOW = datetime(2026, 6, 1, 9, 0, 0, 123_000, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYS = {7: KEY.public_key()}
WHY = (Outcome.BLOCKED, Outcome.REPLACED, Outcome.EXPIRED)


def stated(packed: bytes, **other: object) -> bytes:
    facts = {"programme_id": "p", "key_id": 7, "signed_at": NOW, "private_key": KEY} | other
    return sign(packed, **facts)  # type: ignore[arg-type]


def opened(packed: bytes) -> Statement:
    return verify(stated(packed), programme_id="p", keys=KEYS)


@given(
    st.dictionaries(st.integers(0, 2**64 - 1), st.sampled_from(WHY), max_size=40),
    st.integers(0, 2**64 - 1),
)
def test_every_card_of_the_list_is_refused_for_its_reason_and_no_other_card_is(
    cards: dict[int, Outcome], other: int
) -> None:
    packed = pack((f"{card:016x}", why) for card, why in cards.items())
    read = unpack(packed, opened(packed))
    assert dict(read) == {f"{card:016x}": why for card, why in cards.items()}
    assert len(read) == len(cards) and read.signed_at == NOW
    assert read.get(f"{other:016x}") == cards.get(other)


def test_a_hundred_thousand_cards_are_under_a_megabyte_and_read_in_milliseconds() -> None:
    chance = random.Random(4)
    ids = [f"{chance.getrandbits(64):016x}" for _ in range(100_000)]
    packed = pack((card, chance.choice(WHY)) for card in ids)
    assert len(packed) + STATEMENT_BYTES < 1_000_000
    statement, best = stated(packed), float("inf")
    for _ in range(3):
        began = time.thread_time()
        read = unpack(packed, verify(statement, programme_id="p", keys=KEYS))
        best = min(best, time.thread_time() - began)
    assert best < 0.1  # 10 ms on a machine that has nothing else to do
    assert all(read.get(card) for card in ids)
    assert not any(read.get(f"{chance.getrandbits(64):016x}") for _ in range(10_000))


@given(st.integers(0, STATEMENT_BYTES * 8 - 1))
def test_a_flipped_bit_of_the_statement_is_refused(bit: int) -> None:
    statement = bytearray(stated(pack([("ab" * 8, Outcome.BLOCKED)])))
    statement[bit // 8] ^= 1 << bit % 8
    with pytest.raises(RefusedListError):
        verify(bytes(statement), programme_id="p", keys=KEYS)


@given(st.data())
def test_a_changed_list_is_refused(data: st.DataObject) -> None:
    packed = pack([("ab" * 8, Outcome.BLOCKED), ("cd" * 8, Outcome.EXPIRED)])
    statement = opened(packed)
    bit = data.draw(st.integers(0, len(packed) * 8 - 1))
    changed = bytearray(packed)
    changed[bit // 8] ^= 1 << bit % 8
    for other in (bytes(changed), packed[:-1], packed + b"\0", b""):
        with pytest.raises(RefusedListError):
            unpack(other, statement)


def test_only_the_programmes_own_keys_sign_it() -> None:
    packed = pack([])
    for wrong in (
        stated(packed, programme_id="another"),
        stated(packed, key_id=8),
        stated(packed, private_key=Ed25519PrivateKey.from_private_bytes(b"s" * 32)),
        stated(packed)[:-1],
        b"",
    ):
        with pytest.raises(RefusedListError):
            verify(wrong, programme_id="p", keys=KEYS)


def test_a_signature_of_a_card_code_is_none_of_a_list() -> None:
    claims = stated(pack([]))[:-64]
    forged = claims + KEY.sign(b"counterfoil card code v1\0" + claims)
    with pytest.raises(RefusedListError, match="signature"):
        verify(forged, programme_id="p", keys=KEYS)


def test_a_list_out_of_order_or_with_repeats_is_refused_even_when_signed() -> None:
    for ids in ((2, 1), (1, 1)):
        packed = b"\0\0\0\2" + b"".join(number.to_bytes(8, "big") for number in ids) + bytes(8)
        with pytest.raises(RefusedListError, match="order"):
            unpack(packed, opened(packed))


def test_a_count_beyond_the_end_is_refused() -> None:
    packed = b"\xff\xff\xff\xff" + bytes(20)
    with pytest.raises(RefusedListError, match="too early"):
        unpack(packed, opened(packed))


def test_no_list_refuses_nobody() -> None:
    assert NOBODY.get("ab" * 8) is None and len(NOBODY) == 0 and NOBODY.signed_at is None


def test_a_card_is_refused_for_nothing_else() -> None:
    with pytest.raises(ValueError):
        pack([("ab" * 8, Outcome.ACCEPTED)])


def test_a_date_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(RefusedListError, match="date"):
        verify(_signed_at_the_end_of_time(), programme_id="p", keys=KEYS)


def _signed_at_the_end_of_time() -> bytes:
    good = stated(b"")
    claims = good[:19] + b"\xff" * 8 + good[27:59]
    return claims + KEY.sign(b"counterfoil refused cards v1\0" + claims)


def test_a_newer_statement_about_the_same_list_has_the_same_digest() -> None:
    packed = pack([("ab" * 8, Outcome.BLOCKED)])
    later = stated(packed, signed_at=NOW + timedelta(hours=1))
    newer = verify(later, programme_id="p", keys=KEYS)
    assert newer.digest == opened(packed).digest and newer.signed_at > NOW
