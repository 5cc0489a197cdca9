"""The till's side of the service: JSON under /api/till/v1/ and nothing else.

What an answer means is decided here, once: final (returned, or Refused), to be tried again
(TryLater: no network, a fault, too many requests, or something between that is not the service,
such as a captive portal's page), or the end of a credential (SignInAgain, TillRevoked).
"""

from __future__ import annotations

import ipaddress
import json
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx2

from scanner.cashiers import Cashier
from scanner.config import Programme, programme_from
from scanner.errors import (
    ConfigError,
    Refused,
    ServiceError,
    SignInAgain,
    TillRevoked,
    TryLater,
)

API = "/api/till/v1"
STATEMENT = "counterfoil-statement"
MAX_ANSWER_BYTES = 2_000_000
MOST_CONNECTIONS = 32
# Only these are believed to be the service's own no; a network's sign-in page says no, too.
PROBLEM = "application/problem+json"
FINAL = frozenset({400, 403, 404, 409, 410, 413, 422})

Json = dict[str, Any]


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
            raise _foreign(f"its answer makes no sense: {error}") from None

    def keys(self) -> Json:
        """Return the public keys and refused cards as the service words them."""
        return self.request("GET", "/keys")

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
            raise _foreign(f"its answer makes no sense: {error}") from None

    def sign_out(self, cashier: Cashier) -> None:
        """End the cashier's session."""
        self.request("DELETE", "/cashier-sessions/current", session=cashier.session)

    def present(self, text: str, cashier: Cashier) -> Json:
        """Look a scanned text up: outcome, member, standing, presentation token."""
        answer = self.request(
            "POST", "/presentations", encode({"code": text}), session=cashier.session
        )
        if not isinstance(answer.get("outcome"), str):
            raise _foreign("its answer has no outcome")
        return answer

    def quote(self, receipt: Json, cashier: Cashier) -> Json:
        """Ask what a receipt would give: points, and what there is besides."""
        answer = self.request("POST", "/quotes", encode(receipt), session=cashier.session)
        if not isinstance(answer.get("points"), int):
            raise _foreign("its answer has no points")
        return answer

    def receipts(self, number: str, cashier: Cashier) -> list[Json]:
        """Return the latest receipts of a number, for a return."""
        answer = self.request(
            "POST", "/receipts", encode({"number": number}), session=cashier.session
        )
        listed = answer.get("receipts")
        if not isinstance(listed, list):
            raise _foreign("its answer has no receipts")
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
            raise _foreign("its answer is not about what was asked")
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
    ) -> Json:
        """Make one request; return the JSON object of a good answer, {} for an empty one.

        Raises TryLater, Refused, SignInAgain or TillRevoked.
        """
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if session is not None:
            headers["Counterfoil-Cashier"] = session
        if approval is not None:
            headers["Counterfoil-Manager"] = approval
        status, content, answered = self._exchange(method, path, body, headers)
        kind = _kind(answered)
        if status == 204:
            return {}
        answer = _json(content, kind)
        if status in (200, 201, 202) and answer is not None and kind == "application/json":
            return answer
        raise self._noted(_failure(status, answer, kind, answered.get("retry-after", "")))

    def _noted(self, error: ServiceError) -> ServiceError:
        if isinstance(error, TillRevoked) and self.on_revoked is not None:
            self.on_revoked()
        return error

    def refused_cards(self, etag: str | None) -> Heard:
        """Ask for the list of refused cards, where it is not the one called `etag`.

        Raises TryLater or TillRevoked.
        """
        headers = {"If-None-Match": etag} if etag else {}
        status, content, answered = self._exchange("GET", "/refused-cards", None, headers)
        if status not in (200, 304):
            kind = _kind(answered)
            wait = answered.get("retry-after", "")
            raise self._noted(_failure(status, _json(content, kind), kind, wait))
        etag, statement = answered.get("etag", ""), answered.get(STATEMENT, "")
        return Heard(status, etag, statement, content)

    def _exchange(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, bytes, httpx2.Headers]:
        reached = False
        try:
            with self._http.stream(
                method, self._address + API + path, content=body, headers=headers
            ) as response:
                reached = True
                content = _bounded(response, self._patience.answer)
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
                _why_unreachable(error),
                reached=reached,
                lost=not isinstance(error, httpx2.ConnectError | httpx2.UnsupportedProtocol),
            ) from None


def encode(data: Json) -> bytes:
    """Return `data` as the bytes that are kept and sent."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def _bounded(response: httpx2.Response, seconds: float) -> bytes:
    """Read an answer of bounded size in bounded time."""
    until = time.monotonic() + seconds
    content = b""
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            raise _foreign("its answer is far too long")
        if time.monotonic() > until:
            raise TryLater(
                "The service does not answer in time.", reached=True, lost=True, slow=True
            )
    return content


def _kind(headers: httpx2.Headers) -> str:
    kind: str = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind


def _why_unreachable(error: Exception) -> str:
    """Say why nothing was reached; a certificate that is not trusted is no passing trouble."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                "What answers at the service's address has a certificate that this till does not "
                f"trust ({cause.verify_message}): a network with a sign-in page, or a wrong clock."
            )
        cause = cause.__cause__ or cause.__context__
    return f"The service cannot be reached ({type(error).__name__})."


def _json(content: bytes, kind: str) -> Json | None:
    """Return the JSON object of an answer, None where it is something else."""
    if kind not in ("application/json", PROBLEM):
        return None
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _failure(
    status: int, answer: Json | None, kind: str, wait: str
) -> TryLater | Refused | SignInAgain | TillRevoked:
    """Say what an answer that is not a success means; `wait`: its Retry-After."""
    code = answer.get("code") if answer and kind == PROBLEM else None
    if answer is None or not isinstance(code, str):
        return _foreign(f"it answered with status {status} and no reason")
    message = _sentence(answer)
    if status == 401:
        if code == "till_revoked":
            return TillRevoked(message)
        return SignInAgain(message) if code == "sign_in_again" else Refused(status, code, message)
    if status in FINAL:
        return Refused(status, code, message)
    return TryLater(
        message,
        reached=True,
        code=code,
        too_often=status == 429,
        retry_after_seconds=int(wait) if wait.isdecimal() and len(wait) < 6 else None,
    )


def _sentence(answer: Json) -> str:
    """Return what a problem says, for a person, bounded."""
    text = answer.get("detail") or answer.get("title") or answer["code"]
    fields = answer.get("errors")
    if isinstance(fields, dict) and fields:
        text = f"{text} ({', '.join(str(name) for name in fields)})"
    return " ".join(str(text).split())[:500]


def _foreign(why: str) -> TryLater:
    """Something answered that is not our service, or not in its right mind."""
    return TryLater(
        f"What answered is not the service: {why}. A network with a sign-in page may be between.",
        reached=True,
    )
