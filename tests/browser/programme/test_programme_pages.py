"""The owner's day with the programme in a real browser: set up, change, compare, publish."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.programmes.drafts import trials
from app.programmes.file.examples import example
from app.programmes.file.reading import read
from app.programmes.service import change_settings, version_at
from tests.browser.staff_office import DESK, PHONE, Office, looks, open_office

Violations = Callable[[Page], list[str]]
Screenshot = Callable[[Page, str], Path]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with open_office(tmp_path_factory.mktemp("programme")) as made:
        settings = read(example("cafe")).settings.as_json()
        with made.context.database.write(made.programme_id) as session:
            change_settings(session, made.programme_id, settings, valid_from=made.context.clock())
        yield made


PAGES = {
    "index": "programme",
    "draft": "programme/draft",
    "earning": "programme/draft/earning",
    "rules": "programme/draft/rules",
    "basket": "programme/draft/rules/1",
    "kinds": "programme/draft/rules/new",
    "tiers": "programme/draft/tiers",
    "compare": "programme/compare",
    "versions": "programme/versions",
    "names": "programme/names",
    "places": "programme/places",
    "draws": "programme/draws",
    "new-draw": "programme/draws/new",
    "file": "programme/file",
    "setup": "programme/setup",
    "template": "programme/setup/template",
    "look": "programme/setup/look",
    "card": "programme/setup/card",
}


def is_wider_than_the_window(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1"))


def test_every_page_fits_in_every_look(
    office: Office, browser: Browser, screenshot: Screenshot
) -> None:
    page = office.sit_down(browser)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    found: dict[str, list[str]] = {}
    for name, path in PAGES.items():
        page.goto(office.address(path))
        for look in looks(page):
            screenshot(page, f"programme-{name}-{look}")
            if is_wider_than_the_window(page):
                found.setdefault(name, []).append(f"{look}: wider than the window")
    page.context.close()
    assert {name: each for name, each in found.items() if each} == {}
    assert said == []


def test_long_words_fit_on_a_phone(
    office: Office, browser: Browser, screenshot: Screenshot
) -> None:
    page = office.sit_down(browser, size=PHONE, locale="ru-RU")
    wide = []
    for name, path in PAGES.items():
        page.goto(office.address(path))
        screenshot(page, f"programme-{name}-390-ru")
        if is_wider_than_the_window(page):
            wide.append(name)
    page.context.close()
    assert wide == []


def test_what_it_means_is_seen_while_typing_and_published_in_the_end(
    office: Office, browser: Browser, screenshot: Screenshot, violations: Violations
) -> None:
    page = office.sit_down(browser, size=DESK)

    def is_in_order(name: str) -> None:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert violations(page) == [], (name, scheme)
            screenshot(page, f"programme-{name}-1440-{scheme}")

    page.goto(office.address("programme/draft/earning"))
    means = page.locator("#consequences")
    page.locator("#f-baskets\\.0\\.amount").fill("12.50")
    page.locator("#f-points").fill("3")
    expect(means).to_contain_text("A €12.50 basket earns 37 beans")
    expect(means).to_contain_text("In force now: 12 beans")
    screenshot(page, "programme-typing-1440-light")
    page.locator("#f-points").fill("x")
    expect(means).to_contain_text("not complete yet")
    page.get_by_role("button", name="Keep in the draft").click()
    expect(page.locator("#w-points")).to_contain_text("Give a number")
    is_in_order("wrong")
    page.locator("#f-points").fill("3")
    page.get_by_role("button", name="Keep in the draft").click()
    expect(page.locator("#said")).to_contain_text("kept in the draft")
    page.goto(office.address("programme/compare"))
    expect(page.locator("main")).to_contain_text("before: 1")
    page.get_by_role("button", name="Reckon it over these receipts").click()
    expect(page.locator("#trial-state")).to_contain_text("It begins in a moment")
    trials.run_one(office.context.database, office.context.clock, processes=1)
    expect(page.locator("#trial-state")).to_contain_text("It would have cost")
    is_in_order("compared")
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.locator("#said")).to_contain_text("is published")
    with office.context.database.read(office.programme_id) as session:
        found = version_at(session, office.programme_id, office.context.clock())
        assert found.settings.points == 3
    is_in_order("published")
    page.get_by_role("button", name="Roll back to the version before").first.click()
    expect(page.locator("#said")).to_contain_text("what was before holds again")
    page.context.close()


def test_a_list_grows_while_it_is_filled_and_fields_come_with_their_choice(
    office: Office, browser: Browser
) -> None:
    page = office.sit_down(browser, size=PHONE)
    page.goto(office.address("programme/draft/discounts/new"))
    scale = page.locator("[data-rows=scale]")
    expect(scale).to_be_hidden()
    page.locator("#f-kind").select_option("marginal")
    expect(scale).to_be_visible()
    expect(page.locator("#f-percent")).to_be_hidden()
    page.locator("#f-names\\.en").fill("Builder's discount")
    for row, (least, percent) in enumerate((("0", "2"), ("500", "4"), ("2000", "6"))):
        page.locator(f"#f-scale\\.{row}\\.from").fill(least)
        page.locator(f"#f-scale\\.{row}\\.percent").fill(percent)
    page.get_by_role("button", name="Keep in the draft").click()
    expect(page.locator("main")).to_contain_text("6 % from €2,000.00")
    page.get_by_role("button", name="Remove from the draft: Builder's discount").click()
    expect(page.locator("main")).to_contain_text("There are none yet.")
    page.context.close()


def test_the_pages_work_without_scripts(office: Office, browser: Browser) -> None:
    signed = office.sit_down(browser)
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies(signed.context.cookies())  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(office.address("programme/draft/redeeming"))
    page.locator("#f-redeem_minimum").fill("100")
    page.get_by_role("button", name="Show what it means").click()
    expect(page.locator("#consequences")).to_contain_text("100 beans take €5.00 off")
    page.get_by_role("button", name="Keep in the draft").click()
    expect(page.locator("#said")).to_contain_text("kept in the draft")
    page.locator("summary", has_text="Mechanics").first.click()
    context.close()
    signed.context.close()


def test_an_owner_is_ready_with_a_card_in_hand(
    office: Office, browser: Browser, screenshot: Screenshot
) -> None:
    page = office.sit_down(browser, size=PHONE)
    page.goto(office.address("programme/setup"))
    page.get_by_role("button", name="They come more often").click()
    page.get_by_role("button", name="One is free").click()
    page.get_by_label("Margin").fill("60")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Begin with it: Stamp card").click()
    page.get_by_label("Name of the programme").fill("Kaffa")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#test-card")).to_contain_text("waiting for your phone")
    screenshot(page, "programme-waiting-390-light")
    phone = browser.new_context(viewport=PHONE).new_page()
    phone.goto(page.locator("main a[href*='/join/']").get_attribute("href") or "")
    phone.locator("form button").first.click()
    phone.context.close()
    expect(page.locator("#test-card")).to_contain_text("Your card is there")
    page.get_by_role("button", name="Finish the set-up").click()
    expect(page.locator("main")).to_contain_text("It took 1 minute.")
    screenshot(page, "programme-finished-390-light")
    page.context.close()
