"""Which encoding a file of text is in: told by its mark, by its bytes, or by whoever asks. Pure."""

import codecs
import re
from collections import Counter
from collections.abc import Callable, Iterable

from app.errors import Invalid

#: What may be named; the usual ones of the languages that we speak, and their neighbours'.
NAMED = (
    "utf-8 utf-16 cp1250 cp1251 cp1252 cp1254 cp1257 iso8859-1 iso8859-2 iso8859-4 iso8859-5 "
    "iso8859-13 iso8859-15 koi8-r cp437 cp775 cp850 cp866 mac-roman mac-cyrillic"
).split()
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Letters of Latvian and Lithuanian in cp1257 that are rare in the West at the same place, and
#: the other way round. German umlauts are at one place in both and say nothing.
_BALTIC = frozenset(b"\xe2\xe7\xe8\xec\xed\xee\xef\xf0\xf2\xfb\xfe\xc2\xc7\xc8\xcc\xcd\xce\xcf\xd0")
_WESTERN = frozenset(b"\xe0\xe1\xe3\xe5\xe9\xea\xeb\xf1\xf3\xf4\xf8\xc0\xc1\xc3\xc5\xc9\xca\xd1")
_NEUTRAL = frozenset(b"\xe4\xf6\xfc\xdf\xc4\xd6\xdc")

_BEYOND_ASCII, _LETTER = re.compile(rb"[\x80-\xff]"), re.compile(rb"[\xc0-\xff]")
_RUN = re.compile(rb"[\xc0-\xff]{4,}")


def named(name: str) -> str:
    """The codec of an encoding that somebody named. Raises `Invalid`."""
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        found = ""
    for each in NAMED:
        if codecs.lookup(each).name == found:
            return "utf-8-sig" if found == "utf-8" else found
    if found == "utf-8-sig":
        return found
    raise Invalid(f"There is no encoding {name[:40]!r} here. Name one of: {', '.join(NAMED)}.")


def detect(chunks: Callable[[], Iterable[bytes]]) -> str:
    """The codec of a file; *chunks* gives all its bytes, anew each time. Raises `Invalid`."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for number, chunk in enumerate(chunks()):
            if number == 0 and (marked := _marked(chunk)):
                return marked
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
        return "utf-8-sig"
    except UnicodeDecodeError:
        pass
    counted: Counter[bytes] = Counter()
    neighbours = high = 0
    for chunk in chunks():
        counted.update(_BEYOND_ASCII.findall(chunk))
        neighbours += sum(map(len, _RUN.findall(chunk)))
        high += len(_LETTER.findall(chunk))
    return _of_one_byte(
        Counter({each[0]: many for each, many in counted.items()}), neighbours, high
    )


def _marked(start: bytes) -> str | None:
    for mark, codec in _MARKS:
        if start.startswith(mark):
            return codec
    head = start[:4096]
    if head.count(0) > len(head) // 4:
        return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
    return None


def _of_one_byte(counted: Counter[int], neighbours: int, high: int) -> str:
    if high and neighbours * 2 > high:
        return "cp1251"  # Mostly whole words of such letters: Cyrillic.
    baltic = sum(counted[byte] for byte in _BALTIC)
    western = sum(counted[byte] for byte in _WESTERN)
    if baltic > 2 * western:
        return "cp1257"
    if western > 2 * baltic or (not baltic and set(counted) & _NEUTRAL):
        return "cp1252"
    raise Invalid(
        "The file is not UTF-8, and its letters do not tell what else it is. Name it: "
        "--encoding cp1252 (Western Europe), cp1257 (Baltic) or cp1251 (Cyrillic); "
        "or save it as “CSV UTF-8”."
    )
