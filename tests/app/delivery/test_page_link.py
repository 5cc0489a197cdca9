"""A pass leads its holder to the card's own page."""

from typing import Any

from app.cards import service as cards
from app.delivery.page_link import with_page_link
from app.programmes.faces import face_of


def link_of(shop: Any, card: Any) -> list[str]:
    with shop.context.database.read(shop.programme_id) as session:
        now = shop.context.clock()
        face = face_of(session, shop.context.keys, cards.card_by_id(session, card.id), now=now)
    return [each.url for each in with_page_link(shop.context, face, card.id).links]


def test_the_link_in_a_pass_opens_its_card_and_goes_with_it(shop: Any) -> None:
    card = shop.issue()
    [url] = link_of(shop, card)
    assert url == link_of(shop, card)[0]
    assert card.serial_number not in url and card.code not in url
    path = url.removeprefix("http://127.0.0.1:8000")
    assert shop.client.get(path).status_code == 200
    with shop.context.database.write(shop.programme_id) as session:
        cards.replace_card(session, shop.context.keys, card.id, now=shop.context.clock())
    assert link_of(shop, card) == []
    assert shop.client.get(path).status_code == 404
