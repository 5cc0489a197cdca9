"""A bad network between a real till and a real service: nothing lost, nothing doubled, no lies.

Each fault happens on its own, to a posting of its own, on a card of its own; then the network is
good again and what waits is sent. What counts is what the service's ledger says in the end.
"""

import shutil
import ssl
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import delete, func, select

from app.attempts import Attempt
from app.cards.models import Card
from app.cards.service import set_status
from app.config import from_environment
from app.context import Context
from app.demo.cafe import CASHIER, CASHIER_PIN, TILL, issue_cards, make_cafe
from app.demo.network import BadNetwork, Fault, Request
from app.demo.processes import Installation, free_port
from app.ledger import service as ledger
from app.ledger.check import check as check_ledger
from app.ledger.models import Entry, Posting
from app.staff import service as staff
from app.till import access, waiting
from passes.card import CardStatus
from passes.code import Reading
from scanner import backlog
from scanner.cashiers import OfflineCashiers
from scanner.check import load_keys
from scanner.client import Client, Patience
from scanner.clock import TillClock
from scanner.commands import enrol_till, fetch_keys
from scanner.config import Till
from scanner.errors import Refused, ScanError, SignInError, TryLater
from scanner.sale import Counter
from scanner.sending import drain
from scanner.signing_in import sign_in
from scanner.unsent import How, Queue, State

# The real ones are 6 and 10 seconds: a delay is longer than the till waits.
PATIENCE = Patience(connect=1.5, read=2.0, answer=2.5)
LATE_SECONDS = 3.0
API = "/api/till/v1"


def always(fault: Fault, *paths: str) -> Callable[[Request], Fault | None]:
    """The fault happens to every request whose path begins with one of these."""
    return lambda request: (
        fault if request.path.removeprefix(API).startswith(paths or ("/",)) else None
    )


@dataclass
class Shop:
    """A service with a database of its own, reached through the bad network."""

    context: Context
    service: Installation
    network: BadNetwork
    programme_id: str
    codes: list[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.network.port}"

    def enrolment_code(self) -> str:
        with self.context.database.write_all() as session:
            till = access.till_by_name(session, self.programme_id, TILL)
            return access.new_code(session, till, now=self.context.clock())

    def balance(self, reading: Reading) -> int:
        with self.context.database.read(self.programme_id) as session:
            card = session.get_one(Card, reading.card.card_id_hex)
            return ledger.standing(session, card.account_id, now=datetime.now(UTC)).balance

    def times_posted(self, posting_id: str) -> tuple[int, int]:
        """How many postings and how many entries the ledger has of an id."""
        with self.context.database.read(self.programme_id) as session:
            postings = select(func.count()).select_from(Posting).where(Posting.id == posting_id)
            entries = select(func.count()).select_from(Entry)
            return (
                session.scalar(postings) or 0,
                session.scalar(entries.where(Entry.posting_id == posting_id)) or 0,
            )


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), folder / "shop.sqlite")
        url = f"sqlite:///{folder}/shop.sqlite"
    else:
        address = request.getfixturevalue("postgres")
        name = f"test_{uuid.uuid4().hex}"
        with psycopg.connect(address % "postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template_migrated")
        url = (address % name).replace("postgresql://", "postgresql+psycopg://", 1)
    port = free_port()
    settings = {
        "COUNTERFOIL_DATA": str(folder / "data"),
        "COUNTERFOIL_DATABASE_URL": url,
        "COUNTERFOIL_URL": f"http://127.0.0.1:{port}",
        "COUNTERFOIL_BIND": f"127.0.0.1:{port}",
    }
    context = Context.open(from_environment(settings))
    cafe = make_cafe(context)
    codes = issue_cards(context, cafe.programme_id, 80)
    service = Installation(settings, folder / "service.log")
    network = BadNetwork(port, late_seconds=LATE_SECONDS)
    service.start()
    yield Shop(context, service, network, cafe.programme_id, codes)
    network.stop()
    service.kill()
    context.database.dispose()


@dataclass
class Desk:
    """A till with a cashier at it."""

    shop: Shop
    folder: Path
    till: Till
    queue: Queue
    client: Client

    def counter(self, patience: Patience = Patience()) -> Counter:  # noqa: B008
        offline = OfflineCashiers(self.folder, self.till.secret)
        clock = TillClock(self.queue)
        # Patient, for signing in is seldom what is tested: on a busy machine too she gets in.
        with Client(self.till.service, self.till.token, patience) as client:
            cashier = sign_in(client, offline, CASHIER, CASHIER_PIN, clock)
        ring = load_keys(self.folder, self.till.programme.id)
        return Counter(self.till, self.queue, self.client, ring, cashier, clock=clock)

    def card(self, counter: Counter) -> Reading:
        """Somebody whom nobody has seen yet."""
        return counter.judge(self.shop.codes.pop())

    def drained(self) -> None:
        """The network is good again, and what waits is sent."""
        self.shop.network.fault = lambda request: None
        until = time.monotonic() + 30
        while self.queue.count(State.WAITING) and time.monotonic() < until:
            drain(
                self.queue, self.client, self.till.programme.id, None, TillClock(self.queue)
            )  # fmt: skip
        assert backlog.status(self.queue, self.till.programme.id).all_sent
        assert self.queue.count(State.SET_ASIDE) == 0


