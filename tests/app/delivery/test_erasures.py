"""Who asks to be forgotten has a day to think better of it, and is forgotten then."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.cards import freezing, service
from app.cards.errors import CardRefused
from app.cards.models import Card
from app.delivery import erasures, leaving
from app.errors import Conflict
from app.members import service as members
from app.members.models import Member
from app.members.service import Contact
from app.programmes.service import programme_by_id
from app.web.joining import join
from passes.card import CardStatus


def joined(shop: Any) -> tuple[Card, str]:
    with shop.context.database.write(shop.programme_id) as session:
        programme = programme_by_id(session, shop.programme_id)
        made = join(
            session,
            shop.context.keys,
            programme,
            Contact("Līga", "liga@example.com"),
            language="lv",
            source="web",
            now=shop.context.clock(),
        )
        return made.card, made.link_token


def status_of(shop: Any, card: Card) -> tuple[str, Any]:
    with shop.context.database.read(shop.programme_id) as session:
        row = session.scalars(select(Card).where(Card.id == card.id)).one()
        return row.status, row.member_id


def step(shop: Any, hours: float) -> int:
    shop.context.clock.advance(timedelta(hours=hours))
    return erasures.step(shop.context, now=shop.context.clock())


def test_it_is_done_after_a_day_and_not_before(shop: Any) -> None:
    card, _ = joined(shop)
    with shop.context.database.write(shop.programme_id) as session:
        first = erasures.ask(session, card, now=shop.context.clock()).due_at
    assert step(shop, 23) == 0
    with shop.context.database.write(shop.programme_id) as session:
        assert erasures.ask(session, card, now=shop.context.clock()).due_at == first
    assert status_of(shop, card)[0] == CardStatus.ACTIVE
    assert step(shop, 1) == 1
    assert status_of(shop, card) == (CardStatus.ERASED, None)
    with shop.context.database.read(shop.programme_id) as session:
        assert session.scalars(select(Member)).all() == []
    assert step(shop, 24) == 0


def test_it_can_be_undone_with_any_card_of_the_same_member(shop: Any) -> None:
    card, _ = joined(shop)
    now = shop.context.clock()
    with shop.context.database.write(shop.programme_id) as session:
        other = service.issue_card(
            session,
            shop.context.keys,
            shop.programme_id,
            account_id=card.account_id,
            member_id=card.member_id,
            now=now,
        )
        erasures.ask(session, card, now=now)
        assert erasures.asked(session, other.id) is not None
        assert erasures.withdraw(session, other.id)
        assert not erasures.withdraw(session, card.id)
    assert step(shop, 30) == 0
    assert status_of(shop, card)[0] == CardStatus.ACTIVE


def test_whoever_thought_better_of_it_in_the_last_moment_is_kept(shop: Any) -> None:
    card, _ = joined(shop)
    with shop.context.database.write(shop.programme_id) as session:
        erasures.ask(session, card, now=shop.context.clock())
        erasures.withdraw(session, card.id)
    now = shop.context.clock() + timedelta(days=2)
    leaving.erase(shop.context, shop.programme_id, card.id, erasures.READER, now=now, asked_by=now)
    assert status_of(shop, card)[0] == CardStatus.ACTIVE


def test_a_member_freezes_and_unfreezes_but_never_undoes_what_staff_did(shop: Any) -> None:
    card = shop.issue()
    now = shop.context.clock()
    write = shop.context.database.write
    with write(shop.programme_id) as session:
        freezing.freeze(session, card.id, now=now)
    said = shop.accrue(card)
    assert said.status_code == 409 and "by its owner" in said.json["detail"]
    with write(shop.programme_id) as session:
        freezing.unfreeze(session, card.id, now=now)
    assert shop.accrue(card).status_code == 201
    with write(shop.programme_id) as session:
        freezing.freeze(session, card.id, now=now)
        # Staff block what is frozen: from here on it is theirs.
        service.set_status(session, card.id, CardStatus.BLOCKED, now=now, reason="fraud")
        with pytest.raises(Conflict):
            freezing.unfreeze(session, card.id, now=now)
        with pytest.raises(Conflict):
            freezing.freeze(session, card.id, now=now)
    with write(shop.programme_id) as session, pytest.raises(CardRefused, match="fraud"):
        service.card_by_code(session, card.code, now=now)
    with write(shop.programme_id) as session:
        service.set_status(session, card.id, CardStatus.ACTIVE, now=now)
        assert members.has_consented(session, None) is False
