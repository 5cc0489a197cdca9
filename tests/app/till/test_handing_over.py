"""What a till was refused for good, and a manager lets in after all."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from app.cards import service as cards
from app.clock import FixedClock
from app.staff.service import person_by_id
from app.till import waiting
from passes.card import CardStatus


def set_status(shop: Any, card: Any, status: CardStatus) -> None:
    with shop.context.database.write(shop.programme_id) as session:
        cards.set_status(session, card.id, status, now=shop.context.clock())


def hand_over(shop: Any, body: dict[str, Any], kind: str = "accrual", **other: Any) -> Any:
    said = {"id": body["id"], "kind": kind, "posting": body, "reason": "She was here"} | other
    # A till alone may do it: nobody is signed in.
    return shop.ask("POST", "/waiting-postings", said, Counterfoil_Cashier="")


def decide(shop: Any, posting_id: str, *, approved: bool = True) -> Any:
    with shop.context.database.write(shop.programme_id) as session:
        manager = person_by_id(session, shop.staff["Marta"])
        return waiting.decide(
            session, posting_id, manager, approved=approved, now=shop.context.clock()
        )


def rows(shop: Any) -> list[tuple[str, str | None]]:
    with shop.context.database.read(shop.programme_id) as session:
        return [(row.posting_id, row.reason) for row in waiting.waiting(session)]


def refused_accrual(shop: Any, card: Any) -> dict[str, Any]:
    body: dict[str, Any] = shop.accrual(card, offline=False)
    assert shop.ask("POST", "/accruals", body).status_code in (403, 409, 410)
    return body


def test_a_refused_posting_is_let_in_by_a_manager_once(shop: Any, clock: FixedClock) -> None:
    card = shop.issue()
    set_status(shop, card, CardStatus.BLOCKED)
    body = refused_accrual(shop, card)
    answer = hand_over(shop, body)
    assert (answer.status_code, answer.json["status"]) == (202, "waiting_for_manager")
    assert answer.json["posting_id"] == body["id"]
    assert rows(shop) == [(body["id"], "She was here")]
    again = hand_over(shop, body)
    assert again.headers["Idempotent-Replay"] == "true" and len(rows(shop)) == 1
    set_status(shop, card, CardStatus.ACTIVE)
    clock.advance(timedelta(hours=1))
    assert decide(shop, body["id"])["points"] == 12
    assert shop.balance(card) == 12 and rows(shop) == []
    # The till that sends it once more gets the answer of the ledger, and nothing is doubled.
    assert shop.ask("POST", "/accruals", body).json["points"] == 12
    assert hand_over(shop, body).json["status"] == "posted"
    assert shop.balance(card) == 12


def test_what_the_ledger_has_is_not_laid_before_a_manager(shop: Any) -> None:
    card = shop.issue()
    body = shop.accrual(card)
    assert shop.ask("POST", "/accruals", body).status_code == 201
    answer = hand_over(shop, body)
    assert (answer.json["status"], answer.json["points"]) == ("posted", 12)
    assert rows(shop) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"posting": {}},
        {"posting": {"id": "x"}},
        {"id": str(uuid.uuid4())},
        {"kind": "hold"},
        {"reason": ""},
        {"reason": "x" * 201},
    ],
)
def test_what_is_no_posting_is_not_handed_over(shop: Any, wrong: dict[str, Any]) -> None:
    body = shop.accrual(shop.issue())
    answer = hand_over(shop, body, **wrong)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")
    assert rows(shop) == []


def test_a_card_that_is_none_of_ours_is_no_managers_matter(shop: Any, open_shop: Any) -> None:
    body = shop.accrual(open_shop().issue())
    answer = hand_over(shop, body)
    assert answer.status_code in (403, 404, 409) and rows(shop) == []


def test_nobody_but_a_till_hands_over(shop: Any) -> None:
    body = shop.accrual(shop.issue())
    said = {"id": body["id"], "kind": "accrual", "posting": body, "reason": "x"}
    assert shop.client.post("/api/till/v1/waiting-postings", json=said).status_code == 401
