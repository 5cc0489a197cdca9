"""What holds a colluding cashier, a stolen till and a photographed code: over HTTP."""

import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.cards import service as cards
from app.cards.service import WRONG_VALUES, issue_card
from app.clock import FixedClock
from app.ledger.models import Entry
from app.programmes.service import change_settings
from app.till import access
from passes import code as card_code
from passes import totp

POSTS = (
    "/enrolments",
    "/cashier-sessions",
    "/presentations",
    "/accruals",
    "/holds",
    "/holds/7b0e4f6a-52a4-4bd6-8d53-0f9f4a3a6c11/capture",
    "/holds/7b0e4f6a-52a4-4bd6-8d53-0f9f4a3a6c11/release",
    "/reversals",
)


def second_till(shop: Any) -> Any:
    """The same shop seen from another till, with Anna signed in there too."""
    with shop.context.database.write(shop.programme_id) as session:
        _, code = access.add_till(
            session,
            shop.programme_id,
            location="old-town",
            name=f"Counter {uuid.uuid4().hex[:6]}",
            now=shop.context.clock(),
        )
    token = shop.client.post("/api/till/v1/enrolments", json={"code": code}).json["token"]
    other = replace(shop, token=token)
    other.session = other.sign_in()
    return other


def rotating(shop: Any, card: Any) -> str:
    seconds = int(shop.context.clock().timestamp())
    key = cards.totp_keys(shop.context.keys, card.id)[0]
    return card_code.rotating_text(card.code, seconds, totp.totp(key, seconds))


def hold(shop: Any, card: Any, points: int, **more: Any) -> Any:
    return shop.ask("POST", "/holds", shop.posting(code=card.code, points=points, **more))


@pytest.fixture
def rich(shop: Any) -> Any:
    """A card with 500 points."""
    card = shop.issue()
    assert shop.accrue(card, 50000).status_code == 201
    return card


class TestHostileBodies:
    @pytest.mark.parametrize("path", POSTS)
    @pytest.mark.parametrize(
        "body",
        [
            '{"id": "',
            "[" * 50_000,
            '{"amount_minor": ' + "9" * 6_000 + "}",
            "\x00",
            "\xff\xfe",
            '{"code": "\\ud800", "cashier": "\\ud800", "pin": "\\ud800"}',
        ],
        ids=["cut", "deep", "long number", "zero", "not utf-8", "half a character"],
    )
    def test_no_body_is_too_much(self, shop: Any, path: str, body: str) -> None:
        answer = shop.client.post(
            f"/api/till/v1{path}",
            data=body.encode("latin-1"),
            content_type="application/json",
            headers={
                "Authorization": f"Bearer {shop.token}",
                "Counterfoil-Cashier": shop.session,
            },
        )
        assert answer.status_code in {400, 401, 422}, answer.text
        assert answer.mimetype == "application/problem+json"
        assert "browser" not in answer.json["detail"]

    @pytest.mark.parametrize("value", ["a\x00b", "\ud800"])
    def test_text_that_no_database_keeps_is_refused(self, shop: Any, value: str) -> None:
        answer = shop.accrue(shop.issue(), receipt=value)
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["receipt"])

    def test_one_is_not_true(self, shop: Any) -> None:
        assert shop.accrue(shop.issue(), offline=1).status_code == 422


class TestPresentations:
    def token(self, shop: Any, card: Any) -> str:
        seen = shop.ask("POST", "/presentations", {"code": rotating(shop, card)}).json
        return str(seen["presentation"]["token"])

    def test_a_presentation_is_of_its_till_only(self, shop: Any, rich: Any) -> None:
        token = self.token(shop, rich)
        answer = hold(second_till(shop), rich, 400, presentation_token=token)
        assert (answer.status_code, answer.json["code"]) == (409, "presentation_over")

    def test_a_presentation_ends_after_five_minutes(
        self, shop: Any, rich: Any, clock: FixedClock
    ) -> None:
        token = self.token(shop, rich)
        clock.advance(timedelta(minutes=5))
        answer = hold(shop, rich, 400, presentation_token=token)
        assert (answer.status_code, answer.json["code"]) == (409, "presentation_over")

    def test_one_time_values_cannot_be_guessed(
        self, shop: Any, rich: Any, clock: FixedClock
    ) -> None:
        right = rotating(shop, rich)
        wrong = right[:-8] + f"{(int(right[-8:]) + 1) % 10**8:08d}"

        def look_up(text: str) -> str:
            return str(shop.ask("POST", "/presentations", {"code": text}).json["outcome"])

        assert {look_up(wrong) for _ in range(WRONG_VALUES)} == {"step_out_of_window"}
        assert look_up(right) == "step_out_of_window"
        clock.advance(timedelta(minutes=10, seconds=1))
        assert look_up(rotating(shop, rich)) == "accepted"


