"""The signed list of refused cards at the till: taken from the programme alone, never an older."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from passes.code import Outcome
from scanner.cashiers import FILE as CASHIERS
from scanner.cashiers import Cashier, OfflineCashiers
from scanner.check import KeyRing, check, load_keys
from scanner.client import Client
from scanner.commands import enrol_till, refresh_keys
from scanner.config import Till
from scanner.errors import SignInError, TillRevoked
from scanner.known import KnownCards
from scanner.refusals import FILE

BLOCKED = "0000000000000002"


@pytest.fixture
def till(tmp_path: Path, running: Any) -> Till:
    return enrol_till(tmp_path, running.url, "GOOD-CODE")


def fresh(tmp_path: Path, till: Till) -> KeyRing:
    return refresh_keys(tmp_path, till)


def outcome(ring: KeyRing, text: str) -> Outcome:
    return check(text, ring, datetime.now(UTC)).outcome


def test_a_card_blocked_at_the_service_is_refused_by_a_till_without_a_network(
    tmp_path: Path, till: Till, service: Any, running: Any, make_card: Callable[..., str]
) -> None:
    service.refused = {BLOCKED: "blocked", "0000000000000003": "replaced"}
    fresh(tmp_path, till)
    running.stop()
    ring = load_keys(tmp_path, till.programme.id)
    assert [outcome(ring, make_card(number)) for number in (1, 2, 3)] == [
        "accepted", "blocked", "replaced"
    ]  # fmt: skip
    assert ring.refused_at is not None and ring.trouble is None
    assert datetime.now(UTC) - ring.refused_at < timedelta(minutes=1)


def test_a_list_at_hand_is_vouched_for_without_being_sent(
    tmp_path: Path, till: Till, service: Any
) -> None:
    service.refused = {f"{number:016x}": "blocked" for number in range(5000)}
    first = fresh(tmp_path, till)
    said: list[int] = []
    real = service._refused_cards
    service._refused_cards = lambda known: said.append((answer := real(known))[0]) or answer
    second = fresh(tmp_path, till)
    assert said == [304]
    assert first.refused_at and second.refused_at and second.refused_at > first.refused_at
    assert len(second.refused) == 5000
    service.refused.popitem()
    assert len(fresh(tmp_path, till).refused) == 4999 and said == [304, 200]


def test_a_tampered_list_is_not_taken_and_the_one_at_hand_stays(
    tmp_path: Path, till: Till, service: Any, make_card: Callable[..., str]
) -> None:
    service.refused = {BLOCKED: "blocked"}
    fresh(tmp_path, till)
    real = service._refused_cards

    def tampered(known: str | None) -> tuple[int, Any]:
        _, raw = real(None)
        raw.content = bytes(12)  # nobody is refused
        return 200, raw

    service._refused_cards = tampered
    ring = fresh(tmp_path, till)
    assert ring.trouble is not None and "changed" in ring.trouble
    assert outcome(ring, make_card(2)) is Outcome.BLOCKED
    service.signs = (7, Ed25519PrivateKey.from_private_bytes(b"s" * 32))
    service._refused_cards = real
    service.refused = {}
    ring = fresh(tmp_path, till)
    assert ring.trouble is not None and "signature" in ring.trouble
    assert outcome(ring, make_card(2)) is Outcome.BLOCKED


def test_an_older_list_is_not_taken(
    tmp_path: Path, till: Till, service: Any, make_card: Callable[..., str]
) -> None:
    old = service._refused_cards(None)  # recorded before the card was blocked
    service.refused = {BLOCKED: "blocked"}
    fresh(tmp_path, till)
    service._refused_cards = lambda known: old
    ring = fresh(tmp_path, till)
    assert ring.trouble is not None and "older" in ring.trouble
    assert outcome(ring, make_card(2)) is Outcome.BLOCKED


def test_a_list_changed_on_the_disk_is_told_and_fetched_anew(
    tmp_path: Path, till: Till, service: Any, make_card: Callable[..., str]
) -> None:
    service.refused = {BLOCKED: "blocked"}
    fresh(tmp_path, till)
    kept = bytearray((tmp_path / FILE).read_bytes())
    kept[-1] ^= 1
    (tmp_path / FILE).write_bytes(kept)
    ring = load_keys(tmp_path, till.programme.id)
    assert ring.trouble is not None and ring.refused_at is None
    assert outcome(fresh(tmp_path, till), make_card(2)) is Outcome.BLOCKED


def test_without_the_list_the_keys_are_good_all_the_same(
    tmp_path: Path, till: Till, service: Any, make_card: Callable[..., str]
) -> None:
    html = b"<html>sign in to this network</html>"
    service.intervene = lambda path: (200, "text/html", html) if "refused" in path else None
    ring = fresh(tmp_path, till)
    assert outcome(ring, make_card()) is Outcome.ACCEPTED and ring.trouble is not None


def test_a_refused_card_is_forgotten(tmp_path: Path, till: Till, service: Any) -> None:
    cards = KnownCards(tmp_path)
    for card in (BLOCKED, "0000000000000001"):
        cards.note(card, {"member": {"name": "Ada"}}, datetime.now(UTC))
    service.refused = {BLOCKED: "expired"}  # as one that was erased
    fresh(tmp_path, till)
    assert cards.card_ids() == ["0000000000000001"]


def test_who_left_cannot_sign_in_offline_once_the_till_has_heard_of_it(
    tmp_path: Path, till: Till, service: Any
) -> None:
    cashiers, now = OfflineCashiers(tmp_path, till.secret), datetime.now(UTC)
    cashiers.remember(Cashier("id-anna", "Anna", "cashier"), "271828", now - timedelta(hours=2))
    cashiers.remember(Cashier("id-ben", "Ben", "cashier"), "314159", now - timedelta(hours=2))
    left = now - timedelta(hours=1)
    service.staff_changed = [{"id": "id-anna", "at": left.isoformat()}, {"id": 7}, "nonsense"]
    fresh(tmp_path, till)
    assert cashiers.sign_in("Ben", "314159", now).name == "Ben"
    with pytest.raises(SignInError, match="network"):
        cashiers.sign_in("Anna", "271828", now)
    # A PIN that was set since is good: she signed in online with it after the change.
    cashiers.remember(Cashier("id-anna", "Anna", "cashier"), "141421", now)
    fresh(tmp_path, till)
    assert cashiers.sign_in("Anna", "141421", now).name == "Anna"


def test_a_revoked_till_forgets_customers_and_cashiers_and_keeps_its_queue(
    tmp_path: Path, till: Till, service: Any
) -> None:
    cards, now = KnownCards(tmp_path), datetime.now(UTC)
    cards.note(BLOCKED, {"member": {"name": "Ada"}}, now)
    OfflineCashiers(tmp_path, till.secret).remember(
        Cashier("id-anna", "Anna", "cashier"), "271828", now
    )
    service.tokens.clear()
    with pytest.raises(TillRevoked):
        fresh(tmp_path, till)
    assert not (tmp_path / CASHIERS).exists() and cards.card_ids() == []
    assert (tmp_path / "queue.sqlite").exists() and (tmp_path / "till.json").exists()


def test_nothing_but_the_service_can_make_a_till_forget(
    tmp_path: Path, till: Till, service: Any
) -> None:
    cards = KnownCards(tmp_path)
    cards.note(BLOCKED, {"member": {"name": "Ada"}}, datetime.now(UTC))
    said = b'{"code": "till_revoked", "message": "please sign in"}'
    service.intervene = lambda path: (401, "application/json", said)
    with Client(till.service, till.token) as client, pytest.raises(Exception, match="not the serv"):
        client.keys()
    assert cards.card_ids() == [BLOCKED]


def test_a_list_of_very_many_is_taken_and_one_without_end_is_not(
    tmp_path: Path, till: Till, service: Any
) -> None:
    service.refused = {f"{number * 7919:016x}": "expired" for number in range(300_000)}
    ring = fresh(tmp_path, till)
    assert ring.trouble is None and len(ring.refused) == 300_000
    real = service._refused_cards

    def endless(known: str | None) -> tuple[int, Any]:
        _, raw = real(None)
        raw.content = bytes(9_000_000)
        return 200, raw

    service._refused_cards = endless
    ring = fresh(tmp_path, till)
    assert ring.trouble is not None and "too long" in ring.trouble
    assert len(ring.refused) == 300_000
