"""Pushes over HTTP/2 to the strict stand-in, and what becomes of them when it is ill."""

import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from app.certs import ROOT, WWDR, load_pass_signer, make_dev_chain
from app.certs.files import key_of
from app.clock import FixedClock, system_clock
from app.config import Config
from app.context import Context
from app.delivery.apns import ApnsClient, ApnsSender, Identity
from app.delivery.sending import Outcome, Result
from app.demo.apns import ApnsStandIn
from app.errors import Misconfigured
from app.keys import KeyRing

PATIENCE_SECONDS = 20.0


def tokens(count: int) -> list[str]:
    return [uuid.uuid4().hex * 2 for _ in range(count)]


def outcomes(results: list[Result]) -> set[Outcome]:
    return {result.outcome for result in results}


@pytest.fixture
def client(config: Config) -> Iterator[ApnsClient]:
    client = ApnsClient(config.apns_url, config.apns_ca, answer_seconds=0.5)
    yield client
    client.close()


@pytest.fixture
def identity(config: Config) -> Identity:
    keys = KeyRing.open(config)
    signer = load_pass_signer(config, keys)
    assert signer is not None
    key = key_of(signer.certificate, keys)
    assert key is not None
    return Identity.of(signer, key)


@pytest.fixture
def push(client: ApnsClient, identity: Identity) -> Callable[[list[str]], list[Result]]:
    return lambda sent: client.push(identity, sent)


@pytest.fixture
def patient_push(
    config: Config, identity: Identity
) -> Iterator[Callable[[list[str]], list[Result]]]:
    """Pushes by a client that waits long for answers: what they tell does not hang on the time."""
    client = ApnsClient(config.apns_url, config.apns_ca, answer_seconds=PATIENCE_SECONDS)
    yield lambda sent: client.push(identity, sent)
    client.close()


Push = Callable[[list[str]], list[Result]]


def test_pushes_arrive_each_with_its_answer(push: Push, apns: ApnsStandIn) -> None:
    sent = tokens(300)
    assert outcomes(push(sent)) == {Outcome.DELIVERED}
    assert sorted(item.token for item in apns.pushes) == sorted(sent)
    assert {item.push_type for item in apns.pushes} == {"background"}


def test_one_connection_carries_everything(push: Push, apns: ApnsStandIn) -> None:
    before = apns.connections_made
    for _ in range(5):
        push(tokens(10))
    assert apns.connections_made == before + 1


def test_nothing_to_push_needs_no_connection(push: Push, apns: ApnsStandIn) -> None:
    before = apns.connections_made
    assert push([]) == []
    assert apns.connections_made == before