class TestStaticLimit:
    def test_what_was_captured_counts(self, shop: Any, rich: Any) -> None:
        held = hold(shop, rich, 50).json["posting_id"]
        shop.ask("POST", f"/holds/{held}/capture", shop.posting())
        assert hold(shop, rich, 1).status_code == 403

    def test_what_was_released_does_not(self, shop: Any, rich: Any) -> None:
        held = hold(shop, rich, 50).json["posting_id"]
        shop.ask("POST", f"/holds/{held}/release", shop.posting())
        assert hold(shop, rich, 50).status_code == 201

    def test_a_hold_that_lapsed_does_not_count(
        self, shop: Any, rich: Any, clock: FixedClock
    ) -> None:
        hold(shop, rich, 50)
        clock.advance(timedelta(minutes=15))
        assert hold(shop, rich, 50).status_code == 201

    def test_captured_points_count_for_a_day_and_no_longer(
        self, shop: Any, rich: Any, clock: FixedClock
    ) -> None:
        held = hold(shop, rich, 50).json["posting_id"]
        shop.ask("POST", f"/holds/{held}/capture", shop.posting())
        clock.advance(timedelta(hours=23, minutes=59))
        shop.session = shop.sign_in()
        assert hold(shop, rich, 1).status_code == 403
        clock.advance(timedelta(minutes=1))
        assert hold(shop, rich, 1).status_code == 201

    def test_it_is_the_account_s_not_the_card_s(self, shop: Any, rich: Any) -> None:
        with shop.context.database.write(shop.programme_id) as session:
            other = issue_card(
                session,
                shop.context.keys,
                shop.programme_id,
                account_id=rich.account_id,
                now=shop.context.clock(),
            )
        assert hold(shop, rich, 50).status_code == 201
        assert hold(shop, other, 1).status_code == 403

    def test_two_at_once_do_not_slip_past_it(self, shop: Any, rich: Any) -> None:
        app = shop.client.application
        bodies = [shop.posting(code=rich.code, points=30) for _ in range(8)]

        def send(body: dict[str, Any]) -> int:
            with app.test_client() as client:
                return int(replace(shop, client=client).ask("POST", "/holds", body).status_code)

        with ThreadPoolExecutor(8) as pool:
            assert Counter(pool.map(send, bodies)) == {201: 1, 403: 7}

    def test_minimum_and_step_of_a_redemption_hold(self, shop: Any, rich: Any) -> None:
        with shop.context.database.write(shop.programme_id) as session:
            change_settings(
                session,
                shop.programme_id,
                {"redeem_minimum": 10, "redeem_step": 5},
                valid_from=shop.context.clock(),
            )
        for points in (5, 12):
            answer = hold(shop, rich, points)
            assert (answer.status_code, list(answer.json["errors"])) == (422, ["points"])
        assert hold(shop, rich, 15).status_code == 201


