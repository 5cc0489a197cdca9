"""What the buyer spent before decides the step; a return takes it back; time lets it go."""

import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.cards.models import Card
from app.clock import FixedClock
from app.db import Database
from app.ledger import service as ledger
from app.ledger.postings import Accrue, Circumstances, Line, Request, Reverse, Value
from app.programmes.earning import Sale
from app.programmes.pricelist import DiscountNow, basket_of, discount_now
from app.programmes.service import change_settings
from app.programmes.terms import rulebook_of
from tests.app.api.programmes import Programme

SCALE = [{"from": "0", "percent": "3"}, {"from": "500", "percent": "5"}]
CARD = {"code": "card", "names": {"en": "Card"}, "kind": "slab", "scale": SCALE, "months": 12}


@pytest.fixture
def shop(database: Database, clock: FixedClock, tmp_path: Path) -> Programme:
    return Programme.alone(database, clock, tmp_path)


def settle(shop: Programme, **settings: Any) -> None:
    with shop.context.database.write(shop.programme_id) as session:
        change_settings(session, shop.programme_id, settings, valid_from=shop.context.clock())


def buy(shop: Programme, card: Card, amount_minor: int, at: datetime) -> str:
    posting = str(uuid.uuid4())
    with shop.context.database.write(shop.programme_id) as session:
        ledger.post(
            session,
            Request(posting, "accrual", bytes(32)),
            Accrue(card.account_id, amount_minor, "EUR", Value(0, at)),
            Circumstances(at),
            now=shop.context.clock(),
        )
    return posting


def now_of(shop: Programme, card: Card, *, days_on: int = 0) -> DiscountNow:
    now = shop.context.clock() + timedelta(days=days_on)
    with shop.context.database.read(shop.programme_id) as session:
        book = rulebook_of(session, shop.programme_id, now)
        found = discount_now(session, book, card.account_id, now=now)
    assert found is not None
    return found


def test_spending_leads_to_the_next_step_and_a_return_leads_back(shop: Programme) -> None:
    settle(shop, discounts=[CARD])
    card, now = shop.issue(), shop.context.clock()
    assert (now_of(shop, card).percent, now_of(shop, card).missing_minor) == (3, 500_00)
    first = buy(shop, card, 480_00, now)
    buy(shop, card, 20_00, now)
    reached = now_of(shop, card)
    assert (reached.percent, reached.spent_minor, reached.next_percent) == (5, 500_00, None)
    with shop.context.database.write(shop.programme_id) as session:
        ledger.post(
            session,
            Request(str(uuid.uuid4()), "reversal", bytes(32)),
            Reverse(first, amount_minor=1_00),
            Circumstances(now),
            now=now,
        )
    back = now_of(shop, card)
    assert (back.percent, back.missing_minor, back.next_percent) == (3, 1_00, 5)


def test_spending_that_is_long_ago_no_longer_counts(shop: Programme) -> None:
    settle(shop, discounts=[CARD])
    card = shop.issue()
    buy(shop, card, 600_00, shop.context.clock())
    assert now_of(shop, card, days_on=360).percent == 5
    assert now_of(shop, card, days_on=370).percent == 3


def test_a_basket_costs_what_the_buyer_has_earned(shop: Programme) -> None:
    settle(shop, discounts=[CARD], prices=[{"item": "beans", "price": "17.90"}])
    card, now = shop.issue(), shop.context.clock()
    buy(shop, card, 600_00, now)
    sale = Sale(30_00, "EUR", now, lines=(Line("beans", 20_00), Line("cake", 10_00)))
    with shop.context.database.read(shop.programme_id) as session:
        book = rulebook_of(session, shop.programme_id, now)
        found = basket_of(session, book, card.account_id, sale, now=now)
    assert (found.to_pay_minor, found.discount_minor) == (17_90 + 9_50, 50)
    assert found.parts[0].percent == Decimal(5)


def test_a_programme_without_discounts_has_none(shop: Programme) -> None:
    card, now = shop.issue(), shop.context.clock()
    with shop.context.database.read(shop.programme_id) as session:
        book = rulebook_of(session, shop.programme_id, now)
        assert discount_now(session, book, card.account_id, now=now) is None
