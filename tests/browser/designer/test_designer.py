"""The designer's day in a real browser: design, look, try on a phone, publish; and the phone of a
customer shows it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.cards.service import issue_card
from app.certs.files import ROOT, WWDR
from app.delivery.wallets import Wallets
from app.delivery.worker import Worker
from app.demo.apns import ApnsStandIn
from app.demo.phone import Iphone
from app.demo.processes import free_port
from app.ledger import service as ledger
from app.members import service as members
from app.members.service import Contact
from tests.browser.staff_office import DESK, PHONE, Office, open_office, unfitting
from tests.passes.artwork.pictures import photo, wordmark

GREEN = "#0b3d2e"
OUT = Path(__file__).parents[3] / "test-out"


@dataclass
class Town:
    """The office, Apple, and a customer's phone with the card in its wallet."""

    office: Office
    apns: ApnsStandIn
    phone: Iphone
    worker: Worker


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("designer")
    port, ca = free_port(), folder / "apns-ca.pem"
    with open_office(folder, apns_url=f"https://127.0.0.1:{port}", apns_ca=ca) as office:
        context = office.context
        certs = context.config.certs_dir
        chain = b"".join((certs / name).read_bytes() for name in (ROOT, WWDR))
        with ApnsStandIn(client_ca=chain, port=port) as apns, Iphone(certs / ROOT) as phone:
            ca.write_bytes(apns.ca_pem)
            wallets = Wallets(context)
            now = context.clock()
            with context.database.write(office.programme_id) as session:
                member = members.add_member(
                    session,
                    context.keys,
                    office.programme_id,
                    Contact("Maximiliane von Hohenstein"),
                    language="en",
                    now=now,
                )
                card = issue_card(
                    session,
                    context.keys,
                    office.programme_id,
                    account_id=ledger.open_account(session, now=now).id,
                    member_id=member.id,
                    now=now,
                )
            with context.database.read(office.programme_id) as session:
                phone.add(wallets.apple.build(session, card, now=now))
            assert phone.register() == 201
            phone.listen(apns)
            worker = Worker(context, wallets)
            worker.run_once()
            yield Town(office, apns, phone, worker)


def drawn(page: Page, colour: str) -> None:
    """Wait until the iPhone in the page shows that colour."""
    expect(page.locator(f"[data-phone=iphone-front] rect[fill='{colour}']").first).to_be_attached()


def test_a_design_goes_from_the_page_onto_the_customers_phone(
    town: Town, browser: Browser, tmp_path: Path, screenshot: Callable[[Page, str], Path]
) -> None:
    page = town.office.sit_down(browser, "marketer")
    page.goto(town.office.address("designer"))
    before = town.phone.held().checked.content["backgroundColor"]

    # Changes appear while typing, and nobody's card changes.
    page.get_by_label("Background", exact=True).fill(GREEN)
    drawn(page, GREEN)
    page.locator("#f-name_lv").fill("Kafijas draugi")
    page.get_by_label("Language of the phone").select_option("lv")
    shown = page.locator("[data-phone=iphone-stack]")
    expect(shown).to_contain_text("Kafijas draugi")
    page.get_by_label("Whose data").select_option("longest")
    expect(page.locator("[data-phone=iphone-front]")).to_contain_text("Maximiliane")

    # What cannot be read is said at its field, with a colour that can.
    page.get_by_label("Labels", exact=True).fill("#0b5d3e")
    expect(page.locator("#told-label")).to_contain_text("Hard to read")
    page.locator("#designer-offers button[value^='label:']").click()
    expect(page.locator("#told-label")).to_be_empty()
    expect(page.get_by_label("Labels", exact=True)).not_to_have_value("#0b5d3e")

    # Pictures: one that is none is refused at its field, a good one is shown at once.
    for name, data in (("no.png", b"<svg/>"), ("logo.png", wordmark())):
        (tmp_path / name).write_bytes(data)
    (tmp_path / "hero.jpg").write_bytes(photo())
    page.set_input_files("#f-logo", tmp_path / "no.png")
    expect(page.locator("#told-logo")).to_contain_text("Save it as PNG")
    page.set_input_files("#f-logo", tmp_path / "logo.png")
    expect(page.locator("#upload-logo img")).to_be_visible()
    page.set_input_files("#f-hero", tmp_path / "hero.jpg")
    expect(page.locator("[data-phone=iphone-front] image")).to_have_count(2)
    # A photo that fills the card makes it a poster on iOS 27; and news have their place before any.
    poster = page.locator("[data-phone=iphone-poster]")
    expect(poster).to_have_count(0)
    (tmp_path / "poster.jpg").write_bytes(photo(1400, 1750))
    page.set_input_files("#f-poster", tmp_path / "poster.jpg")
    expect(poster.locator("image")).to_have_count(2)
    expect(poster).to_contain_text("Maximiliane")
    expect(page.locator(".designer-back").first).to_contain_text("Pagaidām nekā jauna")
    expect(page.locator(".designer-back").first).to_contain_text("Mana karte")
    expect(page.locator("#designer-checks")).to_contain_text("https")
    page.reload()
    drawn(page, GREEN)
    assert town.phone.held().checked.content["backgroundColor"] == before

    publish(town, page, screenshot)
    content = town.phone.held().checked
    assert content.content["backgroundColor"] == "rgb(11, 61, 46)"
    assert content.files["strip@3x.png"] and content.content["logoText"].startswith("text.")
    (OUT / "designer-phone.png").write_bytes(town.phone.draw())


