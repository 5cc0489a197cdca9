"""The till API, asked as a till asks it: over HTTP, on both databases."""

import base64
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
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


def flipped(code: str) -> str:
    """The code with one bit of its signature flipped."""
    raw = bytearray(base45_decode(code.removeprefix("CF1:")))
    raw[40] ^= 1
    return "CF1:" + base45_encode(bytes(raw))


class TestEnrolment:
    def test_a_code_works_once(self, shop: Any) -> None:
        now = shop.context.clock()
        with shop.context.database.write(shop.programme_id) as session:
            _, code = access.add_till(
                session, shop.programme_id, location="old-town", name="Counter 2", now=now
            )
        first = shop.client.post("/api/till/v1/enrolments", json={"code": code})
        second = shop.client.post("/api/till/v1/enrolments", json={"code": code})
        assert (first.status_code, second.status_code) == (201, 401)
        assert second.json["code"] == "enrolment_refused"

    def test_a_code_ends_after_fifteen_minutes(self, shop: Any, clock: FixedClock) -> None:
        with shop.context.database.write(shop.programme_id) as session:
            _, code = access.add_till(
                session, shop.programme_id, location="old-town", name="Counter 2", now=clock()
            )
        clock.advance(timedelta(minutes=15))
        answer = shop.client.post("/api/till/v1/enrolments", json={"code": code})
        assert answer.status_code == 401

    def test_guessing_codes_is_limited_by_address(self, shop: Any) -> None:
        answers = [
            shop.client.post("/api/till/v1/enrolments", json={"code": f"AAAA-AAAA-AAAA-AA{i:02d}"})
            for i in range(access.ENROL_TRIES)  # the shop itself was the first try
        ]
        assert [answer.status_code for answer in answers[-2:]] == [401, 429]
        assert int(answers[-1].headers["Retry-After"]) > 0

    def test_a_revoked_till_is_told_so(self, shop: Any) -> None:
        with shop.context.database.write(shop.programme_id) as session:
            till = access.till_by_name(session, shop.programme_id, "Counter 1")
            access.revoke(session, till, now=shop.context.clock())
        answer = shop.ask("GET", "/keys")
        assert answer.status_code == 401
        assert answer.json["code"] == "till_revoked"

    def test_only_the_hash_of_a_token_is_kept(self, shop: Any) -> None:
        with shop.context.database.read_all() as session:
            till = access.authenticate(session, shop.token)
        assert till.token_hash is not None
        assert shop.token.encode() not in till.token_hash
        assert len(till.token_hash) == 32


class TestKeys:
    def test_a_till_verifies_a_card_with_nothing_but_the_keys(self, shop: Any) -> None:
        card = shop.issue()
        answer = shop.ask("GET", "/keys").json
        keys = {
            key["key_id"]: Ed25519PublicKey.from_public_bytes(base64.b64decode(key["public_key"]))
            for key in answer["keys"]
        }
        assert card_code.verify(card.code, keys).card.card_id_hex == card.id
        assert answer["programme"]["currency_exponent"] == 2

    def test_blocked_cards_are_listed_for_tills_without_a_network(self, shop: Any) -> None:
        card = shop.issue()
        with shop.context.database.write(shop.programme_id) as session:
            cards.set_status(session, card.id, CardStatus.BLOCKED, now=shop.context.clock())
        assert shop.ask("GET", "/keys").json["refused_cards"] == [
            {"card_id": card.id, "outcome": "blocked"}
        ]


