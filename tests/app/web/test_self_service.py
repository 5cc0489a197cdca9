"""What members do by themselves: with the link, without a password, and nobody else."""

import json
import re
import uuid
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.cards import links, pins
from app.cards import service as cards
from app.cards.models import Card
from app.delivery import erasures
from app.delivery.letters import COMPOSER
from app.demo.mail import MailServer
from app.ledger import service as ledger
from app.mail import sending
from app.members import consents
from app.members.models import Consent, Member, MemberRead
from app.programmes.service import change_settings, set_operator
from app.web.customer.door import WRONG_LINKS
from app.web.customer.finding import FIND_TRIES

URL = "http://127.0.0.1:8000"


@dataclass
class Guest:
    """Somebody with a phone, and their letters."""

    shop: Any
    server: MailServer

    @property
    def context(self) -> Any:
        """The installation, which knows the mail server."""
        config = replace(
            self.shop.context.config,
            smtp_server=self.server.address,
            smtp_ca=self.server.ca,
            smtp_from="cards@example.com",
        )
        return replace(self.shop.context, config=config)

    def join(self, **form: Any) -> str:
        """Join; the token of the card's page."""
        answer = self.shop.client.post(f"/join/{self.shop.slug}", data=form)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["Location"]).rpartition("/")[2].partition("?")[0]

    def get(self, path: str, **options: Any) -> Any:
        return self.shop.client.get(path, **options)

    def post(self, path: str, **form: Any) -> Any:
        return self.shop.client.post(path, data=form)

    def card(self, token: str) -> Card:
        with self.shop.context.database.read_all() as session:
            return links.card_by_link(session, self.shop.context.keys, token)

    def letters(self) -> list[Any]:
        """Have what waits sent; the letters that came."""
        self.server.letters.clear()
        while sent := sending.step(self.context, COMPOSER, now=self.context.clock()):
            if not sent.done:
                break
        return self.server.letters

    def settings(self, token: str) -> str:
        return str(self.get(f"/card/{token}/settings").text)


def link_in(letter: Any, path: str) -> str:
    """The address on our pages that a letter holds, without the host."""
    found = re.search(re.escape(URL) + rf"({path}/\S+)", letter.part())
    assert found is not None, letter.part()
    return found[1]


@pytest.fixture
def guest(shop: Any, tmp_path: Path) -> Any:
    with MailServer(tmp_path) as server:
        yield Guest(shop, server)


def test_pressing_the_button_twice_makes_one_card(guest: Guest) -> None:
    page = guest.get(f"/join/{guest.shop.slug}").text
    once = re.search(r'name="once" value="([0-9a-f]{32})"', page)
    assert once is not None
    first, again = guest.join(once=once[1]), guest.join(once=once[1])
    assert first == again
    assert guest.join(once="0" * 32) not in {first, guest.join(), guest.join(once="x")}


@pytest.mark.parametrize(
    ("agent", "first"),
    [("iPhone; CPU iPhone OS 18_0", "web"), ("Linux; Android 15", "web"), ("X11; Linux", "web")],
)
def test_without_wallets_the_web_card_is_the_button(guest: Guest, agent: str, first: str) -> None:
    page = guest.get(f"/join/{guest.shop.slug}", headers={"User-Agent": agent}).text
    assert re.findall(r'name="to" value="(\w+)"', page)[0] == first


def test_an_address_is_confirmed_once_and_welcomed_once(guest: Guest) -> None:
    now = guest.context.clock()
    with guest.context.database.write(guest.shop.programme_id) as session:
        change_settings(session, guest.shop.programme_id, {"welcome_points": 25}, valid_from=now)
    assert "25 points as a welcome" in guest.get(f"/join/{guest.shop.slug}").text
    token = guest.join(email="liga@example.com", name="Līga")
    [letter] = guest.letters()
    assert letter.recipient == "liga@example.com"
    path = link_in(letter, "/confirm")
    # Mail programs look before people do: that confirms nothing.
    assert guest.get(path).status_code == 200
    assert guest.shop.balance(guest.card(token)) == 0
    assert "Not confirmed yet" in guest.settings(token)
    opened = guest.post(path)
    assert opened.status_code == 303 and "said=confirmed" in opened.headers["Location"]
    assert guest.get(opened.headers["Location"]).status_code == 200
    assert guest.shop.balance(guest.card(token)) == 25
    guest.post(path)
    assert guest.shop.balance(guest.card(token)) == 25
    assert "Confirmed on" in guest.settings(token)
    # Another card with the same address: the letter leads to the first, and nothing is given.
    other = guest.join(email="Liga@Example.com")
    [letter] = guest.letters()
    assert "/confirm/" not in letter.part()
    assert guest.card(link_in(letter, "/card").rpartition("/")[2]).id == guest.card(token).id
    assert guest.shop.balance(guest.card(other)) == 0


