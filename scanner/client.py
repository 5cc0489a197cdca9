"""The till's side of the service: JSON under /api/till/v1/ and nothing else.

What an answer means is decided here, once: final (returned, or Refused), to be tried again
(TryLater: no network, a fault, too many requests, or something between that is not the service,
such as a captive portal's page), or the end of a credential (SignInAgain, TillRevoked).
"""

from __future__ import annotations

import ipaddress
import json
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx2

from scanner.cashiers import Cashier
from scanner.config import Programme, programme_from
from scanner.errors import ConfigError, Refused, SignInAgain, TillRevoked, TryLater

API = "/api/till/v1"
MAX_ANSWER_BYTES = 2_000_000
CONNECT_SECONDS = 3.0
READ_SECONDS = 6.0
ANSWER_SECONDS = 10.0  # the whole answer, however slowly it drips
FINAL = frozenset({400, 403, 404, 409, 410, 413, 422})

Json = dict[str, Any]


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

    def __init__(self, service: str, token: str | None = None) -> None:
        address = service_address(service)
        headers = {"Accept": "application/json", "User-Agent": "counterfoil-scan"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        self._address = address
        self._http = httpx2.Client(
            headers=headers,
            timeout=httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
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

    def enrol(self, code: str) -> Enrolment:
        """Exchange an enrolment code for a till's token. Raises ServiceError."""
        answer = self.request("POST", "/enrolments", encode({"code": code}))
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

    def post(self, path: str, body: bytes, session: str | None = None) -> Json:
        """Send one posting exactly as it was kept; return the service's answer about it."""
        try:
            answer = self.request("POST", path, body, session=session)
        except Refused as refused:
            if refused.status in FINAL:
                raise
            # A credential was refused, not the posting.
            raise TryLater(str(refused), reached=True, code=refused.code) from None
        if not isinstance(answer.get("posting_id"), str):
            raise _foreign("its answer names no posting")
        return answer

    def request(
        self, method: str, path: str, body: bytes | None = None, *, session: str | None = None
    ) -> Json:
        """Make one request; return the JSON object of a good answer, {} for an empty one.

        Raises TryLater, Refused, SignInAgain or TillRevoked.
        """
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if session is not None:
            headers["Counterfoil-Cashier"] = session
        url = self._address + API + path
        reached = False
        try:
            with self._http.stream(method, url, content=body, headers=headers) as response:
                reached = True
                status, content = response.status_code, _bounded(response)
                kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
                wait = response.headers.get("retry-after", "")
        except httpx2.TimeoutException:
            raise TryLater("The service does not answer in time.", reached=reached) from None
        except httpx2.HTTPError as error:
            raise TryLater(
                f"The service cannot be reached ({type(error).__name__}).", reached=reached
            ) from None
        if status == 204:
            return {}
        answer = _json(content, kind)
        if status in (200, 201, 202) and answer is not None and kind == "application/json":
            return answer
        raise _failure(status, answer, int(wait) if wait.isdecimal() and len(wait) < 6 else None)


def encode(data: Json) -> bytes:
    """Return `data` as the bytes that are kept and sent."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def _bounded(response: httpx2.Response) -> bytes:
    """Read an answer of bounded size in bounded time."""
    until = time.monotonic() + ANSWER_SECONDS
    content = b""
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            raise _foreign("its answer is far too long")
        if time.monotonic() > until:
            raise TryLater("The service does not answer in time.", reached=True)
    return content


def _json(content: bytes, kind: str) -> Json | None:
    """Return the JSON object of an answer, None where it is something else."""
    if kind not in ("application/json", "application/problem+json"):
        return None
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _failure(
    status: int, answer: Json | None, retry_after_seconds: int | None
) -> TryLater | Refused | SignInAgain | TillRevoked:
    """Say what an answer that is not a success means."""
    code = answer.get("code") if answer else None
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
        retry_after_seconds=retry_after_seconds,
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
