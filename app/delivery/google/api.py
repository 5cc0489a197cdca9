"""Google's REST interface for loyalty cards, through google-auth's own session."""

import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, cast

import requests
import urllib3.exceptions
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import crypt
from google.auth.exceptions import GoogleAuthError, RefreshError
from google.auth.transport.requests import AuthorizedSession
from google.oauth2 import service_account

from app.clock import Clock, system_clock
from app.delivery.google import batch as batch_format
from app.delivery.google.batch import Call
from app.delivery.rules import asked_seconds

SCOPE = "https://www.googleapis.com/auth/wallet_object.issuer"
TIMEOUT_SECONDS = 10.0
#: A batch is given this much longer for each of its parts.
_SECONDS_A_PART = 0.02
#: Whoever holds a customer's browser open does not wait longer than this for a turn.
PATIENCE_SECONDS = 5.0
_PATH = "/walletobjects/v1/"
_LARGEST_ANSWER = 32 * 1024 * 1024
_CHUNK = 64 * 1024
#: What stands in Google's names for having asked too often, older and newer, in small letters.
_LIMITS = ("ratelimit", "dailylimit", "resourceexhausted")
#: A pass has had its notices of the day.
_QUOTA = "quotaExceeded"


class GoogleUnreachable(Exception):
    """The request did not get there; its text says why."""


class GoogleBusy(GoogleUnreachable):
    """Our own pace leaves no room for a request in the time that there is."""


class GoogleSilent(Exception):
    """The request may have got there, but no answer came in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What Google answered. *reason* is Google's short name of what is wrong ("quotaExceeded").

    *found* is the resource in a good answer, *date* Google's own time as its header says it.
    """

    status: int
    reason: str = ""
    message: str = ""
    retry_after_seconds: float | None = None
    found: Mapping[str, Any] | None = None
    date: str | None = None

    @property
    def is_good(self) -> bool:
        """Whether Google did what was asked."""
        return 200 <= self.status < 300

    @property
    def is_limited(self) -> bool:
        """Whether we asked too often."""
        return self.status == 429 or (self.status == 403 and _is_limit(self.reason))

    @property
    def is_quota(self) -> bool:
        """Whether the pass has had its notices of the day."""
        return self.status == 403 and self.reason == _QUOTA

    @property
    def is_for_later(self) -> bool:
        """Whether the same request may be good later."""
        return self.is_limited or self.status == 408 or self.status >= 500

    def __str__(self) -> str:
        said = ": ".join(part for part in (self.reason, self.message) if part)
        return f"Google answered {self.status} {said}"[:280]


class Pace(Protocol):
    """Keeps all requests of an issuer below Google's limit."""

    def wait(self, longest_seconds: float | None = None) -> bool:
        """Return True when it is this caller's turn; False at once where that takes too long."""

    def hold(self, seconds: float) -> None:
        """Let nobody through for so long: Google said that we ask too often."""