class TestSessions:
    def test_a_cashier_s_session_ends(self, shop: Any, clock: FixedClock) -> None:
        clock.advance(access.SESSION_LIFE)
        answer = shop.accrue(shop.issue())
        assert (answer.status_code, answer.json["code"]) == (401, "sign_in_again")

    def test_a_session_is_of_its_till_only(self, shop: Any) -> None:
        other = second_till(shop)
        other.session = shop.session
        assert other.accrue(shop.issue()).status_code == 401

    def test_an_approval_is_for_one_thing_right_after_the_pin(
        self, shop: Any, rich: Any, clock: FixedClock
    ) -> None:
        marta = shop.sign_in("Marta")
        body = shop.posting(code=rich.code, points=200)
        assert shop.ask("POST", "/holds", body, Counterfoil_Manager=marta).status_code == 201
        again = shop.posting(code=rich.code, points=200)
        assert shop.ask("POST", "/holds", again, Counterfoil_Manager=marta).status_code == 401
        late = shop.sign_in("Marta")
        clock.advance(access.APPROVAL_LIFE + timedelta(seconds=1))
        assert shop.ask("POST", "/holds", again, Counterfoil_Manager=late).status_code == 401

    def test_right_pins_are_never_too_many(self, shop: Any) -> None:
        sessions = {shop.sign_in() for _ in range(access.WRONG_PINS + 5)}
        assert len(sessions) == access.WRONG_PINS + 5

    def test_wrong_pins_are_counted_per_till_whoever_they_are_for(self, shop: Any) -> None:
        answers = [
            shop.ask("POST", "/cashier-sessions", {"cashier": f"N{i}", "pin": "111112"})
            for i in range(access.WRONG_PINS + 1)
        ]
        assert [answer.status_code for answer in answers[-2:]] == [401, 429]

    def test_revoking_a_till_ends_its_sessions_and_its_unused_code(self, shop: Any) -> None:
        with shop.context.database.write(shop.programme_id) as session:
            till = access.till_by_name(session, shop.programme_id, "Counter 1")
            unused = access.new_code(session, till, now=shop.context.clock())
            access.revoke(session, till, now=shop.context.clock())
            fresh = None
        refused = shop.client.post("/api/till/v1/enrolments", json={"code": unused})
        assert refused.status_code == 401
        with shop.context.database.write(shop.programme_id) as session:
            till = access.till_by_name(session, shop.programme_id, "Counter 1")
            fresh = access.new_code(session, till, now=shop.context.clock())
        answer = shop.client.post("/api/till/v1/enrolments", json={"code": fresh})
        shop.token = answer.json["token"]
        assert shop.accrue(shop.issue()).status_code == 401


class TestOfflineActors:
    def actor(self, shop: Any) -> tuple[str, str | None]:
        with shop.context.database.read(shop.programme_id) as session:
            row = session.execute(select(Entry.actor_kind, Entry.actor_id)).one()
            return row.actor_kind, row.actor_id

    def offline(self, shop: Any, cashier_id: str) -> None:
        shop.session = ""
        body = shop.accrual(shop.issue(), offline=True, cashier_id=cashier_id)
        answer = shop.client.post(
            "/api/till/v1/accruals",
            json=body,
            headers={"Authorization": f"Bearer {shop.token}"},
        )
        assert answer.status_code == 201, answer.json

    def test_a_cashier_of_this_programme_is_written_down(self, shop: Any) -> None:
        self.offline(shop, shop.staff["Anna"])
        assert self.actor(shop) == ("till", shop.staff["Anna"])

    def test_anybody_else_is_not(self, open_shop: Callable[[], Any]) -> None:
        ours, theirs = open_shop(), open_shop()
        self.offline(ours, theirs.staff["Anna"])
        kind, actor = self.actor(ours)
        assert (kind, actor == theirs.staff["Anna"]) == ("till", False)


def test_points_of_a_till_whose_clock_is_ahead_can_be_spent_at_once(
    shop: Any, clock: FixedClock
) -> None:
    ahead = (clock() + timedelta(minutes=4)).isoformat()
    answer = shop.accrue(shop.issue(), occurred_at=ahead)
    assert answer.json["standing"]["available"] == 12


def test_a_line_of_a_receipt_is_taken_back_by_its_position(shop: Any) -> None:
    lines = [
        {"item": "Coffee", "quantity": 2, "amount_minor": 800},
        {"item": "Cake", "quantity": 1, "amount_minor": 450},
    ]
    posted = shop.accrue(shop.issue(), 1250, lines=lines).json["posting_id"]
    body = shop.posting(posting_id=posted, lines=[{"position": 1, "quantity": 1}])
    assert shop.ask("POST", "/reversals", body).json["points"] == -3
    rest = shop.posting(posting_id=posted, lines=[{"position": 2}])
    assert shop.ask("POST", "/reversals", rest).json["points"] == -5


def test_what_waits_for_a_manager_is_a_card_of_ours(
    open_shop: Callable[[], Any], clock: FixedClock
) -> None:
    ours, theirs = open_shop(), open_shop()
    old = (clock() - timedelta(days=30)).isoformat()
    answer = ours.accrue(theirs.issue(), offline=True, occurred_at=old)
    assert (answer.status_code, answer.json["outcome"]) == (409, "other_programme")
