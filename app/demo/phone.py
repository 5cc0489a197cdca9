"""An iPhone with Wallet: takes passes, watches them, wakes on a push and shows what changed.

    phone = Iphone(root_pem=Path("root.pem"))
    phone.add(pkpass)            # PassRefused says what a real one keeps to itself
    phone.register()             # at the pass's own web service
    phone.listen(apns)           # a push to its token wakes it
    phone.lock_screen            # what the customer read
    phone.draw()                 # the card as the phone shows it, PNG

The web service is spoken to as Apple documents it ("Adding a Web Service to Update Passes").
"""

from __future__ import annotations

import queue
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx2

from app.demo.apns import ApnsStandIn, Push
from app.demo.pass_check import CheckedPass, PassRefused, check_pass
from app.demo.phone_picture import draw_pass

PASS_MEDIA_TYPE = "application/vnd.apple.pkpass"  # noqa: S105 - a media type
_TIMEOUT_SECONDS = 10.0
_STEP_SECONDS = 0.005


@dataclass(slots=True)
class HeldPass:
    """A pass in Wallet; `last_modified` is the web service's, None for one added by hand."""

    checked: CheckedPass
    last_modified: str | None = None

    @property
    def serial(self) -> str:
        """The pass's serial number."""
        return str(self.checked.content["serialNumber"])

    @property
    def pass_type(self) -> str:
        """The pass's type identifier."""
        return str(self.checked.content["passTypeIdentifier"])

    @property
    def service(self) -> str:
        """The web service's address. Raises PassRefused for a pass that names none."""
        url = self.checked.content.get("webServiceURL")
        if not isinstance(url, str):
            raise PassRefused("the pass names no web service")
        return url.rstrip("/")

    @property
    def authorization(self) -> dict[str, str]:
        """The header that the web service asks for."""
        return {"Authorization": f"ApplePass {self.checked.content['authenticationToken']}"}


@dataclass(frozen=True, slots=True)
class Wake:
    """One waking by a push: `time.monotonic()` of push and end, and the lock screen's texts."""

    pushed_at: float
    done_at: float
    texts: tuple[str, ...]


@dataclass(slots=True)
class _Watch:
    apns: ApnsStandIn
    pushes: queue.SimpleQueue[Push | None] = field(default_factory=queue.SimpleQueue)
    thread: threading.Thread | None = None


