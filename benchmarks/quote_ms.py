"""Median milliseconds of a quote over HTTP: a basket of 30 lines under 50 rules.

`counterfoil serve` with one worker on SQLite; one client with one open connection, as a register
has. Every rule is one that the basket has to be held against: categories, items, days, hours,
locations, tiers and baskets.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2

from app.context import Context
from app.db import enter
from app.demo.cafe import Cafe, issue_cards
from app.pos import keys
from app.programmes.service import change_settings
from benchmarks._service import running

RULES = 50
LINES = 30
QUOTES = 300
WARM_UP = 30
AT_MOST_MS = 10.0
_DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def rules() -> list[dict[str, Any]]:
    """Fifty rules of all kinds."""
    kinds: list[Callable[[int], dict[str, Any]]] = [
        lambda n: {"kind": "item", "categories": [f"kind {n % 10}"], "gives": {"points": 1}},
        lambda n: {"kind": "item", "items": [f"item {n % LINES}"], "gives": {"points": 2}},
        lambda n: {"kind": "multiplier", "factor": "1.5", "weekdays": [_DAYS[n % 7]]},
        lambda n: {"kind": "basket", "at_least": str(n), "gives": {"points": n}},
        lambda n: {"kind": "amount", "points": "2", "per_amount": "1"},
    ]
    return [{"name": f"Rule {n}", **kinds[n % len(kinds)](n)} for n in range(RULES)]


def basket(card: str) -> dict[str, Any]:
    """Thirty lines of ten categories."""
    lines = [
        {"item": f"item {n}", "category": f"kind {n % 10}", "quantity": 1 + n % 3,
         "amount_minor": 100 + n}
        for n in range(LINES)
    ]  # fmt: skip
    return {
        "card": card,
        "currency": "EUR",
        "lines": lines,
        "amount_minor": sum(int(line["amount_minor"]) for line in lines),
    }


def measure() -> dict[str, Any]:
    """The median of some hundreds of quotes, one after the other."""
    made: dict[str, str] = {}

    def fill(context: Context, cafe: Cafe) -> list[str]:
        now = context.clock()
        with context.database.write_all() as session:
            enter(session, cafe.programme_id)
            change_settings(session, cafe.programme_id, {"rules": rules()}, valid_from=now)
            _, made["key"] = keys.add_key(
                session, cafe.programme_id, name="register", scopes=["quote"], now=now
            )
        return issue_cards(context, cafe.programme_id, 20)

    took: list[float] = []
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), fill=fill) as service:
        bodies = [basket(code) for code in service.codes]
        headers = {"Authorization": f"Bearer {made['key']}"}
        with httpx2.Client(base_url=f"{service.service.url}/api/pos/v1", headers=headers) as client:
            for number in range(WARM_UP + QUOTES):
                begun = time.perf_counter()
                answer = client.post("/quote", json=bodies[number % len(bodies)])
                spent = time.perf_counter() - begun
                while answer.status_code == 429:
                    time.sleep(float(answer.headers["Retry-After"]))
                    answer = client.post("/quote", json=bodies[number % len(bodies)])
                assert answer.status_code == 200, answer.text
                assert answer.json()["earn"]["points"] > 0
                if number >= WARM_UP:
                    took.append(spent * 1000)
                time.sleep(0.05)  # As fast as a key may ask, and no faster.
    took.sort()
    return {
        "name": "quote_ms",
        "value": statistics.median(took),
        "unit": "ms",
        "at_most": AT_MOST_MS,
        "detail": {
            "rules": RULES,
            "lines": LINES,
            "quotes": QUOTES,
            "p95_ms": round(took[len(took) * 95 // 100], 2),
            "p99_ms": round(took[len(took) * 99 // 100], 2),
        },
    }
