"""A phone held up to a locked till is served by who signs in, without being held up again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from app.demo.cafe import CASHIER, CASHIER_PIN
from scanner.page.start import Running

expect.set_options(timeout=20_000)


def test_a_phone_that_is_held_up_to_a_locked_till_is_served_after_signing_in(
    open_page: Callable[..., Page],
    till: Running,
    shop: Any,
    screenshot: Callable[[Page, str], Path],
    violations: Callable[[Page], list[str]],
) -> None:
    page = open_page()
    till.desk.ask(till.desk.sign_out)
    html = page.locator("html")
    expect(html).to_have_attribute("data-stage", "locked")
    shop.camera.hold_up(shop.clip("Zane", seconds=6))
    expect(page.locator(".seen")).to_have_text("Card seen. Sign in to serve it.")
    expect(page.locator("#hint")).to_have_text("✓ Card seen. One moment, please.")
    expect(page.locator("#go")).to_have_text("Sign in to serve this card")
    assert "Zane" not in page.content()
    screenshot(page, "till-locked-card")
    assert violations(page) == []
    page.fill("#other-name", CASHIER)
    page.locator("#other-name").blur()
    for digit in CASHIER_PIN:
        page.keyboard.press(digit, delay=60)
    page.keyboard.press("Enter")
    expect(html).to_have_attribute("data-stage", "card")
    expect(page.locator(".person h2")).to_have_text("Zane Liepa")
    shop.camera.hold_up([])  # the customer goes
    page.keyboard.press("Escape")