def test_a_strangers_claim_to_an_address_leads_its_owner_nowhere(guest: Guest) -> None:
    """Who joins with somebody's address before they do gets no hold of what they collect."""
    stranger = guest.join(email="victim@example.com")
    guest.letters()
    mine = guest.join(email="victim@example.com")
    [letter] = guest.letters()
    assert guest.card(link_in(letter, "/card").rpartition("/")[2]).id == guest.card(mine).id
    assert guest.post(link_in(letter, "/confirm")).status_code == 303
    guest.context.clock.advance(timedelta(days=1))
    guest.post(f"/find/{guest.shop.slug}", email="victim@example.com")
    [letter] = guest.letters()
    found = guest.card(link_in(letter, "/card").rpartition("/")[2]).id
    assert found == guest.card(mine).id != guest.card(stranger).id


def test_known_and_unknown_addresses_get_the_same_answers(guest: Guest) -> None:
    known = guest.join(email="known@example.com", name="A")
    guest.post(link_in(guest.letters()[0], "/confirm"))
    again, new = (guest.join(email=f"{who}@example.com", name="A") for who in ("known", "new"))
    pages = []
    for token, who in ((again, "known"), (new, "new")):
        for path in (f"/card/{token}", f"/card/{token}/settings"):
            text = guest.get(path).text.replace(token, "TOKEN")
            pages.append(re.sub(r"\b(known|new)@", "X@", re.sub(r"[0-9a-f]{32}", "ONCE", text)))
        assert f"{who}@example.com" in guest.settings(token)
    assert pages[:2] == pages[2:]
    answers = [
        guest.post(f"/find/{guest.shop.slug}", email=f"{who}@example.com")
        for who in ("known", "nobody")
    ]
    assert answers[0].text == answers[1].text and answers[0].status_code == 200
    recipients = [each.recipient for each in guest.letters()]
    assert "nobody@example.com" not in recipients
    assert guest.card(known).id


def test_an_address_gets_few_letters_a_day_whoever_asks(guest: Guest) -> None:
    for _ in range(6):
        guest.join(email="victim@example.com")
    assert len(guest.letters()) == 3
    guest.context.clock.advance(timedelta(days=1, seconds=1))
    guest.join(email="victim@example.com")
    assert len(guest.letters()) == 1


def test_asking_for_links_is_rate_limited(guest: Guest) -> None:
    statuses = [
        guest.post(f"/find/{guest.shop.slug}", email=f"a{number}@example.com").status_code
        for number in range(FIND_TRIES + 1)
    ]
    assert statuses == [200] * FIND_TRIES + [429]


def test_who_guesses_links_is_slowed_down_and_who_has_one_is_not(guest: Guest) -> None:
    token = guest.join()
    card = guest.card(token)
    right = links.pass_token(guest.context.keys, card.id)
    version, _, mac = right.split(".")
    guesses = [
        f"{version}.{card.id}.{'0' * len(mac)}",
        f"9.{card.id}.{mac}",
        f"{version}.{'0' * 16}.{mac}",
        f"{version}.{card.id}",
        f"²{version}.{card.id}.{mac}",
        card.serial_number,
        card.id,
        "0" * 48,
    ]
    statuses = [guest.get(f"/card/{each}").status_code for each in guesses]
    assert statuses == [404] * len(guesses)
    for _ in range(WRONG_LINKS):
        status = guest.get(f"/card/{uuid.uuid4().hex}").status_code
    assert status == 429
    assert guest.get(f"/card/{token}").status_code == 200
    assert guest.get(f"/card/{right}").status_code == 200


