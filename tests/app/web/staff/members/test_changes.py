"""What one person of the staff may change alone."""

import re
from typing import Any

from sqlalchemy import select

from app.members.models import Consent, Member
from app.members.service import contact_of
from tests.app.office import noted
from tests.app.web.staff.members.conftest import deed


def test_what_the_member_asks_for_is_changed_and_recorded(
    shop: Any, signed_in: Any, join: Any
) -> None:
    card = join()
    manager = signed_in("manager")
    told = {"name": "Līga Kalniņa", "email": "new@example.com", "phone": "", "language": "en"}
    assert manager.post(f"members/{card.id}/contact", told).status_code == 303
    assert manager.post(f"members/{card.id}/consents", {}).status_code == 303
    note = {"text": "Prefers oat milk"}
    assert manager.post(f"members/{card.id}/note", note).status_code == 303
    vip = {"vip": "yes", "note": "Say hello"}
    assert manager.post(f"members/{card.id}/counter", vip).status_code == 303
    said = manager.words(f"members/{card.id}")
    for words in ("Līga Kalniņa", "new@example.com", "no consent", "oat milk", "Say hello", "VIP"):
        assert words in said
    with shop.context.database.read(shop.programme_id) as session:
        assert contact_of(session, shop.context.keys, card.member_id).phone is None
        assert session.scalars(select(Consent)).one().withdrawn_at is not None
    assert noted(shop) == ["member.contact", "member.consents", "member.note", "member.counter"]
    page = manager.get(f"members/{card.id}").text
    [remove] = re.findall(r'action="([^"]+/remove)"', page)
    assert manager.post(remove).status_code == 303
    assert "oat milk" not in manager.get(f"members/{card.id}").text


def test_a_wrong_field_is_named_beside_its_input_and_what_was_typed_stays(
    shop: Any, signed_in: Any, join: Any
) -> None:
    card = join()
    manager = signed_in("manager")
    answer = manager.post(f"members/{card.id}/contact", {"name": "Eva", "email": "no", "phone": ""})
    assert answer.status_code == 422
    assert "does not look like an e-mail address" in answer.text
    assert 'value="Eva"' in answer.text
    for points in ("", "0", "1.5", "x", "9" * 30, "１２"):
        answer = manager.post(f"members/{card.id}/adjust", deed(points=points))
        assert answer.status_code == 422, points
    assert manager.post(f"members/{card.id}/note", {"text": " "}).status_code == 422
    assert noted(shop) == []


def test_a_card_without_a_member_gets_one_with_its_first_note(shop: Any, signed_in: Any) -> None:
    card = shop.issue()
    manager = signed_in("manager")
    assert manager.post(f"members/{card.id}/note", {"text": "Has a dog"}).status_code == 303
    assert "Has a dog" in manager.get(f"members/{card.id}").text
    with shop.context.database.read(shop.programme_id) as session:
        assert len(session.scalars(select(Member)).all()) == 1


def test_a_card_is_blocked_accepted_again_and_replaced(
    shop: Any, signed_in: Any, join: Any
) -> None:
    card = join()
    manager = signed_in("manager")
    assert manager.post(f"members/{card.id}/block", {"reason": "Lost"}).status_code == 303
    seen = shop.ask("POST", "/presentations", {"code": card.code}).json
    assert seen["outcome"] == "blocked"
    assert manager.post(f"members/{card.id}/unblock").status_code == 303
    answer = manager.post(f"members/{card.id}/replace", {"reason": "New phone"})
    assert answer.status_code == 200
    [link] = re.findall(r"http://127\.0\.0\.1:8000(/card/[0-9a-f]+)", answer.text)
    assert shop.client.get(link).status_code == 200
    seen = shop.ask("POST", "/presentations", {"code": card.code}).json
    assert seen["outcome"] == "replaced"
    again = manager.post(f"members/{card.id}/replace", {"reason": "New phone"})
    assert again.status_code == 409
    assert "took its place" in manager.get(f"members/{card.id}").text
    assert noted(shop) == ["card.blocked", "card.active", "card.replace"]
