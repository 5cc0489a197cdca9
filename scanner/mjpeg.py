"""JPEG pictures out of a stream of bytes: a .mjpeg file, or a network camera over HTTP.

Taking the pictures apart without decoding them is what lets a till look at an empty counter for
a fraction of the cost: those that nobody looks at are never decoded.
"""

from __future__ import annotations

import base64
import http.client
import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

from scanner.picture import Picture, segments

CHUNK = 65_536
LARGEST = 16_000_000  # bytes of one picture
_START, _END = b"\xff\xd8\xff", b"\xff\xd9"


class Source(Protocol):
    """Where pictures come from, one after another."""

    def grab(self) -> bool:
        """Go on to the next picture; False where there is none."""

    def retrieve(self) -> Picture | None:
        """Return the picture last grabbed, None where it cannot be read."""

    def set(self, prop: int, value: float) -> bool:
        """Ask the camera for a property (cv2.CAP_PROP_...); False where it has none such."""

    def get(self, prop: int) -> float:
        """Return a property, 0 where it has none such."""

    def release(self) -> None:
        """Let go of it."""


class _NoControls:
    """A source that plays what it has."""

    def set(self, prop: int, value: float) -> bool:
        return False

    def get(self, prop: int) -> float:
        return 0.0


class JpegSource(_NoControls):
    """Pictures from bytes that `read(n)` gives; `close` lets go of them."""

    def __init__(self, read: Callable[[int], bytes], close: Callable[[], None]) -> None:
        self._read, self._close = read, close
        self._buffer = bytearray()
        self._jpeg: bytes | None = None

    @classmethod
    def file(cls, path: str) -> JpegSource:
        """Open a file of concatenated JPEGs; raises OSError."""
        stream: BinaryIO = Path(path).open("rb")
        return cls(stream.read, stream.close)

    def grab(self) -> bool:
        """Take the next picture's bytes; False at the end, or where the camera fell silent."""
        self._jpeg = self._next()
        return self._jpeg is not None

    def retrieve(self) -> Picture | None:
        """Return the picture last grabbed; it is decoded when it is looked at."""
        return None if self._jpeg is None else Picture(jpeg=self._jpeg)

    def release(self) -> None:
        """Close the stream."""
        self._close()

    def _more(self) -> bool:
        try:
            chunk = self._read(CHUNK)
        except (OSError, http.client.HTTPException, ValueError):
            return False
        self._buffer += chunk
        return bool(chunk)

    def _next(self) -> bytes | None:
        searched = 0  # where the pixels' end was looked for already
        body: int | None = None
        while True:
            start = self._buffer.find(_START)
            if start < 0:
                del self._buffer[:-2]
            else:
                if start:
                    del self._buffer[:start]
                    searched, body = 0, None
                try:
                    walked = segments(self._buffer) if body is None else (body, None)
                except ValueError:
                    del self._buffer[:2]  # it only looked like a picture
                    continue
                if walked is not None:
                    body = walked[0]
                    end = self._buffer.find(_END, max(body, searched))
                    if end >= 0:
                        jpeg = bytes(self._buffer[: end + 2])
                        del self._buffer[: end + 2]
                        return jpeg
                    searched = len(self._buffer) - 1
            if len(self._buffer) > LARGEST:
                self._buffer.clear()
                searched, body = 0, None
            if not self._more():
                return None


class JpegFiles(_NoControls):
    """An image sequence of JPEG files: f%03d.jpg, from the first number of 0 to 9 there is."""

    def __init__(self, pattern: str) -> None:
        self._folder, self._name = Path(pattern).parent, Path(pattern).name
        self._number = next((n for n in range(10) if self._path(n).is_file()), 0)
        self._jpeg: bytes | None = None

    def _path(self, number: int) -> Path:
        name = re.sub(r"%(0?\d*)d", lambda m: f"{number:{m[1]}d}", self._name, count=1)
        return self._folder / name

    @property
    def found(self) -> bool:
        """Whether there is a first picture."""
        return self._path(self._number).is_file()

    def grab(self) -> bool:
        """Go on to the next number; False where there is no such file."""
        try:
            self._jpeg = self._path(self._number).read_bytes()
        except OSError:
            return False
        self._number += 1
        return True

    def retrieve(self) -> Picture | None:
        """Return the picture last grabbed."""
        return None if self._jpeg is None else Picture(jpeg=self._jpeg)

    def release(self) -> None:
        """Nothing is held open."""


def open_stream(address: str, timeout_seconds: float) -> JpegSource | None:
    """Open an MJPEG address (http). None where what answers is something else.

    Raises OSError or http.client.HTTPException where nothing answers.
    """
    parts = urlsplit(address)
    if parts.scheme.lower() != "http" or not parts.hostname:
        return None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout_seconds)
    headers = {"Accept": "multipart/x-mixed-replace, image/jpeg", "Connection": "close"}
    if parts.username is not None:
        who = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(who.encode()).decode()
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
    except BaseException:
        connection.close()
        raise
    kind = (answer.headers.get_content_type() or "").lower()
    if answer.status != 200 or kind not in ("multipart/x-mixed-replace", "image/jpeg"):
        connection.close()
        return None
    return JpegSource(answer.read1, connection.close)
