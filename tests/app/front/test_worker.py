"""A real service, asked over sockets as devices, tills, slow phones and nonsense ask."""

import json
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import select

from app.cards.models import Card
from app.cards.service import apple_token
from app.config import from_environment
from app.context import Context
from app.demo.cafe import CASHIER, CASHIER_PIN, PASS_TYPE, issue_cards, make_cafe, make_certificates
from app.demo.processes import Installation, free_port

CARDS = 4


@dataclass
class Shop:
    """The service, what phones ask it, and what a till has in hand."""

    service: Installation
    port: int
    passes: list[bytes]
    codes: list[str]
    till: dict[str, str]
    cashier: str

    def connect(self) -> socket.socket:
        """A connection of one client."""
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.settimeout(20)
        return connection

    def accrual(self, code: str, **other: object) -> bytes:
        """A till's request for an accrual."""
        body = {
            "id": str(uuid.uuid4()),
            "occurred_at": datetime.now(UTC).isoformat(),
            "cashier_id": self.cashier,
            "code": code,
            "amount_minor": 1250,
            "currency": "EUR",
        } | other
        return post(json.dumps(body).encode(), self.till)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shop(
    request: pytest.FixtureRequest,
    module_database_urls: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Shop]:
    folder, port = tmp_path_factory.mktemp("front"), free_port()
    settings = {
        "COUNTERFOIL_DATA": str(folder / "data"),
        "COUNTERFOIL_DATABASE_URL": module_database_urls(request.param),
        "COUNTERFOIL_URL": f"http://127.0.0.1:{port}",
        "COUNTERFOIL_BIND": f"127.0.0.1:{port}",
        "COUNTERFOIL_THREADS": "4",
    }
    context = Context.open(from_environment(settings))
    service = Installation(settings, folder / "service.log")
    try:
        make_certificates(context)
        cafe = make_cafe(context)
        codes = issue_cards(context, cafe.programme_id, CARDS)
        service.start()
        with context.database.read_all() as session:
            passes = [
                f"GET /v1/passes/{PASS_TYPE}/{card.serial_number} HTTP/1.1\r\nHost: cards\r\n"
                f"Authorization: ApplePass {apple_token(context.keys, card)}\r\n\r\n".encode()
                for card in session.scalars(select(Card))
            ]
        till, cashier = _sign_in(service.url, cafe.enrolment_code)
        shop = Shop(service, port, passes, codes, till, cashier)
        for each in passes:  # The design is laid out now: the lane has all that it needs.
            assert ask(shop, each)[0] == 200
        yield shop
    finally:
        service.stop()
        context.database.dispose()


def _sign_in(url: str, code: str) -> tuple[dict[str, str], str]:
    with httpx2.Client(base_url=f"{url}/api/till/v1") as client:
        token = client.post("/enrolments", json={"code": code}).json()["token"]
        head = {"Authorization": f"Bearer {token}"}
        found = client.post(
            "/cashier-sessions", json={"cashier": CASHIER, "pin": CASHIER_PIN}, headers=head
        ).json()
    return head | {"Counterfoil-Cashier": found["token"]}, found["cashier"]["id"]


