"""Many calls in one request, written and read; a broken answer keeps what was whole."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth.transport.requests import AuthorizedSession
from google.oauth2 import service_account
from googleapiclient.http import BatchHttpRequest, HttpRequest
from hypothesis import given
from hypothesis import strategies as st

from app.delivery.google import batch
from app.delivery.google.api import SCOPE, GoogleApi, GoogleSilent, GoogleUnreachable, Pacer
from app.delivery.google.batch import BOUNDARY, MOST_PARTS, Call, Part
from app.demo import google_batch
from app.demo.google import GoogleStandIn
from app.demo.google_http import HttpRequest as Request
from tests.app.delivery.google.shop import ISSUER

CALLS = [
    Call("PATCH", "/walletobjects/v1/loyaltyObject/1.a", {"accountName": "Ilze Bērziņa\r\n--x"}),
    Call("POST", "/walletobjects/v1/loyaltyObject", {}),
    Call("PUT", "/walletobjects/v1/loyaltyObject/1.b", {"text": f"\r\n--{BOUNDARY}--\r\n"}),
]
ANSWERS = [(200, b'{\n  "id": "1.a"\n}'), (404, b"{}"), (503, b"")]


def asked(calls: list[Call]) -> list[google_batch.AskedPart]:
    headers = {"content-type": batch.CONTENT_TYPE}
    return google_batch.read(Request("POST", "/batch", headers, batch.encode(calls)))


def answered() -> tuple[str, list[bytes]]:
    parts = asked(CALLS)
    return google_batch.write(
        [
            (part, status, body, {"Retry-After": "7"} if status == 503 else {})
            for part, (status, body) in zip(parts, ANSWERS, strict=True)
        ]
    )


def test_another_parser_reads_the_calls_that_were_written() -> None:
    read = asked(CALLS)
    assert [part.content_id for part in read] == ["part-0", "part-1", "part-2"]
    for part, call in zip(read, CALLS, strict=True):
        assert (part.request.method, part.request.path) == (call.method, call.path)
        assert json.loads(part.request.body) == call.body


def test_the_answers_come_in_the_order_of_the_calls() -> None:
    kind, pieces = answered()
    for order in (pieces, [pieces[2], pieces[0], pieces[1], pieces[3]]):
        parts = batch.decode(kind, b"".join(order), 3)
        assert [part and (part.status, part.body) for part in parts] == ANSWERS
    assert parts[2] is not None
    assert parts[2].headers["retry-after"] == "7"


def test_wherever_an_answer_breaks_off_only_whole_parts_count() -> None:
    kind, pieces = answered()
    body = b"".join(pieces)
    ends = [len(b"".join(pieces[:number])) for number in (1, 2, 3)]
    delimiter = len(pieces[3]) - len(b"--\r\n")
    for at in range(len(body)):
        parts = batch.decode(kind, body[:at], 3)
        whole = sum(at >= end + delimiter for end in ends)
        assert whole - 1 <= sum(part is not None for part in parts) <= whole
        for part, answer in zip(parts, ANSWERS, strict=True):
            assert part is None or (part.status, part.body) == answer


@given(st.binary(max_size=400))
def test_no_answer_does_worse_than_be_none(body: bytes) -> None:
    kind = f"multipart/mixed; boundary={BOUNDARY}"
    framed = b"--" + BOUNDARY.encode() + b"\r\n" + body + b"\r\n--" + BOUNDARY.encode() + b"--"
    for part in batch.decode(kind, framed, 3):
        assert part is None or isinstance(part, Part)


@pytest.mark.parametrize(
    "kind", ["", "application/json", "multipart/mixed", "text/html; boundary=x"]
)
def test_what_is_no_batch_answer_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="multipart"):
        batch.decode(kind, b"", 1)


@pytest.mark.parametrize("count", [0, MOST_PARTS + 1])
def test_a_batch_has_at_most_a_thousand_parts(count: int) -> None:
    with pytest.raises(ValueError, match="1000"):
        batch.encode([CALLS[0]] * count)
    assert len(asked([CALLS[1]] * MOST_PARTS)) == MOST_PARTS


@pytest.fixture
def api(google: GoogleStandIn, account_key: rsa.RSAPrivateKey) -> GoogleApi:
    return GoogleApi(google.service_account(account_key), google.url, Pacer(1000))


def test_googles_own_client_and_the_stand_in_understand_each_other(
    google: GoogleStandIn, account_key: rsa.RSAPrivateKey
) -> None:
    """The witness that the stand-in reads a batch as Google's own client writes it."""
    account = google.service_account(account_key)
    session = AuthorizedSession(
        service_account.Credentials.from_service_account_info(account, scopes=[SCOPE])
    )
    found: list[Any] = []

    class Http:
        """As much of httplib2 as the client asks of it."""

        def request(self, uri: str, method: str, body: str, headers: dict[str, str]) -> Any:
            answer = session.request(method, uri, data=body.encode(), headers=headers)
            lower = {name.lower(): value for name, value in answer.headers.items()}
            return type("Response", (dict,), {"status": answer.status_code})(lower), answer.content

    many = BatchHttpRequest(
        callback=lambda _name, got, wrong: found.append((got, wrong)),
        batch_uri=f"{google.url}/batch",
    )
    for name in ("a", "b"):
        many.add(
            HttpRequest(
                Http(),
                lambda _response, content: json.loads(content),
                f"{google.url}/walletobjects/v1/loyaltyObject/{ISSUER}.{name}",
                method="PATCH",
                body='{"accountName": "Ada"}',
                headers={"content-type": "application/json"},
            )
        )
    many.execute(http=Http())
    assert google.batches == [2]
    assert [wrong.resp.status for _, wrong in found] == [404, 404]


def test_a_batch_that_breaks_off_gives_what_came_before(
    api: GoogleApi, google: GoogleStandIn
) -> None:
    calls = [("PATCH", f"loyaltyObject/{ISSUER}.{n}", {}) for n in range(10)]
    google.break_off(after_parts=4)
    got = api.batch(calls)
    assert [answer and answer.status for answer in got] == [404] * 4 + [None] * 6
    google.break_off(after_parts=0)
    with pytest.raises(GoogleSilent, match="broke off"):
        api.batch(calls)


def test_a_batch_that_is_refused_as_a_whole_is_the_same_answer_for_each(
    google: GoogleStandIn, account_key: rsa.RSAPrivateKey
) -> None:
    with GoogleStandIn(issuer_id=ISSUER, requests_per_second=0) as busy:
        api = GoogleApi(busy.service_account(account_key), busy.url, Pacer(1000))
        got = api.batch([("PATCH", f"loyaltyObject/{ISSUER}.x", {})] * 5)
    assert [answer and answer.status for answer in got] == [429] * 5


def test_a_batch_without_an_answer_says_which_kind_of_none(
    google: GoogleStandIn, account_key: rsa.RSAPrivateKey
) -> None:
    account = google.service_account(account_key)
    api = GoogleApi(account, google.url, Pacer(1000), timeout_seconds=0.3)
    calls = [("PATCH", f"loyaltyObject/{ISSUER}.x", {})] * 2
    api.batch(calls)
    google.silent()
    with pytest.raises(GoogleSilent, match="no answer"):
        api.batch(calls)
    google.well()
    google.refuse()
    with pytest.raises(GoogleUnreachable):
        api.batch(calls)
