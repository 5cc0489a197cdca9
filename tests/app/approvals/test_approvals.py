"""Two people: who asks does not agree, and what is decided is decided once."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from app.approvals import service as approvals
from app.approvals.models import Approval, Kind
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.staff.models import Staff
from app.staff.service import add_staff, leave, person_by_name


def hire(shop: Any, name: str, role: str) -> Staff:
    with shop.context.database.write(shop.programme_id) as session:
        return add_staff(
            session, shop.programme_id, name=name, role=role, pin="472910", now=shop.context.clock()
        )


def person(shop: Any, name: str) -> Staff:
    with shop.context.database.read(shop.programme_id) as session:
        return person_by_name(session, name)


def ask(shop: Any, who: Staff, kind: Kind = Kind.ADJUSTMENT, **facts: Any) -> Approval:
    given = {"deed_id": str(uuid.uuid4()), "card_id": "0" * 16, "body": {"points": 5000}} | facts
    with shop.context.database.write(shop.programme_id) as session:
        return approvals.ask(
            session,
            given["deed_id"],
            kind,
            given["card_id"],
            given["body"],
            facts.get("reason", "Forgotten receipts"),
            who,
            now=shop.context.clock(),
        )


def decide(shop: Any, asked: Approval, who: Staff, *, approved: bool) -> Approval:
    with shop.context.database.write(shop.programme_id) as session:
        return approvals.decide(session, asked.id, who, approved=approved, now=shop.context.clock())


def test_another_one_who_may_agrees_and_nobody_else(shop: Any) -> None:
    marta, anna = person(shop, "Marta"), person(shop, "Anna")
    olga = hire(shop, "Olga", "owner")
    asked = ask(shop, marta)
    for who in (marta, anna, hire(shop, "Mark", "marketer"), hire(shop, "Aud", "auditor")):
        with pytest.raises(Forbidden):
            decide(shop, asked, who, approved=True)
    assert decide(shop, asked, olga, approved=True).approved
    for approved in (True, False):
        with pytest.raises(Conflict):
            decide(shop, asked, olga, approved=approved)


def test_whoever_asked_may_take_it_back_and_others_refuse(shop: Any) -> None:
    marta, anna = person(shop, "Marta"), person(shop, "Anna")
    olga = hire(shop, "Olga", "owner")
    asked = ask(shop, marta)
    with pytest.raises(Forbidden):
        decide(shop, asked, anna, approved=False)
    assert decide(shop, asked, marta, approved=False).approved is False
    assert decide(shop, ask(shop, marta), olga, approved=False).approved is False
    with shop.context.database.read(shop.programme_id) as session:
        assert approvals.waiting(session) == []


def test_the_same_asked_twice_is_one(shop: Any) -> None:
    marta = person(shop, "Marta")
    deed_id = str(uuid.uuid4())
    first = ask(shop, marta, deed_id=deed_id)
    assert ask(shop, marta, deed_id=deed_id).id == first.id
    with pytest.raises(Conflict):
        ask(shop, marta, deed_id=deed_id, body={"points": 9000})
    ask(shop, marta, Kind.ERASURE)
    with pytest.raises(Conflict):
        ask(shop, marta, Kind.ERASURE)
    with shop.context.database.read(shop.programme_id) as session:
        assert len(approvals.waiting(session)) == 2


def test_one_person_alone_has_nobody_to_ask(shop: Any) -> None:
    marta, anna = person(shop, "Marta"), person(shop, "Anna")
    with shop.context.database.read(shop.programme_id) as session:
        assert not approvals.takes_another(session, marta)
        assert approvals.takes_another(session, anna)
    hire(shop, "Olga", "owner")
    with shop.context.database.read(shop.programme_id) as session:
        assert approvals.takes_another(session, marta)
    with shop.context.database.write(shop.programme_id) as session:
        leave(session, "Olga", now=shop.context.clock())
    with shop.context.database.read(shop.programme_id) as session:
        assert not approvals.takes_another(session, marta)


def test_another_programme_s_people_see_and_decide_nothing(
    open_shop: Callable[[], Any], shop: Any
) -> None:
    other = open_shop()
    asked = ask(shop, person(shop, "Marta"))
    with pytest.raises(NotFound):
        decide(other, asked, person(other, "Marta"), approved=True)
    with pytest.raises((Conflict, NotFound)):
        ask(other, person(other, "Marta"), deed_id=asked.id)
    with other.context.database.read(other.programme_id) as session:
        assert approvals.waiting(session) == []


def test_a_reason_says_something_and_an_id_is_one() -> None:
    assert approvals.check_reason("  lost   receipt ") == "lost receipt"
    for text in ("", "  ", "x" * 201, "a\x00b"):
        with pytest.raises(Invalid):
            approvals.check_reason(text)
    with pytest.raises(Invalid):
        approvals.check_id("1; DROP TABLE approvals")
