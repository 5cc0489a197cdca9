"""The Google stand-in is as ill as it is asked to be, and well again."""

import threading

import httpx2
import pytest

from app.demo.google import GoogleStandIn
from passes.google import loyalty
from tests.app.demo.google.bodies import (
    CLASS_ID,
    ISSUER,
    NO_TLS,
    OBJECT_ID,
    Api,
    class_body,
    reason,
)
from tests.passes.apple.forge import face


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
        google_.account.tokens["token"] = 2**40
        with httpx2.Client(verify=NO_TLS, headers={"Authorization": "Bearer token"}) as client:
            place = f"{google_.url}/walletobjects/v1/loyaltyClass/{CLASS_ID}"
            assert [client.get(place).status_code for _ in range(3)] == [404, 404, 429]


@pytest.mark.parametrize("body", [b"{", b"[]", b""])
def test_a_body_that_is_no_object_is_refused(google_: GoogleStandIn, body: bytes) -> None:
    google_.account.tokens["token"] = 2**40
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


@pytest.mark.usefixtures("card")
def test_it_refuses_connections_and_listens_again_at_the_same_place(
    google_: GoogleStandIn, api: Api
) -> None:
    place = f"loyaltyObject/{OBJECT_ID}"
    google_.refuse()
    with pytest.raises(httpx2.ConnectError):
        api("GET", place)
    google_.well()
    assert api("GET", place).status_code == 200


@pytest.mark.usefixtures("card")
def test_an_answer_that_breaks_off_has_been_done_and_is_not_answered(
    google_: GoogleStandIn, api: Api
) -> None:
    google_.break_off()
    with pytest.raises(httpx2.HTTPError):
        api("PATCH", f"loyaltyObject/{OBJECT_ID}", {"accountName": "Ada"})
    assert google_.objects[OBJECT_ID]["accountName"] == "Ada"
    assert google_.requests[-1].status == 0


@pytest.mark.usefixtures("card")
def test_a_used_up_quota_refuses_notices_and_nothing_else(google_: GoogleStandIn, api: Api) -> None:
    google_.exceed_quota()
    place = f"loyaltyObject/{OBJECT_ID}"
    loud = {"accountName": "Ada", "notifyPreference": "NOTIFY_ON_UPDATE"}
    assert reason(api("PATCH", place, loud)) == (403, "quotaExceeded")
    assert api("PATCH", place, {"accountName": "Ada"}).status_code == 200


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/mixed", b""),
        ("multipart/mixed; boundary=x", b""),
        ("multipart/mixed; boundary=x", b"--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x--"),
        ("multipart/mixed; boundary=x", b"--x\r\nContent-Type: application/http\r\n\r\n?\r\n--x--"),
        (
            "multipart/mixed; boundary=x",
            b"--x\r\nContent-Type: application/http\r\n\r\nGET / HTTP/1.1\r\n\r\n\r\n" * 1001
            + b"--x--",
        ),
    ],
)
def test_a_batch_that_is_none_is_refused(
    google_: GoogleStandIn, content_type: str, body: bytes
) -> None:
    google_.account.tokens["token"] = 2**40
    headers = {"Authorization": "Bearer token", "Content-Type": content_type}
    with httpx2.Client(verify=NO_TLS, headers=headers) as client:
        answer = client.post(f"{google_.url}/batch", content=body)
    assert reason(answer) == (400, "badRequest")
