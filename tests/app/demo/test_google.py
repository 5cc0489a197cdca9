"""The Google stand-in gives tokens, keeps classes and objects, and refuses what Google refuses."""

import base64
import datetime
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import google.auth.jwt
import httpx2
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request as AuthRequest
from google.oauth2 import service_account

from app.delivery.google.api import GoogleApi, Pacer
from app.demo.google import SAVE_ADDRESS, GoogleStandIn
from app.demo.google_signing import SCOPE, JwtRefused
from passes.errors import CallbackError
from passes.google import callback, loyalty
from passes.google.rotating import rotating_barcode
from passes.google.save_link import SaveLinkSigner
from tests.passes.apple.forge import face
from tests.passes.certificates import rsa_key

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


def class_body(**changes: Any) -> dict[str, Any]:
    body = loyalty.loyalty_class(
        face(), class_id=CLASS_ID, issuer_name="Kaffa", logo_url="https://kaffa.example/logo.png"
    )
    return body | changes


def object_body(**changes: Any) -> dict[str, Any]:
    return loyalty.loyalty_object(face(), object_id=OBJECT_ID, class_id=CLASS_ID) | changes


@pytest.fixture
def card(api: Api) -> None:
    assert api("POST", "loyaltyClass", class_body()).status_code == 200
    assert api("POST", "loyaltyObject", object_body()).status_code == 200


def reason(response: httpx2.Response) -> tuple[int, str]:
    error = response.json()["error"]
    assert error["code"] == response.status_code
    return response.status_code, error["errors"][0]["reason"]


def test_what_is_inserted_is_answered_with_lower_camel_enums(
    google_: GoogleStandIn, api: Api
) -> None:
    inserted = api("POST", "loyaltyClass", class_body())
    assert inserted.status_code == 200
    assert inserted.json()["reviewStatus"] == "approved"
    assert api("POST", "loyaltyObject", object_body()).json()["state"] == "active"
    assert api("GET", f"loyaltyObject/{OBJECT_ID}").json()["barcode"]["type"] == "qrCode"
    assert google_.objects[OBJECT_ID]["state"] == "ACTIVE"


def test_googles_own_session_reaches_it(google_: GoogleStandIn, account: dict[str, str]) -> None:
    session = GoogleApi(account, google_.url, Pacer(1000))
    assert session.request("POST", "loyaltyClass", class_body()).is_good
    again = session.request("POST", "loyaltyClass", class_body())
    assert (again.status, again.reason) == (409, "existingResource")
    assert "already exists" in again.message


@pytest.mark.usefixtures("card")
def test_an_object_needs_its_class_and_a_free_id(api: Api) -> None:
    assert reason(api("POST", "loyaltyObject", object_body())) == (409, "existingResource")
    other = object_body(id=f"{ISSUER}.card-2", classId=f"{ISSUER}.nowhere")
    assert reason(api("POST", "loyaltyObject", other)) == (404, "classNotFound")
    assert reason(api("GET", f"loyaltyObject/{ISSUER}.card-2")) == (404, "resourceNotFound")
    assert reason(api("PATCH", f"loyaltyClass/{ISSUER}.no", {})) == (404, "classNotFound")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"colour": "red"}, 'Unknown name "colour"'),
        ({"state": "GOLDEN"}, "loyaltyObject.state"),
        ({"state": None}, "loyaltyObject.state"),
        ({"accountName": 7}, "loyaltyObject.accountName"),
        ({"loyaltyPoints": {"balance": {"int": "7"}}}, "balance.int"),
        ({"loyaltyPoints": {"balance": {"int": 2**31}}}, "balance.int"),
        ({"loyaltyPoints": {"balance": {"int": True}}}, "balance.int"),
        ({"loyaltyPoints": []}, "loyaltyPoints"),
        ({"textModulesData": {}}, "textModulesData"),
        ({"textModulesData": [{"id": "a", "bold": True}]}, "textModulesData[0]"),
    ],
)
def test_a_body_is_held_to_the_discovery_document(
    api: Api, changes: dict[str, Any], said: str
) -> None:
    api("POST", "loyaltyClass", class_body())
    answer = api("POST", "loyaltyObject", object_body(**changes))
    assert reason(answer) == (400, "badRequest")
    assert said in answer.json()["error"]["message"]


