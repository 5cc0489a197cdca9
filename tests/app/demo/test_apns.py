"""The APNs stand-in takes what Apple takes, refuses what Apple refuses, and can be ill."""

import datetime
import socket
import ssl
import time
import uuid
from pathlib import Path

import httpx2
import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import Event, RemoteSettingsChanged, StreamEnded, StreamReset
from h2.settings import SettingCodes

from app.demo.apns import ApnsStandIn
from tests.app.demo.conftest import DAY, Chain, key_pem, pem_of
from tests.passes import certificates

TOKEN = "ab" * 32
HEADERS = {"apns-topic": certificates.PASS_TYPE, "apns-push-type": "background"}


def push(client: httpx2.Client, token: str = TOKEN, **changes: str | None) -> httpx2.Response:
    """Send a push with some headers changed (None: left out)."""
    changed = HEADERS | {name.replace("_", "-"): value for name, value in changes.items()}
    headers = {name: value for name, value in changed.items() if value is not None}
    return client.post(f"/3/device/{token}", content=b"{}", headers=headers)


def test_a_pass_push_is_taken_and_gets_an_id(apns: ApnsStandIn, client: httpx2.Client) -> None:
    answer = push(client)
    assert (answer.status_code, answer.content, answer.http_version) == (200, b"", "HTTP/2")
    taken = apns.wait_for_push(TOKEN)
    assert taken.apns_id == answer.headers["apns-id"]
    assert uuid.UUID(taken.apns_id)
    assert (taken.topic, taken.push_type) == (certificates.PASS_TYPE, "background")


def test_an_id_that_is_given_comes_back(client: httpx2.Client) -> None:
    own = "123e4567-e89b-12d3-a456-4266554400a0"
    assert push(client, apns_id=own).headers["apns-id"] == own


@pytest.mark.parametrize("push_type", [None, "background", "alert"])
def test_a_pass_push_needs_no_push_type(client: httpx2.Client, push_type: str | None) -> None:
    assert push(client, apns_push_type=push_type).status_code == 200


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"apns_topic": None}, 400, "MissingTopic"),
        ({"apns_topic": "pass.other"}, 400, "TopicDisallowed"),
        ({"apns_topic": "no topic"}, 400, "BadTopic"),
        ({"apns_push_type": "voip"}, 400, "InvalidPushType"),
        ({"apns_priority": "7"}, 400, "BadPriority"),
        ({"apns_priority": "10"}, 400, "BadPriority"),
        ({"apns_expiration": "soon"}, 400, "BadExpirationDate"),
        ({"apns_id": "1"}, 400, "BadMessageId"),
        ({"apns_collapse_id": "x" * 65}, 400, "BadCollapseId"),
    ],
)
def test_a_wrong_header_is_named(
    client: httpx2.Client, changes: dict[str, str | None], status: int, reason: str
) -> None:
    answer = push(client, **changes)
    assert (answer.status_code, answer.json()) == (status, {"reason": reason})


@pytest.mark.parametrize("token", ["12", "zz" * 32, "ab" * 33])
def test_a_token_is_64_hex_digits(client: httpx2.Client, token: str) -> None:
    assert push(client, token).json() == {"reason": "BadDeviceToken"}


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"", 400, "PayloadEmpty"),
        (b"{" + b" " * 5000 + b"}", 413, "PayloadTooLarge"),
        (b'{"aps":{}}', 400, "PayloadNotEmptyDictionary"),
    ],
)
def test_the_payload_is_an_empty_dictionary(
    client: httpx2.Client, body: bytes, status: int, reason: str
) -> None:
    answer = client.post(f"/3/device/{TOKEN}", content=body, headers=HEADERS)
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("GET", f"/3/device/{TOKEN}", 405, "MethodNotAllowed"),
        ("POST", f"/2/device/{TOKEN}", 404, "BadPath"),
        ("POST", f"/3/device/{TOKEN}/x", 404, "BadPath"),
        ("POST", "/3/device/", 400, "MissingDeviceToken"),
    ],
)
def test_only_a_post_to_a_device_is_a_push(
    client: httpx2.Client, method: str, path: str, status: int, reason: str
) -> None:
    answer = client.request(method, path, content=b"{}", headers=HEADERS)
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)


def test_without_a_certificate_nobody_gets_in(apns: ApnsStandIn) -> None:
    context = ssl.create_default_context(cadata=apns.ca_pem.decode())
    with (
        httpx2.Client(base_url=apns.url, http2=True, verify=context) as stranger,
        pytest.raises(httpx2.TransportError),
    ):
        push(stranger)
    assert not apns.received


@pytest.mark.parametrize("kind", ["expired", "foreign"])
def test_a_certificate_must_be_valid_and_chain_to_the_authority(
    apns: ApnsStandIn, chain: Chain, tmp_path: Path, kind: str
) -> None:
    now = datetime.datetime.now(datetime.UTC)
    key = certificates.rsa_key()
    issuer, end = chain.issuer, now + DAY
    if kind == "expired":
        end = now - DAY
    else:
        issuer = certificates.authority("Somebody else", number=13)
    leaf = certificates.pass_certificate(key, issuer, start=now - 2 * DAY, end=end)
    file = tmp_path / "pass.pem"
    file.write_bytes(key_pem(key) + pem_of(leaf))
    context = ssl.create_default_context(cadata=apns.ca_pem.decode())
    context.load_cert_chain(file)
    with (
        httpx2.Client(base_url=apns.url, http2=True, verify=context) as stranger,
        pytest.raises(httpx2.TransportError),
    ):
        push(stranger)


