"""How ill the Google stand-in is: what it refuses, swallows, breaks off, and for how long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.demo.google_http import Silence
from app.demo.google_rules import GoogleRefuses, Json


@dataclass(slots=True)
class _Failure:
    status: int
    reason: str
    message: str
    retry_after: int | None
    times: int | None


class Ills:
    """The ills of one stand-in; any of them at any time, from any thread. `well` ends them all."""

    def __init__(self, requests_per_second: int | None = None) -> None:
        self._rate = requests_per_second
        self._lately: list[float] = []
        self._lock = threading.Lock()
        self._well = threading.Event()
        self.well()

    def fail(
        self,
        status: int,
        reason: str = "backendError",
        message: str = "The service is currently unavailable.",
        *,
        times: int | None = None,
        retry_after: int | None = None,
    ) -> None:
        """Refuse the next `times` calls to the API (None: all, until `well`); the parts of a batch
        count one by one.

        For example (503, "backendError"), (429, "rateLimitExceeded"), (403, "rateLimitExceeded").
        """
        with self._lock:
            self._failures.append(_Failure(status, reason, message, retry_after, times))

    def deny(self) -> None:
        """The service account was not added in the console: 403 to everything."""
        self.fail(403, "permissionDenied", "Permission Denied")

    def exceed_quota(self) -> None:
        """Every pass has had its notices of the day: 403 to whatever asks for another one."""
        self._is_quota_used = True

    def slow(self, seconds: float) -> None:
        """Answer the API's requests so much later."""
        self._delay_seconds = seconds

    def silent(self) -> None:
        """Take requests to the API in and answer none; `well` drops those that wait."""
        self._well.clear()

    def break_off(self, *, after_parts: int = 0, times: int = 1) -> None:
        """Do what the next `times` requests ask, and reset the connection in mid-answer: of a
        batch so many parts are answered whole, of anything else nothing is."""
        with self._lock:
            self._breaks += [after_parts] * times

    def well(self) -> None:
        """End every ill."""
        with self._lock:
            self._failures: list[_Failure] = []
            self._breaks: list[int] = []
        self._is_quota_used = False
        self._delay_seconds = 0.0
        self._well.set()

    # -- what the stand-in asks ----------------------------------------------------------------

    def before_request(self) -> None:
        """Be slow or silent. Raises Silence."""
        if not self._well.is_set():
            self._well.wait()
            raise Silence
        if self._delay_seconds:
            time.sleep(self._delay_seconds)

    def keep_rate(self, now: Callable[[], float] = time.monotonic) -> None:
        """Google's limit of requests a second, where it is kept. Raises GoogleRefuses."""
        if self._rate is None:
            return
        with self._lock:
            at = now()
            self._lately = [before for before in self._lately if at - before < 1]
            if len(self._lately) >= self._rate:
                raise GoogleRefuses(
                    429, "rateLimitExceeded", "Quota exceeded for quota metric 'Requests'."
                )
            self._lately.append(at)

    def before_call(self, body: Json | None) -> None:
        """Refuse a call, or a part of a batch, where asked to. Raises GoogleRefuses."""
        with self._lock:
            for failure in self._failures:
                if failure.times == 0:
                    continue
                if failure.times is not None:
                    failure.times -= 1
                raise GoogleRefuses(
                    failure.status,
                    failure.reason,
                    failure.message,
                    retry_after=failure.retry_after,
                )
        if self._is_quota_used and (body or {}).get("notifyPreference") == "NOTIFY_ON_UPDATE":
            raise GoogleRefuses(
                403, "quotaExceeded", "Quota exceeded: notifications for this pass."
            )

    def breaks_off_after(self) -> int | None:
        """How many parts of this answer go out before it breaks off; None: all of it does."""
        with self._lock:
            return self._breaks.pop(0) if self._breaks else None
