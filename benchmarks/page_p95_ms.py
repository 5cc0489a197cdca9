"""Milliseconds that the service takes for a staff page with a million members and ten million
entries (PostgreSQL): the 95th percentile of the slowest page, and of searching for members.

Every page that needs nothing but the programme is found in the service's own list of addresses;
members' pages, parts of the list and searches come besides. Smaller with PAGE_MEMBERS.
"""

import os
import random
import tempfile
import time
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks._cluster import cluster
from benchmarks._office import FIRST, Office, build, names

MEMBERS = int(os.environ.get("PAGE_MEMBERS", "1000000"))
#: Requests for each page; and searches.
TIMES, SEARCHES = 20, 200
#: Pages of whoever is not signed in, or of a step of the sign-in.
_OTHERS = ("sign_in.", "staff_home", "forgotten.")


def measure() -> list[dict[str, Any]]:
    """Both figures, of one history."""
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder)) as make:
        begun = time.perf_counter()
        office = build(Path(folder) / "data", make("office"), MEMBERS)
        made = time.perf_counter() - begun
        pages = dict(_pages(office))
        found = [_timed(office, f"members?q={text}") for text in _searches(office)]
        office.context.database.dispose()
    p95s = {name: _p95(times) for name, times in pages.items()}
    slowest = max(p95s, key=lambda name: p95s[name])
    detail = {"members": MEMBERS, "entries": MEMBERS * 10, "made_in_s": round(made)}
    return [
        {
            "name": "page_p95_ms",
            "value": p95s[slowest],
            "unit": "ms",
            "at_most": 300,
            "detail": {
                **detail,
                "slowest": slowest,
                "pages": {name: round(value, 1) for name, value in sorted(p95s.items())},
            },
        },
        {
            "name": "search_p95_ms",
            "value": _p95(found),
            "unit": "ms",
            "at_most": 100,
            "detail": {**detail, "searches": len(found), "slowest_ms": round(max(found), 1)},
        },
    ]


def _pages(office: Office) -> Iterator[tuple[str, list[float]]]:
    app = office.client.application
    for rule in app.url_map.iter_rules():
        is_page = "GET" in (rule.methods or ()) and rule.arguments == {"slug"}
        if not is_page or not rule.rule.startswith("/staff/") or rule.endpoint.startswith(_OTHERS):
            continue
        path = rule.rule.removeprefix("/staff/<slug>/")
        yield path, _times(office, [path] * (TIMES + 1))
    cards = office.cards(TIMES + 1, seed=1)
    yield "members/<card>", _times(office, [f"members/{card}" for card in cards])
    before = "before=2100-01-01T00:00:00%2B00:00"
    yield (
        "members/<card>/timeline",
        _times(office, [f"members/{card}/timeline?{before}" for card in cards]),
    )
    yield "members/<card>/erase", _times(office, [f"members/{card}/erase" for card in cards])
    both = [f"members/{one}/merge?with={other}" for one, other in pairwise(cards)]
    yield "members/<card>/merge", _times(office, both)
    yield "members?order=oldest", _times(office, ["members?order=oldest"] * (TIMES + 1))
    yield "members, further parts", _times(office, _further(office))


def _further(office: Office) -> Iterable[str]:
    """Addresses of parts of the list, from anywhere in it."""
    for year in range(TIMES + 1):
        day = f"20{19 + year % 6}-0{1 + year % 9}-1{year % 10}"
        yield f"members?after={day}T00:00:00%2B00:00_{'8' * 16}"


def _searches(office: Office) -> Iterator[str]:
    draw = random.Random(7)
    cards = office.cards(SEARCHES, seed=2)
    for number in range(SEARCHES):
        somebody = names(draw.randint(1, MEMBERS))
        name, email = somebody.name or "", somebody.email or ""
        yield (
            email,
            (somebody.phone or "").replace("+", "%2B"),
            name.replace(" ", "+"),
            name.split()[1],
            name.split()[0],
            FIRST[0],
            f"{FIRST[0]}&order=points",
            f"{FIRST[1]}&order=oldest",
            cards[number],
            f"nobody{number}",
        )[number % 10]


def _times(office: Office, paths: Iterable[str]) -> list[float]:
    """Milliseconds of each; the first, which fills what is kept in memory, is left out."""
    return [_timed(office, path) for path in paths][1:]


def _timed(office: Office, path: str) -> float:
    begun = time.perf_counter()
    answer = office.get(path)
    _ = answer.data
    taken = (time.perf_counter() - begun) * 1000
    assert answer.status_code == 200, (path, answer.status_code, answer.text[:500])
    return taken


def _p95(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.95) - (len(times) % 20 == 0)]