def test_the_link_in_the_pass_leads_to_the_card_until_it_is_replaced(guest: Guest) -> None:
    token = guest.join()
    old = guest.card(token)
    in_pass = links.pass_token(guest.context.keys, old.id)
    answer = guest.post(f"/card/{in_pass}/lost")
    assert answer.status_code == 303
    for gone in (token, in_pass):
        for path in ("", "/settings", "/history", "/live", "/data.json", "/pass.pkpass"):
            assert guest.get(f"/card/{gone}{path}").status_code == 404
    new = guest.card(answer.headers["Location"].rpartition("/")[2].partition("?")[0])
    assert (new.account_id, new.id != old.id, new.code != old.code) == (old.account_id, True, True)
    refused = guest.shop.accrue(old)
    assert refused.status_code == 409 and "replaced" in refused.json["detail"]
    assert guest.shop.accrue(new).status_code == 201


def test_freezing_holds_at_the_till_and_shows_on_the_page(guest: Guest) -> None:
    token = guest.join()
    card = guest.card(token)
    assert guest.post(f"/card/{token}/freeze").status_code == 303
    assert "by its owner" in guest.shop.accrue(card).json["detail"]
    page = guest.get(f"/card/{token}").text
    assert "You froze this card" in page and 'id="code"' not in page
    assert guest.get(f"/card/{token}/live").json["status"] == "blocked"
    assert guest.post(f"/card/{token}/unfreeze").status_code == 303
    assert guest.shop.accrue(card).status_code == 201
    with guest.context.database.write(guest.shop.programme_id) as session:
        from passes.card import CardStatus

        cards.set_status(session, card.id, CardStatus.BLOCKED, now=guest.context.clock())
    assert guest.post(f"/card/{token}/unfreeze").status_code == 409
    assert guest.post(f"/card/{token}/lost").status_code == 409


def test_a_pin_is_set_changed_only_with_the_old_one_and_guards_what_is_final(
    guest: Guest,
) -> None:
    token = guest.join()
    card = guest.card(token)
    pin = f"/card/{token}/pin"
    for new, again, said in (
        ("1234", "1234", "among the first"),
        ("12", "12", "four to six digits"),
        ("27x9", "27x9", "four to six digits"),
        ("2749", "2740", "not the same"),
    ):
        answer = guest.post(pin, new=new, again=again, do="set")
        assert answer.status_code == 422 and said in answer.text
    assert guest.post(pin, new="2749", again="2749", do="set").status_code == 303
    assert guest.post(pin, pin="1111", new="8305", again="8305", do="set").status_code == 422
    assert guest.post(pin, new="8305", again="8305", do="set").status_code == 422
    for final in ("lost", "erase"):
        assert guest.post(f"/card/{token}/{final}", pin="0000").status_code == 422
    # Four were wrong by now; the fifth locks, and then the right one is not heard either.
    assert guest.post(pin, pin="0000", do="remove").status_code == 422
    locked = guest.post(pin, pin="2749", do="remove")
    assert locked.status_code == 422 and "Too many wrong PINs" in locked.text
    guest.context.clock.advance(timedelta(minutes=16))
    assert guest.post(pin, pin="2749", new="8305", again="8305", do="set").status_code == 303
    with guest.context.database.write(guest.shop.programme_id) as session:
        pins.check_pin(session, card, "8305", now=guest.context.clock())
    assert guest.post(pin, pin="8305", do="remove").status_code == 303
    with guest.context.database.read(guest.shop.programme_id) as session:
        assert not pins.has_pin(session, card.id)


def test_consents_are_unticked_each_by_itself_with_the_text_that_was_read(guest: Guest) -> None:
    page = guest.get(f"/join/{guest.shop.slug}").text
    assert page.count('type="checkbox"') == 1 and "checked" not in page
    token = guest.join(email="a@example.com")
    agree = f"/card/{token}/consents/messages"
    assert guest.post(agree, do="give", version="nonsense").status_code == 409
    assert guest.post(f"/card/{token}/consents/nonsense", do="give").status_code in {404, 409}
    assert guest.post(agree, do="give", version=consents.BUILT_IN).status_code == 303
    with guest.context.database.write(guest.shop.programme_id) as session:
        texts = {"en": "[[programme]] may sing to me."}
        consents.change_text(
            session, guest.shop.programme_id, "messages", texts, now=guest.context.clock()
        )
    # What was agreed to stands as it was read; who is asked now reads the new one.
    assert "may send me news" in guest.settings(token)
    assert "may sing to me" in guest.get(f"/join/{guest.shop.slug}").text
    other = guest.join(email="b@example.com", consent="messages", **{"version-messages": "1"})
    assert guest.card(other).member_id is not None
    with guest.context.database.read(guest.shop.programme_id) as session:
        versions = session.scalars(select(Consent.text_version).order_by(Consent.given_at)).all()
    assert sorted(versions) == ["1", "2026-1"]
    assert guest.post(agree, do="withdraw").status_code == 303
    assert "You do not agree" in guest.settings(token)
    nameless = guest.join()
    refused = guest.post(f"/card/{nameless}/consents/messages", do="give", version="1")
    assert refused.status_code == 422 and 'id="email-wrong"' in refused.text


