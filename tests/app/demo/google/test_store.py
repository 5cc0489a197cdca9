"""The Google stand-in gives tokens, keeps classes and objects, and refuses what Google refuses."""

import datetime
from typing import Any

import google.auth.jwt
import httpx2
import pytest
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request as AuthRequest
from google.oauth2 import service_account

from app.delivery.google.api import GoogleApi, Pacer
from app.demo.google import GoogleStandIn
from app.demo.google_signing import SCOPE
from passes.google import loyalty
from passes.google.rotating import rotating_barcode
from tests.app.demo.google.bodies import (
    CLASS_ID,
    ISSUER,
    NO_TLS,
    OBJECT_ID,
    Api,
    Clock,
    class_body,
    object_body,
    reason,
)
from tests.passes.apple.forge import face
from tests.passes.certificates import rsa_key


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
        google_.account.tokens["token"] = clock.now + 10**6
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
