"""What tests send to the Google stand-in, and what they call."""

import ssl
from collections.abc import Callable
from typing import Any

import httpx2

from passes.google import loyalty
from tests.passes.apple.forge import face

ISSUER = "3388000000022000001"
#: Everything here is plain HTTP; loading the world's certificates for each client takes a while.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
CLASS_ID, OBJECT_ID = f"{ISSUER}.kaffa", f"{ISSUER}.card-1"
Api = Callable[..., httpx2.Response]


class Clock:
    """Unix seconds that a test can move."""

    def __init__(self) -> None:
        self.now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


def class_body(**changes: Any) -> dict[str, Any]:
    body = loyalty.loyalty_class(
        face(), class_id=CLASS_ID, issuer_name="Kaffa", logo_url="https://kaffa.example/logo.png"
    )
    return body | changes


def object_body(**changes: Any) -> dict[str, Any]:
    return loyalty.loyalty_object(face(), object_id=OBJECT_ID, class_id=CLASS_ID) | changes


def reason(response: httpx2.Response) -> tuple[int, str]:
    error = response.json()["error"]
    assert error["code"] == response.status_code
    return response.status_code, error["errors"][0]["reason"]
