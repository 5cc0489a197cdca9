"""What each answer of the service, or of something that is not the service, means."""

import json
import uuid
from typing import Any

import pytest

from scanner.client import Client, encode, service_address
from scanner.errors import ConfigError, Refused, SignInAgain, TillRevoked, TryLater

BODY = encode({"id": str(uuid.uuid4())})


@pytest.fixture
def client(running: Any, service: Any) -> Any:
    service.tokens.add("token")
    with Client(running.url, "token") as client:
        yield client


def say(service: Any, status: int, kind: str, content: bytes) -> None:
    service.intervene = lambda path: (status, kind, content)


def problem(status: int, code: str) -> tuple[int, str, bytes]:
    body = {"type": "about:blank", "title": "No", "status": status, "detail": "No.", "code": code}
    return status, "application/problem+json", json.dumps(body).encode()


@pytest.mark.parametrize("status", [400, 403, 404, 409, 410, 413, 422])
def test_the_services_no_is_final(client: Client, service: Any, status: int) -> None:
    say(service, *problem(status, "not_found"))
    with pytest.raises(Refused, match="No"):
        client.post("/accruals", BODY)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 405, 301, 418])
def test_a_fault_is_tried_again_later(client: Client, service: Any, status: int) -> None:
    say(service, *problem(status, "unavailable"))
    with pytest.raises(TryLater):
        client.post("/accruals", BODY)


@pytest.mark.parametrize(
    ("status", "kind", "content"),
    [
        (200, "text/html", b"<html>Welcome to the hotel's network</html>"),
        (404, "text/html", b"<html>not here</html>"),
        (403, "application/json", b'{"blocked": "by the firewall"}'),
        (201, "application/json", b"{"),
        (201, "application/json", b"[1]"),
        (201, "application/json", b'{"ok": true}'),
        (201, "text/plain", b'{"posting_id": "x"}'),
        (200, "application/json", b"[" * 100_000),
        (201, "application/json", b" " * 3_000_000),
        (302, "text/html", b""),
    ],
)
def test_a_captive_portal_is_not_the_service(
    client: Client, service: Any, status: int, kind: str, content: bytes
) -> None:
    say(service, status, kind, content)
    with pytest.raises(TryLater, match="not the service"):
        client.post("/accruals", BODY)


def test_a_revoked_till_is_told_apart_from_a_session_that_ended(
    client: Client, service: Any
) -> None:
    say(service, *problem(401, "till_revoked"))
    with pytest.raises(TillRevoked):
        client.post("/accruals", BODY)
    say(service, *problem(401, "sign_in_again"))
    with pytest.raises(SignInAgain):
        client.post("/accruals", BODY)


def test_a_wrong_pin_is_final_and_too_many_say_how_long(client: Client, service: Any) -> None:
    with pytest.raises(Refused) as refused:
        client.sign_in("Anna", "000000")
    assert refused.value.code == "wrong_pin"
    service.locked = True
    with pytest.raises(TryLater) as later:
        client.sign_in("Anna", "000000")
    assert later.value.too_often


def test_a_service_that_is_gone_was_not_reached(client: Client, running: Any) -> None:
    running.stop()
    with pytest.raises(TryLater) as later:
        client.keys()
    assert not later.value.reached


@pytest.mark.parametrize(
    "url",
    ["http://points.example.com", "http://192.168.1.20:8000", "http://127.0.0.1.example.com",
     "ftp://127.0.0.1", "points.example.com", "https://", "https://me:secret@example.com",
     "https://example.com/?a=1"],
)  # fmt: skip
def test_anything_but_https_is_refused_off_this_machine(url: str) -> None:
    with pytest.raises(ConfigError):
        service_address(url)


@pytest.mark.parametrize(
    "url", ["https://points.example.com", "http://127.0.0.1:8000", "http://localhost:8000/"]
)
def test_https_and_this_very_machine_are_fine(url: str) -> None:
    assert service_address(url) == url.rstrip("/")
