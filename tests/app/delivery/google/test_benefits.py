"""Stamp cards and coupons in both wallets: what is made, and what becomes of it."""

import io
import json
import uuid
import zipfile
from typing import Any

import pytest
from sqlalchemy import select

from app.benefits import service as benefits
from app.benefits.service import Order, Price
from app.cards.models import Card
from app.certs.files import trusted_roots
from app.clock import FixedClock
from app.context import Context
from app.delivery.bringing import Senders
from app.delivery.wallets import Wallets
from app.demo.google import GoogleStandIn
from app.ledger.postings import Circumstances, Given, Present, Request
from app.programmes import designs, giving
from app.programmes.face_rows import face_from, row_of
from app.programmes.faces import face_of
from app.programmes.giving import RuledPromises
from app.programmes.service import change_settings
from app.programmes.terms import rulebook_of
from passes.apple.preflight import inspect
from passes.card import CardKind
from tests.app.delivery.google.shop import ISSUER, deliver, shown

SETTINGS: dict[str, Any] = {
    "stamps": [
        {"code": "coffee", "names": {"en": "Coffee card"}, "size": 10},
        {"code": "lunch", "names": {"en": "Lunch card", "lv": "Pusdienas"}, "size": 5},
    ],
    "rewards": [
        {"code": "free", "names": {"en": "Free coffee", "lv": "Kafija"}, "stamps": "coffee"}
    ],
    "coupons": [{"code": "cake", "names": {"en": "A slice of cake"}, "valid_days": 30}],
}


@pytest.fixture
def cafe(programme: Any) -> Any:
    now = programme.context.clock()
    with programme.context.database.write(programme.programme_id) as session:
        change_settings(session, programme.programme_id, SETTINGS, valid_from=now)
        read = designs.read_changes({"kind": "stamps"})
        designs.change(session, programme.programme_id, read, now=now)
    return programme


def give(cafe: Any, card: Card, kind: str, what: str, count: int = 1) -> None:
    now = cafe.context.clock()
    with cafe.context.database.write(cafe.programme_id) as session:
        giving.post(
            session,
            rulebook_of(session, cafe.programme_id, now),
            Request(str(uuid.uuid4()), "present", bytes(32)),
            Present(card.account_id, (Given(kind, what, count, "by hand"),), "for the test"),
            Circumstances(now),
            now=now,
        )


def redeem(cafe: Any, card: Card, order: Order) -> None:
    now = cafe.context.clock()
    with cafe.context.database.write(cafe.programme_id) as session:
        book = rulebook_of(session, cafe.programme_id, now)
        benefits.redeem(
            session,
            Request(str(uuid.uuid4()), "redemption", bytes(32)),
            card.account_id,
            order,
            Circumstances(now),
            RuledPromises(book, now),
            now=now,
            terms=book.terms(now),
        )


def coupon_pass(cafe: Any, card: Card) -> tuple[str, Card]:
    """The pass of a fresh coupon, and the coupon's id."""
    give(cafe, card, "coupon", "cake")
    now = cafe.context.clock()
    with cafe.context.database.write(cafe.programme_id) as session:
        [coupon] = benefits.coupons(session, card.account_id, now=now)
        made = benefits.issue_card(session, cafe.context.keys, coupon.id, now=now)
        session.expunge(made)
        return coupon.id, made


def apple(cafe: Any, wallets: Wallets, card: Card) -> dict[str, Any]:
    """The pass as JSON; a phone would take it, and it is the same however it was read."""
    context = cafe.context
    now = context.clock()
    with context.database.read(cafe.programme_id) as session:
        fresh = session.scalars(select(Card).where(Card.id == card.id)).one()
        built = wallets.apple.build(session, fresh, now=now)
        row = row_of(session, card.id, now=now)
        assert face_from(session, context.keys, row, now=now) == face_of(
            session, context.keys, fresh, now=now
        )
    findings = inspect(built, now=now, roots=trusted_roots(context.config))
    assert [each for each in findings if each.severity == "error"] == []
    with zipfile.ZipFile(io.BytesIO(built)) as archive:
        made: dict[str, Any] = json.loads(archive.read("pass.json"))
        made["strip"] = next((archive.read(n) for n in archive.namelist() if "strip" in n), None)
    return made


