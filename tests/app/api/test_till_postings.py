"""Postings through the till API, as a till sends them: over HTTP, on both databases."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.cards import service as cards
from app.clock import FixedClock
from app.ledger.models import Entry
from app.till import access, waiting
from passes import code as card_code
from passes import totp
from passes.base45 import decode as base45_decode
from passes.base45 import encode as base45_encode
from passes.card import CardStatus


def entries(shop: Any) -> int:
    with shop.context.database.read(shop.programme_id) as session:
        return session.scalar(select(func.count()).select_from(Entry)) or 0


class TestAccrual:
    def test_a_receipt_earns_points_rounded_down(self, shop: Any) -> None:
        card = shop.issue()
        answer = shop.accrue(card, 1250)
        assert answer.status_code == 201
        assert answer.json["points"] == 12
        assert answer.json["standing"]["balance"] == 12
        assert answer.json["standing"]["points_label"] == "points"
        assert "€12.50" in answer.json["explain"][0]

    def test_a_repeat_gets_the_first_answer(self, shop: Any) -> None:
        card = shop.issue()
        body = shop.accrual(card)
        first = shop.ask("POST", "/accruals", body)
        shop.accrue(card)
        again = shop.ask("POST", "/accruals", body)
        assert (again.status_code, again.json) == (201, first.json)
        assert again.headers["Idempotent-Replay"] == "true"
        assert shop.balance(card) == 24

    def test_a_repeat_is_answered_after_the_session_ended_and_the_card_was_blocked(
        self, shop: Any
    ) -> None:
        card = shop.issue()
        body = shop.accrual(card)
        first = shop.ask("POST", "/accruals", body)
        shop.ask("DELETE", "/cashier-sessions/current")
        with shop.context.database.write(shop.programme_id) as session:
            cards.set_status(session, card.id, CardStatus.BLOCKED, now=shop.context.clock())
        assert shop.ask("POST", "/accruals", body).json == first.json

    def test_another_body_under_the_same_id_is_refused(self, shop: Any) -> None:
        card = shop.issue()
        body = shop.accrual(card)
        shop.ask("POST", "/accruals", body)
        answer = shop.ask("POST", "/accruals", body | {"amount_minor": 99_00})
        assert (answer.status_code, answer.json["code"]) == (409, "posting_id_reused")
        assert shop.balance(card) == 12

    def test_a_refusal_is_not_kept_so_the_same_posting_may_succeed_later(self, shop: Any) -> None:
        card = shop.issue()
        now = shop.context.clock()
        with shop.context.database.write(shop.programme_id) as session:
            cards.set_status(session, card.id, CardStatus.BLOCKED, now=now)
        body = shop.accrual(card)
        refused = shop.ask("POST", "/accruals", body)
        assert (refused.status_code, refused.json["outcome"]) == (409, "blocked")
        assert entries(shop) == 0
        with shop.context.database.write(shop.programme_id) as session:
            cards.set_status(session, card.id, CardStatus.ACTIVE, now=now)
        assert shop.ask("POST", "/accruals", body).status_code == 201

    def test_what_was_queued_before_a_card_was_blocked_counts(
        self, shop: Any, clock: FixedClock
    ) -> None:
        card = shop.issue()
        body = shop.accrual(card, offline=True)
        clock.advance(timedelta(hours=1))
        with shop.context.database.write(shop.programme_id) as session:
            cards.set_status(session, card.id, CardStatus.BLOCKED, now=clock())
        answer = shop.ask("POST", "/accruals", body)
        assert (answer.status_code, answer.json["late"]) == (201, True)

    @pytest.mark.parametrize("bad", ["flip", "other key", "version", "foreign"])
    def test_a_code_that_does_not_verify_posts_nothing(self, shop: Any, bad: str) -> None:
        code = shop.issue().code
        raw = bytearray(base45_decode(code.removeprefix("CF1:")))
        if bad == "flip":
            raw[-1] ^= 0x80
        elif bad == "other key":
            raw[1:3] = b"\xff\xfe"
        elif bad == "version":
            raw[0] = 0x20
        text = "X" * 120 if bad == "foreign" else "CF1:" + base45_encode(bytes(raw))
        answer = shop.ask(
            "POST", "/accruals", shop.posting(code=text, amount_minor=100, currency="EUR")
        )
        expected = {
            "flip": "bad_signature",
            "other key": "unknown_key",
            "version": "unknown_version",
            "foreign": "not_a_card",
        }[bad]
        assert (answer.status_code, answer.json["outcome"]) == (409, expected)
        assert entries(shop) == 0

    def test_a_date_that_cannot_be_believed_waits_for_a_manager(
        self, shop: Any, clock: FixedClock
    ) -> None:
        card = shop.issue()
        old = (clock() - timedelta(days=14, seconds=1)).isoformat()
        body = shop.accrual(card, offline=True, occurred_at=old)
        first = shop.ask("POST", "/accruals", body)
        assert (first.status_code, first.json["status"]) == (202, "waiting_for_manager")
        assert shop.ask("POST", "/accruals", body).json == first.json
        changed = shop.ask("POST", "/accruals", body | {"amount_minor": 1})
        assert changed.status_code == 409
        assert entries(shop) == 0

    def test_a_manager_lets_it_in_under_its_own_date(self, shop: Any, clock: FixedClock) -> None:
        card = shop.issue()
        old = clock() - timedelta(days=20)
        body = shop.accrual(card, offline=True, occurred_at=old.isoformat())
        shop.ask("POST", "/accruals", body)
        with shop.context.database.write(shop.programme_id) as session:
            from app.staff.service import person_by_id

            manager = person_by_id(session, shop.staff["Marta"])
            answer = waiting.decide(session, body["id"], manager, approved=True, now=clock())
        assert answer is not None
        assert shop.balance(card) == 12
        assert shop.ask("POST", "/accruals", body).json["status"] == "posted"

    def test_the_edges_of_the_window_are_believed(self, shop: Any, clock: FixedClock) -> None:
        card = shop.issue()
        for moment in (clock() - timedelta(days=14), clock() + timedelta(minutes=5)):
            answer = shop.accrue(card, offline=True, occurred_at=moment.isoformat())
            assert answer.status_code == 201

    def test_receipt_lines_are_kept(self, shop: Any) -> None:
        lines = [{"item": "Flat white", "category": "drinks", "quantity": 2, "amount_minor": 840}]
        answer = shop.accrue(shop.issue(), 840, receipt="R-17", lines=lines)
        assert (answer.status_code, answer.json["points"]) == (201, 8)


class TestBadInput:
    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"amount_minor": -1}, "amount_minor"),
            ({"amount_minor": 1.5}, "amount_minor"),
            ({"amount_minor": 12.0}, "amount_minor"),
            ({"amount_minor": "1250"}, "amount_minor"),
            ({"amount_minor": True}, "amount_minor"),
            ({"amount_minor": None}, "amount_minor"),
            ({"amount_minor": 10**30}, "amount_minor"),
            ({"currency": "EUROS"}, "currency"),
            ({"id": "1"}, "id"),
            ({"id": str(uuid.uuid4()).upper()}, "id"),
            ({"occurred_at": "2026-06-01T09:00:00"}, "occurred_at"),
            ({"occurred_at": "yesterday"}, "occurred_at"),
            ({"code": "CF1:"}, "code"),
            ({"points": 1000}, "points"),
            ({"offline": "yes"}, "offline"),
            ({"receipt": "R" * 65}, "receipt"),
            ({"lines": [{"item": "x", "quantity": -1, "amount_minor": 1}]}, "lines.0.quantity"),
            ({"lines": [{"item": "x", "quantity": 1, "amount_minor": 1}] * 501}, "lines"),
        ],
    )
    def test_a_problem_names_the_field(self, shop: Any, change: dict[str, Any], field: str) -> None:
        answer = shop.ask("POST", "/accruals", shop.accrual(shop.issue()) | change)
        assert answer.status_code == 422, answer.json
        assert answer.mimetype == "application/problem+json"
        assert list(answer.json["errors"]) == [field]
        assert entries(shop) == 0

    def test_money_without_a_rate_waits_until_there_is_one(self, shop: Any) -> None:
        answer = shop.ask("POST", "/accruals", shop.accrual(shop.issue()) | {"currency": "USD"})
        assert (answer.status_code, answer.json["code"]) == (409, "no_exchange_rate")
        assert "programme rate add USD" in answer.json["detail"]
        assert entries(shop) == 0

    def test_a_truncated_body_is_a_bad_request(self, shop: Any) -> None:
        answer = shop.client.post(
            "/api/till/v1/accruals",
            data='{"id": "',
            content_type="application/json",
            headers={"Authorization": f"Bearer {shop.token}"},
        )
        assert answer.status_code == 400
        assert answer.mimetype == "application/problem+json"
        assert answer.json["detail"]

    def test_a_huge_body_is_refused(self, shop: Any) -> None:
        answer = shop.ask("POST", "/presentations", {"code": "A" * 2_000_000})
        assert answer.status_code == 413

    def test_a_body_that_is_no_object_is_refused(self, shop: Any) -> None:
        for body in ([], "text", 7, [[]]):
            answer = shop.ask("POST", "/accruals", body)
            assert answer.status_code in {400, 422}
            assert answer.mimetype == "application/problem+json"

    def test_a_request_without_a_token_is_refused(self, shop: Any) -> None:
        for path in ("/accruals", "/holds", "/reversals", "/presentations"):
            answer = shop.client.post(f"/api/till/v1{path}", json={})
            assert answer.status_code in {401, 422}


class TestRedemption:
    def hold(self, shop: Any, card: Any, points: int, **more: Any) -> Any:
        return shop.ask("POST", "/holds", shop.posting(code=card.code, points=points, **more))

    def test_hold_and_capture_spend_points(self, shop: Any) -> None:
        card = shop.issue()
        shop.accrue(card, 5000)
        held = self.hold(shop, card, 20).json
        assert (held["status"], held["standing"]["available"]) == ("held", 30)
        path = f"/holds/{held['posting_id']}/capture"
        captured = shop.ask("POST", path, shop.posting())
        assert captured.status_code == 201
        assert (captured.json["kind"], captured.json["points"]) == ("redemption", -20)
        assert shop.balance(card) == 30

    def test_release_gives_the_points_back(self, shop: Any) -> None:
        card = shop.issue()
        shop.accrue(card, 5000)
        held = self.hold(shop, card, 20).json
        answer = shop.ask("POST", f"/holds/{held['posting_id']}/release", shop.posting())
        assert answer.json["standing"]["available"] == 50
        again = shop.ask("POST", f"/holds/{held['posting_id']}/capture", shop.posting())
        assert again.status_code == 409

    def test_more_than_there_is_cannot_be_held(self, shop: Any) -> None:
        card = shop.issue()
        shop.accrue(card, 1000)
        answer = self.hold(shop, card, 11)
        assert (answer.status_code, answer.json["code"]) == (409, "insufficient_points")

    def test_a_photographed_code_redeems_only_so_much_a_day(self, shop: Any) -> None:
        card = shop.issue()
        shop.accrue(card, 50000)
        assert self.hold(shop, card, 50).status_code == 201
        answer = self.hold(shop, card, 1)
        assert (answer.status_code, answer.json["code"]) == (403, "approval_needed")

    def test_a_rotating_code_redeems_more(self, shop: Any) -> None:
        card = shop.issue()
        shop.accrue(card, 50000)
        seconds = int(shop.context.clock().timestamp())
        key = cards.totp_keys(shop.context.keys, card.id)[0]
        text = card_code.rotating_text(card.code, seconds, totp.totp(key, seconds))
        token = shop.ask("POST", "/presentations", {"code": text}).json["presentation"]["token"]
        assert self.hold(shop, card, 400, presentation_token=token).status_code == 201
        other = shop.issue()
        shop.accrue(other, 50000)
        answer = self.hold(shop, other, 400, presentation_token=token)
        assert (answer.status_code, answer.json["code"]) == (409, "presentation_over")

    def test_a_manager_may_approve_more_but_a_cashier_not(self, shop: Any) -> None:
        card = shop.issue()
        shop.accrue(card, 50000)
        body = shop.posting(code=card.code, points=400)
        anna, marta = shop.sign_in("Anna"), shop.sign_in("Marta")
        refused = shop.ask("POST", "/holds", body, Counterfoil_Manager=anna)
        assert refused.status_code == 403
        assert shop.ask("POST", "/holds", body, Counterfoil_Manager=marta).status_code == 201

    def test_a_hold_with_a_wrong_clock_is_refused_not_kept(
        self, shop: Any, clock: FixedClock
    ) -> None:
        card = shop.issue()
        shop.accrue(card)
        answer = self.hold(shop, card, 1, occurred_at=(clock() + timedelta(hours=2)).isoformat())
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["occurred_at"])


class TestReversal:
    def reverse(self, shop: Any, posting_id: str, **more: Any) -> Any:
        return shop.ask("POST", "/reversals", shop.posting(posting_id=posting_id, **more))

    def test_a_posting_is_taken_back_once(self, shop: Any) -> None:
        card = shop.issue()
        posted = shop.accrue(card).json["posting_id"]
        answer = self.reverse(shop, posted)
        assert (answer.status_code, answer.json["points"]) == (201, -12)
        assert shop.balance(card) == 0
        again = self.reverse(shop, posted)
        assert (again.status_code, again.json["code"]) == (409, "already_reversed")

    def test_partial_returns_round_once_and_end_at_zero(self, shop: Any) -> None:
        card = shop.issue()
        posted = shop.accrue(card, 1000).json["posting_id"]
        taken = [
            self.reverse(shop, posted, amount_minor=amount).json["points"]
            for amount in (333, 333, 334)
        ]
        assert taken == [-3, -3, -4]
        assert shop.balance(card) == 0

    def test_offline_a_till_takes_back_only_its_own_accrual(self, shop: Any) -> None:
        card = shop.issue()
        now = shop.context.clock()
        posted = shop.accrue(card).json["posting_id"]
        with shop.context.database.write(shop.programme_id) as session:
            _, code = access.add_till(
                session, shop.programme_id, location="old-town", name="Counter 2", now=now
            )
        own_token, own_session = shop.token, shop.session
        shop.token = shop.client.post("/api/till/v1/enrolments", json={"code": code}).json["token"]
        shop.session = shop.sign_in()
        foreign = self.reverse(shop, posted)
        assert (foreign.status_code, foreign.json["code"]) == (403, "not_your_posting")
        shop.token, shop.session = own_token, own_session
        assert self.reverse(shop, posted, offline=True).status_code == 201

    def test_an_unknown_posting_is_not_found(self, shop: Any) -> None:
        assert self.reverse(shop, str(uuid.uuid4())).status_code == 404
