"""Base45 (RFC 9285), decoded strictly: one text for each byte string, and no other accepted."""

from __future__ import annotations

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES = {character: value for value, character in enumerate(ALPHABET)}


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
        values = [_VALUES[character] for character in text]
    except KeyError:
        raise ValueError("a character outside the base45 alphabet") from None
    out = bytearray()
    for start in range(0, len(values) - 2, 3):
        low, middle, high = values[start : start + 3]
        number = low + 45 * middle + 2025 * high
        if number > 0xFFFF:
            raise ValueError("a base45 group of more than two bytes")
        out += number.to_bytes(2, "big")
    if len(values) % 3:
        low, high = values[-2:]
        if low + 45 * high > 0xFF:
            raise ValueError("a base45 group of more than one byte")
        out.append(low + 45 * high)
    return bytes(out)
