"""The customer's pages, as a phone's browser asks for them."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
import zxingcpp
from PIL import Image, ImageDraw
from sqlalchemy import select

from app.campaigns.models import Mute
from app.cards import news
from app.cards import service as cards
from app.cards.models import Card
from app.cards.service import create_link
from app.ledger.postings import Circumstances, Given, Present, Request
from app.members.models import Consent, Member
from app.members.service import contact_of
from app.programmes import designs, giving
from app.programmes.models import Programme
from app.programmes.service import change_settings
from app.programmes.terms import rulebook_of
from app.web.customer.joining_pages import JOIN_TRIES
from passes import code as card_code


def join(shop: Any, **form: Any) -> Any:
    return shop.client.post(f"/join/{shop.slug}", data=form)


def token_of(answer: Any) -> str:
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"]).rpartition("/")[2]


def read_svg(svg: str) -> str:
    """What a camera would read of our SVG: its path, drawn and decoded."""
    start = svg.rindex("<svg ")
    side = int(re.search(r'viewBox="0 0 (\d+) \d+"', svg[start:])[1])  # type: ignore[index]
    image = Image.new("L", (side * 8, side * 8), 255)
    draw = ImageDraw.Draw(image)
    path = svg[svg.rindex('d="') :]
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1", path):
        left, top = int(x) * 8, int(y) * 8
        draw.rectangle((left, top, left + int(width) * 8 - 1, top + 7), fill=0)
    [found] = zxingcpp.read_barcodes(cv2.cvtColor(np.array(image), cv2.COLOR_GRAY2BGR))
    return str(found.text)


def test_the_poster_leads_to_the_join_page_and_names_its_location(shop: Any) -> None:
    poster = shop.client.get(f"/join/{shop.slug}/poster.svg?at=old-town")
    address = read_svg(poster.text)
    assert address == f"http://127.0.0.1:8000/join/{shop.slug}?at=old-town"
    page = shop.client.get(address.removeprefix("http://127.0.0.1:8000"))
    assert page.status_code == 200
    assert 'name="at" value="old-town"' in page.text


def test_the_poster_says_the_name_once_and_what_members_get(shop: Any) -> None:
    poster = shop.client.get(f"/join/{shop.slug}/poster.svg?at=old-town").text
    said = " ".join(re.sub(r"<[^>]+>", " ", poster).split())
    with shop.context.database.read(shop.programme_id) as session:
        programme = session.get_one(Programme, shop.programme_id)
    assert programme.benefit and said.count(programme.benefit) == 1
    assert said.replace(programme.benefit, "").count(programme.name) == 1


def test_two_taps_lead_to_a_card_with_nothing_filled_in(shop: Any) -> None:
    token = token_of(join(shop, at="old-town"))
    page = shop.client.get(f"/card/{token}")
    assert page.status_code == 200
    with shop.context.database.read(shop.programme_id) as session:
        card = cards.card_by_link(session, shop.context.keys, token)
        assert (card.source, card.member_id) == ("old-town", None)
        assert session.scalars(select(Member)).all() == []


def test_a_name_and_an_address_are_kept_encrypted(shop: Any) -> None:
    token = token_of(join(shop, name="  Ilze   Bērziņa ", email="ilze@example.com"))
    with shop.context.database.read(shop.programme_id) as session:
        member = session.scalars(select(Member)).one()
        assert b"Ilze" not in (member.name or b"")
        assert b"ilze" not in (member.email or b"")
        contact = contact_of(session, shop.context.keys, member.id)
    assert (contact.name, contact.email) == ("Ilze Bērziņa", "ilze@example.com")
    assert "Ilze Bērziņa" in shop.client.get(f"/card/{token}").text


def test_consent_is_kept_only_when_its_box_was_ticked(shop: Any) -> None:
    join(shop, email="a@example.com")
    join(shop, email="b@example.com", consent="messages")
    with shop.context.database.read(shop.programme_id) as session:
        consents = session.scalars(select(Consent)).all()
    assert [consent.purpose for consent in consents] == ["messages"]


def test_a_known_address_is_answered_like_a_new_one(shop: Any) -> None:
    first = join(shop, email="a@example.com")
    second = join(shop, email="A@example.com")
    assert token_of(first) != token_of(second)
    pages = [
        re.sub(r"[0-9a-f]{48}", "TOKEN", shop.client.get(answer.headers["Location"]).text)
        for answer in (first, second)
    ]
    assert pages[0] == pages[1]


@pytest.mark.parametrize(
    ("form", "marked"),
    [({"email": "not an address"}, "email-wrong"), ({"name": "x" * 61}, "name-wrong")],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_lost(
    shop: Any, form: dict[str, str], marked: str
) -> None:
    answer = join(shop, **form)
    assert answer.status_code == 422
    assert f'id="{marked}"' in answer.text
    assert next(iter(form.values())) in answer.text


def test_what_was_typed_is_escaped(shop: Any) -> None:
    answer = join(shop, name="<script>alert(1)</script>", email="bad")
    assert "<script>" not in answer.text
    token = token_of(join(shop, name='"><img src=x>'))
    assert "<img src=x>" not in shop.client.get(f"/card/{token}").text


def test_joining_is_rate_limited_by_address(shop: Any) -> None:
    answers = [join(shop).status_code for _ in range(JOIN_TRIES + 1)]
    assert answers == [303] * JOIN_TRIES + [429]


def test_a_link_is_kept_as_a_hash_and_can_be_revoked(shop: Any) -> None:
    token = token_of(join(shop))
    assert len(bytes.fromhex(token)) * 8 >= 128
    now = shop.context.clock()
    with shop.context.database.write(shop.programme_id) as session:
        card = cards.card_by_link(session, shop.context.keys, token)
        assert token not in card.code
        assert token not in card.serial_number
        assert cards.revoke_links(session, card.id, now=now) == 1
    for path in ("", "/pass.pkpass", "/google", "/code.svg"):
        assert shop.client.get(f"/card/{token}{path}").status_code == 404


def test_links_do_not_follow_the_host_header(shop: Any) -> None:
    poster = shop.client.get(f"/join/{shop.slug}/poster.svg", headers={"Host": "evil.example"})
    assert "evil.example" not in poster.text
    answer = shop.client.post(f"/join/{shop.slug}", headers={"Host": "evil.example"})
    assert answer.headers["Location"].startswith("/card/")


def test_the_code_on_the_page_is_the_card_with_a_fresh_value(shop: Any) -> None:
    token = token_of(join(shop))
    text = read_svg(shop.client.get(f"/card/{token}/code.svg").text)
    assert len(text) == 139
    seen = shop.ask("POST", "/presentations", {"code": text}).json
    assert (seen["outcome"], seen["presentation"]["rotating"]) == ("accepted", True)
    assert card_code.parse(text).rotation is not None


def test_a_page_names_no_address_but_our_own(shop: Any) -> None:
    token = token_of(join(shop))
    for path in (f"/join/{shop.slug}", f"/card/{token}", "/"):
        answer = shop.client.get(path)
        assert "http:" not in answer.text and "https:" not in answer.text
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"


def test_pages_of_one_programme_know_nothing_of_another(open_shop: Callable[[], Any]) -> None:
    ours, theirs = open_shop(), open_shop()
    poster = ours.client.get(f"/join/{ours.slug}/poster.svg?at=nowhere")
    assert poster.status_code == 404
    token = token_of(join(theirs))
    page = ours.client.get(f"/card/{token}")
    assert (page.status_code, ours.slug in page.text) == (200, False)


def test_an_unknown_page_says_what_to_do_in_words(shop: Any) -> None:
    for path in ("/join/nowhere", "/card/0000", "/card/0000/pass.pkpass", "/nothing"):
        answer = shop.client.get(path)
        assert answer.status_code == 404
        assert "That did not work" in answer.text
        assert answer.mimetype == "text/html"


def test_every_style_and_picture_of_a_page_is_there(shop: Any) -> None:
    token = token_of(join(shop))
    for page in (f"/join/{shop.slug}", f"/card/{token}"):
        found = re.findall(r'(?:href|src)="(/[^"]+)"', shop.client.get(page).text)
        assert any(path.endswith(".css") for path in found)
        for path in found:
            if "pass.pkpass" not in path and "google" not in path:
                with shop.client.get(path) as answer:
                    assert answer.status_code == 200, path


def test_doubled_slashes_lead_nowhere_and_never_to_the_host_header(shop: Any) -> None:
    token = token_of(join(shop))
    for path in (f"/card//{token}", f"/card/{token}//pass.pkpass", f"/join//{shop.slug}"):
        answer = shop.client.get(path, headers={"Host": "evil.example"})
        assert answer.status_code == 404
        assert "Location" not in answer.headers


def test_consent_is_withdrawn_as_easily_as_it_was_given(shop: Any) -> None:
    token = token_of(join(shop, email="a@example.com", consent="messages"))
    settings = f"/card/{token}/settings"
    assert "You agreed on" in shop.client.get(settings).text
    withdrawn = shop.client.post(f"/card/{token}/consents/messages", data={"do": "withdraw"})
    assert withdrawn.status_code == 303
    assert "You agreed on" not in shop.client.get(settings).text
    with shop.context.database.read(shop.programme_id) as session:
        consent = session.scalars(select(Consent)).one()
    assert consent.withdrawn_at == shop.context.clock()


def test_a_coupon_is_opened_from_its_members_card_and_has_a_page_of_its_own(shop: Any) -> None:
    now = shop.context.clock()
    coupons = [{"code": "cake", "names": {"en": "A slice of cake"}}]
    with shop.context.database.write(shop.programme_id) as session:
        change_settings(session, shop.programme_id, {"coupons": coupons}, valid_from=now)
    card, stranger = shop.issue(), shop.issue()
    with shop.context.database.write(shop.programme_id) as session:
        giving.post(
            session,
            rulebook_of(session, shop.programme_id, now),
            Request(str(uuid.uuid4()), "present", bytes(32)),
            Present(card.account_id, (Given("coupon", "cake", 1, "by hand"),), "welcome"),
            Circumstances(now),
            now=now,
        )
        mine, theirs = (create_link(session, each, now=now) for each in (card, stranger))
    page = shop.client.get(f"/card/{mine}")
    assert "A slice of cake" in page.text
    action = re.search(r'action="(/card/[^"]+/coupons/[^"]+)"', page.text)
    assert action is not None
    assert shop.client.post(action[1].replace(mine, theirs)).status_code == 404
    opened = shop.client.post(action[1])
    assert opened.status_code == 303
    own = shop.client.get(opened.headers["Location"])
    assert own.status_code == 200
    assert "A slice of cake" in own.text
    assert "Your coupons" not in own.text


def test_one_tap_ends_messages_and_another_one_brings_them_back(shop: Any) -> None:
    token = token_of(join(shop))
    asked = shop.client.get(f"/card/{token}/mute")
    assert "No more messages" in asked.text
    muted = shop.client.post(f"/card/{token}/mute")
    assert muted.status_code == 303
    assert "Send me messages again" in shop.client.get(f"/card/{token}/mute").text
    with shop.context.database.read(shop.programme_id) as session:
        account_id = session.scalars(select(Mute.account_id)).one()
    shop.client.post(f"/card/{token}/mute")
    shop.client.post(f"/card/{token}/mute", data={"undo": "yes"})
    with shop.context.database.read(shop.programme_id) as session:
        assert session.scalars(select(Mute.account_id)).all() == [], account_id
    assert shop.client.post("/card/nothing/mute").status_code == 404


@pytest.mark.parametrize(
    ("language", "stop", "again"),
    [
        ("en", "No more messages", "Send me messages again"),
        ("de", "Keine Nachrichten mehr", "Wieder Nachrichten senden"),
        ("lv", "Vairs nesūtīt ziņas", "Atkal sūtīt man ziņas"),
        ("ru", "Больше не присылать", "Снова присылать сообщения"),
    ],
)
def test_the_page_behind_the_pass_has_the_button_that_ends_messages(
    shop: Any, language: str, stop: str, again: str
) -> None:
    """The link on the back of the pass leads there, whether or not there are news."""
    token = token_of(join(shop))
    spoken = {"Accept-Language": language}
    form = rf'/card/{token}/mute">\s*<p class="about">[^<]+</p>\s*<button[^>]*>{stop}</button>'
    page = shop.client.get(f"/card/{token}", headers=spoken)
    assert re.search(form, page.text)
    shop.client.post(f"/card/{token}/mute")
    page = shop.client.get(f"/card/{token}", headers=spoken)
    assert stop not in page.text and f">{again}</button>" in page.text
    shop.client.post(f"/card/{token}/mute", data={"undo": "yes"})
    assert re.search(form, shop.client.get(f"/card/{token}", headers=spoken).text)


def test_news_stand_on_the_web_card_with_the_way_to_end_them(shop: Any) -> None:
    token = token_of(join(shop))
    with shop.context.database.write(shop.programme_id) as session:
        card = session.scalars(select(Card)).one()
        content = {"message": {"en": "<b>A new roast</b>"}, "article": {"en": ["Why", "So.\nOk."]}}
        news_id = news.publish(session, content, now=shop.context.clock())
        told = [news.Told(card.id, card.account_id, {})]
        news.tell_cards(session, news_id, told, now=shop.context.clock())
    page = shop.client.get(f"/card/{token}").text
    assert "&lt;b&gt;A new roast" in page and "<p>Ok.</p>" in page
    assert f"/card/{token}/mute" in page


def test_the_card_is_called_what_its_design_calls_it_in_the_readers_language(shop: Any) -> None:
    token = token_of(join(shop))
    with shop.context.database.write(shop.programme_id) as session:
        named = designs.read_changes({"name": {"en": "Bean card", "de": "Bohnenkarte"}})
        designs.change(session, shop.programme_id, named, now=shop.context.clock())
    for language, name in (("en", "Bean card"), ("de", "Bohnenkarte"), ("lv", "Bean card")):
        for path in (f"/card/{token}", f"/join/{shop.slug}"):
            page = shop.client.get(f"{path}?lang={language}").text
            assert f"<header><strong>{name}</strong>" in page, (path, language)
        assert shop.client.get(f"/card/{token}/app.webmanifest").json["name"] == name
