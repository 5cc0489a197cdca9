"""Load on a running service that is killed (SIGKILL) again and again, and what is left of it.

Each client keeps a posting until it is acknowledged and sends it again as it was, as a till does.
Afterwards every posting that was acknowledged has to be there once, with the answer that was given
first, and the books have to be right.
"""

import random
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2
from sqlalchemy import select

from app.context import Context
from app.demo.cafe import Cafe, issue_cards
from app.ledger.models import Posting
from benchmarks._service import Running

#: A client that is not answered for so long has found a fault, not a restart.
PATIENCE_SECONDS = 90.0


def few_cards(context: Context, cafe: Cafe) -> list[str]:
    """Few cards, so that many postings meet on one account."""
    return issue_cards(context, cafe.programme_id, 8)


@dataclass
class Outcome:
    """What happened under load."""

    kills: int = 0
    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)
    sent_again: int = 0
    refused: int = 0
    faults: list[str] = field(default_factory=list)


class Client(threading.Thread):
    """A till's one connection: one posting after the other, each until it is acknowledged."""

    def __init__(
        self, service: Running, codes: list[str], seed: int, end: threading.Event, outcome: Outcome
    ) -> None:
        super().__init__()
        self.service, self.codes, self.end, self.outcome = service, codes, end, outcome
        self.random = random.Random(seed)
        self.sales: list[str] = []
        self.holds: list[str] = []

    def run(self) -> None:
        address = f"{self.service.service.url}/api/till/v1"
        headers = {
            "Authorization": f"Bearer {self.service.token}",
            "Counterfoil-Cashier": self.service.session,
        }
        try:
            with httpx2.Client(base_url=address, headers=headers, timeout=10) as http:
                while not self.end.is_set():
                    self.send(http, *self.make())
        except Exception as error:
            self.outcome.faults.append(repr(error))

    def make(self) -> tuple[str, dict[str, Any]]:
        """Mostly sales; also redemptions in two phases, and returns."""
        code = self.random.choice(self.codes)
        body: dict[str, Any] = {
            "id": str(uuid.UUID(int=self.random.getrandbits(128), version=4)),
            "occurred_at": datetime.now(UTC).isoformat(),
            "cashier_id": self.service.cashier,
        }
        choice = self.random.randrange(8)
        if choice == 0:
            return "/holds", body | {"code": code, "points": self.random.randint(1, 9)}
        if choice == 1 and self.holds:
            return f"/holds/{self.holds.pop()}/capture", body
        if choice == 2 and self.holds:
            return f"/holds/{self.holds.pop()}/release", body
        if choice == 3 and self.sales:
            return "/reversals", body | {"posting_id": self.random.choice(self.sales)}
        amount = self.random.randint(100, 3000)
        return "/accruals", body | {"code": code, "amount_minor": amount, "currency": "EUR"}

    def send(self, http: httpx2.Client, path: str, body: dict[str, Any]) -> None:
        """The posting, again and again as it is, until it is answered."""
        patience = time.monotonic() + PATIENCE_SECONDS
        answer = self.ask(http, path, body)
        self.outcome.sent_again += answer is None
        while answer is None:
            if time.monotonic() > patience:
                raise RuntimeError(f"no answer to {path}")
            time.sleep(0.05)  # Nobody listens while the service is started again.
            answer = self.ask(http, path, body)
        if answer.status_code in {403, 404, 409}:  # 403: more than a code may redeem in a day.
            self.outcome.refused += 1
            return
        if answer.status_code != 201:
            raise RuntimeError(f"{path} was answered {answer.status_code}: {answer.text[:300]}")
        self.outcome.acknowledged[body["id"]] = answer.json()
        if path == "/accruals":
            self.sales.append(body["id"])
        elif path == "/holds":
            self.holds.append(body["id"])

    def ask(self, http: httpx2.Client, path: str, body: dict[str, Any]) -> httpx2.Response | None:
        """The answer, or None where there was none to rely on."""
        try:
            answer = http.post(path, json=body)
        except httpx2.HTTPError:
            return None
        return None if answer.status_code >= 500 else answer


def load_and_kill(
    service: Running, *, kills: int, seconds_between: float, clients: int, seed: int
) -> Outcome:
    """Kill the service *kills* times, at moments up to *seconds_between* apart."""
    outcome, end = Outcome(), threading.Event()
    choose = random.Random(seed)
    threads = [
        Client(service, service.codes, seed + number, end, outcome) for number in range(clients)
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in range(kills):
            end.wait(choose.uniform(0.1, seconds_between))
            service.service.kill()
            outcome.kills += 1
            service.service.start()
        end.wait(seconds_between)
    finally:
        end.set()
        for thread in threads:
            thread.join()
    return outcome


def differences(service: Running, outcome: Outcome) -> list[str]:
    """What is not as it was acknowledged; and `counterfoil ledger check` has nothing to say."""
    wrong = list(outcome.faults)
    with service.context.database.read_all() as session:
        stored = [
            (row.id, row.answer) for row in session.execute(select(Posting.id, Posting.answer))
        ]
    answers = dict(stored)
    if len(stored) != len(answers):
        wrong.append(f"{len(stored) - len(answers)} postings are there twice")
    for posting_id, told in outcome.acknowledged.items():
        kept = answers.pop(posting_id, None)
        if kept is None:
            wrong.append(f"posting {posting_id} was acknowledged and is not there")
        elif (kept["kind"], kept["points"], kept["entry_id"]) != (
            told["kind"],
            told["points"],
            told["entry_id"],
        ):
            wrong.append(f"posting {posting_id} was answered {told}, and is {kept}")
    wrong += [f"posting {posting_id} was never acknowledged" for posting_id in answers]
    told_text = service.service.run("ledger", "check")
    if "whole" not in told_text:
        wrong.append(told_text)
    return wrong
