"""Cards of every kind at Google: whatever changes, it has just what the card shows now."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.benefits import service as benefits
from app.cards.models import Card
from app.cards.service import issue_card
from app.clock import FixedClock
from app.context import Context
from app.delivery import leaving
from app.delivery.bringing import Senders
from app.delivery.google.preflight import inspect_resource
from app.delivery.wallets import Wallets
from app.demo.google import GoogleStandIn
from app.ledger import service as ledger
from app.ledger.models import AccountKind
from app.ledger.postings import Accrue, Circumstances, Given, Line, Present, Request
from app.members.reads import Reader
from app.members.service import Contact
from app.programmes import designs, giving
from app.programmes.earning import Sale
from app.programmes.pricing import price
from app.programmes.service import change_settings, programme_by_id
from app.programmes.terms import rulebook_of
from app.web.joining import join
from tests.app.delivery.google.shop import ISSUER, deliver, patches, shown
from tests.passes.artwork.pictures import photo

SETTINGS: dict[str, Any] = {
    "stamps": [{"code": "coffee", "names": {"en": "Coffee card"}, "size": 10}],
    "coupons": [{"code": "cake", "names": {"en": "A slice of cake"}, "valid_days": 30}],
    "clubs": [
        {"code": "friends", "names": {"en": "Friends"}, "months": 12, "items": ["MEMBER-12"]}
    ],
    "discounts": [
        {
            "code": "card",
            "names": {"en": "Card"},
            "kind": "slab",
            "scale": [{"from": "0", "percent": "3"}, {"from": "500", "percent": "5"}],
        }
    ],
}
OF_GOOGLE = {"kind", "version", "hasUsers"}


@pytest.fixture
def shop(programme: Any) -> Any:
    with programme.context.database.write(programme.programme_id) as session:
        change_settings(
            session, programme.programme_id, SETTINGS, valid_from=programme.context.clock()
        )
    return programme


def be(shop: Any, **changes: Any) -> None:
    with shop.context.database.write(shop.programme_id) as session:
        read = designs.read_changes(changes)
        designs.change(session, shop.programme_id, read, now=shop.context.clock())


def buy(shop: Any, card: Card, item: str, amount_minor: int) -> None:
    now = shop.context.clock()
    sale = Sale(amount_minor, "EUR", now, lines=(Line(item, amount_minor),))
    with shop.context.database.write(shop.programme_id) as session:
        book = rulebook_of(session, shop.programme_id, now)
        fields = price(session, book, sale, now=now).fields()
        accrual = Accrue(card.account_id, amount_minor, "EUR", **fields)
        request = Request(str(uuid.uuid4()), "accrual", bytes(32))
        giving.post(session, book, request, accrual, Circumstances(now), now=now)


def company_card(shop: Any) -> Card:
    now = shop.context.clock()
    with shop.context.database.write(shop.programme_id) as session:
        account = ledger.open_account(
            session, now=now, kind=AccountKind.COMPANY, company_name="Ozols SIA"
        )
        card = issue_card(
            session, shop.context.keys, shop.programme_id, account_id=account.id, now=now
        )
        session.flush()
        session.expunge(card)
        return card


def coupon_card(shop: Any, card: Card) -> Card:
    now = shop.context.clock()
    with shop.context.database.write(shop.programme_id) as session:
        given = Present(card.account_id, (Given("coupon", "cake", 1, "by hand"),), "for the test")
        book = rulebook_of(session, shop.programme_id, now)
        request = Request(str(uuid.uuid4()), "present", bytes(32))
        giving.post(session, book, request, given, Circumstances(now), now=now)
        [coupon] = benefits.coupons(session, card.account_id, now=now)
        made = benefits.issue_card(
            session, shop.context.keys, coupon.id, now=now, member_id=card.member_id
        )
        session.expunge(made)
        return made


def whole(shop: Any, wallets: Wallets, card: Card) -> dict[str, Any]:
    """The object as it would be inserted now; Google would take it and its class."""
    with shop.context.database.read(shop.programme_id) as session:
        found = wallets.google.read(session, card.id, now=shop.context.clock())
    for body in (found.class_body, found.body):
        findings = inspect_resource(
            body, is_google=False, issuer=ISSUER, is_offer=found.kind == "offer"
        )
        assert [each for each in findings if each.severity == "error"] == []
    return found.body


def at_google(google: GoogleStandIn, card: Card) -> dict[str, Any]:
    return {name: value for name, value in shown(google, card).items() if name not in OF_GOOGLE}


@pytest.mark.parametrize("after", ["points", "stamps", "discount", "club"])
@pytest.mark.parametrize("before", ["points", "stamps", "discount", "club"])
def test_a_design_of_another_kind_leaves_nothing_of_the_one_before(
    before: str,
    after: str,
    shop: Any,
    wallets: Wallets,
    senders: Senders,
    google: GoogleStandIn,
    clock: FixedClock,
) -> None:
    be(shop, kind=before)
    card = shop.issue()
    buy(shop, card, "MEMBER-12", 120_00)
    google.open_save_link(wallets.google.save_link(card.id, now=clock()))
    assert at_google(google, card) == whole(shop, wallets, card)
    be(shop, kind=after)
    while deliver(shop.context, senders, now=clock()):
        pass
    buy(shop, card, "paint", 450_00)
    while deliver(shop.context, senders, now=clock()):
        pass
    assert at_google(google, card) == whole(shop, wallets, card)
    if before == after == "discount":
        assert set(patches(google)[-1]) <= {
            "loyaltyPoints", "secondaryLoyaltyPoints", "textModulesData", "notifyPreference"
        }  # fmt: skip


def test_a_companys_card_is_what_google_takes(
    shop: Any, wallets: Wallets, senders: Senders, google: GoogleStandIn, clock: FixedClock
) -> None:
    card = company_card(shop)
    google.open_save_link(wallets.google.save_link(card.id, now=clock()))
    shop.earn(card, 2**31)
    shop.earn(card, 7)
    deliver(shop.context, senders, now=clock())
    assert at_google(google, card) == whole(shop, wallets, card)
    assert "Ozols SIA" in str(at_google(google, card))
    assert set(patches(google)[-1]) == {"loyaltyPoints", "notifyPreference"}


def test_a_coupon_can_be_saved_after_the_shop_has_new_terms(
    shop: Any, wallets: Wallets, senders: Senders, google: GoogleStandIn, clock: FixedClock
) -> None:
    be(shop, hero=photo())
    own = coupon_card(shop, shop.issue())
    google.open_save_link(wallets.google.save_link(own.id, now=clock()))
    be(shop, terms="One slice a day.")
    with shop.context.database.write_all() as session:
        designs.spread(session, clock(), 100)
    while deliver(shop.context, senders, now=clock()):
        pass
    google.open_save_link(wallets.google.save_link(own.id, now=clock()))
    card_class = google.classes[at_google(google, own)["classId"]]
    assert card_class["finePrint"] == "One slice a day."
    assert "/google/hero/" in card_class["heroImage"]["sourceUri"]["uri"]
    assert at_google(google, own) == whole(shop, wallets, own)


def test_with_the_member_their_coupons_are_blanked(
    shop: Any,
    context: Context,
    wallets: Wallets,
    senders: Senders,
    google: GoogleStandIn,
    clock: FixedClock,
) -> None:
    with context.database.write(shop.programme_id) as session:
        card = join(
            session,
            context.keys,
            programme_by_id(session, shop.programme_id),
            Contact("Līga Ozola", "liga@example.com"),
            language="lv",
            source="web",
            now=clock(),
        ).card
    own = coupon_card(shop, card)
    google.open_save_link(wallets.google.save_link(own.id, now=clock()))
    leaving.erase(context, shop.programme_id, card.id, Reader("cli", "root"), now=clock())
    while deliver(context, senders, now=clock()):
        pass
    assert at_google(google, own).keys() <= {"id", "classId", "state"}
    assert at_google(google, own)["state"] == "INACTIVE"
    with context.database.read(shop.programme_id) as session:
        fresh = session.scalars(select(Card).where(Card.id == own.id)).one()
        assert fresh.status == "erased"


def test_a_coupon_whose_time_is_over_is_expired_at_google(
    shop: Any, wallets: Wallets, senders: Senders, google: GoogleStandIn, clock: FixedClock
) -> None:
    own = coupon_card(shop, shop.issue())
    google.open_save_link(wallets.google.save_link(own.id, now=clock()))
    clock.advance(timedelta(days=32))
    with shop.context.database.write_all() as session:
        assert benefits.lapse(session, clock(), 10) == 1
    while deliver(shop.context, senders, now=clock()):
        pass
    assert at_google(google, own)["state"] == "EXPIRED"
    assert at_google(google, own) == whole(shop, wallets, own)
    last = [seen for seen in google.requests if seen.method == "PATCH"][-1]
    assert "offerObject" in last.path
    assert last.body == {"state": "EXPIRED"}
