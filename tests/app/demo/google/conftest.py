"""A Google stand-in with a service account that it knows, and a card."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from google.auth.transport.requests import Request as AuthRequest
from google.oauth2 import service_account

from app.demo.google import GoogleStandIn
from app.demo.google_signing import SCOPE
from tests.app.demo.google.bodies import (
    ISSUER,
    NO_TLS,
    Api,
    class_body,
    object_body,
)
from tests.passes.certificates import rsa_key


@pytest.fixture
def google_() -> Iterator[GoogleStandIn]:
    with GoogleStandIn(issuer_id=ISSUER) as server:
        yield server


@pytest.fixture
def account(google_: GoogleStandIn) -> dict[str, str]:
    return google_.service_account(rsa_key())


@pytest.fixture
def api(google_: GoogleStandIn, account: dict[str, str]) -> Iterator[Api]:
    credentials = service_account.Credentials.from_service_account_info(account, scopes=[SCOPE])
    credentials.refresh(AuthRequest())
    with httpx2.Client(
        verify=NO_TLS,
        base_url=google_.url + "/walletobjects/v1/",
        headers={"Authorization": f"Bearer {credentials.token}"},
    ) as client:

        def ask(method: str, path: str, body: Any = None) -> httpx2.Response:
            return client.request(method, path, json=body)

        yield ask


@pytest.fixture
def card(api: Api) -> None:
    assert api("POST", "loyaltyClass", class_body()).status_code == 200
    assert api("POST", "loyaltyObject", object_body()).status_code == 200
