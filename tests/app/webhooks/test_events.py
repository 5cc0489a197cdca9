"""What happens is written down in the transaction it happens in, and only if somebody asks."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.cards import ending, service
from app.clock import FixedClock
from app.db import new_id
from app.errors import CounterfoilError
from app.ledger import service as ledger
from app.ledger.postings import Accrue, Circumstances, Request, Value
from app.programmes.service import change_settings
from app.programmes.terms import terms_of
from app.webhooks.models import Endpoint, Event
from passes.card import CardStatus

TIERS = {"levels": [{"code": "silver", "at_least": 100}, {"code": "gold", "at_least": 500}]}


def listen(shop: Any) -> None:
    """Somebody wants to be told."""
    with shop.context.database.write(shop.programme_id) as session:
        session.add(
            Endpoint(
                programme_id=shop.programme_id,
                url="https://shop.example/hook",
                events=["*"],
                secret=b"",
                created_at=shop.context.clock(),
            )
        )


def told(shop: Any) -> list[Event]:
    with shop.context.database.read(shop.programme_id) as session:
        return list(session.scalars(select(Event).order_by(Event.sequence)))


def types(shop: Any) -> list[str]:
    return [event.type for event in told(shop)]


def test_nothing_is_written_where_nobody_listens(shop: Any) -> None:
    assert shop.accrue(shop.issue(), 5000).status_code == 201
    assert told(shop) == []


def test_a_receipt_a_redemption_and_a_return_are_told(shop: Any) -> None:
    listen(shop)
    card = shop.issue()
    posted = shop.accrue(card, 5000, receipt="R-1").json
    held = shop.ask("POST", "/holds", shop.posting(code=card.code, points=20)).json
    captured = shop.ask("POST", f"/holds/{held['posting_id']}/capture", shop.posting()).json
    taken = shop.ask("POST", "/reversals", shop.posting(posting_id=posted["posting_id"])).json
    assert types(shop) == ["card.issued", "points.accrued", "points.redeemed", "points.returned"]
    issued, accrued, redeemed, returned = (event.data for event in told(shop))
    assert issued == {"card_id": card.id, "account_id": card.account_id, "status": "active"}
    assert accrued["posting_id"] == posted["posting_id"]
    assert accrued["points"] == 50
    assert (accrued["receipt"], accrued["amount_minor"]) == ("R-1", 5000)
    assert accrued["standing"]["available"] == 50
    assert redeemed["posting_id"] == captured["posting_id"]
    assert redeemed["points"] == -20
    assert returned["posting_id"] == taken["posting_id"]
    assert returned["standing"]["debt"] == 20


def test_a_repeat_is_not_told_again(shop: Any) -> None:
    listen(shop)
    body = shop.accrual(shop.issue())
    for _ in range(3):
        assert shop.ask("POST", "/accruals", body).status_code == 201
    assert types(shop) == ["card.issued", "points.accrued"]


def test_what_is_refused_or_rolled_back_is_not_told(shop: Any) -> None:
    listen(shop)
    card = shop.issue()
    assert shop.ask("POST", "/holds", shop.posting(code=card.code, points=20)).status_code == 409
    now = shop.context.clock()
    with pytest.raises(CounterfoilError), shop.context.database.write(shop.programme_id) as session:
        service.set_status(session, card.id, CardStatus.BLOCKED, now=now)
        ledger.post(
            session,
            Request(new_id(), "accrual", bytes(32)),
            Accrue(card.account_id, 100, "EUR", Value(10, now)),
            Circumstances(now),
            now=now,
            terms=terms_of(session, shop.programme_id, now),
        )
        service.card_by_id(session, "0" * 16)
    assert types(shop) == ["card.issued"]


def test_points_that_expire_and_a_tier_that_changes_are_told(shop: Any, clock: FixedClock) -> None:
    listen(shop)
    with shop.context.database.write(shop.programme_id) as session:
        change_settings(
            session,
            shop.programme_id,
            {"expires_after_months": 1, "tiers": TIERS},
            valid_from=clock(),
        )
    card = shop.issue()
    shop.accrue(card, 60000)
    assert types(shop)[1:] == ["points.accrued", "tier.changed"]
    assert told(shop)[-1].data["to_tier"] == "gold"
    clock.advance(timedelta(days=40))
    with shop.context.database.write_all() as session:
        ledger.expire_lots(
            session, clock(), 100, lambda programme: terms_of(session, programme, clock())
        )
    assert types(shop)[-1] == "points.expired"
    assert told(shop)[-1].data["points"] == -600


def test_what_happens_to_a_card_is_told(shop: Any, clock: FixedClock) -> None:
    listen(shop)
    card = shop.issue()
    with shop.context.database.write(shop.programme_id) as session:
        service.set_status(session, card.id, CardStatus.BLOCKED, now=clock())
        service.set_status(session, card.id, CardStatus.BLOCKED, now=clock())
        service.set_status(session, card.id, CardStatus.ACTIVE, now=clock())
        new = service.replace_card(session, shop.context.keys, card.id, now=clock())
        ending.erase(session, new, now=clock())
    assert types(shop) == [
        "card.issued",
        "card.blocked",
        "card.unblocked",
        "card.issued",
        "card.replaced",
        "card.erased",
    ]
    assert told(shop)[4].data["replaced_by"] == new.id


def test_many_at_once_are_told_each(shop: Any) -> None:
    listen(shop)
    now = shop.context.clock()
    cards = [shop.issue() for _ in range(5)]
    with shop.context.database.write(shop.programme_id) as session:
        ledger.post_accruals(
            session,
            [
                (
                    Request(str(uuid.uuid4()), "accrual", bytes(32)),
                    Accrue(card.account_id, 100, "EUR", Value(10, now)),
                    Circumstances(now, card_id=card.id),
                )
                for card in cards
            ],
            now=now,
            terms=terms_of(session, shop.programme_id, now),
        )
    accrued = [event.data["card_id"] for event in told(shop) if event.type == "points.accrued"]
    assert sorted(accrued) == sorted(card.id for card in cards)


def test_another_programme_hears_nothing(open_shop: Any) -> None:
    ours, theirs = open_shop(), open_shop()
    listen(ours)
    theirs.accrue(theirs.issue())
    assert told(ours) == [] == told(theirs)
