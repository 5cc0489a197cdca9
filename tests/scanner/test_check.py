"""The verdict on a scanned text, offline."""

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from passes.code import Outcome, rotating_text
from scanner.check import SENTENCES, Key, KeyRing, check, load_keys, save_keys
from scanner.errors import ConfigError

NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def ring(signing_key: Ed25519PrivateKey) -> KeyRing:
    return KeyRing({7: Key(signing_key.public_key())}, {}, NOW)


def test_a_good_card_is_accepted(ring: KeyRing, make_card: Callable[..., str]) -> None:
    verdict = check(make_card(), ring, NOW)
    assert verdict.outcome is Outcome.ACCEPTED
    assert verdict.card_id == "0000000000000001"


def test_a_rotating_code_is_accepted_by_its_static_part(
    ring: KeyRing, make_card: Callable[..., str]
) -> None:
    text = rotating_text(make_card(), 1_700_000_000, "12345678")
    verdict = check(text, ring, NOW)
    assert verdict.outcome is Outcome.ACCEPTED
    assert verdict.reading is not None and verdict.reading.static == make_card()


def test_a_flipped_bit_is_refused(ring: KeyRing, make_card: Callable[..., str]) -> None:
    text = make_card()
    flipped = text[:60] + ("A" if text[60] != "A" else "B") + text[61:]
    assert check(flipped, ring, NOW).outcome in (Outcome.BAD_SIGNATURE, Outcome.MALFORMED)


def test_each_wrong_text_has_an_outcome_of_its_own(
    ring: KeyRing, make_card: Callable[..., str]
) -> None:
    stranger = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
    assert check(make_card(key=stranger), ring, NOW).outcome is Outcome.BAD_SIGNATURE
    assert check(make_card(key_id=8), ring, NOW).outcome is Outcome.UNKNOWN_KEY
    assert check("CF2:" + make_card()[4:], ring, NOW).outcome is Outcome.UNKNOWN_VERSION
    assert check("https://example.com", ring, NOW).outcome is Outcome.NOT_A_CARD
    assert check(make_card()[:-1], ring, NOW).outcome is Outcome.MALFORMED
    assert check("", ring, NOW).outcome is Outcome.NOT_A_CARD


def test_without_keys_nothing_is_accepted(make_card: Callable[..., str]) -> None:
    assert check(make_card(), KeyRing(), NOW).outcome is Outcome.UNVERIFIED
    assert check("https://example.com", KeyRing(), NOW).outcome is Outcome.NOT_A_CARD


def test_a_retired_key_is_good_until_its_date(
    signing_key: Ed25519PrivateKey, make_card: Callable[..., str]
) -> None:
    until = NOW + timedelta(days=1)
    ring = KeyRing({7: Key(signing_key.public_key(), until)})
    assert check(make_card(), ring, NOW).outcome is Outcome.ACCEPTED
    assert check(make_card(), ring, until + timedelta(seconds=1)).outcome is Outcome.EXPIRED


def test_a_blocked_card_is_refused_without_a_network(
    signing_key: Ed25519PrivateKey, make_card: Callable[..., str]
) -> None:
    refused = {"0000000000000002": Outcome.BLOCKED, "0000000000000003": Outcome.REPLACED}
    ring = KeyRing({7: Key(signing_key.public_key())}, refused)
    outcomes = [check(make_card(number), ring, NOW).outcome for number in (1, 2, 3)]
    assert outcomes == [Outcome.ACCEPTED, Outcome.BLOCKED, Outcome.REPLACED]


def test_every_outcome_has_its_sentence() -> None:
    assert set(SENTENCES) == set(Outcome)


def test_keys_are_kept_with_their_date_for_their_programme(
    tmp_path: Path, signing_key: Ed25519PrivateKey, make_card: Callable[..., str]
) -> None:
    public = b64encode(signing_key.public_key().public_bytes_raw()).decode()
    key = {"key_id": 7, "public_key": public, "valid_until": None}
    save_keys(tmp_path, "p", {"keys": [key]}, NOW)
    ring = load_keys(tmp_path, "p")
    assert ring.fetched_at == NOW
    assert check(make_card(), ring, NOW).outcome is Outcome.ACCEPTED
    assert load_keys(tmp_path, "another").keys == {}


@pytest.mark.parametrize(
    "key",
    [{}, {"key_id": -1}, {"key_id": 7, "public_key": "?"}, {"key_id": 7, "public_key": "QUJD"}, 7],
)
def test_keys_that_are_not_keys_are_not_kept(tmp_path: Path, key: object) -> None:
    with pytest.raises(ValueError):
        save_keys(tmp_path, "p", {"keys": [key]}, NOW)
    assert load_keys(tmp_path, "p").keys == {}


def test_a_damaged_key_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text('{"programme_id": "p", "fetched_at": "yesterday"}')
    with pytest.raises(ConfigError, match="counterfoil-scan keys"):
        load_keys(tmp_path, "p")
