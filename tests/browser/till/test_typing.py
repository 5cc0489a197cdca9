"""What is typed at the till: codes in the dialog, amounts on the keypad."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.demo.cafe import CASHIER, CASHIER_PIN
from scanner.page.outcomes import Told
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


def test_the_keypad_takes_no_more_than_one_posting_may_hold_and_says_how_much_that_is(
    page: Page, violations: Callable[[Page], list[str]]
) -> None:
    for key in "9999999999":
        page.locator("#keys button", has_text=key).click()
    expect(page.locator("#amount")).to_have_text("€999,999")
    expect(page.locator("#amount-label")).to_have_text("At most €1,000,000.00")
    expect(page.locator("#spoken")).to_have_text("At most €1,000,000.00")
    assert violations(page) == []
    page.keyboard.press("Delete")
    expect(page.locator("#amount-label")).to_have_text("Amount")
    for key in "1000000.01":
        page.keyboard.press(key, delay=70)
    expect(page.locator("#amount")).to_have_text("€1,000,000.0")
    page.keyboard.press("0")
    expect(page.locator("#amount")).to_have_text("€1,000,000.00")
    assert page.locator("#amount").evaluate("box => box.scrollWidth <= box.clientWidth")
    page.keyboard.press("Delete")


def test_an_outcome_is_announced_with_one_mark_at_the_end_of_its_title(
    page: Page, shop: Any, till: Running
) -> None:
    typed_by_a_scanner(page, shop.cards["Ada"])
    page.keyboard.press("Enter")
    expect(page.locator("#spoken")).to_have_text("Card accepted.")
    till.desk.ask(lambda: till.desk.tell(Told.AMOUNT_WRONG))
    expect(page.locator("#spoken")).to_have_text(
        "Which amount? Key in what was paid, like €12.50, at most €1,000,000.00."
    )
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")


def test_the_key_of_the_decimals_is_called_what_it_writes(page: Page) -> None:
    key = page.locator("#keys button").nth(9)
    for language, sign, name in (
        ("de", ",", "Dezimalkomma"),
        ("lv", ",", "Decimālkomats"),
        ("ru", ",", "Десятичная запятая"),
        ("en", ".", "Decimal point"),
    ):
        page.locator(f"#languages [lang={language}]").click()
        expect(key).to_have_text(sign)
        expect(key).to_have_attribute("aria-label", name)


def test_on_a_phone_held_upright_everything_fits_in_one_column(
    page: Page, shop: Any, till: Running, screenshot: Callable[[Page, str], Any]
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    outside = (
        "[document.documentElement, ...document.querySelectorAll('body *')]"
        ".filter(e => e.checkVisibility() && !e.closest('#spoken, .view'))"
        ".filter(e => e.getBoundingClientRect().right > 390.5 || e.scrollWidth > 390)"
        ".map(e => e.outerHTML.slice(0, 120))"
    )
    apart = (
        "['.bar', '.strip', '.view', '.hint', '.stage > :first-child', '.stage > :last-child',"
        " '#amount-box', '#keys', '#go']"
        ".map(each => document.querySelector(each).getBoundingClientRect())"
        ".every((box, index, all) => !index || index === 5 || box.top >= all[index - 1].bottom)"
    )
    for key in "1000000":
        page.keyboard.press(key, delay=70)
    typed_by_a_scanner(page, shop.cards["Otto"])
    page.keyboard.press("Enter")
    expect(page.locator("#go")).to_have_text("Give 1,000,000 beans")
    screenshot(page, "till-upright-card")
    assert page.evaluate(outside) == []
    assert page.evaluate(apart)
    page.locator("#go").scroll_into_view_if_needed()
    expect(page.locator("#go")).to_be_in_viewport(ratio=0.99)
    page.keyboard.press("Escape")
    expect(page.locator("html")).to_have_attribute("data-stage", "waiting")
    page.keyboard.press("Delete")
    till.desk.ask(till.desk.sign_out)
    expect(page.locator("html")).to_have_attribute("data-stage", "locked")
    page.evaluate("scrollTo(0, 0)")
    screenshot(page, "till-upright-locked")
    # Who signs in has no use for the camera: name, PIN and the button are there without scrolling.
    expect(page.locator("#go")).to_be_in_viewport(ratio=1)
    expect(page.locator("#keys")).to_be_in_viewport(ratio=1)
    page.locator("#other-name").fill("Somebody new")
    page.keyboard.press("Enter")
    for key in "2749":
        page.keyboard.press(key, delay=70)
    expect(page.locator("#other-name")).to_have_value("Somebody new")
    expect(page.locator("#amount")).to_have_text("••••")
    screenshot(page, "till-upright-pin")
    assert page.evaluate(outside) == []
    shown = apart.replace("'.view', '.hint', ", "").replace("index === 5", "index === 3")
    assert page.evaluate(shown)