@pytest.fixture
def desk(shop: Shop, tmp_path: Path) -> Iterator[Desk]:
    shop.network.fault = lambda request: None
    with shop.context.database.write_all() as session:
        session.execute(delete(Attempt))  # every test enrols from one address; shops do not
    till = enrol_till(tmp_path, shop.url, shop.enrolment_code(), Patience())
    with Queue(tmp_path) as queue, Client(till.service, till.token, PATIENCE) as client:
        yield Desk(shop, tmp_path, till, queue, client)
    shop.network.fault = lambda request: None


@pytest.mark.parametrize("fault", Fault)
def test_an_accrual_is_there_once_whatever_happens_to_it(desk: Desk, fault: Fault) -> None:
    counter = desk.counter()
    reading = desk.card(counter)
    desk.shop.network.fault = always(fault, "/accruals")
    done = counter.accrue(reading, 1250, "R-1")
    # The till has no answer that it may believe: it says that it keeps the posting, no more.
    assert done.queued and not counter.online
    waiting_now = backlog.status(desk.queue, desk.till.programme.id)
    assert (waiting_now.waiting, waiting_now.all_sent) == (1, False)
    desk.drained()
    assert desk.shop.times_posted(done.posting_id) == (1, 1)
    assert desk.shop.balance(reading) == 12
    # And once more, as after a restore: the same answer, nothing doubled.
    desk.client.post("/accruals", ((kept := desk.queue.get(done.posting_id)) and kept.body) or b"")
    assert desk.shop.balance(reading) == 12


@pytest.mark.parametrize("fault", Fault)
def test_one_fault_in_passing_costs_the_customer_nothing(desk: Desk, fault: Fault) -> None:
    """The first try fails; the till tries again or keeps it, and says which."""
    counter = desk.counter()
    reading = desk.card(counter)
    desk.shop.network.fault = lambda request: (
        fault if request.path.endswith("/accruals") and next(times, False) else None
    )
    times = iter([True])
    done = counter.accrue(reading, 1250, None)
    if done.answer is not None:
        assert done.answer["points"] == 12 and desk.shop.balance(reading) == 12
    desk.drained()
    assert desk.shop.times_posted(done.posting_id) == (1, 1)
    assert desk.shop.balance(reading) == 12


@pytest.mark.parametrize("fault", Fault)
def test_a_till_behind_a_bad_network_works_on_as_offline(desk: Desk, fault: Fault) -> None:
    first = desk.counter()
    reading = desk.card(first)
    first.look_up(reading.static)
    first.accrue(reading, 700, None)
    desk.shop.network.fault = always(fault)
    counter = desk.counter(PATIENCE)  # signs in with the PIN, without the service
    assert counter.cashier.session is None and not counter.online
    assert counter.look_up(reading.static) is None
    last = counter.last_known(reading)
    assert last is not None and last.balance == 7 and last.age(datetime.now(UTC)) < timedelta(0, 60)
    with pytest.raises(ScanError, match="not redeemed"):
        counter.redeem(reading, 5, None, None)
    given = counter.accrue(reading, 1200, None)
    mistaken = counter.accrue(reading, 9900, None)
    for _ in range(2):  # pressed twice, taken back once
        assert counter.reverse(mistaken.posting_id, "Undo").queued
    assert desk.queue.count(State.WAITING) == 3
    desk.drained()
    assert desk.shop.balance(reading) == 19
    assert desk.shop.times_posted(given.posting_id) == (1, 1)
    assert desk.shop.times_posted(mistaken.posting_id) == (1, 1)


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("path", ["/holds", "/capture"])
def test_points_are_redeemed_once_or_not_at_all(desk: Desk, fault: Fault, path: str) -> None:
    counter = desk.counter()
    reading = desk.card(counter)
    counter.accrue(reading, 5000, None)
    hit = (lambda p: p.endswith("/capture")) if path == "/capture" else (lambda p: p == "/holds")
    desk.shop.network.fault = lambda request: fault if hit(request.path.removeprefix(API)) else None
    with pytest.raises(ScanError, match="Do not give the reward"):
        counter.redeem(reading, 30, None, None)
    desk.shop.network.fault = lambda request: None
    drain(desk.queue, desk.client, desk.till.programme.id, counter.cashier, TillClock(desk.queue))
    assert desk.queue.count(State.WAITING) == 0
    # A hold that got no further comes free by itself; a capture is finished, once.
    assert desk.shop.balance(reading) == (50 if path == "/holds" else 20)


