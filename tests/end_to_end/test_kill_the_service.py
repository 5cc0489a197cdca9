"""A real service, really killed, between any two steps of a posting."""

import random
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select

from app.config import from_environment
from app.context import Context
from app.demo.cafe import CASHIER, CASHIER_PIN, issue_cards, make_cafe
from app.demo.processes import Installation, free_port
from app.ledger.check import check
from app.ledger.models import Entry, Posting

SENDERS = 4
ROUNDS = 3


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_nothing_acknowledged_is_lost_and_nothing_is_there_twice(
    kind: str, database_urls: Callable[[str], str], tmp_path: Path
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    port = free_port()
    settings = {
        "COUNTERFOIL_DATA": str(tmp_path / "data"),
        "COUNTERFOIL_DATABASE_URL": database_urls(kind),
        "COUNTERFOIL_URL": f"http://127.0.0.1:{port}",
        "COUNTERFOIL_BIND": f"127.0.0.1:{port}",
    }
    context = Context.open(from_environment(settings))
    service = Installation(settings, tmp_path / "service.log")
    try:
        outcome = _kill_repeatedly(context, service, random.Random(seed))
        _send_all_again(service, outcome)
        _check_ledger(context, outcome)
    finally:
        service.kill()
        context.database.dispose()


class _Outcome:
    """Every posting that was tried, and the answers to those that were acknowledged."""

    def __init__(self, headers: dict[str, str]) -> None:
        self.headers = headers
        self.tried: list[dict[str, Any]] = []
        self.acknowledged: dict[str, Any] = {}
        self.lock = threading.Lock()


def _kill_repeatedly(context: Context, service: Installation, chance: random.Random) -> _Outcome:
    cafe = make_cafe(context)
    codes = issue_cards(context, cafe.programme_id, 3)
    service.start()
    outcome, cashier = _sign_in(service, cafe.enrolment_code)
    for _ in range(ROUNDS):
        stop = threading.Event()
        senders = [
            threading.Thread(target=_send, args=(service.url, outcome, codes, cashier, stop))
            for _ in range(SENDERS)
        ]
        for sender in senders:
            sender.start()
        time.sleep(chance.uniform(0.1, 0.5))
        service.kill()
        stop.set()
        for sender in senders:
            sender.join()
        service.start()
    return outcome


def _sign_in(service: Installation, code: str) -> tuple[_Outcome, str]:
    with httpx2.Client(base_url=f"{service.url}/api/till/v1") as client:
        token = client.post("/enrolments", json={"code": code}).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        signed_in = client.post(
            "/cashier-sessions", json={"cashier": CASHIER, "pin": CASHIER_PIN}, headers=headers
        ).json()
    headers["Counterfoil-Cashier"] = signed_in["token"]
    return _Outcome(headers), signed_in["cashier"]["id"]


def _send(
    url: str, outcome: _Outcome, codes: list[str], cashier: str, stop: threading.Event
) -> None:
    number = 0
    with httpx2.Client(base_url=url, headers=outcome.headers, timeout=5) as client:
        while not stop.is_set():
            body = {
                "id": str(uuid.uuid4()),
                "occurred_at": datetime.now(UTC).isoformat(),
                "cashier_id": cashier,
                "code": codes[number % len(codes)],
                "amount_minor": 100,
                "currency": "EUR",
            }
            number += 1
            with outcome.lock:
                outcome.tried.append(body)
            try:
                answer = client.post("/api/till/v1/accruals", json=body)
            except httpx2.HTTPError:
                return
            assert answer.status_code == 201, answer.text
            outcome.acknowledged[body["id"]] = answer.json()


def _send_all_again(service: Installation, outcome: _Outcome) -> None:
    """What a till does: whatever was not answered, and for good measure the rest, once more."""
    with httpx2.Client(base_url=service.url, headers=outcome.headers, timeout=20) as client:
        for body in outcome.tried:
            answer = client.post("/api/till/v1/accruals", json=body)
            assert answer.status_code == 201, answer.text
            first = outcome.acknowledged.get(body["id"])
            assert first is None or answer.json() == first


def _check_ledger(context: Context, outcome: _Outcome) -> None:
    assert outcome.acknowledged
    assert len(outcome.tried) > len(outcome.acknowledged)
    with context.database.read_all() as session:
        entries = session.scalar(select(func.count()).select_from(Entry))
        postings = set(session.scalars(select(Posting.id)))
        assert list(check(session)) == []
    assert entries == len(outcome.tried)
    assert postings == {body["id"] for body in outcome.tried}
