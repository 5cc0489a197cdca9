"""Requests as the service account: their pace, their silence, and nobody else asked."""

import socket
import threading
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from app.delivery.google.api import GoogleApi, GoogleSilent, Pacer
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
