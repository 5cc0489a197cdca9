"""Reads the plain form of an HTTP/1.1 request, and nothing but that. Pure.

What is not plain is none of our business here: gunicorn reads it as RFC 9112 says. So nothing is
guessed, and no request can mean one thing here and another there: no folded lines, no header twice,
no chunks, no expectations, no upgrade, no bytes outside printable ASCII.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

#: A plain request that is not there in full is waited for up to this length, in bytes.
LONGEST_AWAITED = 16 * 1024
#: The headers of a plain request are no longer than this, in bytes.
LONGEST_HEAD = 8190

_HEAD = re.compile(
    rb"(?P<method>GET|POST) (?P<target>/[!-~]*) HTTP/1\.1\r\n"
    rb"(?P<headers>(?:[A-Za-z0-9-]+:[ -~]*\r\n)+)\r\n"
)
#: Whoever sends one of these wants something besides the answer.
_NOT_PLAIN = frozenset((b"transfer-encoding", b"expect", b"upgrade", b"http2-settings", b"range"))


class Asked(NamedTuple):
    """A plain request: its target as it stands in the first line, headers by lower-case name."""

    target: bytes
    headers: dict[bytes, bytes]
    body: bytes


class Unfinished(NamedTuple):
    """A request of which more is yet to come, and how long it is going to be, in bytes; None while
    its head has not ended."""

    length: int | None

    def is_awaited(self, data: bytes, begins: Iterable[bytes]) -> bool:
        """Whether the rest is waited for, without a thread: the head's always, the body's only of a
        short request that begins with one of *begins*."""
        if self.length is None:
            return True
        return self.length <= LONGEST_AWAITED and data.startswith(tuple(begins))


class Read(NamedTuple):
    """A request that is there in full, and its length in bytes."""

    asked: Asked
    length: int


def read_request(data: bytes) -> Read | Unfinished | None:
    """The request that *data* begins with; None unless it is plain.

    Of one whose head has not ended nothing is known yet, but that more of it has to come. The
    connection has to stay open. Source: RFC 9112, sections 3 to 6.
    """
    end = data.find(b"\r\n\r\n", 0, LONGEST_HEAD) + 4
    if end == 3:
        return Unfinished(None) if len(data) < LONGEST_HEAD else None
    head = _heads.get(data[:end])
    if head is None:
        head = _read_head(data)
        if head is None:
            return None
        # A till says the same each time, but for its body.
        if head.length:
            if len(_heads) >= _MOST_HEADS:
                _heads.clear()
            _heads[data[:end]] = head
    end = head.end
    if len(data) < end + head.length:
        return Unfinished(end + head.length)
    return Read(Asked(head.target, head.headers, data[end : end + head.length]), end + head.length)


class _Head(NamedTuple):
    """What stands before the body, how long that is, and how long the body."""

    target: bytes
    headers: dict[bytes, bytes]
    end: int
    length: int


#: Heads that were read before, by their bytes; two megabytes at most.
_heads: dict[bytes, _Head] = {}
_MOST_HEADS = 256


def _read_head(data: bytes) -> _Head | None:
    match = _HEAD.match(data, 0, LONGEST_HEAD)
    if match is None:
        return None
    headers: dict[bytes, bytes] = {}
    for line in match["headers"][:-2].split(b"\r\n"):
        name, _, value = line.partition(b":")
        name = name.lower()
        if name in headers or name in _NOT_PLAIN:
            return None
        headers[name] = value.strip(b" ")
    if b"host" not in headers or headers.get(b"connection", b"keep-alive").lower() != b"keep-alive":
        return None
    length = _length(headers, match["method"])
    return None if length is None else _Head(match["target"], headers, match.end(), length)


def _length(headers: dict[bytes, bytes], method: bytes) -> int | None:
    """The body's length; None where it makes no sense."""
    given = headers.get(b"content-length")
    if given is None:
        return 0 if method == b"GET" else None
    if method == b"GET" or not given.isdigit() or len(given) > 9:
        return None
    return int(given)
