"""Joining and confirming an address; known and unknown ones look alike."""

import re
from datetime import timedelta

import pytest

from app.programmes.service import change_settings
from app.web.customer.finding import FIND_TRIES
from tests.app.web.self_service.conftest import Guest, link_in


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