def header(made: dict[str, Any]) -> Any:
    style = made.get("storeCard") or made["coupon"]
    return style["headerFields"][0]["value"]


def test_a_stamp_card_shows_its_stamps_in_the_strip(
    cafe: Any, wallets: Wallets, google: GoogleStandIn, senders: Senders, clock: FixedClock
) -> None:
    card = cafe.issue()
    empty = apple(cafe, wallets, card)
    assert header(empty) == "0/10"
    google.open_save_link(wallets.google.save_link(card.id, now=clock()))
    give(cafe, card, "stamps", "coffee", 7)
    seven = apple(cafe, wallets, card)
    assert header(seven) == "7/10"
    assert seven["strip"] is not None
    assert seven["strip"] != empty["strip"]
    assert deliver(cafe.context, senders, now=clock())
    assert "7/10" in json.dumps(shown(google, card))
    give(cafe, card, "stamps", "coffee", 3)
    give(cafe, card, "stamps", "lunch", 2)
    full = apple(cafe, wallets, card)
    assert header(full) == "0/10"
    assert [each["value"] for each in full["storeCard"]["auxiliaryFields"]] == [1, "2/5"]
    redeem(
        cafe,
        card,
        Order("reward", "free", "Free", {"gives": "goods"}, price=Price("stamps", "coffee", 10)),
    )
    spent = apple(cafe, wallets, card)["storeCard"]["auxiliaryFields"]
    assert [each["value"] for each in spent] == ["2/5"]


def test_a_design_of_stamps_without_stamps_shows_points(programme: Any, wallets: Wallets) -> None:
    now = programme.context.clock()
    with programme.context.database.write(programme.programme_id) as session:
        designs.change(
            session, programme.programme_id, designs.read_changes({"kind": "stamps"}), now=now
        )
    card = programme.issue()
    programme.earn(card, 12)
    assert header(apple(programme, wallets, card)) == 12


def test_a_coupon_is_a_pass_of_its_own_and_void_once_it_is_used(
    cafe: Any, wallets: Wallets, google: GoogleStandIn, senders: Senders, clock: FixedClock
) -> None:
    card = cafe.issue()
    coupon_id, own = coupon_pass(cafe, card)
    made = apple(cafe, wallets, own)
    assert made["coupon"]["primaryFields"][0]["value"] == "A slice of cake"
    assert "voided" not in made
    assert made["serialNumber"] == own.serial_number != card.serial_number
    assert made["barcodes"][0]["message"] == own.code
    google.open_save_link(wallets.google.save_link(own.id, now=clock()))
    at_google = shown(google, own)
    assert at_google["barcode"]["value"] == own.code
    assert google.classes[at_google["classId"]]["title"] == "A slice of cake"
    assert at_google["classId"].startswith(f"{ISSUER}.kaffa.")
    redeem(cafe, card, Order("coupon", "cake", "Cake", {"gives": "goods"}, coupon_id=coupon_id))
    used = apple(cafe, wallets, own)
    assert used["voided"] is True
    assert deliver(cafe.context, senders, now=clock())
    assert shown(google, own)["state"] == "COMPLETED"
    changed = [seen for seen in google.requests if seen.method == "PATCH"]
    assert all("offerObject" in seen.path for seen in changed)


def test_a_coupon_that_ended_says_so_in_both_wallets(
    cafe: Any, wallets: Wallets, google: GoogleStandIn, context: Context, clock: FixedClock
) -> None:
    card = cafe.issue()
    _, own = coupon_pass(cafe, card)
    with context.database.read(cafe.programme_id) as session:
        fresh = session.scalars(select(Card).where(Card.id == own.id)).one()
        face = face_of(session, context.keys, fresh, now=clock())
        assert face.kind is CardKind.COUPON
        assert face.issued.valid_until is not None
        ends_at = face.issued.valid_until
    made = apple(cafe, wallets, own)
    assert made["expirationDate"]
    with context.database.write_all() as session:
        assert benefits.lapse(session, ends_at, 10) == 1
    with context.database.read(cafe.programme_id) as session:
        assert session.scalar(select(Card.status).where(Card.id == own.id)) == "expired"
