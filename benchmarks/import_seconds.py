"""Seconds that `counterfoil import members` takes for 100,000 members with balances on PostgreSQL.

The command as an operator runs it, its first look through the file included: contacts in three
encrypted fields, up to three lots with ends of their own, tiers, a signed card each.
"""

import csv
import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from app.config import from_environment
from app.context import Context
from app.demo.cafe import make_cafe
from app.migrations import upgrade
from app.programmes.service import ALWAYS, change_settings
from benchmarks._cluster import cluster

MEMBERS = 100_000
_LEVELS = [{"code": "silver", "at_least": 500}, {"code": "gold", "at_least": 2000}]


def measure() -> dict[str, Any]:
    """Import a list, then the same list again, then let the ledger be checked."""
    with tempfile.TemporaryDirectory() as name, cluster(Path(name)) as make:
        folder = Path(name)
        settings = {
            "COUNTERFOIL_DATA": str(folder / "data"),
            "COUNTERFOIL_DATABASE_URL": make("counterfoil"),
        }
        context = Context.open(from_environment(settings))
        upgrade(context.database)
        cafe = make_cafe(context)
        with context.database.write(cafe.programme_id) as session:
            levels = {"tiers": {"levels": _LEVELS}}
            change_settings(session, cafe.programme_id, levels, valid_from=ALWAYS)
        context.database.dispose()
        file = folder / "members.csv"
        points = write_list(file, MEMBERS)
        first = _timed(settings, "import", "members", str(file), "--json")
        again = _timed(settings, "import", "members", str(file), "--json")
        assert f'"points": {points},' in first[1], first[1]
        assert f'"there_before": {MEMBERS},' in again[1], again[1]
        _timed(settings, "ledger", "check")
    return {
        "name": "import_seconds",
        "value": first[0],
        "unit": "s",
        "at_most": 60,
        "detail": {"members": MEMBERS, "points": points, "again_seconds": round(again[0], 1)},
    }


def write_list(file: Path, members: int) -> int:
    """A list of members as another system would give it; all their points."""
    chance = random.Random(5)
    total = 0
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, delimiter=";")
        writer.writerow(
            "Kundennummer;Name;E-Mail;Telefon;Sprache;Mitglied seit;Stufe;"
            "Punkte;Gültig bis;Punkte 2;Gültig bis 2;Punkte 3;Gültig bis 3".split(";")
        )
        today = date.today()  # noqa: DTZ011 - any day near this one will do
        for number in range(members):
            cells: list[str] = []
            for lot in range(3):
                points = chance.randrange(1, 2000) if lot <= number % 3 else 0
                end = today + timedelta(days=chance.randrange(30, 900))
                cells += [str(points) if points else "", end.isoformat() if points else ""]
                total += points
            joined = today - timedelta(days=chance.randrange(1, 3000))
            writer.writerow(
                [
                    f"K{number:07}",
                    f"Jānis Bērziņš {number}",
                    f"member{number}@example.com",
                    f"+371 2{number:07}",
                    ("en", "de", "lv", "ru")[number % 4],
                    joined.isoformat(),
                    ("", "", "silver", "gold")[number % 4],
                    *cells,
                ]
            )
    return total


def _timed(settings: dict[str, str], *words: str) -> tuple[float, str]:
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", *words],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return time.perf_counter() - begun, done.stdout
