"""Stamps, rewards and coupons at the till, and the till where customers serve themselves."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.cards.service import card_by_code
from app.demo.cafe import CASHIER, CASHIER_PIN
from app.ledger.postings import Circumstances, Given, Present, Request
from app.programmes import giving
from app.programmes.service import change_settings
from app.programmes.terms import rulebook_of
from scanner.config import Settings
from scanner.page.start import Choices, Running
from scanner.unsent import Queue, State

expect.set_options(timeout=20_000)

SETTINGS: dict[str, Any] = {
    "points": "1",
    "per_amount": "1",
    "static_redeem_limit": 500,
    "stamps": [{"code": "visits", "names": {"en": "Coffee card"}, "size": 8}],
    "rewards": [
        {"code": "mug", "names": {"en": "A mug"}, "points": 40},
        {"code": "bag", "names": {"en": "A bag of coffee"}, "points": 400},
        {"code": "free", "names": {"en": "Free coffee"}, "stamps": "visits"},
    ],
    "coupons": [
        {
            "code": "five",
            "names": {"en": "5 € off"},
            "kind": "amount_off",
            "amount": "5.00",
            "at_least": "20",
            "valid_days": 30,
        }
    ],
    "tiers": {
        "levels": [{"code": "silver", "at_least": 20}, {"code": "gold", "at_least": 60}],
    },
}


@pytest.fixture
def mechanics(shop: Any) -> None:
    """The café has stamps, rewards, coupons and tiers, and Ilze a coupon."""
    now = shop.context.clock()
    with shop.context.database.write(shop.programme_id) as session:
        change_settings(session, shop.programme_id, SETTINGS, valid_from=now)
    now = shop.context.clock() + timedelta(seconds=1)
    with shop.context.database.write(shop.programme_id) as session:
        card, _ = card_by_code(session, shop.cards["Ilze"], now=now)
        present = Present(card.account_id, (Given("coupon", "five", 1, "by hand"),), "welcome")
        book = rulebook_of(session, shop.programme_id, now)
        request = Request(str(uuid.uuid4()), "present", bytes(32))
        giving.post(session, book, request, present, Circumstances(now), now=now)


def test_a_reward_and_a_coupon_are_one_touch_and_the_sale_goes_on(
    mechanics: None,
    open_page: Callable[..., Page],
    till: Running,
    shop: Any,
    screenshot: Callable[[Page, str], Path],
    violations: Callable[[Page], list[str]],
) -> None:
    page = open_page()
    till.desk.ask(lambda: till.desk.sign_in(CASHIER, CASHIER_PIN))
    side = page.locator("html")
    for _ in range(2):
        till.desk.ask(lambda: till.desk.code(shop.cards["Ilze"]))
        expect(side).to_have_attribute("data-stage", "card")
        for key in "75":
            page.keyboard.press(key, delay=120)
        expect(page.locator("#go")).to_contain_text("Give")
        screenshot(page, "till-tiles")
        page.click("#go")
        expect(side).to_have_attribute("data-stage", "done")
        page.keyboard.press("Escape")
    till.desk.ask(lambda: till.desk.code(shop.cards["Ilze"]))
    expect(page.locator(".vip")).to_be_visible()
    expect(page.locator(".tile", has_text="A bag of coffee")).to_be_disabled()
    for key in "25":
        page.keyboard.press(key, delay=120)
    screenshot(page, "till-vip")
    assert violations(page) == []
    page.locator(".tile", has_text="5 € off").click()
    expect(page.locator(".told h2")).to_have_text("5 € off")
    expect(page.locator(".told .off")).to_have_text("Take €5.00 off the bill.")
    screenshot(page, "till-coupon-done")
    page.keyboard.press("Escape")
    expect(side).to_have_attribute("data-stage", "card")
    expect(page.locator(".tile", has_text="5 € off")).to_have_count(0)
    page.locator(".tile", has_text="A mug").click()
    expect(page.locator(".told h2")).to_have_text("A mug")
    page.keyboard.press("Escape")
    expect(page.locator("#go")).to_contain_text("Give 2")  # the sale is still in hand


@pytest.fixture
def kiosk(till: Running, shop: Any) -> Iterator[Running]:
    """The same till's folder, opened for customers."""
    settings = Settings(data=shop.folder / "till", camera=shop.camera.url)
    running = Running(settings, Choices(port=0, self_service=True, visit_minutes=60))
    yield running
    running.stop()


def test_a_customer_gets_one_visit_in_an_interval_and_no_name_is_shown(
    mechanics: None,
    kiosk: Running,
    browser: Any,
    shop: Any,
    screenshot: Callable[[Page, str], Path],
    violations: Callable[[Page], list[str]],
) -> None:
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, locale="en-GB", reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(kiosk.url, wait_until="domcontentloaded")
    page.wait_for_selector("#keys button")
    kiosk.desk.ask(lambda: kiosk.desk.sign_in(CASHIER, CASHIER_PIN))
    expect(page.locator(".await h2")).to_have_text("Hold your phone here")
    screenshot(page, "self-waiting")
    kiosk.desk.ask(lambda: kiosk.desk.scanned(shop.cards["Otto"]))
    expect(page.locator(".told h2")).to_have_text("Thank you for coming!")
    expect(page.locator(".stamped").first).to_have_text("1 × stamp")
    assert "Maximilian" not in page.content() and not page.locator("#keys").is_visible()
    screenshot(page, "self-done")
    assert violations(page) == []
    kiosk.desk.ask(lambda: kiosk.desk.scanned(shop.cards["Otto"]))
    expect(page.locator(".told h2")).to_have_text("You were here already")
    # A visit is a posting without money; without a network it is kept, and counts for the interval.
    kiosk.desk.ask(kiosk.desk.went_offline)
    kiosk.desk.ask(lambda: kiosk.desk.scanned(shop.cards["Ilze"]))
    expect(page.locator(".told h2")).to_have_text("Your visit is noted")
    kiosk.desk.ask(lambda: kiosk.desk.scanned(shop.cards["Ilze"]))
    expect(page.locator(".told h2")).to_have_text("You were here already")
    kiosk.desk.ask(kiosk.desk.back_online)
    with Queue(shop.folder / "till") as queue:
        for _ in range(100):
            if not queue.count(State.WAITING):
                break
            time.sleep(0.1)
        visits = [each for each in queue.all(State.SENT) if each.kind == "accrual"][-2:]
    assert [json.loads(each.body)["amount_minor"] for each in visits] == [0, 0]
    kiosk.desk.ask(lambda: kiosk.desk.scanned("https://example.com"))
    expect(page.locator(".told p")).to_have_text("Please ask at the counter.")
    context.close()