class Pacer:
    """Lets at most *rate* calls a second of this process through; see `google.pace` for all."""

    def __init__(self, rate: float = 20.0) -> None:
        self._gap = 1 / rate
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self, longest_seconds: float | None = None) -> bool:
        """Return True when it is this caller's turn; False at once where that takes too long."""
        with self._lock:
            turn = max(time.monotonic(), self._next)
            pause = turn - time.monotonic()
            if longest_seconds is not None and pause > longest_seconds:
                return False
            self._next = turn + self._gap
        if pause > 0:
            time.sleep(pause)
        return True

    def hold(self, seconds: float) -> None:
        """Let nobody through for so long."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)


class _Account(service_account.Credentials):
    """A service account that speaks to its token address and to nobody else.

    google-auth would look up "regional access boundaries" at iamcredentials.googleapis.com beside
    every token, whatever address the account's own file names. Wallet objects have no regions.
    """

    _refreshing = threading.Lock()

    def before_request(self, request: Any, method: str, url: str, headers: dict[str, str]) -> None:
        untyped = cast(Any, self)
        with self._refreshing:
            if not untyped.valid:
                untyped.refresh(request)
        untyped.apply(headers)


class GoogleApi:
    """Requests as one service account. Safe to share between threads."""

    def __init__(
        self,
        account: Mapping[str, Any],
        address: str,
        pace: Pace,
        *,
        key: rsa.RSAPrivateKey | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        clock: Clock = system_clock,
    ) -> None:
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        # Reading a key takes a while: one that was read already is taken as it is.
        signing = key or account["private_key"]
        signer = crypt.RSASigner if key else crypt.RSASigner.from_string
        self._credentials = cast(Any, _Account)(
            signer=cast(Any, signer)(signing, account.get("private_key_id")),
            service_account_email=account["client_email"],
            token_uri=account["token_uri"],
            scopes=[SCOPE],
        )
        self._address = address
        self._pace = pace
        self._local = threading.local()

    def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        patience_seconds: float | None = None,
    ) -> Answer:
        """Ask Google. Raises `GoogleUnreachable` or `GoogleSilent` where there is no answer, and
        `GoogleBusy` where our own turn would come later than in *patience_seconds*."""
        got = self._send(
            method,
            _PATH + path,
            None if body is None else json.dumps(body, separators=(",", ":")).encode(),
            "application/json",
            seconds=self._timeout_seconds,
            patience_seconds=patience_seconds,
        )
        if isinstance(got, Answer):
            return got
        if got.broken is not None:
            raise got.broken
        answer = _read(got.status, got.headers, got.body, self._clock())
        self._slow_down(answer)
        return answer

    def batch(
        self,
        calls: Sequence[tuple[str, str, Mapping[str, Any]]],
        *,
        patience_seconds: float | None = None,
    ) -> list[Answer | None]:
        """Ask Google many things in one request: (method, path, body) each, at most 1,000.

        An answer for each; None for those of which no answer came, the connection having broken
        in the middle. Raises as `request` does where there is no answer at all. A batch that is
        refused as a whole is the same answer for each.
        """
        body = batch_format.encode([Call(method, _PATH + path, to) for method, path, to in calls])
        seconds = self._timeout_seconds + _SECONDS_A_PART * len(calls)
        got = self._send(
            "POST",
            "/batch",
            body,
            batch_format.CONTENT_TYPE,
            seconds=seconds,
            patience_seconds=patience_seconds,
        )
        if isinstance(got, Answer):
            return [got] * len(calls)
        if not 200 <= got.status < 300:
            if got.broken is not None:
                raise got.broken
            refused = _read(got.status, got.headers, got.body, self._clock())
            self._slow_down(refused)
            return [refused] * len(calls)
        try:
            parts = batch_format.decode(got.headers.get("content-type", ""), got.body, len(calls))
        except ValueError as error:
            raise got.broken or GoogleSilent(f"Google's answer was broken: {error}") from error
        if got.broken is not None and not any(parts):
            raise got.broken
        now = self._clock()
        answers = [
            None if it is None else _read(it.status, it.headers, it.body, now) for it in parts
        ]
        limited = [answer for answer in answers if answer is not None and answer.is_limited]
        if limited:
            self._slow_down(max(limited, key=lambda answer: answer.retry_after_seconds or 0.0))
        return answers

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | None,
        content_type: str,
        *,
        seconds: float,
        patience_seconds: float | None = None,
    ) -> "_Got | Answer":
        if not self._pace.wait(patience_seconds):
            raise GoogleBusy("There are many passes to bring to Google right now.")
        deadline = time.monotonic() + 2 * seconds
        try:
            response = self._session().request(
                method,
                self._address + path,
                data=body,
                headers={} if body is None else {"Content-Type": content_type},
                timeout=(min(seconds, self._timeout_seconds), seconds),
                allow_redirects=False,
                stream=True,
            )
        except RefreshError as error:
            if error.retryable:
                raise GoogleUnreachable(f"Google gave no access token: {error}"[:280]) from error
            return Answer(401, "serviceAccountRefused", str(error)[:200])
        except GoogleAuthError as error:
            raise GoogleUnreachable(f"Google cannot be reached: {error}"[:280]) from error
        except requests.Timeout as error:
            if isinstance(error, requests.ConnectTimeout):
                raise GoogleUnreachable(f"Google cannot be reached: {error}"[:280]) from error
            raise GoogleSilent(f"Google gave no answer for {seconds:g} seconds.") from error
        except requests.RequestException as error:
            if _never_left(error):
                raise GoogleUnreachable(f"Google cannot be reached: {error}"[:280]) from error
            raise GoogleSilent(f"Google broke the connection off: {error}"[:280]) from error
        with response:
            return _receive(response, deadline)

    def _slow_down(self, answer: Answer) -> None:
        """Asked too often: everybody waits as long as Google says, a second where it does not."""
        if answer.is_limited:
            self._pace.hold(answer.retry_after_seconds or 1.0)

    def _session(self) -> Any:
        session = getattr(self._local, "session", None)
        if session is None:
            session = cast(Any, AuthorizedSession)(self._credentials)
            self._local.session = session
        return session


@dataclass(frozen=True, slots=True)
class _Got:
    """An answer as it came in, and what broke it off, if anything did."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    broken: GoogleSilent | None


