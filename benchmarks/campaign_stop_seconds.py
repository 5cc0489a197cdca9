"""Seconds from pressing stop until APNs accepts a campaign's last push, while it runs at full rate.

`counterfoil work` delivers a campaign to many passes on SQLite, where everything happens in one
process; it is stopped in the middle. How many pushes a second it made until then stands beside.
``CAMPAIGN_PUSHES`` says how many passes there are instead.
"""

import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from app.campaigns import service
from app.cards.models import Card
from app.context import Context
from app.delivery.models import AppleRegistration
from app.demo.cafe import issue_cards, make_cafe
from app.demo.processes import _environment
from app.ledger.models import Account
from benchmarks._apns import Apns, environment, installation, pushing, stand_in
from benchmarks.campaign_plan_seconds import approved

PASSES = int(os.environ.get("CAMPAIGN_PUSHES", "20000"))
ROUNDS = 3
#: No push for so long: it has stopped.
QUIET_SECONDS = 3.0
LONGEST_SECONDS = 300.0
PLAN = {"content": {"message": {"en": "A new roast"}},
        "limits": {"hold_out_percent": 0, "per_week": 0}}  # fmt: skip


def measure(passes: int = PASSES) -> list[dict[str, Any]]:
    """A campaign each round, begun anew; the slowest stop counts."""
    with tempfile.TemporaryDirectory() as name, installation(Path(name)) as made:
        programme_id = make_cafe(made).programme_id
        issue_cards(made, programme_id, passes)
        with made.database.write_all() as session:
            _watch(session, made)
        with stand_in(made, Path(name)) as apns:
            context = pushing(made, apns.url, apns.ca)
            with subprocess.Popen(
                [sys.executable, "-m", "app.cli", "work"],
                env=_environment(environment(context)),
                stdout=subprocess.DEVNULL,
            ) as process:
                try:
                    rounds = [_stopped(context, programme_id, apns) for _ in range(ROUNDS)]
                finally:
                    process.terminate()
    return [
        {
            "name": "campaign_stop_seconds",
            "value": max(each["seconds"] for each in rounds),
            "unit": "s",
            "at_most": 2,
            "detail": {"passes": passes, "rounds": rounds},
        }
    ]


def _watch(session: Session, context: Context) -> None:
    """Put every card on a device that is up to date."""
    rows = [
        {
            "programme_id": card.programme_id,
            "card_id": card.id,
            "device_id": f"phone-{card.id}",
            "push_token": secrets.token_hex(32),
            "registered_at": context.clock(),
            "wanted_version": 2,
            "delivered_version": 2,
            "attempts": 0,
        }
        for card in session.scalars(select(Card))
    ]
    session.execute(insert(AppleRegistration), rows)
    session.execute(update(Account).values(delivered_version=Account.version))
    session.execute(update(Card).values(delivered_version=Card.version))


def _stopped(context: Context, programme_id: str, apns: Apns) -> dict[str, Any]:
    before = apns.count()
    campaign_id = approved(context, programme_id, PLAN)
    begun = _first(apns, before + 1)
    until = min(PASSES // 3, 5000)
    reached = _first(apns, before + until)
    rate = until / max(reached - begun, 0.001)
    pressed = time.monotonic()
    with context.database.write(programme_id) as session:
        service.stop(session, campaign_id, now=context.clock())
    pressing = time.monotonic() - pressed
    last, seen = pressed, apns.count()
    while time.monotonic() < last + QUIET_SECONDS:
        now_seen = apns.count()
        if now_seen > seen:
            last, seen = time.monotonic(), now_seen
        time.sleep(0.01)
    with context.database.read(programme_id) as session:
        counts = dict(service.campaign_by_id(session, campaign_id).counts)
    assert counts.get("waiting", 0) > 0, "it was over before it was stopped"
    return {
        "seconds": round(last - pressed, 3),
        "pressing_seconds": round(pressing, 3),
        "pushes_a_second": round(rate),
        "pushed": seen - before,
        "waiting": counts["waiting"],
    }


def _first(apns: Apns, count: int) -> float:
    """When so many pushes had been accepted."""
    end = time.monotonic() + LONGEST_SECONDS
    while apns.count() < count:
        assert time.monotonic() < end, f"{apns.count()} of {count} pushes in time"
        time.sleep(0.01)
    return time.monotonic()
