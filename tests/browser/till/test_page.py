"""A day at the till in a real browser: against a real service, with filmed phones as the camera."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import select

from app.demo.cafe import CASHIER, CASHIER_PIN, MANAGER, MANAGER_PIN
from app.ledger.models import Entry
from scanner.page.start import Running

# Machines that run tests are slow at times; that is not what is tested here.
expect.set_options(timeout=20_000)

Open = Callable[..., Page]
Shoot = Callable[[Page, str], Path]


@pytest.fixture
def page(open_page: Open, till: Running) -> Page:
    """The page with Anna at the till and nothing in hand."""
    page = open_page()
    till.desk.ask(till.desk.sign_out)
    sign_in(page, CASHIER, CASHIER_PIN)
    return page


def stage(page: Page, name: str) -> None:
    expect(page.locator("html")).to_have_attribute("data-stage", name)


def sign_in(page: Page, name: str, pin: str) -> None:
    stage(page, "locked")
    page.fill("#other-name", name)
    page.locator("#other-name").blur()
    for digit in pin:
        page.locator("#keys button", has_text=digit).click()
    page.click("#go")
    stage(page, "waiting")


def scan(page: Page, text: str) -> None:
    """A hand scanner types the code and presses Enter."""
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def key_in(page: Page, amount: str) -> None:
    for key in amount:
        page.keyboard.press(key, delay=70)


def tone(page: Page) -> str | None:
    return page.locator("#side").get_attribute("data-tone")


def give(page: Page, code: str, amount: str) -> None:
    scan(page, code)
    stage(page, "card")
    key_in(page, amount)
    page.click("#go")
    stage(page, "done")


def balance_of(shop: Any, name: str) -> int:
    from app.cards.service import card_by_code

    with shop.context.database.read(shop.programme_id) as session:
        card, _ = card_by_code(session, shop.cards[name], now=shop.context.clock())
        rows = session.scalars(select(Entry.points).where(Entry.account_id == card.account_id))
        return sum(rows)


def test_a_phone_held_up_to_the_camera_gets_its_points_and_undo_takes_them_back(
    page: Page, shop: Any, screenshot: Shoot
) -> None:
    clip = shop.clip("Ilze")
    page.wait_for_function("document.getElementById('frame').naturalWidth > 100")
    screenshot(page, "till-waiting")
    shop.camera.hold_up(clip)
    stage(page, "card")
    shop.camera.hold_up([])  # read: the customer puts the phone away
    expect(page.locator(".person h2")).to_have_text("Ilze Bērziņa")
    key_in(page, "12.5")
    expect(page.locator("#go")).to_have_text("Give 12 beans")
    screenshot(page, "till-card")
    page.click("#go")
    stage(page, "done")
    assert tone(page) == "green"
    expect(page.locator(".told h2")).to_have_text("+12 beans")
    screenshot(page, "till-done")
    page.locator("[data-key=undo]").click()
    expect(page.locator(".told h2")).to_have_text("Taken back")
    stage(page, "waiting")  # by itself, after four seconds
    assert balance_of(shop, "Ilze") == 0


def test_points_are_redeemed_with_the_slider_and_a_manager_approves_what_is_too_much(
    page: Page, shop: Any, screenshot: Shoot
) -> None:
    give(page, shop.cards["Otto"], "1500")
    scan(page, shop.cards["Otto"])
    stage(page, "card")
    slider = page.locator("[data-key=slider]")
    slider.focus()
    page.keyboard.press("End")
    expect(page.locator("#redeem")).to_have_text("Redeem 1,500 beans")
    screenshot(page, "till-redeem")
    page.click("#redeem")
    dialog = page.locator("dialog[open]")
    expect(dialog.locator("h2")).to_have_text("A manager's PIN")
    screenshot(page, "till-approval")
    approve = dialog.get_by_role("button", name="Approve")
    expect(approve).to_be_disabled()  # nobody is named, and there is no PIN
    page.fill("#manager", MANAGER)
    for digit in "000000":
        dialog.locator(".keys button", has_text=digit).click()
    expect(dialog.locator("#manager-pin")).to_have_text("••••••")
    approve.click()
    expect(dialog.locator("#said")).to_contain_text("Wrong PIN")  # before the eyes, not behind
    screenshot(page, "till-approval-wrong-pin")
    for digit in MANAGER_PIN:
        dialog.locator(".keys button", has_text=digit).click()
    dialog.get_by_role("button", name="Approve").click()
    stage(page, "done")
    expect(page.locator(".told h2")).to_have_text("−1,500 beans")
    assert balance_of(shop, "Otto") == 0


def test_a_return_by_receipt_takes_a_part_and_then_the_rest(
    page: Page, shop: Any, screenshot: Shoot
) -> None:
    page.fill("#receipt", "R-4711")
    page.locator("#receipt").blur()
    give(page, shop.cards["Ada"], "30")
    page.keyboard.press("Escape")
    for part, left in (("10", 20), ("", 0)):
        page.click("#open-return")
        page.fill("#return-receipt", "R-4711")
        page.locator("dialog").get_by_role("button", name="Find receipt").click()
        if part:
            # Without a keyboard: the keys type where the cursor was last, and not too much.
            page.locator(".found input").click()
            for key in "40":
                page.locator("dialog .keys button", has_text=key).click()
            expect(page.locator(".found button")).to_be_disabled()
            expect(page.locator(".found button")).to_have_text("At most €30.00")
            for key in ("⌫", "⌫", *part):
                page.locator("dialog .keys button", has_text=key).click()
            expect(page.locator(".found input")).to_have_value(part)
            screenshot(page, "till-return")
        page.locator(".found button").click()
        stage(page, "done")
        expect(page.locator(".told h2")).to_have_text("Return noted")
        page.keyboard.press("Escape")
        assert balance_of(shop, "Ada") == left
    page.click("#open-return")
    page.fill("#return-receipt", "R-4712")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_contain_text("No such receipt")
    screenshot(page, "till-return-unknown")
    expect(page.locator(".told h2")).to_have_text("No such receipt")


def test_without_the_network_points_are_kept_and_sent_when_it_is_back(
    page: Page, shop: Any, screenshot: Shoot
) -> None:
    give(page, shop.cards["Ada"], "8")
    before = balance_of(shop, "Ada")
    page.keyboard.press("Escape")
    shop.network.cut()
    scan(page, shop.cards["Ada"])
    stage(page, "card")
    expect(page.locator(".person h2")).to_have_text("Ada")
    expect(page.locator("#strip")).to_have_attribute("data-state", "offline")
    key_in(page, "5")
    expect(page.locator("#go")).to_contain_text("send later")
    screenshot(page, "till-offline")
    page.click("#go")
    stage(page, "done")
    expect(page.locator(".told h2")).to_have_text("€5.00 noted")
    expect(page.locator("#strip")).to_contain_text("1 waiting")
    assert tone(page) == "green"
    screenshot(page, "till-kept")
    shop.network.mend()
    expect(page.locator("#strip")).to_have_text("All sent", timeout=15000)
    assert balance_of(shop, "Ada") == before + 5


def test_every_language_is_a_touch_away(page: Page, shop: Any, screenshot: Shoot) -> None:
    scan(page, shop.cards["Otto"])
    stage(page, "card")
    key_in(page, "20")
    for code, words in (
        ("de", "20 beans geben"), ("lv", "Piešķirt: 20 beans"), ("ru", "Начислить: 20 beans"),
    ):  # fmt: skip
        page.locator(f"#languages [lang={code}]").click()
        expect(page.locator("#go")).to_have_text(words)
        screenshot(page, f"till-{code}")
    page.locator("#languages [lang=en]").click()
    page.keyboard.press("Escape")
    stage(page, "waiting")


def test_a_foreign_code_and_a_wrong_pin_are_told_in_words_with_a_sign(
    page: Page, screenshot: Shoot
) -> None:
    scan(page, "https://example.com/menu")
    expect(page.locator(".told h2")).to_have_text("Not one of our cards")
    assert tone(page) == "amber" and page.locator(".sign").inner_text() == "!"
    screenshot(page, "till-amber")
    page.keyboard.press("Escape")
    page.click("#lock")
    stage(page, "locked")
    page.locator(".names button", has_text=CASHIER).click()
    key_in(page, "111111")
    screenshot(page, "till-locked")
    page.keyboard.press("Enter")
    expect(page.locator(".told h2")).to_have_text("Wrong PIN")


def test_the_page_works_by_keyboard_alone(page: Page, shop: Any) -> None:
    """No pointer from signing in to undo; each thing that has the focus shows it."""
    page.keyboard.press("7", delay=70)
    expect(page.locator("#amount")).to_have_text("€7")
    scan(page, shop.cards["Ada"])
    stage(page, "card")
    expect(page.locator("#go")).to_have_text("Give 7 beans")
    page.keyboard.press("Enter")
    stage(page, "done")
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        key = "document.activeElement.dataset.key || document.activeElement.id"
        reached.add(page.evaluate(key))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert outline == "4px" or page.evaluate("document.activeElement === document.body")
        if "undo" in reached:
            break
    assert "undo" in reached
    page.keyboard.press("Enter")
    expect(page.locator(".told h2")).to_have_text("Taken back")
    for wanted in ("lock", "open-return", "open-code"):
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == wanted:
                break
        else:
            pytest.fail(f"{wanted} is not reached with Tab")


def test_a_code_that_is_scanned_while_the_till_is_busy_waits_its_turn(
    page: Page, shop: Any
) -> None:
    give(page, shop.cards["Ilze"], "3")
    held: list[Route] = []
    page.route("**/desk/understood", lambda route: held.append(route))
    with page.expect_request("**/desk/understood"):
        page.keyboard.press("Escape")
    scan(page, shop.cards["Otto"])
    page.wait_for_timeout(200)
    held[0].continue_()
    stage(page, "card")
    expect(page.locator("#side")).to_contain_text("Maximilian")


def test_axe_finds_nothing_in_any_state(
    open_page: Open,
    till: Running,
    shop: Any,
    violations: Callable[[Page], list[str]],
    screenshot: Shoot,
) -> None:
    page = open_page()
    found = {}

    def look(name: str) -> None:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            found[name, scheme] = violations(page)
        screenshot(page, f"dark-{name}")

    till.desk.ask(till.desk.sign_out)
    stage(page, "locked")
    look("locked")
    sign_in(page, CASHIER, CASHIER_PIN)
    look("waiting")
    scan(page, shop.cards["Ilze"])
    stage(page, "card")
    key_in(page, "9")
    expect(page.locator("#go")).to_have_text("Give 9 beans")
    look("card")
    page.click("#go")
    stage(page, "done")
    look("done")
    page.keyboard.press("Escape")
    scan(page, "not a card at all")
    expect(page.locator("#side")).to_have_attribute("data-tone", "amber")
    look("refused")
    page.keyboard.press("Escape")
    for opened in ("code", "return"):
        page.click(f"#open-{opened}")
        look(opened)
        page.keyboard.press("Escape")
    assert [line for lines in found.values() for line in lines] == []


def test_everything_to_be_touched_is_large_enough_and_nothing_is_cut_off(
    open_page: Open, till: Running, shop: Any, screenshot: Shoot
) -> None:
    for size in ({"width": 1280, "height": 800}, {"width": 1024, "height": 768}):
        till.desk.ask(till.desk.sign_out)
        page = open_page(size)
        sign_in(page, CASHIER, CASHIER_PIN)
        scan(page, shop.cards["Otto"])
        stage(page, "card")
        small = page.evaluate(
            "[...document.querySelectorAll('button, input')].filter(e => e.checkVisibility())"
            ".filter(e => { const r = e.getBoundingClientRect();"
            " return r.height < 64 || r.width < 64 || r.bottom > innerHeight + 1"
            " || r.right > innerWidth + 1; }).map(e => e.outerHTML)"
        )
        assert small == [], size
        screenshot(page, f"till-{size['width']}x{size['height']}")
        page.keyboard.press("Escape")
