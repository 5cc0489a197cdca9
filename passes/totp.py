"""Time-based one-time passwords (RFC 6238, HMAC-SHA-1): what makes a rotating code rotate."""

from __future__ import annotations

import hashlib
import hmac

PERIOD_SECONDS = 30


def step(seconds: int, period: int = PERIOD_SECONDS) -> int:
    """Return the number of the time step that holds Unix `seconds`. `period` is in seconds."""
    if period <= 0:
        raise ValueError("a period is at least one second")
    if seconds < 0:
        raise ValueError("Unix seconds are not negative")
    return seconds // period


def totp(key: bytes, seconds: int, period: int = PERIOD_SECONDS, digits: int = 8) -> str:
    """Return the password of `key` at Unix `seconds`, zero-padded to `digits` (1 to 9).

    RFC 6238 over RFC 4226: HMAC-SHA-1 of the step, dynamically truncated to 31 bits.
    Compare it with `hmac.compare_digest`.
    """
    if not 1 <= digits <= 9:
        raise ValueError("a TOTP has between one and nine digits")
    message = step(seconds, period).to_bytes(8, "big")
    digest = hmac.new(key, message, hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**digits:0{digits}d}"
