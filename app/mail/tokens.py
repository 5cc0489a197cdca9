"""Secrets in letters that need no table: made of a key, and known again by it.

``version.subject.mac``: *subject* is a member's id, the mac is of what the token is for. So a link
in a letter works for as long as its key is not retired, on every machine, and nothing is kept.
"""

import hmac
from collections.abc import Callable

from app.errors import NotFound
from app.keys import KeyRing, Purpose
from app.languages import _

_MAC_HEX = 40
_LONGEST = 200


def make(keys: KeyRing, what: str, subject: str, detail: str = "") -> str:
    """A token for *what* about *subject*; good only while *detail* is the same."""
    return maker(keys, what)(subject, detail)


def maker(keys: KeyRing, what: str) -> Callable[..., str]:
    """`make` for many subjects at once, each with its detail or without.

    Not to be kept: a rotated key is not noticed.
    """
    version = keys.current(Purpose.LETTERS).version
    derived = keys.deriver(Purpose.LETTERS, version)

    def made(subject: str, detail: str = "") -> str:
        mac = derived(f"{what}\n{subject}\n{detail}".encode()).hex()[:_MAC_HEX]
        return f"{version}.{subject}.{mac}"

    return made


def subject_of(token: str) -> str:
    """Whom a token speaks of, unproven: `check` it before anything is said. Raises `NotFound`."""
    parts = token.split(".")
    if len(token) > _LONGEST or len(parts) != 3:
        raise NotFound(_("This link is not whole. Open it from the letter again."))
    return parts[1]


def check(keys: KeyRing, token: str, what: str, detail: str = "") -> str:
    """The subject of a token that is ours. Raises `NotFound`, saying nothing more."""
    subject = subject_of(token)
    version, _payload, mac = token.split(".")
    known = {
        info.version
        for info in keys.list()
        if info.purpose == Purpose.LETTERS and info.retired_at is None
    }
    if not version.isascii() or not version.isdigit() or int(version[:9]) not in known:
        raise NotFound(_("This link is too old, or not whole. Open it from the letter again."))
    right = _mac(keys, int(version[:9]), what, subject, detail)
    if not hmac.compare_digest(right.encode(), mac.encode()):
        raise NotFound(_("This link is too old, or not whole. Open it from the letter again."))
    return subject


def secret_of(keys: KeyRing, what: str, subject: str) -> bytes:
    """32 bytes that are always the same for *subject*: a letter sent again is the same letter."""
    version = keys.current(Purpose.LETTERS).version
    return keys.derive(Purpose.LETTERS, version, f"{what}\n{subject}".encode())


def _mac(keys: KeyRing, version: int, what: str, subject: str, detail: str) -> str:
    about = f"{what}\n{subject}\n{detail}".encode()
    return keys.derive(Purpose.LETTERS, version, about).hex()[:_MAC_HEX]
