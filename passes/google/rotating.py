"""Google's rotating barcode: the phone itself draws a new code for every time step.

Source: RotatingBarcode in the discovery document of walletobjects v1.
"""

from __future__ import annotations

from typing import Any

from passes.code import STATIC_LENGTH, TOTP_DIGITS
from passes.totp import PERIOD_SECONDS


def rotating_barcode(static: str, key: bytes) -> dict[str, Any]:
    """Return the `rotatingBarcode` of a loyalty object.

    `static` are the 120 characters of the card's code, `key` its TOTP key (16 to 64 bytes).
    It goes to Google over REST only and never into a link, since it holds the key; and an
    object that has it has no static `barcode`, which would defeat it.
    Raises ValueError for another length of either.
    """
    if len(static) != STATIC_LENGTH:
        raise ValueError(f"the static part has {STATIC_LENGTH} characters, not {len(static)}")
    if not 16 <= len(key) <= 64:
        raise ValueError(f"a TOTP key has 16 to 64 bytes, not {len(key)}")
    return {
        "type": "QR_CODE",
        "valuePattern": f"{static}/{{totp_timestamp_seconds}}{{totp_value_0}}",
        "renderEncoding": "UTF_8",
        "totpDetails": {
            "algorithm": "TOTP_SHA1",
            # An int64 is a string in Google's JSON.
            "periodMillis": str(PERIOD_SECONDS * 1000),
            "parameters": [{"key": key.hex(), "valueLength": TOTP_DIGITS}],
        },
    }
