import re
from datetime import date, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from passes import base45
from passes.code import (
    STATIC_LENGTH,
    CardCode,
    Kind,
    Outcome,
    Rotation,
    card_id_told,
    encode,
    parse,
    rotating_text,
    verify,
)
from passes.errors import CodeError, PassError

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYS = {258: KEY.public_key()}
CARD = CardCode(258, bytes.fromhex("0102030405060708"), date(2026, 11, 23))
TEXT = encode(CARD, KEY)
ROTATING = rotating_text(TEXT, 1_795_000_000, "07081804")

cards = st.builds(
    CardCode,
    st.just(258),
    st.binary(min_size=8, max_size=8),
    st.dates(date(2020, 1, 1), date(2199, 6, 6)),
    st.sampled_from(Kind),
)


def refusal(text: str) -> Outcome:
    with pytest.raises(CodeError) as caught:
        verify(text, KEYS)
    assert str(caught.value)
    return caught.value.outcome


def signed(claims: bytes) -> str:
    """The text of any 13 bytes of claims, with a good signature."""
    return "CF1:" + base45.encode(claims + KEY.sign(b"counterfoil card code v1\0" + claims))


@given(cards)
def test_what_is_encoded_is_read_back(card: CardCode) -> None:
    text = encode(card, KEY)
    reading = verify(text, KEYS)
    assert reading.card == card
    assert reading.static == text
    assert reading.rotation is None
    assert parse(text) == reading


@given(cards)
def test_every_code_has_120_alphanumeric_characters_and_ends_in_none_that_is_lost(
    card: CardCode,
) -> None:
    text = encode(card, KEY)
    assert len(text) == STATIC_LENGTH == 120
    assert set(text) <= set(base45.ALPHABET)
    assert not text.endswith(" ")


@given(
    cards, st.integers(0, 10**10 - 1), st.from_regex(re.compile(r"[0-9]{8}", re.A), fullmatch=True)
)
def test_a_rotating_code_is_the_static_one_and_its_moment(
    card: CardCode, seconds: int, totp: str
) -> None:
    static = encode(card, KEY)
    text = rotating_text(static, seconds, totp)
    assert len(text) == 139
    reading = verify(text, KEYS)
    assert (reading.card, reading.static) == (card, static)
    assert reading.rotation == Rotation(seconds, totp)


def test_the_bytes_are_laid_out_as_documented() -> None:
    data = base45.decode(TEXT[4:])
    assert len(data) == 77
    assert data[:13] == bytes.fromhex("1001020102030405060708") + (2518).to_bytes(2, "big")
    assert date(2020, 1, 1) + timedelta(days=2518) == CARD.issued_on
    KEY.public_key().verify(data[13:], b"counterfoil card code v1\0" + data[:13])
    assert encode(CardCode(258, bytes(8), CARD.issued_on, Kind.PRINTED), KEY)[4:6] != TEXT[4:6]


def test_every_flipped_bit_of_the_bytes_is_refused() -> None:
    data = base45.decode(TEXT[4:])
    for bit in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        refusal("CF1:" + base45.encode(bytes(flipped)))


