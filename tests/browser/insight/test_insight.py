"""The pages of insight in a real browser: drawn, sorted, filtered, remembered, for everybody."""

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.db import enter
from app.insight import folding
from app.ledger import service as ledger
from app.ledger.postings import Accrue, Circumstances, Request, Value
from app.programmes.service import add_location
from app.programmes.terms import terms_of
from tests.browser.staff_office import DESK, PHONE, Office, open_office

TOPICS = ("visits", "points", "tiers", "cohorts", "locations")
#: Whether there is more than a few colours on each chart.
PAINTED = """() => [...document.querySelectorAll("[data-chart]")].every((chart) => {
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


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["390", "1440"])
def test_every_page_is_drawn_and_read_by_everybody(
    office: Office,
    browser: Browser,
    violations: Callable[[Page], list[str]],
    screenshot: Callable[..., Path],
    size: dict[str, int],
) -> None:
    page = office.sit_down(browser, "marketer", size=size)
    said: list[str] = []
    page.on(
        "console", lambda message: said.append(message.text) if message.type == "error" else None
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    # Charts are drawn as the page comes, and again where evening falls meanwhile: each page comes
    # by day or by night, in turn.
    schemes = ["light", "dark"]
    for topic in TOPICS:
        page.emulate_media(color_scheme=schemes[0])  # type: ignore[arg-type]
        page.goto(office.address(f"insight/{topic}?period=30-days"))
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            look = f"{size['width']}-{scheme}"
            charts = page.locator("[data-chart]")
            for at in range(charts.count()):
                expect(charts.nth(at).locator("canvas").first).to_be_visible()
            page.wait_for_function(PAINTED)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            screenshot(page, f"insight-{topic}-{look}", whole=True)
            if scheme == schemes[0]:
                for details in page.locator(".staff-chart details").all():
                    details.locator("summary").click()
            assert violations(page) == []
        schemes.reverse()
    screenshot(page, f"insight-table-{look}", whole=True)
    assert said == []
    page.context.close()


def test_a_table_sorts_filters_goes_along_and_remembers(
    office: Office, browser: Browser, tmp_path: Path
) -> None:
    page = office.sit_down(browser)
    address = office.address("insight/locations?period=90-days")
    page.goto(address)
    page.get_by_text("The numbers as a table").click()
    table = page.locator("table#locations")
    names = table.locator("tbody tr:visible td:first-child")
    visits = table.locator("tbody tr:visible td:nth-child(2)")

    def numbers() -> list[int]:
        return [int(each.replace(",", "")) for each in visits.all_inner_texts()]

    assert numbers() == sorted(numbers(), reverse=True)
    table.get_by_role("button", name="Visits", exact=False).first.click()
    assert numbers() == sorted(numbers())
    head = table.locator("th").nth(1)
    expect(head).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("searchbox").fill("HARB")
    assert names.all_inner_texts() == ["Harbour"]
    expect(page.locator(".staff-table-told")).to_have_text("1 of 4 rows")
    # It is as it was left, on this device and for this table alone.
    page.goto(address)
    page.get_by_text("The numbers as a table").click()
    assert names.all_inner_texts() == ["Harbour"]
    expect(head).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("searchbox").fill("")
    assert len(numbers()) == 4
    with page.expect_download() as waiting:
        page.get_by_role("link", name="CSV").click()
    text = Path(waiting.value.path()).read_text("utf-8-sig")
    assert text.splitlines()[0].startswith("Location,Visits,Visits before")
    assert "<b onclick=alert(1)>=1+1</b>" in text
    page.context.close()


def test_without_script_there_are_the_sentences_and_the_tables(
    office: Office, browser: Browser
) -> None:
    page = office.sit_down(browser, script=False)
    page.goto(office.address("insight?period=90-days"))
    for title in ("Members spent", "come again", "Of the members"):
        expect(page.get_by_role("heading", name=title).first).to_be_visible()
    page.get_by_text("The numbers as a table").first.click()
    expect(page.locator("table#visits tbody tr").first).to_be_visible()
    page.get_by_label("Period").select_option("7-days")
    page.get_by_role("button", name="Show").click()
    assert "period=7-days" in page.url
    page.context.close()


def test_what_the_browser_itself_writes_cannot_be_run_by_a_spreadsheet(
    office: Office, browser: Browser
) -> None:
    """A table without a file of the service: the script makes it from what is shown."""
    page = office.sit_down(browser)
    page.goto(office.address("insight/locations?period=90-days"))
    with page.expect_download() as waiting:
        page.evaluate(
            """() => {
                 const place = document.createElement("div");
                 place.dataset.table = "trial";
                 place.innerHTML = "<table><thead><tr><th>Name</th><th>Points</th></tr></thead>"
                   + "<tbody><tr><td>=1+1</td><td>1,250</td></tr><tr><td>\\"A, B\\"</td>"
                   + "<td>-3</td></tr><tr><td>'@x</td><td>99</td></tr></tbody></table>";
                 document.querySelector("main").append(place);
                 document.body.dispatchEvent(new CustomEvent("htmx:load", {bubbles: true}));
               }"""
        )
        expect(page.locator("[data-table=trial] .staff-sort").first).to_be_visible()
        page.locator("[data-table=trial] .staff-sort").nth(1).click()
        page.locator("[data-table=trial] button.btn").click()
    # Rows that come later are sorted and filtered as the others are, and those that went are gone.
    page.evaluate(
        """() => {
             const body = document.querySelector("[data-table=trial] tbody");
             body.rows[0].remove();
             body.insertAdjacentHTML("afterbegin", "<tr><td>C</td><td>100</td></tr>");
             document.body.dispatchEvent(new CustomEvent("htmx:load", {bubbles: true}));
           }"""
    )
    points = page.locator("[data-table=trial] tbody td:nth-child(2)")
    assert points.all_inner_texts() == ["99", "100", "1,250"]
    text = Path(waiting.value.path()).read_text("utf-8-sig")
    assert text.splitlines() == [
        "Name,Points",
        '"""A, B""",-3',
        "''@x,99",
        """'=1+1,"1,250\"""",
    ]
    page.context.close()
