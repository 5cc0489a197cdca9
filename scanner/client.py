"""The till's side of the service: JSON under /api/till/v1/ and nothing else.

What an answer means is decided once (`answers`): final (returned, or Refused), to be tried again
(TryLater: no network, a fault, too many requests, or something between that is not the service,
such as a captive portal's page), or the end of a credential (SignInAgain, TillRevoked).
"""

from __future__ import annotations

import ipaddress
import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx2

from scanner.answers import (
    FINAL,
    Json,
    failure,
    foreign,
    json_of,
    kind_of,
    why_unreachable,
)
from scanner.cashiers import Cashier
from scanner.config import Programme, programme_from
from scanner.errors import (
    ConfigError,
    Refused,
    ServiceError,
    TillRevoked,
    TryLater,
)

API = "/api/till/v1"
STATEMENT = "counterfoil-statement"
MAX_ANSWER_BYTES = 2_000_000
# The list of refused cards: a million of them, and time for a slow line.
MAX_LIST_BYTES = 8_100_000
LIST_PATIENCE = 6
MOST_CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the till waits, in seconds: for a connection, a sign of life, the whole answer."""

    connect: float = 3.0
    read: float = 6.0
    answer: float = 10.0  # however slowly it drips

    @classmethod
    def of(cls, read_seconds: float | None) -> Self:
        """Return what fits to a time to wait for a sign of life; None: as it comes."""
        if read_seconds is None:
            return cls()
        return cls(min(3.0, read_seconds), read_seconds, read_seconds * 5 / 3)


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer that is no JSON: its status, its ETag and statement, and its content."""

    status: int
    etag: str
    statement: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the service says to a new till."""

    token: str
    till_id: str
    till_name: str
    location: str
    programme: Programme


def service_address(url: str) -> str:
    """Return `url` without a trailing slash; raises ConfigError where it is not safe to use.

    https is demanded, except on this very machine: the till's token travels in every request.
    """
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, TypeError):
        raise ConfigError(f"{url!r} is not an address.") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ConfigError(f"{url!r} is not an address. It looks like https://points.example.com")
    if parsed.userinfo or parsed.query or parsed.fragment:
        raise ConfigError(f"The service's address is only a host and a path: not {url!r}.")
    if parsed.scheme == "http" and not _is_loopback(parsed.host):
        raise ConfigError(
            f"{url} is not encrypted. A till speaks https to any service that is not on this "
            f"machine: https://{parsed.host}"
        )
    return str(parsed).rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


#: For connections that have no certificate to check.
_TRUSTING_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Client:
    """Speaks to one service. Close it, or use it as a context manager."""

    def __init__(
        self, service: str, token: str | None = None, patience: Patience | None = None
    ) -> None:
        patience = patience or Patience()
        address = service_address(service)
        headers = {"Accept": "application/json", "User-Agent": "counterfoil-scan"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        self._address, self._patience = address, patience
        #: Called where the service says that it no longer knows this till.
        self.on_revoked: Callable[[], None] | None = None
        self._http = httpx2.Client(
            headers=headers,
            timeout=httpx2.Timeout(patience.read, connect=patience.connect),
            limits=httpx2.Limits(max_connections=MOST_CONNECTIONS, keepalive_expiry=20),
            follow_redirects=False,
            # Reading whom the world trusts takes longer than everything else here.
            verify=True if address.startswith("https:") else _TRUSTING_NOBODY,
            # A proxy of the environment has no business between a till and its own machine.
            trust_env=not _is_loopback(httpx2.URL(address).host),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def enrol(self, code: str, programme_id: str | None = None) -> Enrolment:
        """Exchange an enrolment code for a till's token; `programme_id`: for that one alone.

        Raises ServiceError.
        """
        asked = {"code": code} | ({"programme_id": programme_id} if programme_id else {})
        answer = self.request("POST", "/enrolments", encode(asked))
        try:
            till, location = answer["till"], answer["location"]
            texts = (answer["token"], till["id"], till["name"], location["name"])
            if not all(isinstance(text, str) for text in texts):
                raise ValueError("a text is missing")
            return Enrolment(*texts, programme=programme_from(answer["programme"]))
        except (KeyError, TypeError, ValueError) as error:
            raise foreign(f"its answer makes no sense: {error}") from None

    def keys(self, told: Mapping[str, str] | None = None) -> Json:
        """Return the public keys as the service words them; `told`: what this till says of itself,
        as headers."""
        return self.request("GET", "/keys", told=told)

    def sign_in(self, name: str, pin: str) -> Cashier:
        """Sign a cashier in. Raises Refused for a wrong PIN and for too many of them."""
        answer = self.request("POST", "/cashier-sessions", encode({"cashier": name, "pin": pin}))
        try:
            who = answer["cashier"]
            texts = (who["id"], who["name"], who["role"], answer["token"])
            if not all(isinstance(text, str) for text in texts):
                raise ValueError("a text is missing")
            return Cashier(*texts)
        except (KeyError, TypeError, ValueError) as error:
            raise foreign(f"its answer makes no sense: {error}") from None

    def sign_out(self, cashier: Cashier) -> None:
        """End the cashier's session."""
        self.request("DELETE", "/cashier-sessions/current", session=cashier.session)

    def present(self, text: str, cashier: Cashier) -> Json:
        """Look a scanned text up: outcome, member, standing, presentation token."""
        answer = self.request(
            "POST", "/presentations", encode({"code": text}), session=cashier.session
        )
        if not isinstance(answer.get("outcome"), str):
            raise foreign("its answer has no outcome")
        return answer

    def quote(self, receipt: Json, cashier: Cashier) -> Json:
        """Ask what a receipt would give: points, and what there is besides."""
        answer = self.request("POST", "/quotes", encode(receipt), session=cashier.session)
        if not isinstance(answer.get("points"), int):
            raise foreign("its answer has no points")
        return answer

    def receipts(self, number: str, cashier: Cashier) -> list[Json]:
        """Return the latest receipts of a number, for a return."""
        answer = self.request(
            "POST", "/receipts", encode({"number": number}), session=cashier.session
        )
        listed = answer.get("receipts")
        if not isinstance(listed, list):
            raise foreign("its answer has no receipts")
        return [each for each in listed if isinstance(each, dict)]

    def post(
        self, path: str, body: bytes, session: str | None = None, approval: str | None = None
    ) -> Json:
        """Send one posting exactly as it was kept; return the service's answer about it.

        `approval`: the session of a manager who has just typed the PIN; good for this once.
        """
        try:
            answer = self.request("POST", path, body, session=session, approval=approval)
        except Refused as refused:
            if refused.status in FINAL:
                raise
            # A credential was refused, not the posting.
            raise TryLater(str(refused), reached=True, code=refused.code) from None
        if answer.get("posting_id") != json.loads(body).get("id"):
            raise foreign("its answer is not about what was asked")
        return answer

    def hand_over(self, kind: str, body: bytes, reason: str) -> Json:
        """Lay a posting that was refused before a manager; return the service's answer.

        Where the service has it already, the answer is the one it gave. Raises as `post` does.
        """
        posting = json.loads(body)
        asked = encode({"id": posting["id"], "kind": kind, "posting": posting, "reason": reason})
        return self.post("/waiting-postings", asked)

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        session: str | None = None,
        approval: str | None = None,
        told: Mapping[str, str] | None = None,
    ) -> Json:
        """Make one request; return the JSON object of a good answer, {} for an empty one.

        Raises TryLater, Refused, SignInAgain or TillRevoked.
        """
        headers = dict(told or {})
        if body is not None:
            headers["Content-Type"] = "application/json"
        if session is not None:
            headers["Counterfoil-Cashier"] = session
        if approval is not None:
            headers["Counterfoil-Manager"] = approval
        status, content, answered = self._exchange(method, path, body, headers)
        kind = kind_of(answered)
        if status == 204:
            return {}
        answer = json_of(content, kind)
        if status in (200, 201, 202) and answer is not None and kind == "application/json":
            return answer
        raise self._noted(failure(status, answer, kind, answered.get("retry-after", "")))

    def _noted(self, error: ServiceError) -> ServiceError:
        if isinstance(error, TillRevoked) and self.on_revoked is not None:
            self.on_revoked()
        return error

    def refused_cards(self, etag: str | None) -> Heard:
        """Ask for the list of refused cards, where it is not the one called `etag`.

        Raises TryLater or TillRevoked.
        """
        headers = {"If-None-Match": etag} if etag else {}
        status, content, answered = self._exchange(
            "GET",
            "/refused-cards",
            None,
            headers,
            most_bytes=MAX_LIST_BYTES,
            seconds=self._patience.answer * LIST_PATIENCE,
        )
        if status not in (200, 304):
            kind = kind_of(answered)
            wait = answered.get("retry-after", "")
            raise self._noted(failure(status, json_of(content, kind), kind, wait))
        etag, statement = answered.get("etag", ""), answered.get(STATEMENT, "")
        return Heard(status, etag, statement, content)

    def _exchange(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
        *,
        most_bytes: int = MAX_ANSWER_BYTES,
        seconds: float | None = None,
    ) -> tuple[int, bytes, httpx2.Headers]:
        reached = False
        try:
            with self._http.stream(
                method, self._address + API + path, content=body, headers=headers
            ) as response:
                reached = True
                content = _bounded(response, most_bytes, seconds or self._patience.answer)
                return response.status_code, content, response.headers
        except httpx2.TimeoutException as error:
            raise TryLater(
                "The service does not answer in time.",
                reached=reached,
                lost=not isinstance(error, httpx2.ConnectTimeout | httpx2.PoolTimeout),
                slow=True,
            ) from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise TryLater(
                why_unreachable(error),
                reached=reached,
                lost=not isinstance(error, httpx2.ConnectError | httpx2.UnsupportedProtocol),
            ) from None


def encode(data: Json) -> bytes:
    """Return `data` as the bytes that are kept and sent."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def _bounded(response: httpx2.Response, most_bytes: int, seconds: float) -> bytes:
    """Read an answer of bounded size in bounded time."""
    until = time.monotonic() + seconds
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > most_bytes:
            raise foreign("its answer is far too long")
        if time.monotonic() > until:
            raise TryLater(
                "The service does not answer in time.", reached=True, lost=True, slow=True
            )
    return bytes(content)
