"""A marketer's day: segment, campaign, dry run, progress, pause, resume, result with a hold-out."""

import re
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from app.campaigns.models import Campaign, Recipient, State
from app.cards.models import Card
from app.cards.service import apple_token
from app.certs import ROOT, WWDR
from app.context import Context
from app.delivery import registrations
from app.delivery.wallets import Wallets
from app.delivery.worker import Worker
from app.demo.apns import ApnsStandIn
from app.demo.cafe import PASS_TYPE, issue_cards
from app.ledger import service as ledger
from app.ledger.postings import Accrue, Circumstances, Request, Value
from tests.browser.staff_office import Office, looks, open_office, unfitting

MEMBERS = 130


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A café whose members have their cards on phones, with the background work going on."""
    folder = tmp_path_factory.mktemp("campaigns")
    with open_office(folder) as office:
        context = office.context
        issue_cards(context, office.programme_id, MEMBERS)
        with context.database.write(office.programme_id) as session:
            for card in session.scalars(select(Card)).all():
                registrations.register(
                    session, card, device_id=f"phone-{card.id}", push_token=uuid.uuid4().hex * 2,
                    now=context.clock(),
                )  # fmt: skip
        trusted = b"".join((context.config.certs_dir / each).read_bytes() for each in (ROOT, WWDR))
        with ApnsStandIn(client_ca=trusted) as apns:
            ca = folder / "apns-ca.pem"
            ca.write_bytes(apns.ca_pem)
            config = replace(context.config, apns_url=apns.url, apns_ca=ca)
            working = replace(context, config=config)
            stop = threading.Event()
            worker = threading.Thread(target=Worker(working, Wallets(working)).run, args=(stop,))
            worker.start()
            yield office
            stop.set()
            worker.join(20)


def number(page: Page, name: str) -> int:
    return int(page.locator(f'[data-count="{name}"]').inner_text().replace(",", ""))


def wait(condition: Callable[[], bool], seconds: float = 40.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass in time"
        time.sleep(0.1)


def fetch(office: Office, card: Card) -> None:
    """The phone fetches the pass."""
    request = urllib.request.Request(  # noqa: S310
        f"{office.url}/v1/passes/{PASS_TYPE}/{card.serial_number}",
        headers={"Authorization": f"ApplePass {apple_token(office.context.keys, card)}"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
        assert answer.status == 200


def buy(context: Context, programme_id: str, account_id: str) -> None:
    now = context.clock()
    with context.database.write(programme_id) as session:
        ledger.post(
            session,
            Request(str(uuid.uuid4()), "accrual", bytes(32)),
            Accrue(account_id, 900, "EUR", Value(9, now, None)),
            Circumstances(now),
            now=now,
        )


def rows(office: Office, campaign_id: str) -> list[Recipient]:
    with office.context.database.read(office.programme_id) as session:
        return list(session.scalars(select(Recipient).where(Recipient.campaign_id == campaign_id)))


def test_a_marketers_day(
    office: Office,
    browser: Browser,
    violations: Callable[[Page], list[str]],
    screenshot: Callable[[Page, str], Path],
) -> None:
    page = office.sit_down(browser, "marketer")
    failures: list[str] = []
    page.on("console", lambda said: failures.append(said.text) if said.type == "error" else None)
    page.goto(office.address("campaigns"))
    page.get_by_role("button", name="New campaign").click()
    page.get_by_label("Name, for yourself").fill("A new roast")
    page.get_by_label("On the lock screen").first.fill("{name}, a new roast is here.")
    expect(page.locator("[data-lock]").first).to_have_text("{name}, a new roast is here.")
    expect(page.locator(".segment-count")).to_have_text("130")
    page.get_by_role("button", name="Only some of them …").click()
    page.get_by_label("at least so many days ago").fill("1")
    page.get_by_label("at least so many days ago").press("Tab")
    expect(page.locator(".segment-count")).to_have_text("0")
    page.get_by_label("not", exact=True).check()
    expect(page.locator(".segment-count")).to_have_text("130")
    page.get_by_role("button", name="Show ten of them").click()
    expect(page.locator("#segment tbody tr")).to_have_count(10)
    page.get_by_label("Held out to measure").fill("50")
    for name in ("Nothing is sent from", "until"):
        page.get_by_label(name, exact=True).locator("visible=true").first.fill("")
    page.get_by_label("At most so many a minute").fill("600")
    assert violations(page) == []
    page.get_by_role("button", name="Try it without sending").click()
    expect(page.locator(".lock")).to_have_count(3)
    expect(page.locator(".lock").first).to_contain_text("A new roast is here.")
    page.get_by_role("button", name="It is ready: propose it").click()
    page.get_by_role("button", name="Approve: let it go out").click()
    campaign_id = page.url.rsplit("/", 1)[1]
    # Live: nobody touches the page, and it moves.
    wait(lambda: number(page, "pushed") + number(page, "sent") > 3)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused", exact=False).first).to_be_visible()
    time.sleep(1.0)
    paused = len([row for row in rows(office, campaign_id) if row.sent_at])
    assert 3 < paused < MEMBERS
    time.sleep(2.0)
    assert len([row for row in rows(office, campaign_id) if row.sent_at]) == paused
    page.get_by_role("button", name="Resume").click()
    wait(lambda: number(page, "waiting") == 0, 60)
    told = [row for row in rows(office, campaign_id) if row.state != State.HELD_OUT]
    held = [row for row in rows(office, campaign_id) if row.state == State.HELD_OUT]
    assert len(told) + len(held) == MEMBERS and len(held) > 30 and len(told) > 30
    with office.context.database.read(office.programme_id) as session:
        cards = {card.account_id: card for card in session.scalars(select(Card))}
    for row in told[:3]:
        fetch(office, cards[row.account_id])
    wait(lambda: number(page, "fetched") == 3, 30)
    for row in [*told[: len(told) * 3 // 4], *held[:2]]:
        buy(office.context, office.programme_id, row.account_id)

    def result() -> bool:
        page.reload()
        return "It worked" in page.locator("main").inner_text()

    wait(result, 60)
    expect(page.locator("#result tbody tr")).to_have_count(4)
    expect(page.locator("main")).to_contain_text(re.compile("of every .* who got it"))
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_label("Name, for yourself")).to_have_value("A new roast")
    assert failures == [], "the browser complains of nothing"
    _look_at_all(office, browser, campaign_id, violations, screenshot)


def _look_at_all(
    office: Office,
    browser: Browser,
    campaign_id: str,
    violations: Callable[[Page], list[str]],
    screenshot: Callable[[Page, str], Path],
) -> None:
    """Every page on a phone and on a desk, by day and by night."""
    with office.context.database.read(office.programme_id) as session:
        draft = session.scalar(select(Campaign.id).where(Campaign.state == "draft"))
    addresses: dict[str, str] = {
        "list": "campaigns",
        "edit": f"campaigns/{draft}/edit",
        "try": f"campaigns/{draft}/try",
        "show": f"campaigns/{campaign_id}",
    }
    page = office.sit_down(browser, "owner")
    for name, address in addresses.items():
        answer: Any = page.goto(office.address(address))
        assert answer.status == 200
        for look in looks(page):
            wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wide <= 0, f"{name} {look} is wider than the screen by {wide}"
            assert violations(page) == [], f"{name} {look}"
            assert unfitting(page) == [], f"{name} {look}"
            page.evaluate("window.scrollTo(0, 0)")
            screenshot(page, f"campaigns-{name}-{look}")
    page.context.close()
