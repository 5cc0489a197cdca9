"""What is typed at the till: codes in the dialog, amounts on the keypad."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.demo.cafe import CASHIER, CASHIER_PIN
from scanner.page.start import Running

expect.set_options(timeout=20_000)

Open = Callable[..., Page]
NONSENSE = "no card of anybody's"


@pytest.fixture
def page(open_page: Open, till: Running) -> Page:
    """The page with Anna at the till and nothing in hand."""
    till.desk.ask(till.desk.sign_out)
    till.desk.ask(lambda: till.desk.sign_in(CASHIER, CASHIER_PIN))
    page = open_page()
    expect(page.locator("html")).to_have_attribute("data-stage", "waiting")
    return page


def typed_by_hand(page: Page, text: str) -> None:
    page.keyboard.type(text, delay=70)


def typed_by_a_scanner(page: Page, text: str) -> None:
    page.keyboard.type(text)


def pasted(page: Page, text: str) -> None:
    page.keyboard.insert_text(text)


@pytest.mark.parametrize("put", [typed_by_hand, typed_by_a_scanner, pasted])
def test_enter_takes_the_code_and_closes_the_dialog_however_it_came_there(
    page: Page, shop: Any, put: Callable[[Page, str], None]
) -> None:
    for text in (NONSENSE, shop.cards["Ada"]):
        page.click("#open-code")
        put(page, text)
        page.keyboard.press("Enter")
        expect(page.locator("dialog[open]")).to_have_count(0)
        if text == NONSENSE:
            expect(page.locator(".told h2")).to_have_text("Not one of our cards")
        else:
            expect(page.locator(".person h2")).to_have_text("Ada")
            expect(page.locator("html")).to_have_attribute("data-stage", "card")
        page.keyboard.press("Escape")
        expect(page.locator("html")).to_have_attribute("data-stage", "waiting")
    expect(page.locator("#amount")).to_have_text("€0.00")


def test_a_hand_scanner_closes_the_dialog_wherever_its_focus_is(page: Page, shop: Any) -> None:
    page.click("#open-code")
    page.keyboard.press("Tab")
    typed_by_a_scanner(page, shop.cards["Ada"])
    page.keyboard.press("Enter")
    expect(page.locator(".person h2")).to_have_text("Ada")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("Escape")
