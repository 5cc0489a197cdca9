"""The pages of insight in a real browser: drawn, sorted, filtered, remembered, for everybody."""

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from app.db import enter
from app.insight import folding
from app.ledger import service as ledger
from app.ledger.postings import Accrue, Circumstances, Request, Value
from app.programmes.service import add_location
from app.programmes.terms import terms_of
from tests.browser.staff_office import LOOKS, Office, open_office

TOPICS = ("visits", "points", "tiers", "cohorts", "locations")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with open_office(tmp_path_factory.mktemp("insight")) as office:
        live(office)
        yield office


def live(office: Office) -> None:
    """Eighty days of a shop with two locations, of which one has a name that is a trap."""
    rng, now = random.Random(4), office.context.clock()
    with office.context.database.write_all() as session:
        enter(session, office.programme_id)
        places = [
            add_location(session, office.programme_id, slug=slug, name=name, now=now).id
            for slug, name in (("harbour", "Harbour"), ("trap", "<b onclick=alert(1)>=1+1</b>"))
        ]
        terms = terms_of(session, office.programme_id, now)
        number = 0
        for _ in range(40):
            account = ledger.open_account(session, now=now - timedelta(days=rng.randrange(80)))
            day = rng.randrange(60, 80)
            while day > 0:
                number += 1
                at = now - timedelta(days=day, hours=rng.randrange(3))
                amount = rng.randrange(200, 2500)
                ledger.post(
                    session,
                    Request(f"00000000-0000-4000-8000-{number:012d}", "accrual", bytes(32)),
                    Accrue(account.id, amount, "EUR", Value(amount // 100, at)),
                    Circumstances(at, location_id=places[rng.randrange(3) == 0]),
                    now=now,
                    terms=terms,
                )
                day -= rng.randrange(2, 30)
    for _ in range(3):
        while True:
            with office.context.database.write_all() as session:
                if not folding.step(session, now):
                    break


@pytest.mark.parametrize(("look", "size", "scheme"), LOOKS)
def test_every_page_is_drawn_and_read_by_everybody(
    office: Office,
    browser: Browser,
    violations: Callable[[Page], list[str]],
    look: str,
    size: dict[str, int],
    scheme: str,
) -> None:
    page = office.sit_down(browser, "marketer", size=size, scheme=scheme)
    said: list[str] = []
    page.on(
        "console", lambda message: said.append(message.text) if message.type == "error" else None
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    for topic in TOPICS:
        page.goto(office.address(f"insight/{topic}?period=90-days"))
        charts = page.locator("[data-chart]")
        for at in range(charts.count()):
            expect(charts.nth(at).locator("canvas").first).to_be_visible()
        assert is_painted(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        Path("test-out").mkdir(exist_ok=True)
        page.screenshot(path=f"test-out/insight-{topic}-{look}.png", full_page=True)
        for details in page.locator(".staff-chart details").all():
            details.locator("summary").click()
        assert violations(page) == []
    page.screenshot(path=f"test-out/insight-table-{look}.png", full_page=True)
    assert said == []
    page.context.close()


def is_painted(page: Page) -> bool:
    """Whether there is more than a few colours on each chart."""
    painted: Any = page.evaluate(
        """() => [...document.querySelectorAll("[data-chart]")].every((chart) => {
             const seen = new Set();
             for (const canvas of chart.querySelectorAll("canvas")) {
               const paper = canvas.getContext("2d");
               const dots = paper.getImageData(0, 0, canvas.width, canvas.height).data;
               for (let at = 0; at < dots.length; at += 4) {
                 if (dots[at + 3]) seen.add(dots[at] + "," + dots[at + 1] + "," + dots[at + 2]);
               }
             }
             return seen.size > 5;
           })"""
    )
    return bool(painted)
