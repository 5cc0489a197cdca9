"""Seconds until a segment is counted over a million members, the slowest of several, PostgreSQL.

``SEGMENT_MEMBERS`` says how many members there are instead.
"""

import os
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.campaigns import selecting
from app.campaigns.segments import read_segment
from app.campaigns.selecting import Ground
from benchmarks._members import with_members

MEMBERS = int(os.environ.get("SEGMENT_MEMBERS", "1000000"))
ROUNDS = 3


def segments() -> dict[str, dict[str, Any]]:
    """What marketers ask for, alone and combined."""
    since = (datetime.now(UTC) - timedelta(days=1500)).date()
    alone: dict[str, dict[str, Any]] = {
        "everybody": {"all": []},
        "tier": {"is": "tier", "tiers": ["gold"]},
        "away": {"is": "last_visit", "days_at_least": 40},
        "rfm": {"is": "rfm", "classes": ["champions", "at_risk"]},
        "birthday": {"is": "birthday", "within_days": 7},
        "location": {"is": "location", "locations": ["old-town"]},
        "joined": {"is": "joined", "from": since.isoformat()},
        "balance": {"is": "balance", "at_least": 60},
        "expiring": {"is": "expiring", "within_days": 30, "at_least": 10},
    }
    combined = {
        "all": [
            alone["away"],
            {"not": alone["tier"]},
            {"any": [alone["rfm"], alone["balance"], alone["expiring"]]},
        ]
    }
    return {**alone, "combined": combined}


def measure(members: int = MEMBERS) -> dict[str, Any]:
    """Each is counted three times; the best of each, the worst of all."""
    took: dict[str, float] = {}
    counted: dict[str, int] = {}
    with (
        tempfile.TemporaryDirectory() as name,
        with_members(Path(name), members) as (context, programme_id),
    ):
        for label, said in segments().items():
            node, best = read_segment(said), float("inf")
            for _ in range(ROUNDS):
                with context.database.read(programme_id) as session:
                    begun = time.perf_counter()
                    ground = Ground.of(session, context.keys, programme_id, context.clock())
                    counted[label] = selecting.count(ground, node)
                    best = min(best, time.perf_counter() - begun)
            took[label] = best
    assert counted["everybody"] == members
    return {
        "name": "segment_seconds",
        "value": max(took.values()),
        "unit": "s",
        "at_most": 2,
        "detail": {
            "members": members,
            "ms": {label: round(each * 1000) for label, each in took.items()},
            "counted": counted,
        },
    }
