"""Peak memory of `counterfoil work` while 100,000 pushes drain ÷ after the first 1,000."""

import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from app.cards.models import Card
from app.context import Context
from app.delivery.models import AppleRegistration
from app.demo.cafe import issue_cards, make_cafe
from app.demo.processes import _environment
from app.ledger.models import Account
from benchmarks._apns import Apns, environment, installation, pushing, stand_in

PUSHES = 100_000
FIRST = 1_000
#: Cards on twenty devices each: making a hundred thousand cards would take longer than the pushes.
DEVICES = 20
LONGEST_SECONDS = 900.0


def measure(pushes: int = PUSHES) -> dict[str, Any]:
    """On SQLite, where everything happens in one process."""
    with tempfile.TemporaryDirectory() as name, installation(Path(name)) as made:
        programme_id = make_cafe(made).programme_id
        issue_cards(made, programme_id, pushes // DEVICES)
        with made.database.write_all() as session:
            _watch(session, made)
        with stand_in(made, Path(name)) as apns:
            context = pushing(made, apns.url, apns.ca)
            with made.database.write_all() as session:
                session.execute(update(Account).values(version=Account.version + 1))
            first, peak, seconds = _drained(context, apns, pushes)
    return {
        "name": "push_memory_growth",
        "value": peak / first,
        "unit": "ratio",
        "at_most": 1.2,
        "detail": {
            "first_mb": round(first / 1024, 1),
            "peak_mb": round(peak / 1024, 1),
            "pushes": pushes,
            "seconds": round(seconds, 1),
        },
    }


def _watch(session: Session, context: Context) -> None:
    """Put every card on its devices."""
    for card in session.scalars(select(Card)).all():
        session.execute(
            insert(AppleRegistration),
            [
                {
                    "programme_id": card.programme_id,
                    "card_id": card.id,
                    "device_id": f"{card.id}-{number}",
                    "push_token": secrets.token_hex(32),
                    "registered_at": context.clock(),
                    "wanted_version": 2,
                    "delivered_version": 2,
                    "attempts": 0,
                }
                for number in range(DEVICES)
            ],
        )
    session.execute(update(Account).values(delivered_version=Account.version))
    session.execute(update(Card).values(delivered_version=Card.version))


def _drained(context: Context, apns: Apns, pushes: int) -> tuple[int, int, float]:
    """Peak memory in kB after the first pushes and after all, and the seconds that it took."""
    with subprocess.Popen(
        [sys.executable, "-m", "app.cli", "work"],
        env=_environment(environment(context)),
        stdout=subprocess.DEVNULL,
    ) as process:
        try:
            begun = time.monotonic()
            _wait(apns, FIRST, process)
            first = _peak_kb(process.pid)
            _wait(apns, pushes, process)
            return first, _peak_kb(process.pid), time.monotonic() - begun
        finally:
            process.terminate()


def _wait(apns: Apns, count: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + LONGEST_SECONDS
    while apns.count() < count:
        assert process.poll() is None, "the worker has ended"
        assert time.monotonic() < end, f"{apns.count()} of {count} pushes in time"
        time.sleep(0.02)


def _peak_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise AssertionError("the system does not say what a process's memory was at its highest")
