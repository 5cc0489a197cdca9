"""Each kind of card shows what it is for, by both ways of filling in a face."""

import uuid
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.cards.models import Card
from app.cards.service import issue_card
from app.clock import FixedClock
from app.db import Database
from app.errors import Invalid
from app.ledger import service as ledger
from app.ledger.postings import Accrue, Circumstances, Line, Request, Reverse
from app.programmes import designs, giving
from app.programmes.earning import Sale
from app.programmes.face_rows import face_from, row_of
from app.programmes.faces import face_of
from app.programmes.pricing import price
from app.programmes.service import change_settings
from app.programmes.terms import rulebook_of
from passes.card import CardFace, CardKind, Section
from tests.app.api.programmes import Programme

SETTINGS: dict[str, Any] = {
    "clubs": [
        {"code": "friends", "names": {"en": "Friends"}, "months": 12, "items": ["MEMBER-12"]}
    ],
    "discounts": [
        {
            "code": "card",
            "names": {"en": "Card"},
            "kind": "slab",
            "scale": [{"from": "0", "percent": "3"}, {"from": "500", "percent": "5"}],
        },
        {"code": "club", "names": {"en": "Club"}, "percent": "10", "tiers": ["friends"]},
    ],
}


@pytest.fixture
def shop(database: Database, clock: FixedClock, tmp_path: Path) -> Programme:
    shop = Programme.alone(database, clock, tmp_path)
    with database.write(shop.programme_id) as session:
        change_settings(session, shop.programme_id, SETTINGS, valid_from=clock())
    return shop


def be(shop: Programme, kind: str) -> None:
    read = designs.read_changes({"kind": kind})
    with shop.context.database.write(shop.programme_id) as session:
        designs.change(session, shop.programme_id, read, now=shop.context.clock())


def face(shop: Programme, card: Card, *, days_on: int = 0) -> CardFace:
    """The face by both ways, which are one."""
    context = shop.context
    now = context.clock() + timedelta(days=days_on)
    with context.database.read(shop.programme_id) as session:
        fresh = session.scalars(select(Card).where(Card.id == card.id)).one()
        one = face_of(session, context.keys, fresh, now=now)
        other = face_from(session, context.keys, row_of(session, card.id, now=now), now=now)
    assert one == other
    return one


def buy(shop: Programme, card: Card, item: str, amount_minor: int) -> str:
    now, posting = shop.context.clock(), str(uuid.uuid4())
    sale = Sale(amount_minor, "EUR", now, lines=(Line(item, amount_minor),))
    with shop.context.database.write(shop.programme_id) as session:
        book = rulebook_of(session, shop.programme_id, now)
        accrual = Accrue(
            card.account_id, amount_minor, "EUR", **price(session, book, sale, now=now).fields()
        )
        giving.post(
            session, book, Request(posting, "accrual", bytes(32)), accrual,
            Circumstances(now), now=now,
        )  # fmt: skip
    return posting


def reverse(shop: Programme, posting: str) -> None:
    now = shop.context.clock()
    with shop.context.database.write(shop.programme_id) as session:
        book = rulebook_of(session, shop.programme_id, now)
        giving.post(
            session, book, Request(str(uuid.uuid4()), "reversal", bytes(32)), Reverse(posting),
            Circumstances(now), now=now,
        )  # fmt: skip


def shown(found: CardFace, key: str) -> Any:
    field = found.field(key)
    return None if field is None else field.value


def test_a_discount_card_shows_its_share_and_the_way_to_the_next_step(shop: Programme) -> None:
    be(shop, "discount")
    card = shop.issue()
    buy(shop, card, "paint", 120_00)
    found = face(shop, card)
    assert found.kind is CardKind.DISCOUNT
    assert shown(found, "discount") == Decimal("0.03")
    assert shown(found, "spent") == Decimal("120.00")
    assert shown(found, "until_next") == Decimal("380.00")
    assert shown(found, "next_discount") == Decimal("0.05")
    buy(shop, card, "paint", 400_00)
    found = face(shop, card)
    assert shown(found, "discount") == Decimal("0.05")
    assert shown(found, "until_next") is None


def test_a_clubs_card_shows_how_long_it_holds(shop: Programme, clock: FixedClock) -> None:
    be(shop, "club")
    card = shop.issue()
    assert face(shop, card).kind is CardKind.POINTS, "no member yet"
    bought = buy(shop, card, "MEMBER-12", 50_00)
    found = face(shop, card)
    today = clock().date()
    assert found.kind is CardKind.CLUB
    assert shown(found, "valid_until") == today.replace(year=today.year + 1) - timedelta(days=1)
    assert found.issued.valid_until is not None
    reverse(shop, bought)
    assert face(shop, card).kind is CardKind.POINTS


def test_a_club_opens_its_discount_until_it_is_over(shop: Programme) -> None:
    be(shop, "discount")
    card = shop.issue()
    assert shown(face(shop, card), "discount") == Decimal("0.03")
    buy(shop, card, "MEMBER-12", 50_00)
    assert shown(face(shop, card), "discount") == Decimal("0.1")
    assert shown(face(shop, card, days_on=400), "discount") == Decimal("0.03")


def test_a_companys_card_shows_the_company_and_what_its_holder_may_do(shop: Programme) -> None:
    context, now = shop.context, shop.context.clock()
    with context.database.write(shop.programme_id) as session:
        account = ledger.open_account(session, now=now, kind="company", company_name=" Būve  SIA ")
        card = issue_card(session, context.keys, shop.programme_id, account_id=account.id, now=now)
        card.role, card.redeem_limit, card.redeem_period = "spender", 500, "month"
    buy(shop, card, "paint", 100_00)
    found = face(shop, card)
    assert found.kind is CardKind.COMPANY
    assert (shown(found, "company"), shown(found, "limit"), found.balance) == ("Būve SIA", 500, 100)
    assert [each.key for each in found.fields(Section.AUXILIARY)] == ["role", "limit"]
    role = found.field("role")
    assert role is not None and role.label_in("de") == "Rolle"


@pytest.mark.parametrize(
    ("kind", "name"), [("personal", "Ada"), ("company", ""), ("company", "x" * 81)]
)
def test_only_a_company_has_a_name(shop: Programme, kind: str, name: str) -> None:
    with pytest.raises(Invalid), shop.context.database.write(shop.programme_id) as session:
        ledger.open_account(session, now=shop.context.clock(), kind=kind, company_name=name)


def test_a_coupon_is_no_design(shop: Programme) -> None:
    for kind in ("coupon", "company"):
        with pytest.raises(Invalid):
            designs.read_changes({"kind": kind})