def test_every_flipped_bit_of_the_text_is_refused() -> None:
    for text, until in ((TEXT, 120), (ROTATING, 121)):
        for bit in range(until * 8):
            flipped = bytearray(text.encode())
            flipped[bit // 8] ^= 1 << bit % 8
            refusal(flipped.decode("latin-1"))


def test_a_flipped_bit_in_the_rotating_end_is_refused_or_seen() -> None:
    before = verify(ROTATING, KEYS)
    for bit in range(121 * 8, 139 * 8):
        flipped = bytearray(ROTATING.encode())
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            reading = verify(flipped.decode("latin-1"), KEYS)
        except CodeError as error:
            assert error.outcome is Outcome.MALFORMED
        else:
            assert reading.rotation != before.rotation


@pytest.mark.parametrize(
    "text",
    [
        TEXT + "\n",
        TEXT + " ",
        TEXT + "\0",
        TEXT[:-1],
        TEXT[:-1] + "\n",
        TEXT[:4] + TEXT[4:].lower(),
        TEXT[:60] + "\u0130" + TEXT[61:],
        TEXT + "/",
        TEXT + "/17950000000708180",
        TEXT + "/179500000007081804x",
        TEXT + " 179500000007081804",
        TEXT + "/17950000000708180\u0664",
        TEXT + "/+79500000007081804",
        ROTATING + "\n",
        "CF1:",
        "CF1:" + ":" * 116,
        "CF1:" + TEXT,
    ],
)
def test_decoding_strips_nothing_folds_nothing_and_forgives_nothing(text: str) -> None:
    assert refusal(text) is Outcome.MALFORMED


@pytest.mark.parametrize(
    "text",
    ["", " ", "C", "CF", "CF1", " " + TEXT, "\ufeff" + TEXT, TEXT.lower(), "cf1:" + TEXT[4:],
     "https://example.com/", "CFX:" + TEXT[4:], "CF\u0661:" + TEXT[4:], "HC1:" + TEXT[4:],
     "x" * 100_000],
)  # fmt: skip
def test_any_other_code_is_not_a_card(text: str) -> None:
    assert refusal(text) is Outcome.NOT_A_CARD


def test_a_later_version_is_told_apart_from_damage() -> None:
    claims = base45.decode(TEXT[4:])[:13]
    assert refusal("CF2:whatever comes then") is Outcome.UNKNOWN_VERSION
    for version in (0, *range(2, 16)):
        later = bytes((version << 4, *claims[1:]))
        assert refusal(signed(later)) is Outcome.UNKNOWN_VERSION


def test_a_kind_that_does_not_exist_is_malformed_even_when_signed() -> None:
    claims = base45.decode(TEXT[4:])[:13]
    for kind in range(4, 16):
        assert refusal(signed(bytes((0x10 | kind, *claims[1:])))) is Outcome.MALFORMED


def test_a_code_of_an_unknown_key_says_so() -> None:
    other = encode(CardCode(7, CARD.card_id, CARD.issued_on), KEY)
    assert refusal(other) is Outcome.UNKNOWN_KEY


def test_a_code_signed_by_another_key_is_refused() -> None:
    assert refusal(encode(CARD, Ed25519PrivateKey.generate())) is Outcome.BAD_SIGNATURE


def test_a_till_without_keys_cannot_say_yes_or_no() -> None:
    with pytest.raises(CodeError) as caught:
        verify(TEXT, {})
    assert caught.value.outcome is Outcome.UNVERIFIED
    with pytest.raises(CodeError) as caught:
        verify("no card", {})
    assert caught.value.outcome is Outcome.NOT_A_CARD


@given(st.text(max_size=150) | st.text(base45.ALPHABET, max_size=150).map("CF1:".__add__))
def test_no_text_does_worse_than_be_refused(text: str) -> None:
    try:
        verify(text, KEYS)
    except PassError as error:
        assert isinstance(error, CodeError)


@pytest.mark.parametrize(
    ("key_id", "card_id", "day"),
    [
        (-1, bytes(8), date(2026, 1, 1)),
        (65536, bytes(8), date(2026, 1, 1)),
        (1, bytes(7), date(2026, 1, 1)),
        (1, bytes(9), date(2026, 1, 1)),
        (1, bytes(8), date(2019, 12, 31)),
        (1, bytes(8), date(2199, 6, 8)),
    ],
)
def test_a_value_that_does_not_fit_its_bytes_is_refused(
    key_id: int, card_id: bytes, day: date
) -> None:
    with pytest.raises(ValueError, match=r"between|bytes"):
        CardCode(key_id, card_id, day)


@pytest.mark.parametrize(
    ("static", "seconds", "totp"),
    [
        (TEXT[:-1], 1, "12345678"),
        (TEXT, -1, "12345678"),
        (TEXT, 10**10, "12345678"),
        (TEXT, 1, "1234567"),
        (TEXT, 1, "1234567\u0668"),
    ],
)
def test_a_rotating_text_of_wrong_parts_is_not_made(static: str, seconds: int, totp: str) -> None:
    with pytest.raises(ValueError, match=r"static part|Unix seconds|TOTP"):
        rotating_text(static, seconds, totp)


def test_the_card_id_is_shown_in_hexadecimal() -> None:
    assert CARD.card_id_hex == "0102030405060708"


@given(cards, st.integers(0, 119), st.characters())
def test_the_card_that_a_text_tells_is_the_one_that_is_read(
    card: CardCode, at: int, other: str
) -> None:
    text = encode(card, KEY)
    assert card_id_told(text) == card.card_id_hex
    changed = text[:at] + other + text[at + 1 :]
    try:
        read = parse(changed).card.card_id_hex
    except CodeError:
        return
    assert card_id_told(changed) == read
