"""Who may ask the till's server on loopback: the page that it served itself, and the shop's POS.

Any web page that is open in the same browser can send requests to 127.0.0.1. Each of these alone
would stop it; all of them are checked:

- Host: only this very address. A name that an attacker's DNS points at 127.0.0.1 is refused.
- Sec-Fetch-Site, where the browser tells it: only our own page or the address bar.
- a cookie that only the address printed by the till program sets (SameSite=Strict, HttpOnly);
- a token of this start, in a header of every request and in the address of the two streams;
- Origin: required of everything that changes something. There is no CORS: nothing is answered
  to a preflight, and no answer may be read, embedded or framed by another page.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field

from flask import Request, Response

PAGE_HEADER = "Counterfoil-Page"
LONGEST_BODY = 262_144

CONTENT_SECURITY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


class Stranger(Exception):
    """A request that is not from our page or the shop's POS; the text is for a person."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class BadRequest(Exception):
    """Our page asked for something that our page never asks for."""


@dataclass(frozen=True, slots=True)
class Guard:
    """The secrets of one start of the till program, and what is demanded of a request."""

    port: int
    pos_token: str = field(repr=False)
    key: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    page: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def cookie_name(self) -> str:
        """Cookies are shared by all ports of a machine: the port is in the name."""
        return f"counterfoil_till_{self.port}"

    @property
    def start_url(self) -> str:
        """The address that opens the page in a browser."""
        return f"http://127.0.0.1:{self.port}/start?key={self.key}"

    def check_address(self, request: Request) -> None:
        """Raise Stranger unless the request was sent to this very address, from no other site."""
        if request.host not in (f"127.0.0.1:{self.port}", f"localhost:{self.port}"):
            raise Stranger(421, "This is a till. It answers under its own address only.")
        if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            raise Stranger(403, "Another page may not use this till.")
        if request.method == "OPTIONS":
            raise Stranger(405, "Another page may not use this till.")

    def check_start(self, key: str) -> None:
        """Raise Stranger unless this is the key of this start."""
        if not _same(key, self.key):
            raise Stranger(403, "This address is of an earlier start. Take the one shown last.")

    def check_page(self, request: Request) -> None:
        """Raise Stranger unless the browser is the one that the till program opened."""
        if not _same(request.cookies.get(self.cookie_name, ""), self.cookie):
            raise Stranger(
                403, "Open this page with the address that the till program shows when it starts."
            )

    def check_own(self, request: Request, token: str) -> None:
        """Raise Stranger unless our own page asks: cookie, token, and Origin for a change."""
        self.check_page(request)
        if not _same(token, self.page):
            raise Stranger(403, "The till program was started anew. Load this page again.")
        origin = request.headers.get("Origin")
        if origin is None and request.method not in ("GET", "HEAD"):
            raise Stranger(403, "Another page may not use this till.")
        if origin is not None and origin != f"http://{request.host}":
            raise Stranger(403, "Another page may not use this till.")

    def check_pos(self, request: Request) -> None:
        """Raise Stranger unless the shop's own POS asks, which is a program and no web page."""
        if "Origin" in request.headers or "Sec-Fetch-Site" in request.headers:
            raise Stranger(403, "This is for programs on this machine, not for web pages.")
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not _same(token, self.pos_token):
            raise Stranger(401, "Send the token of this till: Authorization: Bearer TOKEN.")

    def dress(self, response: Response) -> Response:
        """Put the headers on that keep other pages from reading, embedding or framing this."""
        for name, value in HEADERS.items():
            response.headers[name] = value
        return response


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), wanted.encode())