class TestSignIn:
    def test_a_wrong_pin_is_counted_and_locks(self, shop: Any, clock: FixedClock) -> None:
        def try_pin(pin: str) -> Any:
            return shop.ask("POST", "/cashier-sessions", {"cashier": "Anna", "pin": pin})

        for _ in range(5):
            assert try_pin("111112").status_code == 401
        locked = try_pin("274913")
        assert locked.status_code == 429
        assert locked.json["code"] == "locked"
        clock.advance(timedelta(minutes=5))
        assert try_pin("274913").status_code == 201

    def test_an_unknown_name_gets_the_same_answer_as_a_wrong_pin(self, shop: Any) -> None:
        answers = [
            shop.ask("POST", "/cashier-sessions", {"cashier": name, "pin": "999998"}).json
            for name in ("Anna", "Nobody")
        ]
        assert answers[0] == answers[1]

    def test_a_session_ends_when_signed_out(self, shop: Any) -> None:
        assert shop.ask("DELETE", "/cashier-sessions/current").status_code == 204
        answer = shop.accrue(shop.issue())
        assert (answer.status_code, answer.json["code"]) == (401, "sign_in_again")

    def test_the_actor_is_who_signed_in_not_who_the_body_names(self, shop: Any) -> None:
        answer = shop.accrue(shop.issue(), cashier_id=shop.staff["Marta"])
        assert (answer.status_code, answer.json["code"]) == (401, "sign_in_again")


class TestLookUp:
    def look_up(self, shop: Any, text: str) -> Any:
        answer = shop.ask("POST", "/presentations", {"code": text})
        assert answer.status_code == 200, answer.json
        return answer.json

    def test_a_good_card_shows_its_points(self, shop: Any) -> None:
        card = shop.issue()
        shop.accrue(card)
        seen = self.look_up(shop, card.code)
        assert seen["outcome"] == "accepted"
        assert seen["card"]["card_id"] == card.id
        assert seen["standing"]["balance"] == 12
        assert seen["redeem"] == {"minimum": 1, "step": 1, "maximum": 12}
        assert seen["presentation"]["rotating"] is False

    @pytest.mark.parametrize(
        ("text", "outcome"),
        [
            ("https://example.com/menu", "not_a_card"),
            ("CF1:ABC", "malformed"),
            ("CF2:" + "A" * 116, "unknown_version"),
            ("\n", "not_a_card"),
        ],
    )
    def test_any_other_code_has_an_outcome_of_its_own(
        self, shop: Any, text: str, outcome: str
    ) -> None:
        seen = self.look_up(shop, text)
        assert seen["outcome"] == outcome
        assert seen["card"] is None
        assert seen["message"]

    def test_one_flipped_bit_is_a_bad_signature(self, shop: Any) -> None:
        assert self.look_up(shop, flipped(shop.issue().code))["outcome"] == "bad_signature"

    def test_a_card_of_another_programme_is_called_so(self, open_shop: Callable[[], Any]) -> None:
        ours, theirs = open_shop(), open_shop()
        assert self.look_up(ours, theirs.issue().code)["outcome"] == "other_programme"

    def test_a_blocked_card_is_refused_with_the_day(self, shop: Any) -> None:
        card = shop.issue()
        with shop.context.database.write(shop.programme_id) as session:
            cards.set_status(
                session, card.id, CardStatus.BLOCKED, now=shop.context.clock(), reason="lost"
            )
        seen = self.look_up(shop, card.code)
        assert seen["outcome"] == "blocked"
        assert "1 June 2026 (lost)" in seen["message"]

    def test_a_replaced_card_is_refused_and_the_new_one_has_its_points(self, shop: Any) -> None:
        card = shop.issue()
        shop.accrue(card)
        with shop.context.database.write(shop.programme_id) as session:
            new = cards.replace_card(session, shop.context.keys, card.id, now=shop.context.clock())
        assert self.look_up(shop, card.code)["outcome"] == "replaced"
        seen = self.look_up(shop, new.code)
        assert (seen["outcome"], seen["standing"]["balance"]) == ("accepted", 12)
        assert new.serial_number != card.serial_number

    def test_a_step_of_a_rotating_code_counts_once(self, shop: Any) -> None:
        card = shop.issue()
        seconds = int(shop.context.clock().timestamp())
        key = cards.totp_keys(shop.context.keys, card.id)[0]
        text = card_code.rotating_text(card.code, seconds, totp.totp(key, seconds))
        first = self.look_up(shop, text)
        assert (first["outcome"], first["presentation"]["rotating"]) == ("accepted", True)
        assert self.look_up(shop, text)["outcome"] == "step_used"

    def test_an_old_or_wrong_step_is_out_of_window(self, shop: Any) -> None:
        card = shop.issue()
        seconds = int(shop.context.clock().timestamp())
        key = cards.totp_keys(shop.context.keys, card.id)[0]
        old = card_code.rotating_text(card.code, seconds - 90, totp.totp(key, seconds - 90))
        wrong = card_code.rotating_text(card.code, seconds, "00000000")
        assert self.look_up(shop, old)["outcome"] == "step_out_of_window"
        assert self.look_up(shop, wrong)["outcome"] == "step_out_of_window"

    def test_a_card_of_a_key_past_its_date_is_expired(self, shop: Any) -> None:
        card = shop.issue()
        with shop.context.database.write(shop.programme_id) as session:
            cards.public_keys(session)[0].valid_until = shop.context.clock()
        assert self.look_up(shop, card.code)["outcome"] == "expired"


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
            ({"amount_minor": 0}, "amount_minor"),
            ({"amount_minor": 1.5}, "amount_minor"),
            ({"amount_minor": 12.0}, "amount_minor"),
            ({"amount_minor": "1250"}, "amount_minor"),
            ({"amount_minor": True}, "amount_minor"),
            ({"amount_minor": None}, "amount_minor"),
            ({"amount_minor": 10**30}, "amount_minor"),
            ({"currency": "USD"}, "currency"),
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