@pytest.mark.parametrize("field", ["issuerName", "programName", "programLogo"])
def test_what_the_prose_calls_required_is_required(api: Api, field: str) -> None:
    body = class_body()
    del body[field]
    answer = api("POST", "loyaltyClass", body)
    assert answer.status_code == 400
    assert field in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("resource_id", "expected"),
    [
        ("kaffa", (400, "invalidResource")),
        (f"{ISSUER}.käse", (400, "invalidResource")),
        ("42.kaffa", (403, "permissionDenied")),
    ],
)
def test_an_id_is_the_issuers(api: Api, resource_id: str, expected: tuple[int, str]) -> None:
    assert reason(api("POST", "loyaltyClass", class_body(id=resource_id))) == expected


@pytest.mark.usefixtures("card")
def test_a_class_update_is_always_under_review(api: Api) -> None:
    echoed = api("GET", f"loyaltyClass/{CLASS_ID}").json()
    refused = api("PUT", f"loyaltyClass/{CLASS_ID}", echoed)
    assert reason(refused) == (400, "invalidReviewStatus")
    silent = api("PATCH", f"loyaltyClass/{CLASS_ID}", {"programName": "Kaffa!"})
    assert reason(silent) == (400, "invalidReviewStatus")
    good = {"programName": "Kaffa!", "reviewStatus": "UNDER_REVIEW"}
    assert api("PATCH", f"loyaltyClass/{CLASS_ID}", good).json()["programName"] == "Kaffa!"


@pytest.mark.usefixtures("card")
def test_a_patch_merges_clears_and_replaces(google_: GoogleStandIn, api: Api) -> None:
    patch = {"loyaltyPoints": {"balance": {"int": 7}}, "accountId": None, "textModulesData": []}
    assert api("PATCH", f"loyaltyObject/{OBJECT_ID}", patch).status_code == 200
    stored = google_.objects[OBJECT_ID]
    assert stored["loyaltyPoints"]["label"] == "beans"
    assert stored["loyaltyPoints"]["label"] == "beans"
    assert stored["loyaltyPoints"]["balance"] == {"int": 7}
    assert "accountId" not in stored
    assert stored["barcode"] == object_body()["barcode"]
    assert reason(api("PATCH", f"loyaltyObject/{OBJECT_ID}", {"state": None}))[0] == 400


def test_a_rotating_barcode_is_taken(api: Api) -> None:
    api("POST", "loyaltyClass", class_body())
    rotating = rotating_barcode("CF1:" + "A0" * 58, bytes(20))
    body = loyalty.loyalty_object(face(), object_id=OBJECT_ID, class_id=CLASS_ID, rotating=rotating)
    assert api("POST", "loyaltyObject", body).status_code == 200


def test_three_notices_a_pass_in_a_day(api: Api, google_: GoogleStandIn) -> None:
    clock = Clock()
    with GoogleStandIn(issuer_id=ISSUER, clock=clock) as google_:
        google_._tokens["token"] = clock.now + 10**6
        with httpx2.Client(
            verify=NO_TLS,
            base_url=google_.url + "/walletobjects/v1/",
            headers={"Authorization": "Bearer token"},
        ) as client:
            client.post("loyaltyClass", json=class_body())
            client.post("loyaltyObject", json=object_body())
            place = f"loyaltyObject/{OBJECT_ID}"
            loud = {"notifyPreference": "NOTIFY_ON_UPDATE"}
            message = {"message": {"body": "Hello", "messageType": "TEXT_AND_NOTIFY"}}
            assert client.patch(place, json=loud).status_code == 200
            assert client.patch(place, json=loud).status_code == 200
            assert client.post(f"{place}/addMessage", json=message).status_code == 200
            last = client.patch(place, json=loud | {"accountName": "Ada"})
            assert reason(last) == (403, "quotaExceeded")
            assert "accountName" not in google_.objects[OBJECT_ID]
            assert client.patch(place, json={"accountName": "Ada"}).status_code == 200
            clock.now += 86_400
            assert client.patch(place, json=loud).status_code == 200


def test_without_a_token_nothing_is_told(google_: GoogleStandIn) -> None:
    with httpx2.Client(verify=NO_TLS, base_url=google_.url) as client:
        answer = client.get(f"/walletobjects/v1/loyaltyClass/{CLASS_ID}")
    assert reason(answer)[0] == 401


