"""The page on which a shop says who it is and what it asks: owners change it, others read."""

from typing import Any

import pytest

from app.members import consents
from app.programmes.service import programme_by_id
from tests.app.office import Colleague, sign_in


def colleague(shop: Any, role: str) -> Colleague:
    return sign_in(shop.context, shop.client, shop.slug, shop.programme_id, role)


def test_an_owner_says_who_runs_it_and_asks_in_other_words(shop: Any) -> None:
    owner = colleague(shop, "owner")
    page = owner.get("public")
    assert page.status_code == 200 and "Not said yet" in page.text
    given = {"name": "SIA Kaffa", "address": "Rīga", "contact": "a@b.lv"}
    assert owner.post("public/operator", given).status_code == 303
    wrong = owner.post("public/operator", given | {"name": ""})
    assert wrong.status_code == 422 and "a@b.lv" in wrong.text
    said = {"en": '<b>"[[programme]]"</b>', "lv": "Lai raksta."}
    assert owner.post("public/consents/messages", said).status_code == 303
    assert owner.post("public/consents/messages", {"en": " "}).status_code == 422
    assert owner.post("public/consents/nonsense", said).status_code == 404
    shown = owner.get("public").text
    assert "version 1" in shown and "<b>" not in shown
    with shop.context.database.read(shop.programme_id) as session:
        assert programme_by_id(session, shop.programme_id).operator_name == "SIA Kaffa"
        assert consents.current(session, shop.programme_id, "messages").texts == said


@pytest.mark.parametrize("role", ["manager", "cashier", "auditor"])
def test_who_may_not_change_the_programme_changes_no_text(shop: Any, role: str) -> None:
    person = colleague(shop, role)
    assert person.post("public/consents/messages", {"en": "x"}).status_code in {403, 404}
