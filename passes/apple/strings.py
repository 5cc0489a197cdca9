"""The string tables of a pass: one `xx.lproj/pass.strings` a language, shared by a design.

pass.json names a text by its key and the phone shows the words of its own language. Source:
developer.apple.com/documentation/walletpasses/creating-the-source-for-a-pass, which asks for
UTF-16 wherever there is more than ASCII; big-endian with its mark is what all readers take.
"""

from __future__ import annotations

import html
import plistlib
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from xml.parsers.expat import ExpatError

from passes.card import Look
from passes.errors import BundleError, FaceError
from passes.kinds import counted_of
from passes.text import LANGUAGES, Counted, Text, Words, samples
from passes.words import LABELS, NOW_HAVE

FILE_NAME = "pass.strings"
MAX_BYTES = 1_000_000
_NOW = ".now"

_TOKEN = re.compile(
    r"""\s+|/\*.*?\*/|//[^\n]*
    |(?P<mark>[=;])
    |"(?P<quoted>(?:[^"\\]|\\.)*)"
    |(?P<bare>[A-Za-z0-9_.$:/-]+)""",
    re.DOTALL | re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:[Uu]([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}
_WRITTEN = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def change_key(label: Text) -> str:
    """The key of the text that tells a change of the field labelled `label`."""
    return label.key + _NOW


def anchor_key(number: int) -> str:
    """The key of the HTML of a design's link, counted from 1."""
    return f"link{number}.html"


def anchor(label: str, url: str) -> str:
    """A link as the back of a pass takes it."""
    # Single quotes, as Apple writes it: in a table of strings double ones are escaped, which some
    # readers leave as they are.
    return f"<a href='{html.escape(url)}'>{_escaped(label)}</a>"


#: Labels are few, addresses as many as cards.
_escaped = lru_cache(maxsize=256)(html.escape)


@lru_cache(maxsize=256)
def table(look: Look) -> Mapping[str, Text]:
    """Every text that the cards of `look` may name, by its key.

    Raises FaceError where two texts of a design have one key and other words.
    """
    found: dict[str, Text] = {}
    for entry in (*_common(), *_counted(counted_of(look)), *_of(look)):
        if found.setdefault(entry.key, entry) != entry:
            raise FaceError(f"two texts of a card have the key {entry.key!r}")
    return found


@lru_cache(maxsize=64)
def files(look: Look) -> Mapping[str, bytes]:
    """The string tables of a design: names in the pass ("de.lproj/pass.strings") to bytes."""
    texts = table(look)
    return {
        f"{language}.lproj/{FILE_NAME}": write(
            {key: texts[key].said(language) for key in sorted(texts)}
        )
        for language in LANGUAGES
    }


def write(strings: Mapping[str, str]) -> bytes:
    """Return a pass.strings of `strings` in UTF-16, a line each."""
    lines = (f'"{_written(key)}" = "{_written(said)}";\n' for key, said in strings.items())
    return b"\xfe\xff" + "".join(lines).encode("utf-16-be", "replace")


def read(data: bytes) -> dict[str, str]:
    """Return the strings of a pass.strings from anyone: text in UTF-16 or UTF-8, or a plist.

    Raises BundleError with the code "strings_malformed" for anything else.
    """
    if len(data) > MAX_BYTES:
        raise _malformed("it is larger than any table of strings")
    if data.startswith((b"bplist", b"<?xml")):
        return _read_plist(data)
    tokens = _tokens(_decoded(data))
    strings: dict[str, str] = {}
    for key, equals, said, end in zip(*[iter(tokens)] * 4, strict=False):
        if equals != ("mark", "=") or end != ("mark", ";") or "mark" in (key[0], said[0]):
            raise _malformed(f'write lines like "key" = "words"; (near {key[1][:40]!r})')
        strings[key[1]] = said[1]
    if len(tokens) % 4:
        raise _malformed("the last line is not whole: every line ends with a semicolon")
    return strings


def is_plain_utf8(data: bytes) -> bool:
    """Whether `data` has letters beyond ASCII in UTF-8, where Apple asks for UTF-16."""
    if data.startswith((b"\xfe\xff", b"\xff\xfe", b"bplist", b"<?xml")) or b"\0" in data:
        return False
    return not data.isascii()


def _common() -> Iterable[Text]:
    for label in LABELS:
        yield from _label(label)


def _label(label: Text) -> Iterable[Text]:
    """A label, and what the lock screen says of its field."""
    yield label
    yield Text(
        tuple((language, f"{_literal(said)}: %@") for language, said in label.words),
        change_key(label),
    )


def _counted(named: Counted | None) -> Iterable[Text]:
    for number in samples() if named is not None else ():
        assert named is not None  # noqa: S101 - for mypy: the loop is empty without one
        called = {language: named.said(number, language) for language in LANGUAGES}
        yield Text(tuple(called.items()), named.label_key(number))
        yield Text(
            tuple(
                (language, NOW_HAVE.said(language).replace("{points}", _literal(name)))
                for language, name in called.items()
            ),
            named.change_key(number),
        )


def _of(look: Look) -> Iterable[Text]:
    named: tuple[Words | None, ...] = (
        look.programme_name,
        look.organisation,
        look.description,
        look.tier,
        look.terms,
        look.contact,
        *(link.label for link in look.links),
        *look.vocabulary,
    )
    yield from (entry for entry in named if isinstance(entry, Text))
    for _, label in look.arrangement.labels if look.arrangement is not None else ():
        yield from _label(label)
    for number, link in enumerate(look.links, start=1):
        if isinstance(link.label, Text):
            yield Text(
                tuple((language, anchor(said, link.url)) for language, said in link.label.words),
                anchor_key(number),
            )


def _literal(said: str) -> str:
    """Words inside a change message, where iOS reads a % as a placeholder."""
    return said.replace("%", "%%")


def _written(said: str) -> str:
    return said.translate(_WRITTEN)


def _decoded(data: bytes) -> str:
    try:
        if data.startswith((b"\xfe\xff", b"\xff\xfe")):
            return data.decode("utf-16")
        if b"\0" in data[:2]:
            return data.decode("utf-16-be" if data[:1] == b"\0" else "utf-16-le")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _malformed("it is written neither in UTF-16 nor in UTF-8") from None


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _malformed(f"nobody can read it from {text[at : at + 20]!r} on")
        at = match.end()
        if match.lastgroup == "quoted":
            found.append(("text", _ESCAPE.sub(_unescape, match["quoted"])))
        elif match.lastgroup is not None:
            found.append(("mark" if match["mark"] else "text", match[match.lastgroup]))
    return found


def _unescape(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else _ESCAPED.get(match[2], match[2])


def _read_plist(data: bytes) -> dict[str, str]:
    try:
        found = plistlib.loads(data)
    except (
        plistlib.InvalidFileException,
        ExpatError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        OverflowError,
        RecursionError,
        MemoryError,
    ):
        raise _malformed("it is a property list that cannot be read") from None
    if not isinstance(found, dict) or not all(
        isinstance(key, str) and isinstance(said, str) for key, said in found.items()
    ):
        raise _malformed("it is a property list of something else than texts")
    return found


def _malformed(why: str) -> BundleError:
    return BundleError(f"The table of strings cannot be read: {why}.", "strings_malformed")
