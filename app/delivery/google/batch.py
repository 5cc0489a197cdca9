"""Many calls in one request: Google's multipart batch, written and read. No I/O.

Each part is an HTTP request (application/http) with a Content-ID; the answer has a part for each,
in any order, whose Content-ID is "response-" and ours. Source: developers.google.com/wallet,
"Performance tips", and `googleapiclient.http.BatchHttpRequest`, which speaks the same.
"""

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: Google takes no more in one request.
MOST_PARTS = 1000
#: Nothing that we write contains it: JSON escapes what is not ASCII, and line ends too.
BOUNDARY = "counterfoil-batch-part"
CONTENT_TYPE = f"multipart/mixed; boundary={BOUNDARY}"
_HEAD_END = b"\r\n\r\n"
_CONTENT_ID = re.compile(
    rb"^content-id:[ \t]*<?response-<?part-([0-9]{1,4})>?>?[ \t]*$", re.I | re.M
)
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: |$)")
_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,120})"|([^\s;,]{1,120}))', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Call:
    """One call: a method, a path that begins with a slash, and a JSON body."""

    method: str
    path: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """The answer to one call; header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def encode(calls: Sequence[Call]) -> bytes:
    """The body of a batch request. Raises ValueError for none, or more than `MOST_PARTS`."""
    if not 0 < len(calls) <= MOST_PARTS:
        raise ValueError(f"a batch has 1 to {MOST_PARTS} calls, not {len(calls)}")
    out = bytearray()
    for number, call in enumerate(calls):
        content = json.dumps(call.body, separators=(",", ":")).encode("ascii")
        out += (
            f"--{BOUNDARY}\r\n"
            "Content-Type: application/http\r\n"
            "Content-Transfer-Encoding: binary\r\n"
            f"Content-ID: <part-{number}>\r\n"
            "\r\n"
            f"{call.method} {call.path} HTTP/1.1\r\n"
            "Content-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\n"
            "\r\n"
        ).encode("ascii")
        out += content + b"\r\n"
    return bytes(out + f"--{BOUNDARY}--\r\n".encode("ascii"))


def decode(content_type: str, body: bytes, count: int) -> list[Part | None]:
    """The answers to *count* calls, in their order; None for each that is not there whole.

    *body* may end anywhere: the connection broke. What came before that was answered.
    Raises ValueError where it is no multipart answer at all.
    """
    found = _BOUNDARY.search(content_type)
    if not content_type.lower().startswith("multipart/") or found is None:
        raise ValueError("the answer to a batch is not multipart")
    answers: list[Part | None] = [None] * count
    for raw in _whole_parts(body, (found[1] or found[2]).encode("latin-1", "replace")):
        head, _, inner = raw.partition(_HEAD_END)
        named = _CONTENT_ID.search(head.replace(b"\r\n", b"\n"))
        part = _part(inner) if named else None
        if named and part and int(named[1]) < count:
            answers[int(named[1])] = part
    return answers


def _whole_parts(body: bytes, boundary: bytes) -> Iterator[bytes]:
    """What stands between two delimiters; the last piece has none behind it and is left out."""
    delimiter = b"\r\n--" + boundary
    pieces = (b"\r\n" + body).split(delimiter)
    for piece, following in itertools.pairwise(pieces[1:]):
        # A delimiter is a line of its own: within a body the same text would go on.
        if following[:2] in (b"\r\n", b"--"):
            yield piece.removeprefix(b"\r\n")


def _part(raw: bytes) -> Part | None:
    head, separator, body = raw.partition(_HEAD_END)
    first, *lines = head.split(b"\r\n")
    status = _STATUS.match(first)
    if status is None or not separator:
        return None
    headers = {}
    for line in lines:
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return Part(int(status[1]), headers, body)
