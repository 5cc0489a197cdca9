"""Passwords of the staff pages: which are taken, and their argon2id hashes.

Length and being unknown to guessers are what counts (NIST SP 800-63B, section 3.1.1.2): no rules
about capitals and signs, nothing that expires by the calendar.
"""

import unicodedata
from collections.abc import Iterable

from passlib.hash import argon2

from app.errors import Invalid
from app.languages import _

SHORTEST, LONGEST = 10, 200
#: OWASP's first setting for argon2id: 46 MiB and one pass, some tens of milliseconds.
HASH = argon2.using(type="ID", memory_cost=47_104, time_cost=1, parallelism=1)
#: Checked where there is no password to check, so that it takes as long. Written down: computing
#: it took every process longer than most of its imports. Nobody knows a password for it.
_NOBODY = f"$argon2id$v=19$m={HASH.memory_cost},t=1,p=1${'A' * 22}${'A' * 43}"
#: What guessers try first, without the digits and signs that people put around it.
_COMMON = frozenset(
    "password passwort parole parol пароль qwerty qwertyuiop qwertz йцукен letmein welcome "
    "willkommen iloveyou admin administrator counterfoil loyalty changeme dragon monkey sunshine "
    "princess football baseball master superman batman trustno secret geheim hallo".split()
)
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")


def hash_password(password: str, *, about: Iterable[str] = ()) -> str:
    """The hash to keep. Raises `Invalid` for a password that is short or easily guessed.

    *about*: words that are known of the person, such as the name and the programme's.
    """
    text = _plain(password)
    wrong = _what_is_wrong(text, about)
    if wrong is not None:
        raise Invalid(wrong, {"password": [wrong]})
    return str(HASH.hash(text))


def hash_again(password: str) -> str:
    """The hash of a password that is in use already, with today's settings."""
    return str(HASH.hash(_plain(password)))


def is_password(password: str, kept: str | None) -> bool:
    """Whether *password* is the one whose hash is *kept*; takes as long where none is kept."""
    text = _plain(password)[:LONGEST]
    is_same = bool(HASH.verify(text, kept or _NOBODY))
    return is_same and kept is not None


def wants_new_hash(kept: str) -> bool:
    """Whether the hash was made with other settings than today's."""
    return bool(HASH.needs_update(kept))


def _plain(password: str) -> str:
    # The same letters typed on two machines may come as different characters.
    return unicodedata.normalize("NFKC", password).replace("\0", "�")


def _what_is_wrong(text: str, about: Iterable[str]) -> str | None:
    if len(text) < SHORTEST:
        return _(
            "A password has at least %(least)s characters: four words are easy to remember.",
            least=SHORTEST,
        )
    if len(text) > LONGEST:
        return _("A password has at most %(most)s characters.", most=LONGEST)
    folded = text.casefold()
    core = "".join(letter for letter in folded if letter.isalpha())
    words = {core, folded}
    personal = {word.casefold() for phrase in about for word in [phrase, *phrase.split()]}
    if _repeats(folded) or _runs(folded) or words & _COMMON:
        return _("This password is among the first that are guessed: take four words of your own.")
    if any(len(word) >= 3 and word in folded and len(folded) - len(word) < 6 for word in personal):
        return _("This password is little more than a name that others know: take four words.")
    return None


def _repeats(text: str) -> bool:
    """Whether it is one short piece over and over."""
    return any((text[:size] * (len(text) // size + 1))[: len(text)] == text for size in range(1, 5))


def _runs(text: str) -> bool:
    """Whether it is a row of the keyboard or of the alphabet, there or back."""
    return any(
        text in each * 3 for row in _ROWS for each in (row, row[::-1]) if len(text) <= 2 * len(row)
    )