class Iphone:
    """One device. `clock` gives an aware time, at which signatures are judged.

    `lock_screen` holds every text shown, oldest first; `wakes` every waking by a push; `errors`
    what went wrong while nobody looked (also told to the web service, as iOS does).
    """

    def __init__(
        self,
        root_pem: Path,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        device_id: str | None = None,
        push_token: str | None = None,
    ) -> None:
        self.device_id = device_id or secrets.token_hex(16)
        self.push_token = push_token or secrets.token_hex(32)
        self.passes: dict[str, HeldPass] = {}
        self.lock_screen: list[str] = []
        self.wakes: list[Wake] = []
        self.errors: list[str] = []
        self._root_pem = root_pem
        self._clock = clock
        self._tags: dict[tuple[str, str], str] = {}
        self._client = httpx2.Client(timeout=_TIMEOUT_SECONDS, trust_env=False)
        self._watch: _Watch | None = None
        self._lock = threading.RLock()

    def __enter__(self) -> Iphone:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Switch the phone off."""
        if self._watch is not None and self._watch.thread is not None:
            self._watch.apns.off_push(self.push_token, self._watch.pushes.put)
            self._watch.pushes.put(None)
            self._watch.thread.join(2 * _TIMEOUT_SECONDS)
            self._watch = None
        self._client.close()

    # -- what the customer does ---------------------------------------------------------------

    def add(self, pkpass: bytes) -> HeldPass:
        """Add a pass to Wallet, or replace it. Raises PassRefused with the reason."""
        held = HeldPass(check_pass(pkpass, self._root_pem, self._clock()))
        with self._lock:
            self.passes.pop(held.serial, None)
            self.passes[held.serial] = held
        return held

    def register(self, serial: str | None = None) -> int:
        """Register for updates at the pass's web service; the answer's status (201, 200, 401)."""
        held = self.held(serial)
        answer = self._client.post(
            self._registration(held),
            json={"pushToken": self.push_token},
            headers=held.authorization,
        )
        return answer.status_code

    def remove(self, serial: str | None = None) -> int:
        """Take a pass out of Wallet and tell the web service; the answer's status."""
        held = self.held(serial)
        answer = self._client.delete(self._registration(held), headers=held.authorization)
        with self._lock:
            del self.passes[held.serial]
        return answer.status_code

    def held(self, serial: str | None = None) -> HeldPass:
        """A pass in Wallet, or the one added last. Raises KeyError where there is none."""
        with self._lock:
            if serial is None:
                serial = next(reversed(self.passes), "")
            return self.passes[serial]

    @property
    def pass_file(self) -> bytes:
        """The .pkpass of the pass added last, as it is now."""
        return self.held().checked.data

    def value(self, key: str, serial: str | None = None) -> Any:
        """What a field shows. Raises KeyError for a field that the pass does not have."""
        return self.held(serial).checked.fields()[key]["value"]

    def points(self, serial: str | None = None) -> int:
        """The number in the pass's first header field: the balance."""
        return int(self.held(serial).checked.style["headerFields"][0]["value"])

    def draw(self, serial: str | None = None, *, language: str = "en") -> bytes:
        """The phone with the pass open, as PNG; it speaks `language`."""
        return draw_pass(self.held(serial).checked, language)

    # -- what the phone does ------------------------------------------------------------------

    def listen(self, apns: ApnsStandIn) -> None:
        """Be woken by pushes to this phone's token, in a thread, until `close`."""
        if self._watch is not None:
            raise ValueError("the phone listens already")
        watch = _Watch(apns)
        watch.thread = threading.Thread(target=self._run, args=(watch,), name="iphone", daemon=True)
        self._watch = watch
        apns.on_push(self.push_token, watch.pushes.put)
        watch.thread.start()

    def wait_for_wake(self, count: int = 1, timeout: float = 30.0) -> Wake:
        """Wait until the phone was woken `count` times; the last waking. Raises TimeoutError."""
        until = time.monotonic() + timeout
        while len(self.wakes) < count:
            if time.monotonic() > until:
                raise TimeoutError(f"woken {len(self.wakes)} of {count} times: {self.errors}")
            time.sleep(_STEP_SECONDS)
        return self.wakes[-1]

    def wake(self) -> list[str]:
        """Ask every web service what changed, fetch it, and show it on the lock screen.

        Returns the texts. Raises PassRefused for an answer that iOS does not take.
        """
        texts: list[str] = []
        with self._lock:
            watched = {
                (held.service, held.pass_type)
                for held in self.passes.values()
                if "webServiceURL" in held.checked.content
            }
        for service, pass_type in sorted(watched):
            for serial in self._changed(service, pass_type):
                held = self.passes.get(serial)
                if held is not None and held.pass_type == pass_type:
                    texts += self._fetch(held)
        self.lock_screen += texts
        return texts

    def _run(self, watch: _Watch) -> None:
        while (push := watch.pushes.get()) is not None:
            # Several pushes that came meanwhile are one waking.
            while not watch.pushes.empty():
                later = watch.pushes.get()
                if later is None:
                    return
            try:
                texts = tuple(self.wake())
            except (PassRefused, httpx2.HTTPError) as error:
                texts = ()
                self._complain(str(error) or type(error).__name__)
            self.wakes.append(Wake(push.at, time.monotonic(), texts))

    def _complain(self, error: str) -> None:
        """Tell the web service's log, as iOS does."""
        self.errors.append(error)
        said = f"[{self._clock():%Y-%m-%d %H:%M:%S %z}] {error}"
        try:
            self._client.post(f"{self.held().service}/v1/log", json={"logs": [said]})
        except (httpx2.HTTPError, PassRefused, KeyError):
            return

    def _registration(self, held: HeldPass) -> str:
        return (
            f"{held.service}/v1/devices/{self.device_id}/registrations/"
            f"{quote(held.pass_type, safe='')}/{quote(held.serial, safe='')}"
        )

    def _changed(self, service: str, pass_type: str) -> list[str]:
        """The serials that changed since the tag that the service gave last."""
        tag = self._tags.get((service, pass_type))
        answer = self._client.get(
            f"{service}/v1/devices/{self.device_id}/registrations/{quote(pass_type, safe='')}",
            params={} if tag is None else {"passesUpdatedSince": tag},
        )
        if answer.status_code == 204:
            return []
        if answer.status_code != 200:
            raise PassRefused(f"the list of changed passes came with {answer.status_code}")
        try:
            listed = answer.json()
            serials, tag = listed["serialNumbers"], listed["lastUpdated"]
        except (ValueError, KeyError, TypeError):
            raise PassRefused("the list of changed passes is not as Apple asks") from None
        if not isinstance(tag, str) or not all(isinstance(item, str) for item in serials):
            raise PassRefused("serialNumbers and lastUpdated of the list are not text")
        self._tags[service, pass_type] = tag
        return list(serials)

    def _fetch(self, held: HeldPass) -> list[str]:
        """Fetch a pass if it changed; the text for the lock screen."""
        headers = held.authorization
        if held.last_modified is not None:
            headers["If-Modified-Since"] = held.last_modified
        answer = self._client.get(
            f"{held.service}/v1/passes/{quote(held.pass_type, safe='')}/"
            f"{quote(held.serial, safe='')}",
            headers=headers,
        )
        if answer.status_code == 304:
            return []
        kind = answer.headers.get("content-type", "").partition(";")[0]
        if answer.status_code != 200 or kind != PASS_MEDIA_TYPE:
            raise PassRefused(f"the pass came with {answer.status_code} and {kind or 'no type'}")
        checked = check_pass(answer.content, self._root_pem, self._clock())
        for name in ("serialNumber", "passTypeIdentifier", "authenticationToken"):
            if checked.content.get(name) != held.checked.content.get(name):
                raise PassRefused(f"{name} changed with the update")
        with self._lock:
            before, held.checked = held.checked, checked
            held.last_modified = answer.headers.get("last-modified")
        return lock_screen_texts(before, checked)


def lock_screen_texts(before: CheckedPass, after: CheckedPass) -> list[str]:
    """What iOS shows when a pass changed: nothing, the one change message, or a generic text."""
    old = before.fields()
    told = [
        (message, field)
        for key, field in after.fields().items()
        if key in old
        and old[key]["value"] != field["value"]
        and "%@" in (message := after.said(field.get("changeMessage", "")))
    ]
    if len(told) > 1:
        return [f"{after.said(after.content['organizationName'])}: your card was updated"]
    return [_filled(message, shown(field)) for message, field in told]


def shown(field: Mapping[str, Any]) -> str:
    """A field's value as the phone writes it in English."""
    value = field["value"]
    if isinstance(value, str):
        return value
    if "currencyCode" in field:
        return f"{field['currencyCode']} {value:,.2f}"
    if field.get("numberStyle") == "PKNumberStylePercent":
        return f"{value:.0%}"
    return f"{value:,}"


def _filled(message: str, value: str) -> str:
    """The change message with the value in the place of %@; %% is a percent sign."""
    return re.sub(r"%@|%%", lambda found: value if found[0] == "%@" else "%", message)
