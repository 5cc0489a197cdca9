"""Google's REST interface for loyalty cards, through google-auth's own session."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import requests
from google.auth.exceptions import GoogleAuthError, RefreshError
from google.auth.transport.requests import AuthorizedSession
from google.oauth2 import service_account

SCOPE = "https://www.googleapis.com/auth/wallet_object.issuer"
TIMEOUT_SECONDS = 10.0
#: Google's limit for one issuer.
REQUESTS_PER_SECOND = 20.0
_PATH = "/walletobjects/v1/"


class GoogleUnreachable(Exception):
    """The request did not get there; its text says why."""


class GoogleSilent(Exception):
    """The request may have got there, but no answer came in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What Google answered. *reason* is Google's short name of what is wrong ("quotaExceeded")."""

    status: int
    reason: str = ""
    message: str = ""
    retry_after_seconds: float | None = None

    @property
    def is_good(self) -> bool:
        """Whether Google did what was asked."""
        return 200 <= self.status < 300

    @property
    def is_for_later(self) -> bool:
        """Whether the same request may be good later."""
        limited = self.status == 403 and "ratelimit" in self.reason.lower()
        return limited or self.status in {408, 429} or self.status >= 500

    def __str__(self) -> str:
        said = ": ".join(part for part in (self.reason, self.message) if part)
        return f"Google answered {self.status} {said}"[:280]


class Pacer:
    """Lets at most *rate* calls a second through; the others wait for their turn."""

    def __init__(self, rate: float = REQUESTS_PER_SECOND) -> None:
        self._gap = 1 / rate
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when it is this caller's turn."""
        with self._lock:
            turn = max(time.monotonic(), self._next)
            self._next = turn + self._gap
        pause = turn - time.monotonic()
        if pause > 0:
            time.sleep(pause)


class _Account(service_account.Credentials):
    """A service account that speaks to its token address and to nobody else.

    google-auth would look up "regional access boundaries" at iamcredentials.googleapis.com beside
    every token, whatever address the account's own file names. Wallet objects have no regions.
    """

    def before_request(self, request: Any, method: str, url: str, headers: dict[str, str]) -> None:
        untyped = cast(Any, self)
        if not untyped.valid:
            untyped.refresh(request)
        untyped.apply(headers)


class GoogleApi:
    """Requests as one service account. Safe to share between threads."""

    def __init__(
        self,
        account: Mapping[str, Any],
        address: str,
        pacer: Pacer,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._credentials = cast(Any, _Account).from_service_account_info(account, scopes=[SCOPE])
        self._address = address + _PATH
        self._pacer = pacer
        self._local = threading.local()

    def request(self, method: str, path: str, body: Mapping[str, Any]) -> Answer:
        """Ask Google. Raises `GoogleUnreachable` or `GoogleSilent` where there is no answer."""
        self._pacer.wait()
        try:
            response = self._session().request(
                method,
                self._address + path,
                json=body,
                timeout=self._timeout_seconds,
                max_allowed_time=2 * self._timeout_seconds,
                allow_redirects=False,
            )
        except RefreshError as error:
            if error.retryable:
                raise GoogleUnreachable(f"Google gave no access token: {error}") from error
            return Answer(401, "serviceAccountRefused", str(error)[:200])
        except (requests.ConnectionError, GoogleAuthError) as error:
            raise GoogleUnreachable(f"Google cannot be reached: {error}"[:280]) from error
        except requests.Timeout as error:
            waited = f"Google gave no answer for {self._timeout_seconds:g} seconds."
            raise GoogleSilent(waited) from error
        except requests.RequestException as error:
            raise GoogleSilent(f"Google's answer was broken: {error}"[:280]) from error
        return _read(response)

    def _session(self) -> Any:
        session = getattr(self._local, "session", None)
        if session is None:
            session = cast(Any, AuthorizedSession)(self._credentials)
            self._local.session = session
        return session


def _read(response: requests.Response) -> Answer:
    after = response.headers.get("Retry-After", "")
    seconds = float(after) if after.isascii() and after.isdigit() and len(after) < 9 else None
    if response.ok:
        return Answer(response.status_code, retry_after_seconds=seconds)
    try:
        error = response.json()["error"]
        reasons = [item["reason"] for item in error.get("errors", ())] or [error.get("status", "")]
        reason, message = str(reasons[0]), str(error.get("message", ""))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        reason = message = ""
    return Answer(response.status_code, reason[:60], message[:200], seconds)
