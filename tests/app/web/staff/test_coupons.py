"""Coupons by hand: a manager gives one, sees what became of it, takes an unused one back."""

import html
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.benefits import check
from app.benefits.models import Coupon
from app.cards import service as cards
from app.ledger.rules import start_of_day
from app.programmes.service import change_settings
from tests.app.api.pos.shop_system import ShopSystem
from tests.app.office import noted

KINDS = {
    "coupons": [
        {"code": "cake", "names": {"en": "A slice of cake"}, "kind": "goods", "valid_days": 30},
        {"code": "gold", "names": {"en": "For gold"}, "kind": "goods", "tiers": ["gold"]},
    ],
    "tiers": {"levels": [{"code": "gold", "at_least": 1000}]},
}


@pytest.fixture
def card(shop: Any) -> Any:
    with shop.context.database.write(shop.programme_id) as session:
        change_settings(session, shop.programme_id, KINDS, valid_from=shop.context.clock())
    return shop.issue()


def form(card: Any, **more: Any) -> dict[str, Any]:
    return {"deed_id": str(uuid.uuid4()), "card": card.id, "code": "cake", "reason": "Sorry"} | more


def coupons(shop: Any) -> list[Coupon]:
    with shop.context.database.read(shop.programme_id) as session:
        return list(session.scalars(select(Coupon).order_by(Coupon.issued_at, Coupon.id)))


def test_a_manager_gives_a_coupon_once_and_takes_it_back(
    shop: Any, signed_in: Any, card: Any
) -> None:
    manager = signed_in("manager", name="Mara")
    assert card.id in manager.get(f"members/coupons?card={card.id}").text
    last = (shop.context.clock() + timedelta(days=3)).date()
    sent = form(card, until=last.isoformat())
    given = manager.post("members/coupons/give", sent)
    assert given.status_code == 200
    assert re.search(r"/card/\S+", given.text)
    manager.post("members/coupons/give", sent)  # Sent twice it is given once.
    [coupon] = coupons(shop)
    assert (coupon.account_id, coupon.status) == (card.account_id, "open")
    zone = "Europe/Riga"
    assert coupon.expires_at == start_of_day(last + timedelta(days=1), zone)
    assert noted(shop).count("coupon.give") == 1
    # By its id, by its pass's, and by what the till would scan.
    with shop.context.database.write(shop.programme_id) as session:
        own = cards.card_by_id(session, str(coupon.card_id))
        assert own.account_id == card.account_id
    for text in (coupon.id, coupon.card_id):
        page = manager.post("members/coupons/find", {"q": text}).text
        assert "A slice of cake" in page
        assert "Can be used" in page
        assert "Take the coupon back" in page
    address = f"members/coupons/{coupon.id}/withdraw"
    assert manager.post(address, {"deed_id": str(uuid.uuid4())}).status_code == 422
    deed = {"deed_id": str(uuid.uuid4()), "reason": "A mistake"}
    for _ in range(2):
        page = manager.post(address, deed)
        assert page.status_code == 200
        assert "The coupon is taken back." in page.text
    assert coupons(shop)[0].status == "withdrawn"
    assert noted(shop).count("coupon.withdraw") == 1
    again = manager.post(address, deed | {"deed_id": str(uuid.uuid4())})
    assert again.status_code == 409
    with shop.context.database.read(shop.programme_id) as session:
        assert list(check.check(session)) == []


def test_a_used_coupon_is_shown_and_stays_used(shop: Any, signed_in: Any, card: Any) -> None:
    manager = signed_in("manager")
    manager.post("members/coupons/give", form(card))
    [coupon] = coupons(shop)
    system = ShopSystem.at(shop)
    body = {"card": card.id, "coupon_id": coupon.id, "receipt": "R-9", "amount_minor": 500}
    assert system.post("/coupon-redemptions", body).status_code == 201
    page = html.unescape(manager.post("members/coupons/find", {"q": coupon.id}).text)
    assert "receipt R-9" in page
    assert "Take the coupon back" not in page
    deed = {"deed_id": str(uuid.uuid4()), "reason": "Too late"}
    refused = manager.post(f"members/coupons/{coupon.id}/withdraw", deed)
    assert refused.status_code == 409
    assert "used or is over" in refused.text
    assert coupons(shop)[0].status == "used"
    assert "coupon.withdraw" not in noted(shop)


def test_what_cannot_be_is_told_beside_the_form(
    shop: Any, open_shop: Any, signed_in: Any, card: Any
) -> None:
    manager = signed_in("manager")
    wrong = (
        ({"code": "gold"}, "not of this tier"),
        ({"code": "nothing"}, "no such coupon"),
        ({"card": "nobody"}, "no such card"),
        ({"card": open_shop().issue().id}, "no such card"),
        ({"until": "2020-01-01"}, "That day is over"),
        ({"until": "soon"}, "Choose a day"),
        ({"reason": ""}, "Say why"),
    )
    for change, told in wrong:
        answer = manager.post("members/coupons/give", form(card) | change)
        assert (answer.status_code, told in html.unescape(answer.text)) == (422, True), change
    assert coupons(shop) == []
    assert "There is no such coupon" in manager.post("members/coupons/find", {"q": "x"}).text
    assert signed_in("cashier").post("members/coupons/give", form(card)).status_code == 403
    assert signed_in("auditor").get("members/coupons").status_code == 200
