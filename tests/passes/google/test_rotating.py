from datetime import date

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from passes.code import CardCode, Rotation, encode, rotating_text, verify
from passes.google.rotating import rotating_barcode
from passes.totp import totp
from tests.passes.google.discovery import faults

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
STATIC = encode(CardCode(1, bytes(8), date(2026, 11, 23)), KEY)
SECRET = b"12345678901234567890"


def test_the_barcode_is_what_google_documents() -> None:
    assert faults("RotatingBarcode", rotating_barcode(STATIC, SECRET)) == []


def test_what_a_phone_draws_from_it_is_the_rotating_code_we_read() -> None:
    barcode = rotating_barcode(STATIC, SECRET)
    details = barcode["totpDetails"]
    [parameter] = details["parameters"]
    seconds = 1111111109
    shown = totp(
        bytes.fromhex(parameter["key"]),
        seconds,
        int(details["periodMillis"]) // 1000,
        parameter["valueLength"],
    )
    drawn = (
        barcode["valuePattern"]
        .replace("{totp_timestamp_seconds}", str(seconds))
        .replace("{totp_value_0}", shown)
    )
    assert drawn == rotating_text(STATIC, seconds, "07081804")
    reading = verify(drawn, {1: KEY.public_key()})
    assert reading.static == STATIC
    assert reading.rotation == Rotation(seconds, "07081804")


@pytest.mark.parametrize(
    ("static", "key"), [(STATIC[:-1], SECRET), (STATIC, b"short"), (STATIC, bytes(65))]
)
def test_a_wrong_length_is_refused(static: str, key: bytes) -> None:
    with pytest.raises(ValueError, match=r"characters|bytes"):
        rotating_barcode(static, key)
