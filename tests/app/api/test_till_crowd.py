"""The till API when many ask at once: on both databases, with real threads."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any


def test_of_fifty_redemptions_of_the_whole_balance_one_succeeds(shop: Any) -> None:
    card = shop.issue()
    shop.accrue(card, 5000)
    bodies = [shop.posting(code=card.code, points=50) for _ in range(50)]
    app = shop.client.application

    def hold(body: dict[str, Any]) -> int:
        with app.test_client() as client:
            answer = replace(shop, client=client).ask("POST", "/holds", body)
            return int(answer.status_code)

    with ThreadPoolExecutor(16) as pool:
        statuses = Counter(pool.map(hold, bodies))
    assert statuses == {201: 1, 409: 49}


def test_of_fifty_captures_of_one_hold_one_succeeds(shop: Any) -> None:
    card = shop.issue()
    shop.accrue(card, 5000)
    held = shop.ask("POST", "/holds", shop.posting(code=card.code, points=50)).json
    app = shop.client.application

    def capture(body: dict[str, Any]) -> int:
        with app.test_client() as client:
            path = f"/holds/{held['posting_id']}/capture"
            return int(replace(shop, client=client).ask("POST", path, body).status_code)

    with ThreadPoolExecutor(16) as pool:
        statuses = Counter(pool.map(capture, [shop.posting() for _ in range(50)]))
    assert statuses == {201: 1, 409: 49}
    assert shop.balance(card) == 0


def test_the_same_posting_sent_by_many_at_once_counts_once(shop: Any) -> None:
    card = shop.issue()
    body = shop.accrual(card)
    app = shop.client.application

    def send(_: int) -> tuple[int, Any]:
        with app.test_client() as client:
            answer = replace(shop, client=client).ask("POST", "/accruals", body)
            return answer.status_code, answer.json

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(send, range(30)))
    assert {status for status, _ in answers} == {201}
    assert all(answer == answers[0][1] for _, answer in answers)
    assert shop.balance(card) == 12