def post(body: bytes, headers: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return (
        f"POST /api/till/v1/accruals HTTP/1.1\r\nHost: cards\r\n{lines}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


class Reader:
    """Reads answers off a connection, one after the other."""

    def __init__(self, connection: socket.socket) -> None:
        self._file = connection.makefile("rb")

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the next one."""
        status = int(self._file.readline().split()[1])
        headers = {}
        while (line := self._file.readline().decode().strip()) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, self._file.read(int(headers.get("content-length", 0)))


def ask(shop: Shop, request: bytes) -> tuple[int, dict[str, str], bytes]:
    with shop.connect() as connection:
        connection.sendall(request)
        return Reader(connection).answer()


def test_one_connection_gets_pass_after_pass(shop: Shop) -> None:
    with shop.connect() as connection:
        reader = Reader(connection)
        for _ in range(3):
            for request in shop.passes:
                connection.sendall(request)
                status, headers, body = reader.answer()
                assert status == 200
                assert headers["content-type"] == "application/vnd.apple.pkpass"
                assert body[:2] == b"PK"
                assert "date" in headers


def test_a_pass_that_the_device_has_is_not_sent_again(shop: Shop) -> None:
    _, headers, _ = ask(shop, shop.passes[0])
    since = f"If-Modified-Since: {headers['last-modified']}\r\n\r\n".encode()
    with shop.connect() as connection:
        connection.sendall(shop.passes[0][:-2] + since + shop.passes[1])
        reader = Reader(connection)
        assert reader.answer()[0] == 304
        assert reader.answer()[0] == 200


def test_a_request_that_comes_in_pieces_is_answered(shop: Shop) -> None:
    request = shop.passes[0]
    with shop.connect() as connection:
        reader = Reader(connection)
        for _ in range(2):
            for piece in (request[:10], request[10:60], request[60:]):
                connection.sendall(piece)
                time.sleep(0.02)
            assert reader.answer()[0] == 200


def test_a_posting_whose_body_comes_later_is_answered(shop: Shop) -> None:
    with shop.connect() as connection:
        reader = Reader(connection)
        for _ in range(2):
            head, end, body = shop.accrual(shop.codes[0]).partition(b"\r\n\r\n")
            for piece in (head + end, body[:40], body[40:]):
                connection.sendall(piece)
                time.sleep(0.02)
            assert reader.answer()[0] == 201


def test_one_connection_asks_for_this_and_that(shop: Shop) -> None:
    health = b"GET / HTTP/1.1\r\nHost: cards\r\n\r\n"
    with shop.connect() as connection:
        reader = Reader(connection)
        for request in (shop.passes[0], health, shop.accrual(shop.codes[0]), health) * 3:
            connection.sendall(request)
            assert reader.answer()[0] in (200, 201)


def test_requests_sent_without_waiting_are_answered_in_their_order(shop: Shop) -> None:
    unknown = shop.passes[0].replace(b"ApplePass ", b"ApplePass 0")
    with shop.connect() as connection:
        connection.sendall(shop.passes[0] + unknown + shop.passes[1] + shop.passes[2])
        reader = Reader(connection)
        assert [reader.answer()[0] for _ in range(4)] == [200, 401, 200, 200]


def test_what_a_lane_does_not_answer_is_told_why(shop: Shop) -> None:
    status, headers, body = ask(shop, shop.passes[0].replace(b"ApplePass ", b"ApplePass 0"))
    assert (status, headers["www-authenticate"]) == (401, "ApplePass")
    assert json.loads(body)["code"] == "unauthorised"
    status, _, body = ask(shop, shop.accrual("CF1:" + "0" * 116))
    assert status == 422 or json.loads(body)["code"]


def test_a_posting_is_answered_once_and_again_the_same(shop: Shop) -> None:
    request = shop.accrual(shop.codes[0])
    first, again = ask(shop, request), ask(shop, request)
    assert (first[0], again[0]) == (201, 201)
    assert first[2] == again[2]
    assert "idempotent-replay" not in first[1]
    assert again[1]["idempotent-replay"] == "true"


def test_a_body_in_chunks_goes_the_usual_way(shop: Shop) -> None:
    plain = shop.accrual(shop.codes[1])
    head, _, body = plain.partition(b"\r\n\r\n")
    head = head.replace(f"Content-Length: {len(body)}".encode(), b"Transfer-Encoding: chunked")
    chunked = b"%b\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (head, len(body), body)
    first, again = ask(shop, chunked), ask(shop, plain)
    assert first[0] == 201
    assert json.loads(first[2]) == json.loads(again[2])


def test_a_phone_that_reads_slowly_gets_all_of_it(shop: Shop) -> None:
    whole = ask(shop, shop.passes[0])[2]
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", shop.port))
        # So many, unread, that the answers no longer fit into what the machine holds for us.
        many = 200
        sent = 0
        for _ in range(many):
            connection.sendall(shop.passes[0])
            sent += 1
        time.sleep(0.3)
        reader = Reader(connection)
        for _ in range(sent):
            assert reader.answer()[2] == whole


def test_whoever_hangs_up_hurts_nobody(shop: Shop) -> None:
    for _ in range(20):
        with shop.connect() as connection:
            connection.sendall(shop.passes[0])
        with shop.connect() as connection:
            connection.sendall(shop.passes[0][:-5])
    assert ask(shop, shop.passes[0])[0] == 200


def test_many_at_once_get_each_their_own(shop: Shop) -> None:
    own = [ask(shop, request)[2] for request in shop.passes]

    def fetch(number: int) -> bool:
        place = number % CARDS
        with shop.connect() as connection:
            reader = Reader(connection)
            for _ in range(5):
                connection.sendall(shop.passes[place])
                if reader.answer()[2] != own[place]:
                    return False
        return True

    with ThreadPoolExecutor(40) as phones:
        assert all(phones.map(fetch, range(80)))


def test_accruals_of_many_tills_at_once_are_all_there(shop: Shop) -> None:
    requests = [shop.accrual(shop.codes[2 + number % 2]) for number in range(60)]
    with ThreadPoolExecutor(20) as tills:
        answers = list(tills.map(lambda each: ask(shop, each), requests))
    assert {status for status, _, _ in answers} == {201}
    balances = sorted(json.loads(body)["standing"]["balance"] for _, _, body in answers)
    assert balances == sorted([12 * count for count in range(1, 31)] * 2)


def test_the_service_stops_although_phones_keep_their_connections(
    database_urls: Callable[[str], str], tmp_path: Path
) -> None:
    port = free_port()
    settings = {
        "COUNTERFOIL_DATA": str(tmp_path / "data"),
        "COUNTERFOIL_DATABASE_URL": database_urls("sqlite"),
        "COUNTERFOIL_URL": f"http://127.0.0.1:{port}",
        "COUNTERFOIL_BIND": f"127.0.0.1:{port}",
    }
    context = Context.open(from_environment(settings))
    cafe = make_cafe(context)
    code = issue_cards(context, cafe.programme_id, 1)[0]
    context.database.dispose()
    service = Installation(settings, tmp_path / "service.log")
    service.start()
    till, cashier = _sign_in(service.url, cafe.enrolment_code)
    shop = Shop(service, port, [], [code], till, cashier)
    with shop.connect(), shop.connect() as asked:
        reader = Reader(asked)
        asked.sendall(shop.accrual(code))
        assert reader.answer()[0] == 201  # A lane keeps this one open.
        asked.sendall(shop.accrual(code)[:-1])
        begun = time.monotonic()
        service.stop()
        assert time.monotonic() - begun < 15
        # What it sent and nobody read any more makes an end into a reset.
        with suppress(ConnectionResetError):
            assert not asked.recv(1)
