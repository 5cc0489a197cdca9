from decimal import Decimal
from typing import Any

import pytest

from passes.card import CardKind, Section
from passes.errors import FaceError
from passes.kinds import discount_card, points_card, stamp_card
from passes.written import written
from tests.passes.apple.forge import face, issued, look
from tests.passes.faces import of_every_kind

EVERY = of_every_kind(everything=True)


@pytest.mark.parametrize(
    ("kind", "header"),
    [
        (CardKind.POINTS, ["beans 1,250", "Tier Gold"]),
        (CardKind.DISCOUNT, ["Discount 7.5\u00a0%"]),
        (CardKind.STAMPS, ["Stamps 3/10"]),
        (CardKind.CLUB, ["Valid until Nov 23, 2027", "Tier Patron"]),
        (CardKind.COUPON, ["Valid until Nov 23, 2027"]),
        (CardKind.COMPANY, ["beans -5"]),
    ],
)
def test_the_strip_that_sticks_out_says_what_the_card_is_worth(
    kind: CardKind, header: list[str]
) -> None:
    shown = [
        f"{field.label_in('en')} {written(field, 'en')}"
        for field in EVERY[kind].fields(Section.HEADER)
    ]
    assert shown == header


@pytest.mark.parametrize("kind", CardKind)
def test_below_the_picture_there_is_no_more_than_phones_show(kind: CardKind) -> None:
    card = EVERY[kind]
    below = card.fields(Section.SECONDARY) + card.fields(Section.AUXILIARY)
    assert len(below) <= 4
    assert len(card.fields(Section.PRIMARY)) <= 1


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: points_card(look(CardKind.CLUB), issued(), balance=1), "club card, not"),
        (lambda: stamp_card(stamps(), issued(), stamps=11), "10 stamps, not 11"),
        (lambda: stamp_card(stamps(), issued(), stamps=-1), "10 stamps, not -1"),
        (lambda: discount(Decimal("1.5")), "between 0 and 1"),
        (lambda: discount(Decimal(-1)), "between 0 and 1"),
    ],
)
def test_a_card_that_makes_no_sense_is_refused(make: Any, said: str) -> None:
    with pytest.raises(FaceError, match=said):
        make()


def stamps() -> Any:
    return look(CardKind.STAMPS, stamps=10)


def discount(share: Decimal) -> Any:
    return discount_card(look(CardKind.DISCOUNT), issued(), share=share, currency="EUR")


def test_cards_of_one_shape_share_their_layout() -> None:
    assert face(balance=1).layout is face(balance=2, serial_number="another").layout
    assert face(member_name="Ada").layout is not face().layout


@pytest.mark.parametrize(
    ("language", "number", "money", "day", "share"),
    [
        ("en", "1,250", "€1,234.50", "Nov 23, 2027", "7.5\u00a0%"),
        ("de-CH", "1.250", "1.234,50\u00a0€", "23.11.2027", "7,5\u00a0%"),
        ("lv", "1\u00a0250", "1\u00a0234,50\u00a0€", "2027. gada 23. nov.", "7,5\u00a0%"),
        ("ru", "1\u00a0250", "1\u00a0234,50\u00a0€", "23 нояб. 2027\u202fг.", "7,5\u00a0%"),
        ("fr", "1,250", "€1,234.50", "Nov 23, 2027", "7.5\u00a0%"),
    ],
)
def test_values_are_written_as_each_language_writes_them(
    language: str, number: str, money: str, day: str, share: str
) -> None:
    def shown(kind: CardKind, key: str) -> str:
        field = EVERY[kind].field(key)
        assert field is not None
        return written(field, language)

    assert shown(CardKind.POINTS, "balance") == number
    assert shown(CardKind.DISCOUNT, "spent") == money
    assert shown(CardKind.CLUB, "valid_until") == day
    assert shown(CardKind.DISCOUNT, "discount") == share
