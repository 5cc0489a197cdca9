"""kill -9 between any two steps of a day: every one of them, one after another.

The day begins with a queue that an older program left, so that its upgrade is among the steps.
"""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scanner.client import Client
from scanner.commands import enrol_till
from scanner.config import Till
from scanner.queue_versions import VERSIONS
from scanner.sending import drain
from scanner.unsent import FILE, Queue, State

MOST_STEPS = 700


def old_queue(folder: Path, text: str) -> None:
    """Replace the queue by one of the first version in which an accrual of 5.00 waits."""
    for path in folder.glob(FILE + "*"):
        path.unlink()
    database = sqlite3.connect(folder / FILE, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.executescript(VERSIONS[0])
    database.execute("PRAGMA user_version = 1")
    at = datetime.now(UTC).isoformat(timespec="microseconds")
    body = {
        "id": "TEMPLATE", "occurred_at": at, "cashier_id": "anna", "code": text,
        "amount_minor": 500, "currency": "EUR", "offline": True, "receipt": None, "lines": None,
    }  # fmt: skip
    database.execute(
        "INSERT INTO posting (id, programme_id, kind, path, body, needs_cashier, kept_at, state)"
        " VALUES ('TEMPLATE', ?, 'accrual', '/accruals', ?, 0, ?, 'waiting')",
        ("0b7c5d9e-0000-4000-8000-000000000001", json.dumps(body).encode(), at),
    )
    database.close()


def test_killed_at_any_step_every_promise_is_kept_once(
    tmp_path: Path, running: Any, service: Any, make_card: Callable[..., str]
) -> None:
    texts = [make_card(1000 + number) for number in range(MOST_STEPS)]
    blocked = [make_card(5000 + number) for number in range(MOST_STEPS)]
    till = enrol_till(tmp_path / "template", running.url, "GOOD-CODE")
    old_queue(tmp_path / "template", make_card(1))
    refused_once: set[str] = set()
    real = service._do

    def blocked_at_first(kind: str, body: dict[str, Any]) -> Any:
        if body.get("code") in wanted and body["id"] not in refused_once:
            refused_once.add(body["id"])
            raise problem(409, "card_refused")
        return real(kind, body)

    wanted = set(blocked)
    problem = sys.modules[type(service).__module__].Problem
    service._do = blocked_at_first
    (tmp_path / "days").mkdir()
    (tmp_path / "cards.json").write_text(json.dumps({"texts": texts, "blocked": blocked}))
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("stepwise.py")), tmp_path / "template",
         tmp_path / "days", tmp_path / "cards.json"],
        capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip
    days = [json.loads(line) for line in done.stdout.splitlines()]
    assert days and days[-1] == {"step": len(days) - 1, "killed": False, "status": 0}, done.stderr
    assert len(days) > 60  # it was stopped at every one of them
    for number in range(len(days)):
        finish(tmp_path / "days" / f"{number:04}", till, service, texts[number], blocked[number])
    last = [points(service, code[len(days) - 1]) for code in (texts, blocked)]
    assert last == [[1, 2, 99, -99], [4]]


def points(service: Any, text: str) -> list[int]:
    """What the service posted on a card, with what took it back."""
    own = {key for key, (_, body, _) in service.postings.items() if body.get("code") == text}
    return [
        answer["points"]
        for key, (_, body, answer) in service.postings.items()
        if key in own or body.get("posting_id") in own
    ]


def finish(folder: Path, till: Till, service: Any, text: str, blocked: str) -> None:
    """Go on after the power is back, and see that everything promised is there, once."""
    promised = (folder / "promised").read_text().split() if (folder / "promised").exists() else []
    with Queue(folder) as queue, Client(till.service, till.token) as client:
        clock = lambda: datetime.now(UTC)  # noqa: E731
        for _ in range(3):
            drain(queue, client, till.programme.id, None, clock)
        kept = {posting.id: posting for posting in queue.all()}
        assert queue.count(State.WAITING) == 0, folder
    for posting_id in promised:
        assert kept[posting_id].state is State.SENT and posting_id in service.postings, folder
    given = points(service, text)
    # Each at most once, in its order, and the mistake never without what takes it back later.
    assert given == [1, 2, 99, -99][: len(given)], (folder, given)
    assert points(service, blocked) in ([], [4]), folder
    assert "TEMPLATE" in service.postings and kept["TEMPLATE"].state is State.SENT
    here = {
        key for key, (_, body, _) in service.postings.items() if body.get("code") in (text, blocked)
    }
    assert here <= set(kept), folder  # the service has nothing that the till does not know of