class TestWalls:
    def test_every_till_route_answers_404_or_refuses_ids_of_another_programme(
        self, open_shop: Callable[[], Any]
    ) -> None:
        ours, theirs = open_shop(), open_shop()
        card = theirs.issue()
        theirs.accrue(card, 5000)
        posted = theirs.accrue(card).json["posting_id"]
        held = theirs.ask("POST", "/holds", theirs.posting(code=card.code, points=5)).json
        hold_id = held["posting_id"]
        for path, body in (
            (f"/holds/{hold_id}/capture", ours.posting()),
            (f"/holds/{hold_id}/release", ours.posting()),
            ("/reversals", ours.posting(posting_id=posted)),
        ):
            assert ours.ask("POST", path, body).status_code == 404, path
        answer = ours.accrue(card)
        assert (answer.status_code, answer.json["outcome"]) == (409, "other_programme")
        assert theirs.balance(card) == 62

    def test_an_id_used_in_another_programme_is_free_here(
        self, open_shop: Callable[[], Any]
    ) -> None:
        ours, theirs = open_shop(), open_shop()
        body = theirs.accrual(theirs.issue())
        theirs.ask("POST", "/accruals", body)
        card = ours.issue()
        mine = ours.accrual(card, id=body["id"])
        assert ours.ask("POST", "/accruals", mine).status_code == 201
        assert ours.balance(card) == 12

    def test_a_token_of_one_programme_signs_nobody_of_another_in(
        self, open_shop: Callable[[], Any]
    ) -> None:
        ours, theirs = open_shop(), open_shop()
        ours.session = theirs.session
        answer = ours.accrue(ours.issue())
        assert (answer.status_code, answer.json["code"]) == (401, "sign_in_again")


def test_the_api_describes_itself(shop: Any) -> None:
    described = shop.client.get("/openapi.json").json
    assert described["openapi"].startswith("3.1")
    assert {
        "/api/till/v1/enrolments",
        "/api/till/v1/keys",
        "/api/till/v1/cashier-sessions",
        "/api/till/v1/presentations",
        "/api/till/v1/accruals",
        "/api/till/v1/holds",
        "/api/till/v1/reversals",
    } <= set(described["paths"])
