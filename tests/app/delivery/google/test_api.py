"""Requests as the service account: their pace, their answers, and nobody else asked."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from app.clock import system_clock
from app.delivery.google.api import Answer, GoogleApi, GoogleSilent, Pacer
from app.demo.google import GoogleStandIn
from tests.app.delivery.google.shop import ISSUER


def test_requests_keep_the_pace() -> None:
    pacer = Pacer(rate=100)
    started = time.monotonic()
    threads = [threading.Thread(target=pacer.wait) for _ in range(21)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started >= 0.2


def test_a_google_that_is_silent_is_given_up(
    google: GoogleStandIn, account_key: rsa.RSAPrivateKey
) -> None:
    account = google.service_account(account_key)
    api = GoogleApi(account, google.url, Pacer(), timeout_seconds=0.3)
    google.silent()
    with pytest.raises(GoogleSilent, match="no answer"):
        api.request("PATCH", f"loyaltyObject/{ISSUER}.x", {})


def test_nobody_is_asked_but_the_addresses_that_were_given(
    google: GoogleStandIn, account_key: rsa.RSAPrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """google-auth by itself asks iamcredentials.googleapis.com, with the token, in a thread."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        # Whatever goes beyond this machine has to pass here.
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        api = GoogleApi(google.service_account(account_key), google.url, Pacer())
        assert api.request("PATCH", f"loyaltyObject/{ISSUER}.x", {}).status == 404
        proxy.settimeout(0.3)
        with pytest.raises(TimeoutError):
            proxy.accept()


@contextmanager
def saying(status: int, body: Any, headers: dict[str, str]) -> Iterator[str]:
    """A server at that address says the same to everybody."""
    content = json.dumps(body).encode()

    class Says(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(content))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Says) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def hear(google: GoogleStandIn, account_key: rsa.RSAPrivateKey) -> Any:
    """What we make of an answer of that form."""

    def ask(status: int, body: Any, **headers: str) -> Answer:
        with saying(status, body, headers) as address:
            account = google.service_account(account_key)
            return GoogleApi(account, address, Pacer()).request("GET", "loyaltyObject/x")

    return ask


def older(*reasons: str) -> dict[str, Any]:
    """An error as Google's older interfaces write it."""
    return {"error": {"errors": [{"reason": each} for each in reasons], "message": "No."}}


def newer(status: str, *reasons: str, **more: Any) -> dict[str, Any]:
    """An error as google.rpc.Status in JSON."""
    kind = "type.googleapis.com/google.rpc."
    details = [{"@type": kind + "Help", "links": []}]
    details += [{"@type": kind + "ErrorInfo", "reason": each} for each in reasons]
    return {"error": {"status": status, "message": "No.", "details": details} | more}


@pytest.mark.parametrize(
    "body",
    [
        older("rateLimitExceeded"),
        older("userRateLimitExceeded"),
        older("dailyLimitExceeded"),
        newer("RESOURCE_EXHAUSTED"),
        newer("PERMISSION_DENIED", "RATE_LIMIT_EXCEEDED"),
        newer("PERMISSION_DENIED", "RATE_LIMIT_EXCEEDED", errors=[{"reason": "forbidden"}]),
    ],
)
def test_having_asked_too_often_is_understood_in_every_form(hear: Any, body: Any) -> None:
    answer = hear(403, body)
    assert (answer.is_limited, answer.is_quota, answer.is_for_later) == (True, False, True)
    assert answer.message == "No."


def test_a_date_until_which_to_wait_is_understood(hear: Any) -> None:
    until = format_datetime(system_clock() + timedelta(seconds=2), usegmt=True)
    asked = hear(503, older("backendError"), **{"Retry-After": until}).retry_after_seconds
    assert 0 <= asked <= 2


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (older("quotaExceeded"), "quotaExceeded"),
        (newer("RESOURCE_EXHAUSTED", errors=[{"reason": "quotaExceeded"}]), "quotaExceeded"),
        (newer("PERMISSION_DENIED"), "PERMISSION_DENIED"),
        (newer("PERMISSION_DENIED", "ACCESS_TOKEN_SCOPE"), "ACCESS_TOKEN_SCOPE"),
        ({"error": {"errors": [7, {}], "details": {"reason": "x"}, "status": 7}}, ""),
        ({"error": "RATE_LIMIT_EXCEEDED"}, ""),
        ([], ""),
    ],
)
def test_nothing_else_is_taken_for_it(hear: Any, body: Any, reason: str) -> None:
    answer = hear(403, body)
    assert (answer.reason, answer.is_limited) == (reason, False)
    assert answer.is_quota == (reason == "quotaExceeded")
