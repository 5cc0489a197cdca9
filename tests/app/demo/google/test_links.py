"""The Google stand-in believes save links and signs callbacks as Google does."""

import base64
import datetime
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import google.auth.jwt
import httpx2
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from app.demo.google import SAVE_ADDRESS, GoogleStandIn
from app.demo.google_signing import JwtRefused
from passes.errors import CallbackError
from passes.google import callback
from passes.google.save_link import SaveLinkSigner
from tests.app.demo.google.bodies import (
    CLASS_ID,
    ISSUER,
    NO_TLS,
    OBJECT_ID,
    Api,
    class_body,
    object_body,
)


@pytest.fixture
def link_signer(account: dict[str, str]) -> SaveLinkSigner:
    key = load_pem_private_key(account["private_key"].encode(), None)
    return SaveLinkSigner(account["client_email"], key)  # type: ignore[arg-type]


def now() -> int:
    return int(datetime.datetime.now(datetime.UTC).timestamp())


@pytest.mark.usefixtures("card")
def test_a_thin_link_saves_the_object(google_: GoogleStandIn, link_signer: SaveLinkSigner) -> None:
    saved = google_.open_save_link(link_signer.link(OBJECT_ID, CLASS_ID, now()))
    assert saved["id"] == OBJECT_ID
    assert saved["state"] == "ACTIVE"
    assert google_.objects[OBJECT_ID]["hasUsers"] is True


def test_a_link_to_nothing_is_refused(
    google_: GoogleStandIn, api: Api, link_signer: SaveLinkSigner
) -> None:
    link = link_signer.link(OBJECT_ID, CLASS_ID, now())
    with pytest.raises(JwtRefused, match="not found"):
        google_.open_save_link(link)


@pytest.mark.usefixtures("card")
def test_a_link_that_was_changed_is_refused(
    google_: GoogleStandIn, link_signer: SaveLinkSigner
) -> None:
    head, claims, signature = (
        link_signer.link(OBJECT_ID, CLASS_ID, now()).removeprefix(SAVE_ADDRESS).split(".")
    )
    padded = claims + "=" * (-len(claims) % 4)
    changed = json.loads(base64.urlsafe_b64decode(padded)) | {"origins": ["https://evil.example"]}
    forged = base64.urlsafe_b64encode(json.dumps(changed).encode()).rstrip(b"=").decode()
    with pytest.raises(JwtRefused, match="Signature"):
        google_.open_save_link(f"{SAVE_ADDRESS}{head}.{forged}.{signature}")


@pytest.mark.usefixtures("card")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"iat": 1.5}, "iat"),
        ({"iat": None}, "iat"),
        ({"aud": "apple"}, "audience"),
        ({"typ": "JWT"}, "type"),
        ({"iss": "other@example.com"}, "issuer"),
        ({"payload": {}}, "no loyalty object"),
        ({"origins": ["x" * 1500]}, "1,800"),
    ],
)
def test_a_link_with_wrong_claims_is_refused(
    google_: GoogleStandIn, account: dict[str, str], changes: dict[str, Any], said: str
) -> None:
    claims = {
        "iss": account["client_email"],
        "aud": "google",
        "typ": "savetowallet",
        "iat": now(),
        "payload": {"loyaltyObjects": [{"id": OBJECT_ID, "classId": CLASS_ID}]},
    }
    signer = google.auth.crypt.RSASigner.from_string(account["private_key"])
    jwt = google.auth.jwt.encode(signer, claims | changes).decode()
    with pytest.raises(JwtRefused, match=said):
        google_.open_save_link(SAVE_ADDRESS + jwt)


@pytest.mark.usefixtures("card")
def test_a_callback_verifies_with_the_published_root_key(google_: GoogleStandIn) -> None:
    moment = datetime.datetime.now(datetime.UTC)
    with httpx2.Client(verify=NO_TLS) as client:
        roots = callback.root_keys(client.get(f"{google_.url}/root-keys").content, moment)
    body = google_.signed_callback("save", OBJECT_ID, nonce="n-1")
    told = callback.verify(body, root_keys=roots, recipient=ISSUER, now=moment)
    assert (told.event_type, told.class_id, told.object_ids, told.nonce) == (
        "save",
        CLASS_ID,
        (OBJECT_ID,),
        "n-1",
    )
    for wrong in (
        google_.signed_callback("save", OBJECT_ID, expires_in_seconds=-1),
        google_.signed_callback("save", OBJECT_ID, key_expires_in_seconds=-1),
        google_.signed_callback("save", OBJECT_ID, recipient="42"),
    ):
        with pytest.raises(CallbackError):
            callback.verify(wrong, root_keys=roots, recipient=ISSUER, now=moment)


def test_a_callback_is_posted_to_the_address_in_the_class(google_: GoogleStandIn, api: Api) -> None:
    got: list[bytes] = []

    class Ours(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Ours) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        address = f"http://127.0.0.1:{server.server_address[1]}/google/callback"
        api("POST", "loyaltyClass", class_body(callbackOptions={"url": address}))
        api("POST", "loyaltyObject", object_body())
        assert google_.post_callback("del", OBJECT_ID) == 204
        thread.join()
    assert json.loads(json.loads(got[0])["signedMessage"])["eventType"] == "del"
