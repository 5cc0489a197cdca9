"""Many accruals in one transaction: each has its own verdict, as if it had come alone."""

import uuid
from typing import Any

import pytest

from app.cards import service as cards
from app.till.accruals import Answered, Asked, Prepared
from passes.card import CardStatus


def ask(shop: Any, card: Any, amount_minor: int = 1250, **more: Any) -> Asked:
    sent = shop.accrual(card, amount_minor) | more
    body = {
        "offline": False,
        "receipt": None,
        "lines": None,
        "tax_minor": 0,
        "coupons_minor": 0,
        **sent,
        "occurred_at": shop.context.clock(),
    }
    return Asked(shop.token, shop.session, body, sent)


def run(shop: Any, asked: list[Asked]) -> list[Any]:
    """What each is told: the points that it gave, or the code of its refusal."""
    with shop.context.database.write_all() as session:
        prepared = Prepared(session, asked, now=shop.context.clock())
        prepared.post(session)
        done = prepared.answers()
    return [
        each.answer["points"] if isinstance(each, Answered) else getattr(each, "code", each)
        for each in done
    ]


def test_many_cards_earn_in_one_transaction(shop: Any) -> None:
    customers = [shop.issue() for _ in range(5)]
    told = run(shop, [ask(shop, card, 1000 * n) for n, card in enumerate(customers, start=1)])
    assert told == [10, 20, 30, 40, 50]
    assert [shop.balance(card) for card in customers] == told


def test_two_receipts_of_one_card_count_one_after_the_other(shop: Any) -> None:
    card = shop.issue()
    asked = [ask(shop, card, amount) for amount in (1000, 2000, 3000)]
    assert run(shop, asked) == [10, 20, 30]
    assert shop.balance(card) == 60


def test_one_id_twice_in_a_transaction_counts_once(shop: Any) -> None:
    card = shop.issue()
    asked = ask(shop, card)
    assert run(shop, [asked, asked]) == [12, 12]
    assert shop.balance(card) == 12


def test_one_id_for_two_receipts_is_refused_for_the_second(shop: Any) -> None:
    one, other = shop.issue(), shop.issue()
    posting_id = str(uuid.uuid4())
    told = run(shop, [ask(shop, one, id=posting_id), ask(shop, other, id=posting_id)])
    assert sorted(map(str, told)) == ["12", "posting_id_reused"]
    assert shop.balance(one) + shop.balance(other) == 12


def test_one_id_that_another_process_posted_since_it_was_looked_up_counts_once(shop: Any) -> None:
    card = shop.issue()
    asked, now = ask(shop, card), shop.context.clock()
    with shop.context.database.read_all() as session:
        prepared = Prepared(session, [asked], now=now)
    assert run(shop, [asked]) == [12]
    with shop.context.database.write_all() as session:
        prepared.post(session)
    [told] = prepared.answers()
    assert isinstance(told, Answered) and told.repeated
    assert shop.balance(card) == 12


def test_a_refused_neighbour_costs_nobody_points(shop: Any) -> None:
    good, blocked = shop.issue(), shop.issue()
    with shop.context.database.write(shop.programme_id) as session:
        now = shop.context.clock()
        cards.set_status(session, blocked.id, CardStatus.BLOCKED, now=now, reason="lost")
    stranger = ask(shop, good)
    stranger = Asked("not a token", stranger.cashier, stranger.body, stranger.sent)
    alone = ask(shop, good)
    alone = Asked(alone.token, None, alone.body, alone.sent)
    asked = [ask(shop, blocked), stranger, alone, ask(shop, good), ask(shop, good, currency="USD")]
    assert run(shop, asked) == [
        "card_refused",
        "till_revoked",
        "sign_in_again",
        12,
        "no_exchange_rate",
    ]
    assert shop.balance(good) == 12


@pytest.mark.parametrize("change", [{}, {"receipt": "R-1"}, {"lines": []}])
def test_the_short_way_and_the_long_one_give_the_same_answer(
    shop: Any, change: dict[str, Any]
) -> None:
    """A content type with a charset goes the long way, through Flask."""
    answers = []
    for kind in ("application/json", "application/json; charset=utf-8"):
        answer = shop.client.post(
            "/api/till/v1/accruals",
            json=shop.accrual(shop.issue()) | change,
            headers={
                "Authorization": f"Bearer {shop.token}",
                "Counterfoil-Cashier": shop.session,
                "Content-Type": kind,
            },
        )
        assert answer.status_code == 201, answer.json
        answers.append(
            {
                name: value
                for name, value in answer.json.items()
                if name not in {"posting_id", "entry_id"}
            }
        )
    assert answers[0] == answers[1]
