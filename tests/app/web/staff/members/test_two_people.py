"""What takes two people of the staff."""

import uuid
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from app.audit import AuditEntry
from app.ledger.models import Entry, EntryKind
from app.members.models import Member, MemberRead
from app.programmes.service import change_settings
from tests.app.office import Colleague, noted
from tests.app.web.staff.members.conftest import balance, deed


def test_a_small_adjustment_is_one_person_s_and_is_made_once(
    shop: Any, signed_in: Any, join: Any
) -> None:
    card = join()
    signed_in("owner")
    manager = signed_in("manager")
    form = deed(points="+999")
    for _ in range(2):
        assert manager.post(f"members/{card.id}/adjust", form).status_code == 303
    assert balance(shop, card) == 999
    other = manager.post(f"members/{card.id}/adjust", form | {"points": "5"})
    assert other.status_code == 409
    taken = manager.post(f"members/{card.id}/adjust", deed(points="\u2212 1 000"))
    assert taken.status_code == 303, "asks for a second person"
    assert manager.post(f"members/{card.id}/adjust", deed(points="-999")).status_code == 303
    assert balance(shop, card) == 0
    refused = manager.post(f"members/{card.id}/adjust", deed(points="-1"))
    assert refused.status_code == 409 and "This member has 0 points to take." in refused.text
    with shop.context.database.read(shop.programme_id) as session:
        entries = session.scalars(select(Entry).order_by(Entry.sequence)).all()
        assert [each.points for each in entries] == [999, -999]
        assert {each.actor_id for each in entries} == {manager.person.id}
        assert {each.reason for each in entries} == {"Forgotten receipts"}


def test_a_large_adjustment_waits_for_another_and_is_made_once(
    shop: Any, signed_in: Any, join: Any
) -> None:
    card = join()
    manager, owner = signed_in("manager"), signed_in("owner")
    form = deed(points="5000")
    for _ in range(2):
        assert manager.post(f"members/{card.id}/adjust", form).status_code == 303
    assert balance(shop, card) == 0
    assert "1 change waits for a second person" in owner.words("today")
    assert "+5,000" in owner.words("members/approvals")
    decision = f"members/approvals/{form['deed_id']}"
    assert manager.post(decision, {"decision": "approve"}).status_code == 403
    for role in ("cashier", "marketer", "auditor"):
        assert signed_in(role).post(decision, {"decision": "approve"}).status_code == 403
    assert owner.post(decision, {"decision": "approve"}).status_code == 303
    assert balance(shop, card) == 5000
    assert owner.post(decision, {"decision": "approve"}).status_code == 409
    assert balance(shop, card) == 5000
    with shop.context.database.read(shop.programme_id) as session:
        entry = session.scalars(select(Entry)).one()
        assert (entry.kind, entry.actor_id) == (EntryKind.ADJUSTMENT, manager.person.id)
    assert "A second person agreed" in owner.words(f"members/{card.id}")
    assert noted(shop) == ["member.adjustment.ask", "member.adjustment.approve"]


def test_what_is_refused_changes_nothing_and_may_be_asked_for_anew(
    shop: Any, signed_in: Any, join: Any
) -> None:
    card = join()
    manager, owner = signed_in("manager"), signed_in("owner")
    for decider in (owner, manager):
        form = deed(points="5000")
        manager.post(f"members/{card.id}/adjust", form)
        answer = decider.post(f"members/approvals/{form['deed_id']}", {"decision": "refuse"})
        assert answer.status_code == 303
    assert balance(shop, card) == 0
    assert "Nothing waits" in owner.words("members/approvals")


def test_the_programme_says_from_how_many_points_on_it_takes_two(
    shop: Any, signed_in: Any, join: Any
) -> None:
    card = join()
    manager = signed_in("manager")
    signed_in("owner")
    with shop.context.database.write(shop.programme_id) as session:
        now = shop.context.clock()
        change_settings(session, shop.programme_id, {"adjust_alone_below": 10}, valid_from=now)
    manager.post(f"members/{card.id}/adjust", deed(points="10"))
    assert balance(shop, card) == 0
    manager.post(f"members/{card.id}/adjust", deed(points="9"))
    assert balance(shop, card) == 9


def test_an_approval_that_cannot_be_done_waits_on(shop: Any, signed_in: Any, join: Any) -> None:
    card = join()
    manager, owner = signed_in("manager"), signed_in("owner")
    form = deed(points="-5000")
    manager.post(f"members/{card.id}/adjust", form)
    answer = owner.post(f"members/approvals/{form['deed_id']}", {"decision": "approve"})
    assert answer.status_code == 409
    assert "1 change waits" in owner.words("today")


