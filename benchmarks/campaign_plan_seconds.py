"""Seconds until a campaign to a million passes is planned: recipients, hold-out, caps; PostgreSQL.

Its memory has to be flat: the peak after the whole is compared with the peak after a tenth.
``CAMPAIGN_MEMBERS`` says how many there are instead.
"""

import os
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from app.campaigns import service
from app.campaigns.models import Campaign
from app.campaigns.planning import PAGE, plan_page
from app.context import Context
from app.delivery.reaching import Reaching
from app.programmes.service import version_at
from benchmarks._members import with_members

MEMBERS = int(os.environ.get("CAMPAIGN_MEMBERS", "1000000"))
PLAN = {
    "segment": {"all": [{"is": "last_visit", "days_at_least": 0}]},
    "content": {"message": {"en": "{name}, a new roast is here."}},
    "when": {"kind": "best_hour"},
    "limits": {
        "hold_out_percent": 10, "per_week": 2, "quiet_from": "20:00", "quiet_to": "09:00"
    },
}  # fmt: skip


def measure(members: int = MEMBERS) -> list[dict[str, Any]]:
    """One process plans it all, as the background work does."""
    with (
        tempfile.TemporaryDirectory() as name,
        with_members(Path(name), members) as (context, programme_id),
    ):
        with_passes(context, programme_id)
        campaign_id = approved(context, programme_id, PLAN)
        _forget_peak()
        begun, first, seconds = time.perf_counter(), 0, 0.0
        reach, looked = Reaching(), 0
        while True:
            with context.database.write(programme_id) as session:
                campaign = service.campaign_by_id(session, campaign_id, locked=True)
                done = plan_page(session, campaign, context.keys, reach, now=context.clock())
            looked += done
            if looked >= members // 10 and not first:
                first = _peak_kb()
            if not done:
                seconds = time.perf_counter() - begun
                break
        peak = _peak_kb()
        with context.database.read(programme_id) as session:
            counts = dict(service.campaign_by_id(session, campaign_id).counts)
    assert looked == members and counts["waiting"] == members, counts
    assert 0.095 < counts["to_hold_out"] / members < 0.105 or members < 50_000
    detail = {"members": members, "page": PAGE, "counts": counts, "peak_mb": peak // 1024}
    return [
        {
            "name": "campaign_plan_seconds",
            "value": seconds,
            "unit": "s",
            "at_most": 60,
            "detail": detail,
        },
        {
            "name": "campaign_plan_memory_growth",
            "value": peak / first,
            "unit": "ratio",
            "at_most": 1.1,
            "detail": detail,
        },
    ]


def with_passes(context: Context, programme_id: str) -> None:
    """Every card on an Apple device."""
    with context.database.write_apart() as connection:
        connection.execute(
            text(
                "INSERT INTO apple_registrations (programme_id, card_id, device_id, push_token, "
                "registered_at, wanted_version, delivered_version, attempts) "
                "SELECT programme_id, id, 'phone-' || id, md5(id) || md5('x' || id), issued_at, "
                "2, 2, 0 FROM cards WHERE programme_id = :programme"
            ),
            {"programme": programme_id},
        )
    context.database.analyse(["apple_registrations"])


def approved(context: Context, programme_id: str, plan: dict[str, Any]) -> str:
    """A campaign that may go out."""
    now = context.clock()
    with context.database.write(programme_id) as session:
        campaign: Campaign = service.create(
            session, programme_id, "A figure", plan, by=None, now=now - timedelta(seconds=1)
        )
        settings = version_at(session, programme_id, now).settings
        service.propose(session, campaign.id, settings, by=None, now=now)
        service.approve(session, campaign.id, by=None, now=now)
        return campaign.id


def _forget_peak() -> None:
    """Making the members took more memory than planning does: the peak begins anew."""
    Path("/proc/self/clear_refs").write_text("5")


def _peak_kb() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise AssertionError("the system does not say what a process's memory was at its highest")
