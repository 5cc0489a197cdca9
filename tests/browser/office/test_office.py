"""An owner's day in the office: signing in with an app, and each page, in every look."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from app.staff import links
from app.staff.service import add_staff
from app.transfer import uploads
from passes.totp import totp
from tests.browser.staff_office import PHONE, Office, looks, open_office

PASSWORD = "four words of my own"
#: Each page of the office, by the name of its screenshot.
PAGES = {
    "tills": "tills",
    "team": "team",
    "keys": "keys",
    "certificates": "certificates",
    "api-keys": "api-keys",
    "webhooks": "webhooks",
    "transfer": "transfer",
    "audit": "audit",
    "account": "account",
    "second-factor": "account/second-factor",
}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with open_office(tmp_path_factory.mktemp("office")) as office:
        yield office


def invite(office: Office, name: str, role: str) -> str:
    """The path of a link to set a password."""
    now = office.context.clock()
    with office.context.database.write(office.programme_id) as session:
        person = add_staff(
            session, office.programme_id, name=name, role=role, pin="472910", now=now
        )
        return links.address(office.url, office.slug, links.make_link(session, person, now=now))


def code_of(secret: str, office: Office) -> str:
    """What an app that was given the secret shows."""
    at = int(office.context.clock().timestamp())
    return totp(base64.b32decode(secret.replace(" ", "")), at, digits=6)


def fresh(browser: Browser, **options: object) -> Page:
    return browser.new_context(locale="en-GB", reduced_motion="reduce", **options).new_page()  # type: ignore[arg-type]


def keep_codes(page: Page) -> str:
    """Download the recovery codes and print them; the first one."""
    codes = page.locator(".staff-codes li").all_inner_texts()
    with page.expect_download() as loaded:
        page.get_by_role("link", name="Download them as text").click()
    assert loaded.value.suggested_filename == "recovery-codes.txt"
    assert Path(loaded.value.path()).read_bytes() == "\r\n".join(codes).encode()
    # The printer's own window would stop the page: it is noted that it was asked for.
    page.evaluate("window.print = () => document.body.setAttribute('data-printed', '')")
    page.get_by_role("button", name="Print them").click()
    expect(page.locator("body")).to_have_attribute("data-printed", "")
    page.emulate_media(media="print")
    assert page.locator(".staff-codes li").all_inner_texts() == codes
    assert page.locator(".staff-codes").is_visible()
    page.emulate_media(media="screen")
    return str(codes[0])


def test_an_owner_is_invited_sets_up_an_app_signs_out_and_in_again(
    browser: Browser,
    office: Office,
    violations: Callable[[Page], list[str]],
    screenshot: Callable[[Page, str], Path],
) -> None:
    page = fresh(browser, viewport=PHONE)
    problems: list[str] = []
    page.on(
        "console",
        lambda message: problems.append(message.text) if message.type == "error" else None,
    )

    def look(name: str) -> None:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert violations(page) == [], name
            screenshot(page, f"office-{name}-390-{scheme}")

    page.goto(invite(office, "Olga", "owner"))
    look("invitation")
    page.fill("#password", PASSWORD)
    page.fill("#again", PASSWORD)
    page.click("button")
    page.wait_for_selector(".staff-qr")
    look("set-up")
    secret = page.inner_text(".staff-secret")
    used = code_of(secret, office)
    page.fill("#code", used)
    page.click("button")
    page.wait_for_selector(".staff-codes")
    look("recovery-codes")
    recovery = keep_codes(page)
    page.get_by_role("link", name="I have them: go on").click()
    page.wait_for_url(f"**/staff/{office.slug}/**")
    assert page.locator(".staff-codes").count() == 0
    page.goto(office.address("account"))
    page.click(".staff-actions >> text=Sign out")
    page.wait_for_url("**/sign-in")
    look("sign-in")

    page.goto(office.address("audit?who=Olga"))
    query = parse_qs(urlsplit(page.url).query)
    assert query["next"] == [f"/staff/{office.slug}/audit?who=Olga"]
    page.fill("#name", "Olga")
    page.fill("#password", "not this one")
    page.click("button")
    assert "is not right" in page.inner_text("[role=alert]")
    look("sign-in-wrong")
    page.fill("#password", PASSWORD)
    page.click("button")
    page.wait_for_url("**/sign-in/code**")
    look("code")
    page.fill("#code", used)
    page.click("button")
    assert "used already" in page.inner_text("[role=alert]")
    page.fill("#code", recovery)
    page.click("button")
    page.wait_for_url("**/audit?who=Olga")
    assert page.locator("td", has_text="Second factor set up").count() >= 1
    expected = ("422", "Failed to load resource")
    assert [each for each in problems if not any(word in each for word in expected)] == []
    page.context.close()


def test_the_day_s_work_is_done_on_a_phone(
    browser: Browser,
    office: Office,
    violations: Callable[[Page], list[str]],
    screenshot: Callable[[Page, str], Path],
) -> None:
    page = office.sit_down(browser, "owner", size=PHONE)

    def done(name: str) -> None:
        assert violations(page) == [], name
        screenshot(page, f"office-{name}-390-light")

    page.goto(office.address("tills"))
    page.fill("#f-name", "Terrace")
    page.click("text=Add it and show its code")
    page.wait_for_selector(".staff-qr")
    assert page.locator(".staff-secret").inner_text().count("-") == 3
    done("till-code")
    page.click("text=Back to the tills")
    assert "Not enrolled yet" in page.locator("tr", has_text="Terrace").inner_text()

    page.goto(office.address("team"))
    page.fill("#f-name", "Nadja")
    page.check("input[value=marketer]")
    page.click("text=Add and show the link and the PIN")
    done("person-once")
    assert "/link/" in page.inner_text(".staff-secret >> nth=0")
    page.click("text=It is handed over: go on")
    assert "Invited" in page.inner_text("dl")
    done("person")
    page.click("text=Nadja leaves")
    assert "has left" in page.inner_text("#said")
    page.click("text=Nadja works here again")
    assert "works here again" in page.inner_text("#said")

    page.goto(office.address("api-keys"))
    page.fill("#f-name", "Web shop")
    page.check("input[value=accrue]")
    page.click("text=Make it and show it")
    assert page.inner_text(".staff-secret").startswith("cfk_")
    done("api-key-once")

    page.goto(office.address("keys"))
    page.click("section:has-text('Signs card codes') button")
    assert "used from now on" in page.inner_text("#said")
    page.goto(office.address("certificates"))
    page.click("text=Make the request")
    with page.expect_download() as found:
        page.click("a[download]")
    assert b"CERTIFICATE REQUEST" in found.value.path().read_bytes()
    page.set_input_files("#f-files", {"name": "no.cer", "mimeType": "x", "buffer": b"nonsense"})
    page.click("text=Check and install")
    assert "counterfoil-upload" not in page.inner_text("main")
    assert page.locator("[role=alert]").count() == 1
    done("certificates-refused")

    page.context.close()


def test_customers_are_imported_and_downloaded_on_a_phone(
    browser: Browser,
    office: Office,
    violations: Callable[[Page], list[str]],
    screenshot: Callable[[Page, str], Path],
) -> None:
    page = office.sit_down(browser, "owner", size=PHONE)
    page.goto(office.address("transfer"))
    data = b"number,name,email,points\n1,Anna,anna@example.com,12\n2,Bo,wrong,1\n"
    page.set_input_files("#f-file", {"name": "old.csv", "mimeType": "text/csv", "buffer": data})
    page.click("text=Look through it")
    assert "Being looked through" in page.inner_text("#upload")
    uploads.step(office.context, now=office.context.clock())
    page.wait_for_selector("text=Would come in")  # the page looks again by itself
    assert violations(page) == []
    screenshot(page, "office-upload-390-light")
    page.check("input[name=skip_wrong]")
    page.click("text=Import 1 customer")
    uploads.step(office.context, now=office.context.clock())
    page.wait_for_selector("text=Came in")
    page.goto(office.address("transfer"))
    with page.expect_download() as found:
        page.click("text=Download it")
    assert b"anna@example.com" in found.value.path().read_bytes()
    page.context.close()


def test_every_page_fits_in_every_look(
    browser: Browser,
    office: Office,
    screenshot: Callable[[Page, str], Path],
) -> None:
    wrong = []
    page = office.sit_down(browser, "owner")
    for shot, path in PAGES.items():
        page.goto(office.address(path))
        for name in looks(page):
            wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            if wide > 0:
                wrong.append(f"{shot} {name}: {wide} px too wide")
            screenshot(page, f"office-{shot}-{name}")
    page.context.close()
    assert wrong == []


def test_everything_works_in_the_language_of_the_reader(browser: Browser, office: Office) -> None:
    for locale, word in (("de-DE", "Kassen"), ("lv-LV", "Kases"), ("ru-RU", "Кассы")):
        page = office.sit_down(browser, "owner", size=PHONE, locale=locale)
        page.goto(office.address("tills"))
        assert page.inner_text("h1") == word
        assert page.get_attribute("html", "lang") == locale[:2]
        page.context.close()
