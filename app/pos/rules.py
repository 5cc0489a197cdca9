"""API keys as text, and what they may be good for. Pure.

A key reads ``cfk_`` + 16 letters that name it + 40 that are secret (160 random bits) + 8 check
digits (CRC-32 of all before), in hexadecimal: a key in a log or a repository is recognised as one,
and a mistyped one is told from a wrong one without asking the database.
"""

import hashlib
import re
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from app.errors import Invalid
from app.languages import _

PREFIX = "cfk_"
NAME_BYTES = 8
SECRET_BYTES = 20
_KEY = re.compile(r"cfk_([0-9a-f]{16})([0-9a-f]{40})([0-9a-f]{8})\Z", re.ASCII)


class Scope(StrEnum):
    """What a key may be used for."""

    QUOTE = "quote"
    ACCRUE = "accrue"
    REDEEM = "redeem"
    RETURN = "return"
    MEMBERS_READ = "members:read"
    COUPONS = "coupons"
    WEBHOOKS = "webhooks"


@dataclass(frozen=True, slots=True)
class KeyText:
    """A key as somebody holds it: *handle* is public and names it, *text* is the whole secret."""

    handle: str
    text: str

    @property
    def digest(self) -> bytes:
        """What is kept of it. It has too many random bits to be guessed, so no salt is needed."""
        return hashlib.sha256(self.text.encode()).digest()


def make_key(random_bytes: Callable[[int], bytes]) -> KeyText:
    """A fresh key."""
    handle = random_bytes(NAME_BYTES).hex()
    return KeyText(handle, _checked(PREFIX + handle + random_bytes(SECRET_BYTES).hex()))


def read_key(text: str) -> KeyText | None:
    """The key that *text* is; None where it is none, or mistyped."""
    found = _KEY.match(text)
    if found is None or _checked(text[:-8]) != text:
        return None
    return KeyText(found[1], text)


def _checked(text: str) -> str:
    return f"{text}{zlib.crc32(text.encode()):08x}"


def read_scopes(names: Iterable[str]) -> frozenset[Scope]:
    """The scopes of these names. Raises `Invalid` that lists those there are."""
    wanted = set(names)
    known = {str(scope) for scope in Scope}
    if not wanted or wanted - known:
        text = _("Choose at least one of: %(scopes)s.", scopes=", ".join(Scope))
        raise Invalid(text, {"scope": [text]})
    return frozenset(Scope(name) for name in wanted)
