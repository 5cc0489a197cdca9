"""Base45 (RFC 9285), decoded strictly: one text for each byte string, and no other accepted."""

from __future__ import annotations

import struct

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_FOREIGN = 255
#: The value of each ASCII character.
_VALUES = bytes(
    ALPHABET.index(chr(code)) if chr(code) in ALPHABET else _FOREIGN for code in range(256)
)


def encode(data: bytes) -> str:
    """Return `data` as Base45: three characters for two bytes, two for an odd last one."""
    out: list[str] = []
    for start in range(0, len(data) - 1, 2):
        rest, low = divmod(data[start] << 8 | data[start + 1], 45)
        high, middle = divmod(rest, 45)
        out += ALPHABET[low], ALPHABET[middle], ALPHABET[high]
    if len(data) % 2:
        high, low = divmod(data[-1], 45)
        out += ALPHABET[low], ALPHABET[high]
    return "".join(out)


def decode(text: str) -> bytes:
    """Return the bytes of Base45 `text`. Nothing is stripped and no case is folded.

    Raises ValueError for a foreign character, an impossible length or an overflowing group.
    """
    if len(text) % 3 == 1:
        raise ValueError("base45 text cannot have this length")
    try:
        values = text.encode("ascii").translate(_VALUES)
    except UnicodeEncodeError:
        raise ValueError("a character outside the base45 alphabet") from None
    if _FOREIGN in values:
        raise ValueError("a character outside the base45 alphabet")
    groups = zip(values[::3], values[1::3], values[2::3], strict=False)
    numbers = [low + 45 * middle + 2025 * high for low, middle, high in groups]
    if numbers and max(numbers) > 0xFFFF:
        raise ValueError("a base45 group of more than two bytes")
    out = struct.pack(f">{len(numbers)}H", *numbers)
    if len(values) % 3 == 0:
        return out
    low, high = values[-2:]
    if low + 45 * high > 0xFF:
        raise ValueError("a base45 group of more than one byte")
    return out + bytes([low + 45 * high])
