"""A customer's day in a real browser: join, card, balance after a scan, freeze, PIN, leaving."""

import json
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import zxingcpp
from playwright.sync_api import Browser, Page, expect

from app.demo.cafe import CASHIER, CASHIER_PIN, TILL
from app.programmes.service import change_settings, set_operator
from app.till import access
from tests.browser.staff_office import DESK, PHONE, Office, looks, open_office

SETTINGS = {
    "welcome_points": 25,
    "stamps": [{"code": "coffee", "names": {"en": "Coffee card"}, "size": 10}],
    "rewards": [
        {"code": "bag", "names": {"en": "A bag of coffee"}, "points": 50},
        {"code": "cup", "names": {"en": "An espresso"}, "points": 10},
        {"code": "tenth", "names": {"en": "A coffee"}, "stamps": "coffee"},
    ],
}


@pytest.fixture(scope="module")
def cafe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with open_office(tmp_path_factory.mktemp("customer")) as office:
        now = office.context.clock()
        with office.context.database.write(office.programme_id) as session:
            change_settings(session, office.programme_id, SETTINGS, valid_from=now)
            set_operator(
                session,
                office.programme_id,
                name="SIA Kaffa",
                address="Brīvības iela 1, Rīga",
                contact="hello@kaffa.example",
            )
        yield office


class Counter:
    """A till of the café, at its API."""

    def __init__(self, cafe: Office) -> None:
        self.url = cafe.url + "/api/till/v1"
        self.headers: dict[str, str] = {}
        with cafe.context.database.write(cafe.programme_id) as session:
            till = access.till_by_name(session, cafe.programme_id, TILL)
            code = access.new_code(session, till, now=cafe.context.clock())
        enrolled = self.ask("/enrolments", {"code": code})
        self.headers["Authorization"] = f"Bearer {enrolled['token']}"
        signed_in = self.ask("/cashier-sessions", {"cashier": CASHIER, "pin": CASHIER_PIN})
        self.cashier_id = signed_in["cashier"]["id"]
        self.headers["Counterfoil-Cashier"] = signed_in["token"]

    def ask(self, path: str, body: Any) -> Any:
        request = urllib.request.Request(  # noqa: S310 - loopback
            self.url + path,
            json.dumps(body).encode(),
            {"Content-Type": "application/json", **self.headers},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return json.load(answer)

    def scan_and_collect(self, cafe: Office, code: str, amount_minor: int) -> Any:
        """What a cashier does with a card that is held to the camera."""
        seen = self.ask("/presentations", {"code": code})
        assert seen["outcome"] == "accepted" and seen["presentation"]["rotating"]
        posting = {
            "id": str(uuid.uuid4()),
            "occurred_at": cafe.context.clock().isoformat(),
            "cashier_id": self.cashier_id,
            "code": code[:120],
            "amount_minor": amount_minor,
            "currency": "EUR",
        }
        return self.ask("/accruals", posting)


def read_code(page: Page) -> str:
    """What a camera reads off the screen."""
    shot = page.locator("#code").screenshot()
    picture = cv2.imdecode(np.frombuffer(shot, np.uint8), cv2.IMREAD_COLOR)
    [found] = zxingcpp.read_barcodes(picture)
    return str(found.text)


def phone(browser: Browser, agent: str = "", **options: Any) -> Page:
    given = {"user_agent": agent} if agent else {}
    context = browser.new_context(
        viewport=PHONE, locale="en-GB", reduced_motion="reduce", **given, **options
    )
    return context.new_page()


def test_a_customers_day(browser: Browser, cafe: Office) -> None:
    page = phone(browser)
    page.goto(f"{cafe.url}/join/{cafe.slug}?at=old-town")
    page.get_by_text("Add your name or e-mail").click()
    page.get_by_role("textbox", name="Name").fill("Līga")
    page.get_by_role("textbox", name="E-mail").fill("liga@example.com")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Get my card here").first.click()
    expect(page.get_by_text("Līga")).to_be_visible()
    card = page.url
    first = page.locator("#code").get_attribute("src")
    Counter(cafe).scan_and_collect(cafe, read_code(page), 1250)
    # Back in the hand: the page says so by itself, without being loaded again.
    page.evaluate("window.stillHere = true; document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#number")).to_have_text("12")
    assert page.evaluate("window.stillHere") and page.locator("#code").get_attribute("src") != first
    page.reload()
    expect(page.get_by_text("You can have it")).to_be_visible()
    expect(page.get_by_text("38 beans to go")).to_be_visible()
    page.get_by_role("link", name="History").click()
    expect(page.get_by_text("+12")).to_be_visible()
    page.get_by_text("Why?").click()
    expect(page.get_by_text("12 beans").first).to_be_visible()
    page.get_by_role("link", name="Back to the card").first.click()
    page.get_by_role("link", name="Freeze, lost phone").click()
    page.get_by_role("button", name="Freeze my card").click()
    expect(page.get_by_role("status")).to_contain_text("frozen")
    page.goto(card)
    page.get_by_role("button", name="Unfreeze my card").click()
    page.get_by_label("New PIN").fill("2749")
    page.get_by_label("The same once more").fill("2749")
    page.get_by_role("button", name="Set the PIN").click()
    expect(page.get_by_role("status")).to_contain_text("PIN is set")
    page.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_role("status")).to_contain_text("do not agree")
    with page.expect_download() as taken:
        page.get_by_role("link", name="To read (text)").click()
    assert "liga@example.com" in Path(taken.value.path()).read_text("utf-8")
    page.get_by_role("link", name="Erase me and my card").click()
    expect(page.get_by_text("12 beans")).to_be_visible()
    page.get_by_label("Your present PIN").fill("2749")
    page.get_by_role("button", name="Erase me and my card").click()
    page.get_by_role("button", name="Undo: keep my card").click()
    expect(page.get_by_role("status")).to_contain_text("stays as it is")
    page.context.close()


IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"


def test_two_taps_without_script_put_the_card_into_the_wallet(
    browser: Browser, cafe: Office
) -> None:
    page = phone(browser, IPHONE, java_script_enabled=False)
    page.goto(f"{cafe.url}/join/{cafe.slug}?at=old-town")
    button = page.get_by_role("button").first
    assert button.inner_text().strip() == "Add to Apple Wallet"
    with page.expect_download() as taken:
        button.click()
    assert taken.value.suggested_filename == "card.pkpass"
    assert Path(taken.value.path()).read_bytes().startswith(b"PK")
    expect(page.get_by_text("Your card: Kaffa Roasters")).to_be_visible()
    page.goto(page.url.partition("?")[0])
    # Who has no script is given a fresh code all the same.
    assert page.locator("noscript meta[http-equiv=refresh], meta[http-equiv=refresh]").count() == 1
    page.context.close()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["390", "1440"])
def test_every_page_in_every_look(
    browser: Browser,
    cafe: Office,
    screenshot: Callable[[Page, str], Path],
    violations: Callable[[Page], list[str]],
    size: Any,
) -> None:
    context = browser.new_context(viewport=size, locale="en-GB", reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{cafe.url}/join/{cafe.slug}?at=old-town")
    page.get_by_text("Add your name or e-mail").click()
    found = []

    def look_at(name: str, path: str | None = None) -> None:
        if path is not None:
            page.goto(cafe.url + path)
        page.evaluate("document.fonts.ready")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            look = f"{size['width']}-{scheme}"
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
            screenshot(page, f"customer-{name}-{look}")
            found.extend(f"{name} {look}: {each}" for each in violations(page))

    look_at("join")
    page.get_by_role("textbox", name="E-mail").fill("no address")
    page.get_by_role("button").first.click()
    look_at("join-wrong")
    page.get_by_role("textbox", name="E-mail").fill("anna@example.com")
    page.get_by_role("textbox", name="Name").fill("Anna")
    page.get_by_role("button").first.click()
    page.wait_for_url("**/card/**")
    card = page.url.removeprefix(cafe.url)
    if size == PHONE:
        look_at("card")
    Counter(cafe).scan_and_collect(cafe, read_code(page), 1250)
    look_at("card-12", card)
    look_at("history", f"{card}/history")
    page.get_by_text("Why?").first.click()
    look_at("history-why")
    for name in ("settings", "lost", "erase"):
        look_at(name, f"{card}/{name}")
    look_at("find", f"/find/{cafe.slug}")
    look_at("privacy", f"/privacy/{cafe.slug}?lang=ru")
    look_at("problem", "/card/nothing")
    page.goto(f"{cafe.url}{card}/settings?lang=de")
    page.get_by_role("button", name="Meine Karte sperren").click()
    look_at("settings-frozen-de")
    look_at("card-frozen-lv", f"{card}?lang=lv")
    context.close()
    assert found == []


def test_the_page_on_which_a_shop_says_who_it_is(
    browser: Browser,
    cafe: Office,
    screenshot: Callable[[Page, str], Path],
    violations: Callable[[Page], list[str]],
) -> None:
    page = cafe.sit_down(browser, "owner")
    page.goto(cafe.address("public"))
    page.get_by_role("textbox", name="Postal address").fill("")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("Write 1 to 300 characters.")).to_be_visible()
    for look in looks(page):
        screenshot(page, f"staff-public-{look}")
        assert violations(page) == [], look
    page.context.close()
