"""Google Wallet on loopback: access tokens, loyalty classes and objects, save links, callbacks.

    with GoogleStandIn(issuer_id="3388000000022000001") as google:
        ...  # COUNTERFOIL_GOOGLE_API_URL=google.url; the account's token_uri is google.token_uri
        google.trust(public_key)

google-auth's own session reaches it: it signs `aud=https://oauth2.googleapis.com/token` whatever
`token_uri` says. Bodies are held to Google's discovery document (`google_rules`), signatures to
Google's rules (`google_signing`). How ill it is can be set at any time (`google_ills`): `fail`,
`deny`, `exceed_quota`, `slow`, `silent`, `break_off`, `refuse`; `well` ends all of it.
"""

from __future__ import annotations

import copy
import json
import threading
import time
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from app.demo import google_batch, google_signing
from app.demo.google_account import ServiceAccount
from app.demo.google_http import HttpAnswer, HttpRequest, HttpServer, Silence
from app.demo.google_ills import Ills
from app.demo.google_rules import GoogleRefuses, Json, answered
from app.demo.google_signing import CallbackSigner, JwtRefused
from app.demo.google_store import CLASS, OBJECT, OFFER, OFFER_CLASS, Store

SAVE_ADDRESS = "https://pay.google.com/gp/v/save/"
_API = "/walletobjects/v1/"
_KINDS = {
    "loyaltyClass": CLASS,
    "loyaltyObject": OBJECT,
    "offerClass": OFFER_CLASS,
    "offerObject": OFFER,
}
_LONGEST_JWT = 1800


@dataclass(frozen=True, slots=True)
class Seen:
    """One request to the API and its answer's status; 0 where the answer did not go out whole,
    whatever was done. `at` is `time.monotonic()`."""

    method: str
    path: str
    body: Json | None
    status: int
    at: float


@dataclass(frozen=True, slots=True)
class _Called:
    """What became of one call, and what it asked."""

    status: int
    body: bytes
    headers: dict[str, str]
    asked: Json | None


