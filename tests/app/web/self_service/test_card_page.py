"""What members do by themselves: with the link, without a password, and nobody else."""

import json
import uuid
from datetime import timedelta

from sqlalchemy import select

from app.cards import links, pins
from app.cards import service as cards
from app.delivery import erasures
from app.ledger import service as ledger
from app.members import consents
from app.members.models import Consent, Member, MemberRead
from app.web.customer.door import WRONG_LINKS
from tests.app.web.self_service.conftest import Guest, link_in


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