def test_a_client_of_http_1_is_turned_away(apns: ApnsStandIn, trusting: ssl.SSLContext) -> None:
    with (
        httpx2.Client(base_url=apns.url, http2=False, verify=trusting) as old,
        pytest.raises(httpx2.TransportError),
    ):
        push(old)
    assert any("h2" in violation for violation in apns.violations)


def test_a_card_that_was_removed_answers_410_with_the_time(
    apns: ApnsStandIn, client: httpx2.Client
) -> None:
    apns.gone(TOKEN, 1_790_000_000_000)
    answer = push(client)
    assert answer.status_code == 410
    assert answer.json() == {"reason": "Unregistered", "timestamp": 1_790_000_000_000}
    assert not apns.pushes


def test_a_token_of_another_topic_or_of_nobody_is_refused(
    apns: ApnsStandIn, client: httpx2.Client
) -> None:
    apns.belongs(TOKEN, "pass.other")
    assert push(client).json() == {"reason": "DeviceTokenNotForTopic"}
    apns.know_only({"cd" * 32})
    assert push(client).json() == {"reason": "BadDeviceToken"}


def test_failures_come_as_often_as_asked(apns: ApnsStandIn, client: httpx2.Client) -> None:
    apns.fail(429, "TooManyRequests", times=1, retry_after=3)
    apns.fail(503, "Shutdown", token="cd" * 32)
    first = push(client)
    assert (first.status_code, first.headers["retry-after"]) == (429, "3")
    assert push(client).status_code == 200
    assert push(client, "cd" * 32).status_code == 503
    apns.well()
    assert push(client, "cd" * 32).status_code == 200


def test_a_reset_stream_leaves_the_connection_alive(
    apns: ApnsStandIn, client: httpx2.Client
) -> None:
    apns.reset_next(1)
    with pytest.raises(httpx2.RemoteProtocolError):
        push(client)
    assert push(client).status_code == 200
    assert apns.connections_made == 1
    assert len(apns.received) == 2
    assert len(apns.pushes) == 1


def test_after_a_goaway_what_was_begun_is_answered_and_the_client_comes_anew(
    apns: ApnsStandIn, client: httpx2.Client
) -> None:
    assert push(client).status_code == 200
    apns.go_away()
    time.sleep(0.05)
    for _ in range(2):
        try:
            answer = push(client)
            break
        except httpx2.TransportError:
            continue
    assert answer.status_code == 200
    assert apns.connections_made == 2


def test_the_stream_limit_is_told_and_kept(apns: ApnsStandIn, trusting: ssl.SSLContext) -> None:
    apns.stream_limit(1)
    apns.slow(0.1)
    trusting.set_alpn_protocols(["h2"])
    address = ("127.0.0.1", int(apns.url.rpartition(":")[2]))
    with (
        socket.create_connection(address, timeout=5) as plain,
        trusting.wrap_socket(plain, server_hostname="127.0.0.1") as tls,
    ):
        bare = H2Connection(H2Configuration(client_side=True))
        bare.initiate_connection()
        tls.sendall(bare.data_to_send())

        def events_until(kind: type[Event]) -> list[Event]:
            seen: list[Event] = []
            while not any(isinstance(event, kind) for event in seen):
                seen += bare.receive_data(tls.recv(65536))
            return seen

        events_until(RemoteSettingsChanged)
        assert bare.remote_settings.max_concurrent_streams == 1
        bare.remote_settings[SettingCodes.MAX_CONCURRENT_STREAMS] = 2  # a client that disobeys
        bare.remote_settings.acknowledge()
        pseudo = {":method": "POST", ":path": f"/3/device/{TOKEN}", ":scheme": "https"}
        for stream in (1, 3):
            bare.send_headers(stream, list((pseudo | {":authority": "x"} | HEADERS).items()))
            bare.send_data(stream, b"{}", end_stream=True)
        tls.sendall(bare.data_to_send())
        seen = events_until(StreamEnded)
        refused = [event for event in seen if isinstance(event, StreamReset)]
        assert [(event.stream_id, event.error_code) for event in refused] == [
            (3, ErrorCodes.REFUSED_STREAM)
        ]
        apns.stream_limit(7)
        events_until(RemoteSettingsChanged)
        assert bare.remote_settings.max_concurrent_streams == 7
    assert len(apns.pushes) == 1


def test_silence_answers_nothing(apns: ApnsStandIn, client: httpx2.Client) -> None:
    apns.silent()
    with pytest.raises(httpx2.ReadTimeout):
        client.post(f"/3/device/{TOKEN}", content=b"{}", headers=HEADERS, timeout=0.2)
    assert apns.received == [TOKEN]
    assert not apns.pushes


def test_a_refused_connection_comes_back_on_the_same_address(
    apns: ApnsStandIn, trusting: ssl.SSLContext
) -> None:
    url = apns.url
    apns.refuse()
    with httpx2.Client(base_url=url, http2=True, verify=trusting) as client:
        with pytest.raises(httpx2.ConnectError):
            push(client)
        apns.well()
        assert push(client).status_code == 200


def test_waiting_for_a_push_that_does_not_come_ends(apns: ApnsStandIn) -> None:
    with pytest.raises(TimeoutError, match="0 of 1"):
        apns.wait_for_push(TOKEN, 0.05)


def test_a_listener_hears_of_its_token_only(apns: ApnsStandIn, client: httpx2.Client) -> None:
    heard: list[str] = []
    apns.on_push(TOKEN, lambda push: heard.append(push.token))
    push(client)
    push(client, "cd" * 32)
    apns.wait_for_push("cd" * 32)
    assert heard == [TOKEN]