def test_a_wrong_certificate_is_not_trusted_and_said(
    desk: Desk, shop: Shop, tmp_path: Path
) -> None:
    counter = desk.counter()
    reading = desk.card(counter)
    heard: list[Request] = []
    portal = BadNetwork(int(shop.service.url.rpartition(":")[2]), tls=_self_signed(tmp_path))
    portal.fault = lambda request: heard.append(request)
    try:
        till = replace(desk.till, service=f"https://127.0.0.1:{portal.port}")
        with Client(till.service, till.token, PATIENCE) as client:
            with pytest.raises(TryLater, match="certificate"):
                client.keys()
            elsewhere = Counter(
                till, desk.queue, client, load_keys(tmp_path, till.programme.id), counter.cashier,
                clock=TillClock(desk.queue),
            )  # fmt: skip
            done = elsewhere.accrue(reading, 1250, None)
    finally:
        portal.stop()
    assert done.queued and heard == []  # neither the token nor the posting went out
    desk.drained()
    assert desk.shop.balance(reading) == 12


def _self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "portal.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def test_a_fault_at_the_list_or_the_keys_leaves_what_the_till_knows(desk: Desk) -> None:
    with desk.shop.context.database.write(desk.shop.programme_id) as session:
        card = desk.shop.codes.pop()
        reading = desk.counter().judge(card)
        set_status(
            session, reading.card.card_id_hex, CardStatus.BLOCKED, now=datetime.now(UTC)
        )  # fmt: skip
    fetch_keys(desk.folder, desk.till, desk.client)
    for fault in (Fault.CUT, Fault.BROKEN_JSON, Fault.PORTAL, Fault.ERROR_AFTER):
        desk.shop.network.fault = always(fault, "/refused-cards")
        ring, _ = fetch_keys(desk.folder, desk.till, desk.client)
        assert ring.trouble is not None
        assert ring.refused.get(reading.card.card_id_hex) == "blocked"
        desk.shop.network.fault = always(fault, "/keys")
        with pytest.raises(TryLater):
            fetch_keys(desk.folder, desk.till, desk.client)
    assert load_keys(desk.folder, desk.till.programme.id).refused[reading.card.card_id_hex]


def test_a_posting_refused_for_good_is_let_in_by_a_manager(desk: Desk) -> None:
    counter = desk.counter()
    reading, card_id = (one := desk.card(counter)), one.card.card_id_hex
    with desk.shop.context.database.write(desk.shop.programme_id) as session:
        set_status(session, card_id, CardStatus.BLOCKED, now=datetime.now(UTC))
    with pytest.raises(Refused):
        counter.accrue(reading, 1250, None)
    [aside] = backlog.set_aside(desk.queue)
    other = desk.card(counter)
    assert counter.accrue(other, 300, None).answer  # nothing is in the way
    backlog.resolve(
        desk.queue, desk.client, aside.posting.id, How.HAND_OVER, who="Anna",
        reason="She was here before she lost it", now=datetime.now(UTC),
    )  # fmt: skip
    with desk.shop.context.database.write(desk.shop.programme_id) as session:
        set_status(session, card_id, CardStatus.ACTIVE, now=datetime.now(UTC))
        [row] = [row for row in waiting.waiting(session) if row.posting_id == aside.posting.id]
        assert row.reason == "She was here before she lost it"
        manager = staff.person_by_name(session, "Marta")
        waiting.decide(session, row.posting_id, manager, approved=True, now=datetime.now(UTC))
    assert desk.shop.balance(reading) == 12


def test_a_till_that_was_revoked_goes_on_with_its_queue_once_it_is_enrolled_again(
    desk: Desk, tmp_path: Path
) -> None:
    counter = desk.counter()
    reading = desk.card(counter)
    desk.shop.network.fault = always(Fault.ANSWERED_LATE, "/accruals")
    heard = counter.accrue(reading, 1250, None)  # the service has it, the till does not know
    unheard = counter.accrue(reading, 100, None)
    desk.shop.network.fault = lambda request: None
    with desk.shop.context.database.write(desk.shop.programme_id) as session:
        till = access.till_by_name(session, desk.shop.programme_id, TILL)
        access.revoke(session, till, now=datetime.now(UTC))
    with pytest.raises(ScanError, match="enrol"):
        drain(desk.queue, desk.client, desk.till.programme.id, None, TillClock(desk.queue))
    with pytest.raises((SignInError, ScanError)):
        desk.counter()  # and nobody signs in, not even without the service
    again = enrol_till(tmp_path, desk.shop.url, desk.shop.enrolment_code(), Patience())
    assert again.token != desk.till.token
    with Client(again.service, again.token, Patience()) as client:
        drain(desk.queue, client, again.programme.id, None, TillClock(desk.queue))
    assert desk.queue.count(State.WAITING) == 0 and desk.queue.count(State.SET_ASIDE) == 0
    assert [desk.shop.times_posted(each.posting_id) for each in (heard, unheard)] == [(1, 1)] * 2
    assert desk.shop.balance(reading) == 13


def test_the_books_are_right_in_the_end(shop: Shop) -> None:
    with shop.context.database.read_all() as session:
        assert list(check_ledger(session)) == []