def publish(town: Town, page: Page, screenshot: Callable[[Page, str], Path]) -> None:
    """Publish, watch the progress, and wait for the customer's phone."""
    page.get_by_role("link", name="Publish…").click()
    expect(page.get_by_text("Passes that will be updated")).to_be_visible()
    page.get_by_role("button", name="Publish, and update 1 pass").click()
    expect(page.get_by_text("On its way")).to_be_visible()
    screenshot(page, "designer-on-its-way")
    wakes = len(town.phone.wakes)
    town.worker.run_once()
    town.phone.wait_for_wake(wakes + 1)
    # The page asks by itself how far it is.
    expect(page.get_by_text("Every pass was told")).to_be_visible(timeout=10_000)
    fetched = page.get_by_text("Fetched by the phone").locator("xpath=following-sibling::dd[1]")
    page.wait_for_timeout(700)
    page.reload()
    expect(fetched).to_have_text("1")
    screenshot(page, "designer-told")


def test_a_test_pass_comes_by_its_code_once(town: Town, browser: Browser) -> None:
    page = town.office.sit_down(browser, "marketer")
    page.goto(town.office.address("designer"))
    page.get_by_role("button", name="Make a test pass").click()
    expect(page.get_by_role("img", name="QR code of the link")).to_be_visible(timeout=20_000)
    link = page.locator(".designer-trial a").first.inner_text()
    phone = browser.new_context(viewport=PHONE, has_touch=True).new_page()
    phone.goto(link)
    with phone.expect_download() as download:
        phone.get_by_role("button", name="Add to Apple Wallet").click()
    data = Path(download.value.path()).read_bytes()
    with Iphone(town.office.context.config.certs_dir / ROOT) as own:
        fields = own.add(data).checked.fields()
    assert (fields["balance"]["value"], fields["member"]["value"]) == (0, "Test pass")
    assert phone.goto(link).status == 404  # type: ignore[union-attr]


def test_an_earlier_design_comes_back_at_a_click(town: Town, browser: Browser) -> None:
    page = town.office.sit_down(browser, "owner")
    page.goto(town.office.address("designer"))
    page.get_by_label("Background", exact=True).fill("#400000")
    drawn(page, "#400000")
    expect(page.locator("#designer-state")).to_contain_text("Draft, saved")
    page.goto(town.office.address("designer/publish"))
    page.get_by_role("button", name=re.compile("Publish, and update")).click()
    page.get_by_role("button", name=re.compile("Undo: publish design")).click()
    expect(page.get_by_role("status")).to_contain_text("is published again")
    wakes = len(town.phone.wakes)
    town.worker.run_once()
    town.phone.wait_for_wake(wakes + 1)
    assert town.phone.held().checked.content["backgroundColor"] == "rgb(11, 61, 46)"


def test_nothing_keeps_anybody_from_the_pages(
    town: Town,
    browser: Browser,
    violations: Callable[[Page], list[str]],
    screenshot: Callable[..., Path],
) -> None:
    def is_good(page: Page, shot: str, *, whole: bool = False) -> None:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert violations(page) == [], (shot, scheme)
            name = f"designer-{shot}-{page.viewport_size['width']}-{scheme}"  # type: ignore[index]
            screenshot(page, name, whole=whole)

    for size in (PHONE, DESK):
        page = town.office.sit_down(browser, size=size)
        page.goto(town.office.address("designer"))
        page.get_by_label("Text", exact=True).fill("#0b5d3e")
        expect(page.locator("#told-foreground")).to_contain_text("Hard to read")
        for summary in page.locator("details:not([open]):not([data-menu]) > summary").all():
            if summary.is_visible():
                summary.click()
        is_good(page, "whole", whole=True)
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, "nothing sticks out of the screen"
        pictures = [each.get_attribute("src") for each in page.locator(".designer-thumb").all()]
        assert len(pictures) >= 2
        for picture in pictures:
            assert page.goto(f"{town.office.url}{picture}").status == 200  # type: ignore[union-attr]
        for path in ("publish", "progress", "releases"):
            page.goto(town.office.address(f"designer/{path}"))
            is_good(page, path)
            assert unfitting(page) == [], path
        page.goto(town.office.address("designer"))
        page.get_by_role("button", name="Make a test pass").click()
        expect(page.get_by_role("img", name="QR code of the link")).to_be_visible(timeout=20_000)
        is_good(page, "trial")
        page.goto(page.locator(".designer-trial a").first.inner_text())
        is_good(page, "try")
        page.context.close()
    assert town.office.refused == [], "the browser refuses nothing of any page or picture"