def test_several_threads_push_at_once(push: Push, apns: ApnsStandIn) -> None:
    batches = [tokens(100) for _ in range(4)]
    threads = [threading.Thread(target=push, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(apns.pushes) == 400


def test_results_keep_the_order_of_the_tokens(push: Push, apns: ApnsStandIn) -> None:
    sent = tokens(30)
    apns.gone(sent[7])
    apns.fail(503, "Shutdown", token=sent[20])
    results = push(sent)
    assert results[7].outcome == Outcome.GONE
    assert results[20].outcome == Outcome.RETRY
    assert "503 Shutdown" in results[20].reason
    assert sum(result.outcome == Outcome.DELIVERED for result in results) == 28


@pytest.mark.parametrize(
    ("status", "reason", "outcome"),
    [
        (429, "TooManyRequests", Outcome.RETRY),
        (500, "InternalServerError", Outcome.RETRY),
        (503, "ServiceUnavailable", Outcome.RETRY),
        (400, "BadDeviceToken", Outcome.UNKNOWN),
        (400, "BadTopic", Outcome.REFUSED),
        (403, "BadCertificate", Outcome.REFUSED),
    ],
)
def test_every_answer_has_its_meaning(
    status: int, reason: str, outcome: Outcome, push: Push, apns: ApnsStandIn
) -> None:
    apns.fail(status, reason, retry_after=7)
    result = push(tokens(1))[0]
    assert result.outcome == outcome
    assert reason in result.reason
    if outcome == Outcome.RETRY:
        assert result.retry_after_seconds == 7


def test_a_date_until_which_to_wait_is_understood(push: Push, apns: ApnsStandIn) -> None:
    until = system_clock() + timedelta(minutes=5)
    apns.fail(503, "Shutdown", retry_after=format_datetime(until, usegmt=True))
    asked = push(tokens(1))[0].retry_after_seconds
    assert asked is not None
    assert 240 < asked <= 300


def test_a_limit_of_one_stream_is_honoured(push: Push, apns: ApnsStandIn) -> None:
    push(tokens(50))
    apns.stream_limit(1)
    assert outcomes(push(tokens(50))) == {Outcome.DELIVERED}
    apns.stream_limit(100)
    assert outcomes(push(tokens(50))) == {Outcome.DELIVERED}


def test_a_limit_that_falls_while_pushes_are_open_is_honoured(
    push: Push, apns: ApnsStandIn
) -> None:
    apns.slow(0.05)
    apns.limit_after_refusal(1)
    sent = tokens(40)
    apns.fail(400, "BadDeviceToken", token=sent[0])
    results = push(sent)
    assert results[0].outcome == Outcome.UNKNOWN
    assert outcomes(results[1:]) == {Outcome.DELIVERED}


def when_received(apns: ApnsStandIn, count: int, act: Callable[[], None]) -> threading.Thread:
    """Do something as soon as so many pushes were received, however busy the machine is."""

    def wait() -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while len(apns.received) < count and time.monotonic() < until:
            time.sleep(0.002)
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_what_was_begun_before_a_goaway_is_answered_and_never_sent_again(
    patient_push: Push, apns: ApnsStandIn
) -> None:
    patient_push(tokens(1))
    apns.slow(0.5)
    sent = tokens(200)
    waiting = when_received(apns, 201, apns.go_away)
    assert outcomes(patient_push(sent)) == {Outcome.DELIVERED}
    waiting.join()
    assert sorted(apns.received[1:]) == sorted(sent)


def test_after_a_goaway_the_next_push_has_a_new_connection(push: Push, apns: ApnsStandIn) -> None:
    push(tokens(1))
    before = apns.connections_made
    apns.go_away()
    assert outcomes(push(tokens(5))) == {Outcome.DELIVERED}
    assert apns.connections_made == before + 1


def test_a_cut_connection_is_rebuilt_and_only_what_got_no_answer_is_left(
    patient_push: Push, apns: ApnsStandIn
) -> None:
    patient_push(tokens(1))
    apns.slow(PATIENCE_SECONDS)
    sent = tokens(100)
    waiting = when_received(apns, 101, apns.cut)
    results = patient_push(sent)
    waiting.join()
    assert outcomes(results) == {Outcome.RETRY}
    apns.slow(0)
    assert outcomes(patient_push(sent)) == {Outcome.DELIVERED}
    assert len(apns.pushes) == 101, "no push that was answered was sent again"


def test_a_push_that_is_reset_is_to_be_sent_again(push: Push, apns: ApnsStandIn) -> None:
    apns.reset_next(3)
    results = push(tokens(10))
    assert [result.outcome for result in results].count(Outcome.RETRY) == 3
    assert [result.outcome for result in results].count(Outcome.DELIVERED) == 7


def test_where_nobody_listens_nothing_has_left(push: Push, apns: ApnsStandIn) -> None:
    apns.refuse()
    results = push(tokens(10))
    assert outcomes(results) == {Outcome.UNSENT}
    assert "cannot be reached" in results[0].reason
    apns.well()
    assert outcomes(push(tokens(10))) == {Outcome.DELIVERED}


def test_silence_is_given_up_in_time_and_the_connection_with_it(
    push: Push, apns: ApnsStandIn
) -> None:
    push(tokens(1))
    before = apns.connections_made
    apns.silent()
    started = time.monotonic()
    assert outcomes(push(tokens(5))) == {Outcome.RETRY}
    assert time.monotonic() - started < 2
    apns.well()
    assert outcomes(push(tokens(5))) == {Outcome.DELIVERED}
    assert apns.connections_made == before + 1


def test_a_renewed_certificate_is_used_without_a_restart(
    client: ApnsClient, identity: Identity, apns: ApnsStandIn
) -> None:
    client.push(identity, tokens(1))
    before = apns.connections_made
    renewed = replace(identity, mark=object())
    assert outcomes(client.push(renewed, tokens(5))) == {Outcome.DELIVERED}
    assert apns.connections_made == before + 1
    assert outcomes(client.push(renewed, tokens(5))) == {Outcome.DELIVERED}
    assert apns.connections_made == before + 1


def _identity_of(folder: Path, pass_type: str, now: datetime) -> tuple[Identity, bytes]:
    """A certificate of that pass type, and what APNs has to know to take it."""
    folder.mkdir(mode=0o700)
    config = Config(data=folder, database_url="sqlite://", url="http://127.0.0.1:8000")
    keys = KeyRing.open(config)
    make_dev_chain(config, keys, now=now, pass_type_identifier=pass_type)
    signer = load_pass_signer(config, keys)
    assert signer is not None
    key = key_of(signer.certificate, keys)
    assert key is not None
    chain = b"".join((config.certs_dir / name).read_bytes() for name in (ROOT, WWDR))
    return Identity.of(signer, key), chain


def test_each_certificate_has_a_connection_of_its_own_and_keeps_it(
    tmp_path: Path, clock: FixedClock
) -> None:
    one, its_chain = _identity_of(tmp_path / "one", "pass.one", clock())
    other, other_chain = _identity_of(tmp_path / "other", "pass.other", clock())
    with ApnsStandIn(client_ca=its_chain + other_chain) as apns:
        ca = tmp_path / "ca.pem"
        ca.write_bytes(apns.ca_pem)
        client = ApnsClient(apns.url, ca)
        for _ in range(3):
            for identity in (one, other):
                assert outcomes(client.push(identity, tokens(5))) == {Outcome.DELIVERED}
        client.close()
        assert apns.connections_made == 2
        assert {push.topic for push in apns.pushes} == {"pass.one", "pass.other"}
        assert apns.violations == []


def test_a_certificate_that_apns_does_not_take_is_said_so(
    client: ApnsClient, apns: ApnsStandIn, tmp_path: Path, clock: FixedClock
) -> None:
    foreign, _ = _identity_of(tmp_path / "other", "pass.dev.counterfoil", clock())
    assert outcomes(client.push(foreign, tokens(2))) == {Outcome.UNSENT}


def test_a_server_that_is_not_apns_gets_no_push(config: Config, identity: Identity) -> None:
    client = ApnsClient(config.apns_url, None, answer_seconds=0.5)
    try:
        results = client.push(identity, tokens(1))
    finally:
        client.close()
    assert outcomes(results) == {Outcome.UNSENT}
    assert "certificate" in results[0].reason.lower()


def test_apns_is_never_asked_in_the_clear() -> None:
    with pytest.raises(Misconfigured, match="https"):
        ApnsClient("http://127.0.0.1:1")


def test_without_a_certificate_there_is_an_obstacle_in_words(
    context: Context, config: Config
) -> None:
    sender = ApnsSender(context)
    assert sender.obstacle() is None
    shutil.rmtree(config.certs_dir)
    assert "no Apple pass certificate" in str(sender.obstacle())


def test_an_expired_certificate_is_named(context: Context, clock: object) -> None:
    sender = ApnsSender(context)
    assert sender.obstacle() is None
    clock.advance(timedelta(days=400))  # type: ignore[attr-defined]
    assert "expired on" in str(sender.obstacle())