class GoogleStandIn(Ills):
    """The server, in threads of its own while the context lasts.

    `objects` and `classes` are what is stored, by id. `requests` is what was asked of the API, the
    parts of a batch one by one; `batches` has the number of parts of each batch. `clock` gives Unix
    seconds. With `requests_per_second` Google's limit is kept (429); a batch is one request, with
    `parts_count` each of its parts is.
    """

    def __init__(
        self,
        *,
        issuer_id: str,
        clock: Callable[[], float] = time.time,
        port: int = 0,
        requests_per_second: int | None = None,
        parts_count: bool = False,
    ) -> None:
        self.issuer_id = issuer_id
        self._clock = clock
        self._store = Store(issuer_id)
        self._server = HttpServer(self._answer, port, clock)
        self._asking = threading.Lock()
        self.account = ServiceAccount(lambda: self._clock())
        self._callbacks = CallbackSigner()
        self._parts_count = parts_count
        self.requests: list[Seen] = []
        self.batches: list[int] = []
        self._was_started = False
        #: What is answered instead of the root keys, for a Google that is ill there.
        self.root_keys_answer: HttpAnswer | None = None
        super().__init__(requests_per_second)

    # -- life ---------------------------------------------------------------------------------

    def __enter__(self) -> GoogleStandIn:
        self._server.start()
        self._was_started = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        super().well()
        self._server.stop()

    def refuse(self) -> None:
        """Listen no more, so that connections are refused; `well` listens on the same port."""
        self._server.stop()

    def well(self) -> None:
        """End every ill."""
        super().well()
        if not self._server.is_running and self._was_started:
            self._server.start()

    @property
    def url(self) -> str:
        """The API's address: for COUNTERFOIL_GOOGLE_API_URL and `api_endpoint`."""
        return self._server.url

    @property
    def token_uri(self) -> str:
        """Where access tokens are given: for the service account's file."""
        return f"{self._server.url}/token"

    @property
    def objects(self) -> dict[str, Json]:
        """The loyalty objects that are stored, by id."""
        return self._store.objects

    @property
    def classes(self) -> dict[str, Json]:
        """The loyalty classes that are stored, by id."""
        return self._store.classes

    # -- the service account ------------------------------------------------------------------

    def trust(self, key: PublicKeyTypes, email: str | None = None) -> None:
        """Believe a service account: its public key and its address.

        Without `email` the address is learnt from the first token or link that the key signed.
        Raises TypeError for a key that is not RSA.
        """
        self.account.trust(key, email)

    def service_account(self, key: rsa.RSAPrivateKey | None = None) -> dict[str, str]:
        """Make a service account that is trusted from now on; the content of its file.

        `key` is its own, or a fresh one.
        """
        return self.account.make(key, self.token_uri)

    # -- save links and callbacks -------------------------------------------------------------

    def open_save_link(self, url: str) -> Json:
        """Save the card of a link, as Google does when the customer follows it; the object.

        Raises `JwtRefused` with the reason, where Google says only "Something went wrong".
        """
        if not url.startswith(SAVE_ADDRESS):
            raise JwtRefused(f"A save link begins with {SAVE_ADDRESS}.")
        jwt = url.removeprefix(SAVE_ADDRESS)
        if len(jwt) >= _LONGEST_JWT:
            raise JwtRefused(f"The link's JWT has {len(jwt)} characters; 1,800 are too many.")
        kind, named = google_signing.check_save_claims(
            self.account.claims(jwt), self.account.email, self._clock()
        )
        try:
            saved = [self._store.save(item, kind) for item in named]
        except GoogleRefuses as refused:
            raise JwtRefused(f"Something went wrong. {refused.message}") from None
        return copy.deepcopy(saved[0])

    def root_keys(self) -> bytes:
        """Google's list of root keys, as this stand-in signs callbacks (also under /root-keys)."""
        return self._callbacks.root_keys(self._now_ms())

    def signed_callback(
        self,
        event_type: str,
        object_id: str,
        *,
        class_id: str | None = None,
        nonce: str | None = None,
        expires_in_seconds: float = 600,
        key_expires_in_seconds: float = 86_400,
        recipient: str | None = None,
    ) -> bytes:
        """The body of a callback ("save" or "del") as Google would POST it to our address."""
        stored = self.objects.get(object_id, {})
        message = {
            "classId": class_id or stored.get("classId", f"{self.issuer_id}.unknown"),
            "objectId": object_id,
            "eventType": event_type,
            "expTimeMillis": self._now_ms() + round(expires_in_seconds * 1000),
            "count": 1,
            "nonce": nonce or str(uuid.uuid4()),
        }
        expires = self._now_ms() + round(key_expires_in_seconds * 1000)
        return self._callbacks.sign(message, recipient or self.issuer_id, expires)

    def post_callback(self, event_type: str, object_id: str) -> int:
        """Tell the address in the class's `callbackOptions` of an event; the answer's status.

        Raises KeyError where the class names no address, OSError where nobody answers there.
        """
        card_class = self.classes[self.objects[object_id]["classId"]]
        address = card_class["callbackOptions"]["url"]
        request = urllib.request.Request(  # noqa: S310 - an address that we were given
            address,
            data=self.signed_callback(event_type, object_id),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return int(answer.status)
        except urllib.request.HTTPError as error:
            with error:
                return error.code

    def _now_ms(self) -> int:
        return round(self._clock() * 1000)

    # -- answering ----------------------------------------------------------------------------

    def _answer(self, request: HttpRequest) -> HttpAnswer:
        path = urllib.parse.urlsplit(request.path).path
        if path == "/token" and request.method == "POST":
            return self.account.token(request)
        if path == "/root-keys" and request.method == "GET":
            return self.root_keys_answer or HttpAnswer(200, self.root_keys(), {})
        try:
            self.before_request()
        except Silence:
            self._note(request, None, 0)
            raise
        if path == "/batch" and request.method == "POST":
            return self._batch(request)
        called = self._called(request, counts=True)
        is_broken = self.breaks_off_after() is not None
        self._note(request, called.asked, 0 if is_broken else called.status)
        cut = len(called.body) // 2 if is_broken else None
        return HttpAnswer(called.status, called.body, called.headers, cut)

    def _batch(self, request: HttpRequest) -> HttpAnswer:
        try:
            if not self._parts_count:
                self.keep_rate()
            self.account.authorize(request)
            asked = google_batch.read(request)
        except GoogleRefuses as refused:
            self._note(request, None, refused.status)
            return HttpAnswer(refused.status, refused.body, _after(refused))
        self.batches.append(len(asked))
        done = []
        for part in asked:
            inner = replace(part.request, headers={**request.headers, **part.request.headers})
            done.append((part, self._called(inner, counts=self._parts_count)))
        kind, pieces = google_batch.write(
            [(part, called.status, called.body, called.headers) for part, called in done]
        )
        whole = self.breaks_off_after()
        for number, (part, called) in enumerate(done):
            is_answered = whole is None or number < whole
            self._note(part.request, called.asked, called.status if is_answered else 0)
        # The delimiter that follows is what tells that a part was whole.
        cut = None if whole is None else len(b"".join(pieces[:whole])) + 60
        return HttpAnswer(200, b"".join(pieces), {"Content-Type": kind}, cut)

    def _called(self, request: HttpRequest, *, counts: bool) -> _Called:
        """Do what one call asks."""
        content: Json | None = None
        try:
            if counts:
                self.keep_rate()
            content = _json(request)
            self.before_call(content)
            self.account.authorize(request)
            path = urllib.parse.urlsplit(request.path).path
            shown = self._api(request.method, path, content)
            return _Called(200, json.dumps(shown).encode(), {}, content)
        except GoogleRefuses as refused:
            body = json.dumps(refused.body).encode()
            return _Called(refused.status, body, _after(refused), content)

    def _note(self, request: HttpRequest, content: Json | None, status: int) -> None:
        path = urllib.parse.urlsplit(request.path).path
        self.requests.append(Seen(request.method, path, content, status, time.monotonic()))

    def _api(self, method: str, path: str, body: Json | None) -> Json:
        parts = path.removeprefix(_API).split("/")
        kind = _KINDS.get(parts[0]) if path.startswith(_API) else None
        if kind is None:
            raise GoogleRefuses(404, "notFound", "Not Found")
        resource_id = urllib.parse.unquote(parts[1]) if len(parts) > 1 else None
        now = self._clock()
        with self._asking:
            match method, parts[1:], body:
                case "POST", [], dict():
                    result = self._store.insert(kind, body)
                case "GET", [_], _:
                    result = self._store.get(kind, resource_id)
                case "PUT", [_], dict():
                    result = self._store.update(kind, resource_id, body, now)
                case "PATCH", [_], dict():
                    result = self._store.patch(kind, resource_id, body, now)
                case "POST", [_, "addMessage"], dict():
                    result = self._store.add_message(kind, resource_id, body, now)
                    return {"resource": answered(kind, result)}
                case (("POST" | "PUT" | "PATCH"), _, None):
                    raise GoogleRefuses(400, "badRequest", "Invalid JSON payload received.")
                case _:
                    raise GoogleRefuses(404, "notFound", "Not Found")
            return answered(kind, result)


def _after(refused: GoogleRefuses) -> dict[str, str]:
    return {} if refused.retry_after is None else {"Retry-After": str(refused.retry_after)}


def _json(request: HttpRequest) -> Json | None:
    """The body of a request that has one; None for one without or with something else."""
    if not request.body:
        return None
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise GoogleRefuses(400, "badRequest", "The body is not application/json.")
    try:
        found: Any = json.loads(request.body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise GoogleRefuses(400, "badRequest", "Invalid JSON payload received.")
    return found
