"""A manager's day: what needs a hand, a member found, a note, points that take two people."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.people import furnish
from tests.browser.staff_office import Office, looks, open_office


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with open_office(tmp_path_factory.mktemp("members")) as office:
        furnish(office)
        yield office


def test_a_manager_s_day(
    office: Office,
    browser: Browser,
    violations: Callable[[Page], list[str]],
    screenshot: Callable[..., Path],
) -> None:
    page = office.sit_down(browser, "manager", locale="en-GB")
    page.goto(office.address("today"))
    expect(page.get_by_text("3 receipts wait in its queue")).to_be_visible()
    page.get_by_role("link", name="Members").first.click()
    page.get_by_label("Find somebody").fill("ozola liga")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="Līga Ozola").click()
    assert "ozola" not in page.url
    expect(page.get_by_role("heading", name="Līga Ozola")).to_be_visible()
    profile = page.url
    page.get_by_label("A note for colleagues").fill("Came with a dog\n<b>twice</b>")
    page.get_by_role("button", name="Keep the note").click()
    expect(page.get_by_text("The note is kept.")).to_be_visible()
    expect(page.get_by_text("<b>twice</b>").first).to_be_visible()

    page.get_by_text("Give or take points").click()
    page.get_by_label("How many").fill("x")
    page.get_by_label("Why", exact=True).fill("A month of receipts that were not scanned")
    page.get_by_role("button", name="Write the points").click()
    expect(page.get_by_text("Write a whole number, such as 50 or -50.")).to_be_visible()
    page.get_by_label("How many").fill("5000")
    page.get_by_role("button", name="Write the points").click()
    expect(page.get_by_text("Nothing is changed yet")).to_be_visible()

    owner = office.sit_down(browser, "owner")
    owner.goto(office.address("today"))
    owner.get_by_role("link", name="Look at them").click()
    look_at_all(office, browser, profile, violations, screenshot)
    owner.get_by_role("button", name="Agree and write the points").click()
    expect(owner.get_by_text("Agreed, and done.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("+5,000")).to_be_visible()

    page.get_by_text("Block or replace the card").click()
    page.get_by_label("Why it is replaced").fill("Lost")
    page.get_by_role("button", name="Give a new card").click()
    expect(page.get_by_alt_text("QR code")).to_be_visible()
    assert violations(page) == []
    screenshot(page, "members-replaced-1440-light")


def look_at_all(
    office: Office,
    browser: Browser,
    profile: str,
    violations: Callable[[Page], list[str]],
    screenshot: Callable[..., Path],
) -> None:
    """Each page in every look: nothing for axe to find, nothing wider than the screen."""
    other = browser_card(office, browser)
    pages = {
        "today": office.address("today"),
        "members": office.address("members"),
        "members-found": office.address("members?q=ozola&order=points"),
        "members-nobody": office.address("members?q=nobody"),
        "members-profile": profile,
        "members-merge": f"{profile}/merge?with={other}",
        "members-erase": f"{profile}/erase",
        "members-approvals": office.address("members/approvals"),
        "members-coupons": office.address("members/coupons"),
    }
    problems: list[str] = []
    page, wrong = office.sit_down(browser, "manager"), list[str]()
    page.on("console", lambda said: keep_errors(said, wrong))
    for name, address in pages.items():
        page.goto(address)
        if name == "members-profile":
            page.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
        for look in looks(page):
            # As they are first seen, all pages are looked at in `tests.browser.pages`.
            if name in ("members-found", "members-nobody", "members-profile"):
                problems += [f"{name} {look}: {found}" for found in violations(page)]
            wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            problems += [f"{name} {look}: {wide} px wider than the screen"] if wide > 0 else []
            screenshot(page, f"{name}-{look}", whole=name != "members")
    page.context.close()
    if problems or wrong:
        pytest.fail("\n".join([*problems, *wrong]))


def browser_card(office: Office, browser: Browser) -> str:
    page = office.sit_down(browser, "manager")
    page.goto(office.address("members?q=marija"))
    href = page.get_by_role("link", name="Marija Ozola").get_attribute("href") or ""
    page.context.close()
    found = re.search(r"[0-9a-f]{16}$", href)
    assert found is not None
    return found[0]


def keep_errors(said: Any, wrong: list[str]) -> None:
    if said.type == "error":
        wrong.append(said.text)