def merged(shop: Any, manager: Colleague, owner: Colleague, stays: Any, goes: Any) -> str:
    page = manager.get(f"members/{stays.id}/merge?with={goes.id}")
    assert page.status_code == 200
    form = deed(**{"with": goes.id})
    assert manager.post(f"members/{stays.id}/merge", form).status_code == 303
    decision = {"decision": "approve"}
    assert owner.post(f"members/approvals/{form['deed_id']}", decision).status_code == 303
    return str(form["deed_id"])


def test_a_merge_is_shown_first_takes_two_and_can_be_undone(
    shop: Any, signed_in: Any, join: Any
) -> None:
    stays, goes = join(), join("Liga Ozola", "other@example.com")
    shop.accrue(stays, 5000)
    shop.accrue(goes, 2000)
    manager, owner = signed_in("manager"), signed_in("owner")
    assert goes.id in manager.get(f"members/{stays.id}/merge?q=ozola").text
    said = manager.words(f"members/{stays.id}/merge?with={goes.id}")
    assert "70 points" in said
    merge_id = merged(shop, manager, owner, stays, goes)
    assert balance(shop, stays) == 70
    said = manager.words(f"members/{goes.id}")
    assert "From a merged account" in said
    form = {"deed_id": str(uuid.uuid4()), "merge_id": merge_id}
    for _ in range(2):
        assert manager.post(f"members/{stays.id}/unmerge", form).status_code == 303
    assert (balance(shop, stays), balance(shop, goes)) == (50, 20)
    assert noted(shop) == ["member.merge.ask", "member.merge.approve", "member.unmerge"]
    with shop.context.database.read(shop.programme_id) as session:
        purposes = session.scalars(select(MemberRead.purpose)).all()
    assert "merge" in purposes


def test_forgetting_takes_two_and_leaves_the_entries_alone(
    shop: Any, signed_in: Any, join: Any
) -> None:
    card = join()
    shop.accrue(card, 5000)
    manager, owner = signed_in("manager"), signed_in("owner")
    manager.post(f"members/{card.id}/note", {"text": "Prefers oat milk"})
    assert "50 points" in manager.words(f"members/{card.id}/erase")
    form = deed()
    assert manager.post(f"members/{card.id}/erase", form).status_code == 303
    assert "Līga Ozola" in manager.words(f"members/{card.id}")
    owner.post(f"members/approvals/{form['deed_id']}", {"decision": "approve"})
    said = manager.words(f"members/{card.id}")
    assert "Somebody who is forgotten" in said
    assert "Points for a receipt" in said
    for words in ("Līga", "oat milk", "liga@"):
        assert words not in said
    assert "Nobody was found" in manager.words("members?q=ozola")
    with shop.context.database.read(shop.programme_id) as session:
        assert session.scalars(select(Member)).all() == []
        assert len(session.scalars(select(Entry)).all()) == 1


def test_a_shop_of_one_person_asks_nobody_and_the_log_says_so(
    shop: Any, signed_in: Any, join: Any
) -> None:
    with shop.context.database.write(shop.programme_id) as session:
        from app.staff.service import leave

        leave(session, "Marta", now=shop.context.clock())
    card = join()
    owner = signed_in("owner")
    owner.post(f"members/{card.id}/adjust", deed(points="5000"))
    assert balance(shop, card) == 5000
    owner.post(f"members/{card.id}/erase", deed())
    assert "Somebody who is forgotten" in owner.words(f"members/{card.id}")
    with shop.context.database.read(shop.programme_id) as session:
        details = [each.detail for each in session.scalars(select(AuditEntry))]
    assert all(each.get("alone") for each in details)


def test_a_receipt_that_cannot_be_believed_is_let_in_or_refused(
    shop: Any, signed_in: Any, join: Any
) -> None:
    card = join()
    manager = signed_in("manager")
    when = (shop.context.clock() - timedelta(days=20)).isoformat()
    for decision, points in (("refuse", 0), ("approve", 12)):
        sent = shop.accrual(card, 1250, occurred_at=when, offline=True)
        answer = shop.ask("POST", "/accruals", sent)
        assert answer.json["status"] == "waiting_for_manager", answer.json
        assert "1 receipt came with a date" in manager.words("today")
        assert "€12.50" in manager.words("members/approvals")
        path = f"members/approvals/receipts/{sent['id']}"
        assert signed_in("cashier", name=decision).post(path).status_code == 403
        assert manager.post(path, {"decision": decision}).status_code == 303
        assert balance(shop, card) == points
        assert manager.post(path, {"decision": decision}).status_code == 409
    assert noted(shop) == ["receipt.decide"] * 2
