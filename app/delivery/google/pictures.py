"""Fetches a card's pictures as Google would, and says why Google could not."""

import io
import ipaddress
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import requests
from PIL import Image, UnidentifiedImageError

from app.delivery.google.reach import is_local
from passes.apple.preflight.finding import Finding, error, warning

TIMEOUT_SECONDS = 10.0
LARGEST = 5 * 1024 * 1024
_MOST_PIXELS = 50_000_000
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
#: Width and height that Google recommends, and how far the ratio may be off.
_SIZES = {"programLogo": (660, 660), "heroImage": (1032, 336), "wideProgramLogo": (1280, 400)}
_RATIO = 0.1
_OPEN = "Open the address in a private window from outside: it has to show the picture at once."


def inspect_picture(
    where: str, address: str, *, is_google: bool = True, timeout_seconds: float = TIMEOUT_SECONDS
) -> Iterator[Finding]:
    """What keeps Google from the picture at *address*, or spoils it. Fetches it once.

    *is_google* is False where a server on this machine stands in for Google, and this machine's
    own addresses are as good as any.
    """
    host = urlsplit(address).hostname or ""
    if is_google and is_local(host):
        return  # Said already: see `reach`.
    if is_google and (private := _private(host)):
        yield error(
            "unreachable_from_outside",
            where,
            f"{host} leads to {private}, an address of this network: Google cannot reach it.",
            "Publish the name with its outside address.",
        )
        return
    try:
        data = _fetch(address, is_google, timeout_seconds)
    except _NotFetched as problem:
        yield error(problem.code, where, problem.message, _OPEN)
        return
    yield from _look(where, data)


class _NotFetched(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def _private(host: str) -> str | None:
    """The address of this network that a name leads to, if it does."""
    try:
        found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return None
    for *_, place in found:
        number = str(place[0]).partition("%")[0]
        if not ipaddress.ip_address(number).is_global:
            return number
    return None


def _fetch(address: str, is_google: bool, timeout_seconds: float) -> bytes:
    deadline = time.monotonic() + 2 * timeout_seconds
    try:
        with requests.get(
            address, timeout=timeout_seconds, stream=True, allow_redirects=True
        ) as response:
            if is_google and not response.url.startswith("https://"):
                raise _NotFetched("not_https", f"It leads on to {response.url[:120]}.")
            if response.status_code != 200:
                raise _NotFetched(
                    "picture_not_served", f"{address[:120]} answers {response.status_code}."
                )
            data = bytearray()
            for chunk in response.iter_content(64 * 1024):
                data += chunk
                if len(data) > LARGEST:
                    raise _NotFetched(
                        "picture_too_large", f"The picture has more than {LARGEST // 2**20} MB."
                    )
                if time.monotonic() > deadline:
                    raise _NotFetched("picture_unreachable", "The picture takes too long to come.")
    except requests.exceptions.SSLError as problem:
        raise _NotFetched(
            "picture_unreachable", f"The certificate of {address[:120]} is not trusted: {problem}"
        ) from problem
    except (requests.RequestException, OSError) as problem:
        raise _NotFetched(
            "picture_unreachable", f"{address[:120]} cannot be fetched: {problem}"[:300]
        ) from problem
    return bytes(data)


def _look(where: str, data: bytes) -> Iterator[Finding]:
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            width, height = image.size
            if width * height > _MOST_PIXELS:
                raise ValueError("too many pixels")
            image.verify()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        yield error(
            "not_a_picture",
            where,
            "What is served there is no PNG, JPEG, GIF or WebP picture.",
            "A page that asks to sign in, or an error page with status 200, is the usual cause.",
        )
        return
    wanted = _SIZES.get(where.split(".")[-1])
    if wanted is None:
        return
    if width < wanted[0] or height < wanted[1]:
        yield warning(
            "picture_small",
            where,
            f"{width}x{height} pixels look blurred; Google asks for {wanted[0]}x{wanted[1]}.",
            "Upload a larger picture.",
        )
    ratio = width / height / (wanted[0] / wanted[1])
    if not 1 - _RATIO <= ratio <= 1 + _RATIO:
        yield warning(
            "picture_ratio",
            where,
            f"{width}x{height} is cut or padded: the ratio wanted is {wanted[0]} to {wanted[1]}.",
            "Crop it to that ratio.",
        )
