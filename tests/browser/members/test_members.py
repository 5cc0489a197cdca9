"""A manager's day: what needs a hand, a member found, a note, points that take two people."""

import re
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from app.cards import service as cards
from app.cards.scans import note_scan
from app.ledger import service as ledger
from app.ledger.postings import Accrue, Circumstances, Request, Value
from app.ledger.rules import local_day
from app.members import notes
from app.members.service import Contact, add_member
from app.programmes.models import Programme
from app.staff.models import Staff
from app.till import reporting
from app.till.models import Till
from tests.browser.staff_office import LOOKS, Office, open_office

PEOPLE = ("Līga Ozola", "Anna Bērziņa", "Jānis Kalniņš", "Анна Петрова", "Marija Ozola")
#: No member of any programme has a longer one.
LONGEST = "Maximiliana-Alexandrina von Hohenzollern-Sigmaringen zu Lauen"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with open_office(tmp_path_factory.mktemp("members")) as office:
        furnish(office)
        yield office


def furnish(office: Office) -> None:
    """Some people who came for a month, and a till that is away with receipts in its queue."""
    context, now = office.context, office.context.clock()
    with context.database.write(office.programme_id) as session:
        zone = session.get_one(Programme, office.programme_id).time_zone
        till = session.scalars(select(Till)).one()
        till.token_hash, till.enrolled_at = b"x" * 32, now - timedelta(days=9)
        staff = session.scalars(select(Staff.id)).first()
        for number, name in enumerate((*PEOPLE, LONGEST[:60])):
            joined = now - timedelta(days=28 - 4 * number)
            email = f"person{number}@example.com"
            contact = Contact(name, email, f"+3712612345{number}")
            facts: Any = {"language": "lv", "consents": frozenset({"messages"})}
            member = add_member(
                session, context.keys, office.programme_id, contact, now=joined, **facts
            )
            account = ledger.open_account(session, now=joined)
            card = cards.issue_card(
                session,
                context.keys,
                office.programme_id,
                account_id=account.id,
                member_id=member.id,
                now=joined,
            )
            for visit in range(8 - number):
                at = min(now - timedelta(minutes=1), joined + timedelta(days=visit * 3, hours=2))
                accrual = Accrue(account.id, 1250 + visit, "EUR", Value(12, at))
                request = Request(str(uuid.uuid4()), "accrual", bytes(32))
                where = Circumstances(at, actor_kind="staff", actor_id=staff, card_id=card.id)
                ledger.post(session, request, accrual, where, now=at)
                place: Any = {"till_id": till.id, "location_id": till.location_id}
                note_scan(session, card, day=local_day(at, zone), now=at, **place)
            if number == 0:
                facts = {"staff_id": str(staff), "now": now}
                notes.write(session, context.keys, member.id, "Prefers oat milk", **facts)
                notes.tell_counter(
                    session, context.keys, member.id, is_vip=True, note="Say hello to the dog"
                )
    reporting.note(
        context.database,
        till,
        waiting="3",
        oldest=(now - timedelta(hours=1)).isoformat(),
        set_aside="0",
        now=now - timedelta(hours=1),
    )


def test_a_manager_s_day(
    office: Office,
    browser: Browser,
    violations: Callable[[Page], list[str]],
    screenshot: Callable[[Page, str], Path],
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
    screenshot: Callable[[Page, str], Path],
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
    for look, size, scheme in LOOKS:
        page = office.sit_down(browser, "manager", size=size, scheme=scheme)
        wrong: list[str] = []
        page.on("console", lambda said, wrong=wrong: keep_errors(said, wrong))
        for name, address in pages.items():
            page.goto(address)
            if name == "members-profile":
                page.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
            problems += [f"{name} {look}: {found}" for found in violations(page)]
            wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            problems += [f"{name} {look}: {wide} px wider than the screen"] if wide > 0 else []
            page.screenshot(
                path=str(screenshot(page, f"{name}-{look}")), full_page=name != "members"
            )
        problems += [f"{look}: {each}" for each in wrong]
        page.context.close()
    if problems:
        pytest.fail("\n".join(problems))


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