def _receive(response: requests.Response, deadline: float) -> _Got:
    """Read a body of bounded size in bounded time; what came before it broke off is kept."""
    body = bytearray()
    broken = None
    try:
        # What has come is taken at once: a fuller read that breaks off would throw it away.
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body += chunk
            if len(body) > _LARGEST_ANSWER:
                broken = GoogleSilent("Google's answer has no end.")
                break
            if time.monotonic() > deadline:
                broken = GoogleSilent("Google's answer took too long.")
                break
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        broken = GoogleSilent(f"Google's answer broke off: {error}"[:280])
    headers = {name.lower(): value for name, value in response.headers.items()}
    return _Got(response.status_code, headers, bytes(body), broken)


def _never_left(error: requests.RequestException) -> bool:
    """Whether no connection was made, so that nothing can have reached Google."""
    if isinstance(error, requests.exceptions.SSLError | requests.exceptions.ProxyError):
        return True
    cause: Any = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(
        reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.NameResolutionError
    )


def _read(status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> Answer:
    seconds = asked_seconds(headers.get("retry-after", ""), now=now)
    date = headers.get("date")
    try:
        content = json.loads(body) if body.strip() else None
    except (ValueError, RecursionError):
        content = None
    if 200 <= status < 300:
        found = content if isinstance(content, dict) else None
        return Answer(status, retry_after_seconds=seconds, found=found, date=date)
    reason, message = _said(content)
    return Answer(status, reason[:60], message[:200], seconds, date=date)


def _said(content: object) -> tuple[str, str]:
    """The reason and the message of an error, in the older form of Google's or the newer.

    Source: the older one lists errors[].reason; the newer one (google.rpc.Status, aip.dev/193) has
    a status and perhaps, in details, an ErrorInfo whose reason says more.
    """
    error = content.get("error") if isinstance(content, dict) else None
    if not isinstance(error, dict):
        return "", ""
    found = [*_reasons(error.get("errors")), *_reasons(error.get("details")), error.get("status")]
    names = [each for each in found if isinstance(each, str) and each]
    # The first is often as broad as "forbidden": one that we go by is looked for behind it.
    telling = [each for each in names if each == _QUOTA] or list(filter(_is_limit, names)) or names
    return telling[0] if telling else "", str(error.get("message", ""))


def _is_limit(reason: str) -> bool:
    plain = reason.lower().replace("_", "")
    return any(name in plain for name in _LIMITS)


def _reasons(items: object) -> list[object]:
    listed = items if isinstance(items, list) else []
    return [item.get("reason") for item in listed if isinstance(item, dict)]