def test_a_token_is_for_the_account_that_signed(
    google_: GoogleStandIn, account: dict[str, str]
) -> None:
    google_.service_account(rsa_key(1))  # the console knows another key now
    credentials = service_account.Credentials.from_service_account_info(account, scopes=[SCOPE])
    with pytest.raises(RefreshError, match="Invalid JWT Signature"):
        credentials.refresh(AuthRequest())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"aud": "https://example.com"}, "audience"),
        ({"scope": "email"}, "scope"),
        ({"iss": "somebody@else"}, "account not found"),
        ({"exp": 2**33}, "short-lived"),
        ({"iat": 2**33, "exp": 2**33 + 60}, "short-lived"),
    ],
)
def test_an_assertion_says_who_for_what_and_how_long(
    google_: GoogleStandIn, account: dict[str, str], changes: dict[str, Any], said: str
) -> None:
    now = int(datetime.datetime.now(datetime.UTC).timestamp())
    claims = {
        "iss": account["client_email"],
        "aud": "https://oauth2.googleapis.com/token",
        "scope": SCOPE,
        "iat": now,
        "exp": now + 600,
    }
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}
    signer = google.auth.crypt.RSASigner.from_string(account["private_key"])
    with httpx2.Client(verify=NO_TLS) as client:
        good = form | {"assertion": google.auth.jwt.encode(signer, claims).decode()}
        assert client.post(google_.token_uri, data=good).status_code == 200
        bad = form | {"assertion": google.auth.jwt.encode(signer, claims | changes).decode()}
        refused = client.post(google_.token_uri, data=bad)
    assert refused.status_code == 400
    assert said in refused.json()["error_description"]


# -- save links ---------------------------------------------------------------------------------


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


# -- callbacks ----------------------------------------------------------------------------------


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


# -- ills ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("card")
def test_it_fails_as_often_as_asked_and_gets_well(google_: GoogleStandIn, api: Api) -> None:
    place = f"loyaltyObject/{OBJECT_ID}"
    google_.fail(429, "rateLimitExceeded", "Slow down.", times=1, retry_after=2)
    limited = api("GET", place)
    assert reason(limited) == (429, "rateLimitExceeded")
    assert limited.headers["retry-after"] == "2"
    assert api("GET", place).status_code == 200
    google_.deny()
    denied = api("GET", place)
    assert reason(denied) == (403, "permissionDenied")
    assert denied.json()["error"]["message"] == "Permission Denied"
    google_.well()
    assert api("GET", place).status_code == 200
    assert [seen.status for seen in google_.requests[-4:]] == [429, 200, 403, 200]


@pytest.mark.usefixtures("card")
def test_silence_drops_the_request_when_it_ends(google_: GoogleStandIn, api: Api) -> None:
    google_.silent()
    threading.Timer(0.1, google_.well).start()
    with pytest.raises(httpx2.RemoteProtocolError):
        api("PATCH", f"loyaltyObject/{OBJECT_ID}", {"accountName": "Ada"})
    assert "accountName" not in google_.objects[OBJECT_ID]


def test_the_rate_limit_is_kept_where_it_is_asked_for() -> None:
    with GoogleStandIn(issuer_id=ISSUER, requests_per_second=2) as google_:
        google_._tokens["token"] = 2**40
        with httpx2.Client(verify=NO_TLS, headers={"Authorization": "Bearer token"}) as client:
            place = f"{google_.url}/walletobjects/v1/loyaltyClass/{CLASS_ID}"
            assert [client.get(place).status_code for _ in range(3)] == [404, 404, 429]


@pytest.mark.parametrize("body", [b"{", b"[]", b""])
def test_a_body_that_is_no_object_is_refused(google_: GoogleStandIn, body: bytes) -> None:
    google_._tokens["token"] = 2**40
    headers = {"Authorization": "Bearer token", "Content-Type": "application/json"}
    with httpx2.Client(verify=NO_TLS, headers=headers) as client:
        answer = client.post(f"{google_.url}/walletobjects/v1/loyaltyClass", content=body)
    assert reason(answer) == (400, "badRequest")


def test_another_card_of_the_same_class_is_another_object(api: Api) -> None:
    api("POST", "loyaltyClass", class_body())
    other = loyalty.loyalty_object(
        face(balance=2**40), object_id=f"{ISSUER}.card-2", class_id=CLASS_ID
    )
    assert api("POST", "loyaltyObject", other).status_code == 200
