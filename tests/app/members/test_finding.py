"""Members are found by what they told us, whole, or by their card; and by nothing less."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from app.cards import finding
from app.cards.finding import Found, Order, find
from app.cards.service import replace_card
from app.errors import Invalid
from app.members.service import add_member, read_contact
from app.members.words import words_of

PEOPLE = (
    ("Līga Ozola", "liga@example.com", "+371 2612-3456"),
    ("Anna Ozola", "anna.ozola@example.com", ""),
    ("Анна Петрова", "", "+7 912 345 67 89"),
    ("Anna-Marija Bērziņa", "am@example.com", ""),
    ("", "", ""),
)


@pytest.fixture
def people(shop: Any) -> list[Any]:
    """Their cards, in the order in which they joined."""
    cards = []
    for name, email, phone in PEOPLE:
        shop.context.clock.advance(timedelta(minutes=1))
        with shop.context.database.write(shop.programme_id) as session:
            contact = read_contact(name, email, phone)
            member = add_member(
                session,
                shop.context.keys,
                shop.programme_id,
                contact,
                language="lv",
                now=shop.context.clock(),
            )
        cards.append(shop.issue(member_id=member.id if name else None))
    return cards


def look(shop: Any, text: str = "", **options: Any) -> Found:
    with shop.context.database.read(shop.programme_id) as session:
        return find(session, shop.context.keys, shop.programme_id, text, **options)


def names(shop: Any, text: str, **options: Any) -> list[str | None]:
    return [hit.contact.name for hit in look(shop, text, **options).hits]


def test_whole_words_of_a_name_find_it_whatever_their_case_and_marks(
    shop: Any, people: list[Any]
) -> None:
    assert names(shop, "ozola") == ["Anna Ozola", "Līga Ozola"]
    assert names(shop, "OZOLA", order=Order.OLDEST) == ["Līga Ozola", "Anna Ozola"]
    assert names(shop, "liga") == ["Līga Ozola"]
    assert names(shop, "ozola līga") == ["Līga Ozola"]
    assert names(shop, "Marija") == ["Anna-Marija Bērziņa"]
    assert names(shop, "анна") == ["Анна Петрова"]
    assert names(shop, "anna") == ["Anna-Marija Bērziņa", "Anna Ozola"]
    for part in ("ozol", "zola", "lig", "%", "_", "a", "anna petrova", "--"):
        assert names(shop, part) == [], part


def test_an_address_or_number_is_found_whole_however_it_is_written(
    shop: Any, people: list[Any]
) -> None:
    for text in ("liga@example.com", " LIGA@example.com ", "+37126123456", "+371 2612 3456"):
        assert names(shop, text) == ["Līga Ozola"], text
    for text in ("liga@example", "@example.com", "26123456", "37126123456"):
        assert names(shop, text) == [], text


def test_a_card_is_found_by_its_id_its_serial_and_its_code_and_the_old_one_leads_to_the_new(
    shop: Any, people: list[Any]
) -> None:
    liga = people[0]
    for text in (liga.id, liga.id.upper(), liga.serial_number, liga.code):
        assert [hit.card_id for hit in look(shop, text).hits] == [liga.id]
    with shop.context.database.write(shop.programme_id) as session:
        new = replace_card(session, shop.context.keys, liga.id, now=shop.context.clock())
    assert [hit.card_id for hit in look(shop, liga.id).hits] == [new.id]
    assert names(shop, "liga") == ["Līga Ozola"]


def test_pages_together_list_everybody_once(shop: Any, people: list[Any]) -> None:
    expected = [card.id for card in people]
    for text in ("", "ozola"):
        for order in (Order.NEWEST, Order.OLDEST):
            whole = [hit.card_id for hit in look(shop, text, order=order).hits]
            seen: list[str] = []
            after = None
            for _ in range(10):
                found = look(shop, text, order=order, after=after, limit=2)
                seen += [hit.card_id for hit in found.hits]
                after = found.next
                if after is None:
                    break
            assert seen == whole
            if not text:
                assert seen == (expected if order is Order.OLDEST else expected[::-1])


def test_hits_are_ranked_by_their_points(shop: Any, people: list[Any]) -> None:
    shop.accrue(people[0], 5000)
    shop.accrue(people[1], 2000)
    assert names(shop, "ozola", order=Order.POINTS) == ["Līga Ozola", "Anna Ozola"]
    shop.accrue(people[1], 9000)
    assert names(shop, "ozola", order=Order.POINTS) == ["Anna Ozola", "Līga Ozola"]


def test_nobody_of_another_programme_is_found(
    open_shop: Callable[[], Any], shop: Any, people: list[Any]
) -> None:
    other = open_shop()
    for text in ("", "ozola", "liga@example.com", "+37126123456", people[0].id, people[0].code):
        assert look(other, text).hits == []


@pytest.mark.parametrize("after", ["x", "2026-06-01_", "9_9", "2026-06-01T00:00:00", "-5' OR 1"])
def test_a_page_that_nobody_offered_is_refused(shop: Any, after: str) -> None:
    for text in ("", "ozola"):
        with pytest.raises(Invalid):
            look(shop, text, after=after)
    with pytest.raises(Invalid):
        look(shop, "x" * (finding.LONGEST_SEARCH + 1))


def test_a_name_has_few_words_each_once() -> None:
    assert words_of("Anna  anna-Maria O'Neil Ž.") == ["anna", "maria", "o", "neil", "z"]
    assert len(words_of(" ".join(f"w{n}" for n in range(40)))) == 8