def test_another_address_has_to_be_confirmed_again(guest: Guest) -> None:
    token = guest.join(email="old@example.com")
    guest.post(link_in(guest.letters()[0], "/confirm"))
    old = guest.letters()
    assert not old
    assert guest.post(f"/card/{token}/contact", name="Līga", email="bad").status_code == 422
    assert (
        guest.post(f"/card/{token}/contact", name="Līga", email="n@example.com").status_code == 303
    )
    [letter] = guest.letters()
    assert letter.recipient == "n@example.com"
    assert "Not confirmed yet" in guest.settings(token)
    path = link_in(letter, "/confirm")
    # The question about an address that was given up again confirms nothing.
    guest.post(f"/card/{token}/contact", name="Līga", email="third@example.com")
    assert guest.post(path).status_code == 404
    assert guest.post(f"/card/{token}/contact", name="", email="").status_code == 303
    assert "Līga" not in guest.get(f"/card/{token}").text


def test_a_card_without_a_name_can_get_one_later(guest: Guest) -> None:
    token = guest.join()
    assert guest.card(token).member_id is None
    assert guest.post(f"/card/{token}/contact", name="Jānis", email="").status_code == 303
    assert "Jānis" in guest.get(f"/card/{token}").text
    assert not guest.letters()


def test_a_member_takes_their_data_home_and_that_is_on_record(guest: Guest) -> None:
    token = guest.join(email="a@example.com", name="Līga Ozola")
    guest.shop.accrue(guest.card(token))
    found = json.loads(guest.get(f"/card/{token}/data.json").text)
    assert found["members"][0]["email"] == "a@example.com"
    assert found["entries"][0]["points"] > 0
    text = guest.get(f"/card/{token}/data.txt")
    assert "Līga Ozola" in text.text and "attachment" in text.headers["Content-Disposition"]
    assert "+12" in text.text and "You do not agree." in text.text
    german = guest.get(f"/card/{token}/data.txt?lang=de").text
    assert "Gesammelt" in german and "12,50" in german
    assert token not in json.dumps(found)
    with guest.context.database.read(guest.shop.programme_id) as session:
        kinds = session.scalars(select(MemberRead.reader_kind)).all()
    assert kinds == ["member"] * 3


def test_leaving_says_what_is_lost_waits_a_day_and_can_be_undone(guest: Guest) -> None:
    token = guest.join(email="a@example.com", name="Līga")
    guest.post(link_in(guest.letters()[0], "/confirm"))
    card = guest.card(token)
    guest.shop.accrue(card)
    page = guest.get(f"/card/{token}/erase").text
    assert "Līga, a@example.com" in page and "12 points" in page and "1 card" in page
    assert guest.post(f"/card/{token}/erase").status_code == 303
    [notice] = guest.letters()
    assert "forgotten" in notice.part()
    assert "You will be forgotten on" in guest.get(f"/card/{token}").text
    assert guest.post(f"/card/{token}/keep").status_code == 303
    guest.context.clock.advance(timedelta(days=2))
    assert erasures.step(guest.context, now=guest.context.clock()) == 0
    guest.post(f"/card/{token}/erase")
    guest.context.clock.advance(timedelta(hours=25))
    assert erasures.step(guest.context, now=guest.context.clock()) == 1
    assert guest.get(f"/card/{token}").status_code == 404
    with guest.context.database.read(guest.shop.programme_id) as session:
        assert session.scalars(select(Member)).all() == []
        # The ledger stays whole; the points are nobody's.
        assert ledger.standing(session, card.account_id, now=guest.context.clock()).balance == 12


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
