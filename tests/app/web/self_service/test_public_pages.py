"""What the customer's pages say and to whom: in their language, safely, and light."""

import re
import uuid
from pathlib import Path
from typing import Any

import pytest

from app.demo.mail import MailServer
from app.members import consents
from app.programmes.service import set_operator
from tests.app.web.self_service.conftest import Guest


def test_history_explains_each_number_and_shows_nobody_elses(guest: Guest) -> None:
    token, other = guest.join(), guest.join()
    guest.shop.accrue(guest.card(token), 1250)
    guest.shop.accrue(guest.card(other), 7700)
    page = guest.get(f"/card/{token}/history").text
    assert "+12" in page and "Old Town" in page and "€12.50" in page and "+77" not in page
    assert "12 points" in page
    german = guest.get(f"/card/{token}/history?lang=de").text
    assert "Gesammelt" in german and "12,50" in german
    assert "Noch nichts" in guest.get(f"/card/{guest.join()}/history?lang=de").text


def test_the_language_chosen_once_is_spoken_on(guest: Guest) -> None:
    token = guest.join()
    guest.get(f"/card/{token}?lang=lv")
    assert 'lang="lv"' in guest.get(f"/card/{token}/settings").text.partition("<head>")[0]
    assert "Iesaldēt" in guest.settings(token)


@pytest.mark.parametrize("language", ["en", "de", "lv", "ru"])
def test_every_public_page_says_who_runs_it(guest: Guest, language: str) -> None:
    with guest.context.database.write(guest.shop.programme_id) as session:
        set_operator(
            session, guest.shop.programme_id, name="SIA Kafija", address="Brīvības 1, Rīga",
            contact="hello@kafija.example",
        )  # fmt: skip
    token, slug = guest.join(), guest.shop.slug
    pages = [f"/join/{slug}", f"/find/{slug}", f"/privacy/{slug}"]
    pages += [f"/card/{token}{part}" for part in ("", "/settings", "/history", "/lost", "/erase")]
    for path in pages:
        text = guest.get(f"{path}?lang={language}").text
        assert f'<html lang="{language}">' in text
        for said in ("SIA Kafija", "Brīvības 1, Rīga", "hello@kafija.example", f"/privacy/{slug}"):
            assert said in text, path


EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


def test_no_text_field_can_write_html(guest: Guest) -> None:
    slug = guest.shop.slug
    token = guest.join(name=EVIL[:60], at=EVIL, **{"from": EVIL}, once=EVIL, to=EVIL)
    with guest.context.database.write(guest.shop.programme_id) as session:
        set_operator(session, guest.shop.programme_id, name=EVIL, address=EVIL, contact=EVIL)
        texts = {"en": EVIL}
        consents.change_text(
            session, guest.shop.programme_id, "messages", texts, now=guest.context.clock()
        )
    answers = [
        guest.get(f"/join/{slug}", query_string={"at": EVIL, "from": EVIL, "lang": EVIL}),
        guest.post(f"/join/{slug}", name=EVIL * 3, email=EVIL, birthday=EVIL, at=EVIL, once=EVIL),
        guest.post(f"/find/{slug}", email=EVIL),
        guest.get(f"/card/{token}", query_string={"said": EVIL, "to": EVIL}),
        guest.get(f"/card/{token}/settings", query_string={"said": EVIL}),
        guest.post(f"/card/{token}/contact", name=EVIL * 3, email=EVIL),
        guest.get(f"/card/{token}/erase"),
        guest.get(f"/card/{token}/history"),
        guest.get(f"/privacy/{slug}"),
        guest.get(f"/join/{EVIL}"),
        guest.get(f"/card/{EVIL}"),
        guest.get(f"/confirm/{EVIL}"),
        guest.get(f"/unsubscribe/{EVIL}/{EVIL}"),
        guest.get(f"/card/{token}/data.txt"),
    ]
    for answer in answers:
        if answer.mimetype == "text/html":
            assert "<script>" not in answer.text and "<img src=x" not in answer.text
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            assert "unsafe" not in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Frame-Options"] == "DENY"
        else:
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "attachment" in answer.headers["Content-Disposition"]
    poster = guest.get(f"/join/{slug}/poster.svg", query_string={"at": EVIL})
    assert poster.status_code == 404


def test_no_page_leads_to_another_site(guest: Guest) -> None:
    token = guest.join()
    for path in (f"/join/{guest.shop.slug}", f"/card/{token}/freeze", f"/card/{token}/keep"):
        answer = guest.shop.client.post(
            f"{path}?next=https://evil.example&said=//evil.example",
            data={"next": "https://evil.example", "to": "https://evil.example"},
            headers={"Host": "evil.example", "Referer": "https://evil.example/"},
        )
        assert answer.headers["Location"].startswith("/card/")
    page = guest.get(f"/card/{token}?to=https://evil.example").text
    assert "evil.example" not in page


def test_one_members_link_opens_nothing_of_another(open_shop: Any, tmp_path: Path) -> None:
    with MailServer(tmp_path) as server:
        ours, theirs = Guest(open_shop(), server), Guest(open_shop(), server)
        mine, other = ours.join(name="Anna"), theirs.join(name="Zane")
        assert "Zane" not in ours.get(f"/card/{mine}/data.json").text
        coupon = str(uuid.uuid4())
        assert ours.post(f"/card/{mine}/coupons/{coupon}").status_code == 404
        with ours.context.database.write(theirs.shop.programme_id) as session:
            consents.change_text(
                session, theirs.shop.programme_id, "messages", {"en": "Theirs"},
                now=ours.context.clock(),
            )  # fmt: skip
        answer = ours.post(f"/card/{mine}/contact", name="Anna", email="a@example.com")
        assert answer.status_code == 303
        refused = ours.post(f"/card/{mine}/consents/messages", do="give", version="1")
        assert refused.status_code == 409
        assert theirs.get(f"/card/{other}").status_code == 200


def test_the_page_is_an_app_with_icons_that_are_there(guest: Guest) -> None:
    token = guest.join()
    found = guest.get(f"/card/{token}/app.webmanifest")
    assert found.mimetype == "application/manifest+json"
    assert found.json["start_url"] == f"/card/{token}" and found.json["display"] == "standalone"
    for icon in found.json["icons"]:
        answer = guest.get(icon["src"])
        assert answer.mimetype == "image/png" and answer.data.startswith(b"\x89PNG")
    assert guest.get(f"/brand/{guest.shop.slug}/icon-193.png").status_code == 404
    live = guest.get(f"/card/{token}/live").json
    assert live["number"] == "0" and live["code"].startswith("<svg")


def test_posters_are_printed_as_pdf_and_svg_in_the_language_of_the_shop(guest: Guest) -> None:
    slug = guest.shop.slug
    for language, said in (("lv", "Pavērsiet kameru"), ("ru", "Наведите камеру")):
        assert said in guest.get(f"/join/{slug}/poster.svg?at=old-town&lang={language}").text
    pdf = guest.get(f"/join/{slug}/poster.pdf?at=old-town&lang=lv")
    assert pdf.mimetype == "application/pdf" and pdf.data.startswith(b"%PDF-")
    assert guest.get(f"/join/{slug}/poster.pdf?at=nowhere").status_code == 404


def test_the_join_page_is_light(guest: Guest) -> None:
    page = guest.get(f"/join/{guest.shop.slug}")
    size = len(page.data)
    for path in re.findall(r'(?:href|src)="(/[^"]+\.(?:css|js))"', page.text):
        with guest.get(path) as answer:
            size += len(answer.data)
    assert size < 50_000
    assert "<script" not in page.text
