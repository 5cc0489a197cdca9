"""Postings of a shop system: the till's laws, over another door."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.cards import pins, service
from app.clock import FixedClock
from app.ledger.models import Entry
from app.programmes.service import add_location
from passes import code as card_code
from passes import totp
from passes.card import CardStatus
from tests.app.api.pos.shop_system import ShopSystem


def set_pin(shop: Any, card: Any, pin: str = "4816") -> None:
    with shop.context.database.write(shop.programme_id) as session:
        row = service.card_by_id(session, card.id)
        pins.set_pin(session, row, pin, now=shop.context.clock())


def entries(shop: Any) -> list[Entry]:
    with shop.context.database.read(shop.programme_id) as session:
        return list(session.scalars(select(Entry).order_by(Entry.sequence)))


class TestAccrual:
    def test_a_receipt_earns_under_the_key_s_name(self, shop: Any, system: ShopSystem) -> None:
        card = shop.issue()
        answer = system.accrue(card, 1250, receipt="R-1")
        assert (answer.status_code, answer.json["points"]) == (201, 12)
        assert answer.json["standing"]["points_label"] == "points"
        [entry] = entries(shop)
        assert (entry.actor_kind, entry.actor_id) == ("api", system.key_id)
        assert (entry.till_id, entry.location_id, entry.card_id) == (None, None, card.id)
        assert entry.occurred_at == shop.context.clock()

    def test_a_card_is_named_by_its_id_too(self, shop: Any, system: ShopSystem) -> None:
        card = shop.issue()
        body = {"card": card.id, "amount_minor": 500, "currency": "EUR"}
        assert system.post("/accruals", body).json["points"] == 5
        assert shop.balance(card) == 5

    def test_the_id_makes_a_repeat_harmless(self, shop: Any, system: ShopSystem) -> None:
        card, id = shop.issue(), str(uuid.uuid4())
        body = {"card": card.code, "amount_minor": 1250, "currency": "EUR"}
        first = system.post("/accruals", body, id=id)
        assert first.json["posting_id"] == id
        again = system.post("/accruals", body, id=f'"{id.upper()}"')
        assert (again.status_code, again.json) == (201, first.json)
        assert again.headers["Idempotent-Replay"] == "true"
        assert "Idempotent-Replay" not in first.headers
        other = system.post("/accruals", body | {"amount_minor": 1}, id=id)
        assert (other.status_code, other.json["code"]) == (409, "posting_id_reused")
        assert shop.balance(card) == 12

    def test_another_key_s_id_is_another_posting(self, shop: Any, system: ShopSystem) -> None:
        card, id = shop.issue(), str(uuid.uuid4())
        body = {"card": card.code, "amount_minor": 1250, "currency": "EUR"}
        system.post("/accruals", body, id=id)
        assert ShopSystem.at(shop).post("/accruals", body, id=id).status_code == 409

    @pytest.mark.parametrize(
        "key", [None, "", "42", "not-a-uuid", "18c8d31c-f5c0-4740-a29f-a5b589c7c82"]
    )
    def test_without_an_id_nothing_is_posted(
        self, shop: Any, system: ShopSystem, key: str | None
    ) -> None:
        body = {"card": shop.issue().code, "amount_minor": 1250, "currency": "EUR"}
        answer = system.ask("POST", "/accruals", body, id=key)
        assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_missing")
        assert "Idempotency-Key" in answer.json["errors"]
        assert entries(shop) == []

    def test_what_is_unknown_is_refused_by_name(self, shop: Any, system: ShopSystem) -> None:
        line = {"item": "Coffee", "quantity": 1, "amount_minor": 100, "colour": "black"}
        answer = system.accrue(shop.issue(), vat=1, lines=[line])
        assert answer.status_code == 422
        assert set(answer.json["errors"]) == {"vat", "lines.0.colour"}

    def test_a_moment_beyond_belief_is_refused(
        self, shop: Any, system: ShopSystem, clock: FixedClock
    ) -> None:
        old = (clock() - timedelta(days=14, seconds=1)).isoformat()
        answer = system.accrue(shop.issue(), occurred_at=old)
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["occurred_at"])
        fresh = (clock() - timedelta(days=14)).isoformat()
        assert system.accrue(shop.issue(), occurred_at=fresh).json["late"] is True

    def test_a_blocked_card_is_refused_with_its_outcome(
        self, shop: Any, system: ShopSystem
    ) -> None:
        card = shop.issue()
        with shop.context.database.write(shop.programme_id) as session:
            service.set_status(session, card.id, CardStatus.BLOCKED, now=shop.context.clock())
        for named in (card.code, card.id):
            body = {"card": named, "amount_minor": 1250, "currency": "EUR"}
            answer = system.post("/accruals", body)
            assert (answer.status_code, answer.json["outcome"]) == (409, "blocked")


class TestPlaces:
    def test_a_key_of_a_location_posts_there_only(self, shop: Any) -> None:
        with shop.context.database.write(shop.programme_id) as session:
            new = add_location(
                session,
                shop.programme_id,
                slug="new-town",
                name="New Town",
                now=shop.context.clock(),
            ).id
        bound = ShopSystem.at(shop, location="new-town")
        assert bound.accrue(shop.issue()).status_code == 201
        assert bound.accrue(shop.issue(), location="new-town").status_code == 201
        refused = bound.accrue(shop.issue(), location="old-town")
        assert (refused.status_code, refused.json["code"]) == (403, "other_location")
        assert ShopSystem.at(shop).accrue(shop.issue(), location="new-town").status_code == 201
        assert {entry.location_id for entry in entries(shop)} == {new}


class TestRedemption:
    def test_points_are_held_captured_and_released(self, system: ShopSystem, rich: Any) -> None:
        held = system.hold(rich, 30)
        assert (held.status_code, held.json["status"]) == (201, "held")
        captured = system.post(f"/holds/{held.json['posting_id']}/capture", {})
        assert (captured.status_code, captured.json["points"]) == (201, -30)
        again = system.post(f"/holds/{held.json['posting_id']}/release", {})
        assert (again.status_code, again.json["code"]) == (409, "hold_not_open")
        other = system.hold(rich, 10).json["posting_id"]
        released = system.post(f"/holds/{other}/release", {})
        assert (released.status_code, released.json["standing"]["available"]) == (201, 470)
        assert system.post("/holds/nonsense/capture", {}).status_code == 404

    def test_a_static_code_and_a_card_id_redeem_up_to_the_limit(
        self, system: ShopSystem, rich: Any
    ) -> None:
        for named in (rich.code, rich.id):
            answer = system.post("/holds", {"card": named, "points": 51})
            assert (answer.status_code, answer.json["code"]) == (403, "approval_needed")
        assert system.hold(rich, 50).status_code == 201

    def test_a_rotating_code_redeems_more_once(
        self, shop: Any, system: ShopSystem, rich: Any
    ) -> None:
        seconds = int(shop.context.clock().timestamp())
        key = service.totp_keys(shop.context.keys, rich.id)[0]
        text = card_code.rotating_text(rich.code, seconds, totp.totp(key, seconds))
        id = str(uuid.uuid4())
        body = {"card": text, "points": 400}
        assert system.post("/holds", body, id=id).status_code == 201
        assert system.post("/holds", body, id=id).status_code == 201
        again = system.post("/holds", {"card": text, "points": 60})
        assert (again.status_code, again.json["outcome"]) == (409, "step_used")

    def test_the_member_s_pin_redeems_more(self, shop: Any, system: ShopSystem, rich: Any) -> None:
        set_pin(shop, rich)
        wrong = system.hold(rich, 400, member_pin="4817")
        assert (wrong.status_code, wrong.json["code"]) == (403, "wrong_member_pin")
        id = str(uuid.uuid4())
        body = {"card": rich.code, "points": 400, "member_pin": "4816"}
        first = system.post("/holds", body, id=id)
        assert first.status_code == 201
        # Of so few digits a hash keeps no secret: the PIN is no part of what a repeat must match.
        del body["member_pin"]
        assert system.post("/holds", body, id=id).json == first.json

    def test_a_card_without_a_pin_is_not_told_from_a_wrong_pin(
        self, system: ShopSystem, rich: Any
    ) -> None:
        answer = system.hold(rich, 400, member_pin="4816")
        assert (answer.status_code, answer.json["code"]) == (403, "wrong_member_pin")

    def test_wrong_pins_lock_the_card_and_there_are_ways_out(
        self, shop: Any, system: ShopSystem, rich: Any, clock: FixedClock
    ) -> None:
        set_pin(shop, rich)
        for lock in pins.LOCKS:
            for _ in range(pins.TRIES):
                assert system.hold(rich, 60, member_pin="4817").status_code == 403
            locked = system.hold(rich, 60, member_pin="4816")
            assert (locked.status_code, locked.json["code"]) == (429, "member_pin_locked")
            assert int(locked.headers["Retry-After"]) == int(lock.total_seconds()) + 1
            clock.advance(lock)
        assert system.hold(rich, 60, member_pin="4816").status_code == 201
        for _ in range(pins.TRIES):
            system.hold(rich, 60, member_pin="4817")
        manager = {"name": "Marta", "pin": "860257"}
        assert system.hold(rich, 60, manager=manager).status_code == 201
        set_pin(shop, rich, "7305")
        assert system.hold(rich, 60, member_pin="7305").status_code == 201

    def test_wrong_pins_are_counted_per_system_whoever_they_are_for(
        self, shop: Any, system: ShopSystem
    ) -> None:
        cards = [shop.issue() for _ in range(31)]
        codes = [system.hold(card, 1, member_pin="4817").status_code for card in cards]
        assert codes == [403] * 30 + [429]

    def test_a_manager_approves_and_nobody_else(self, system: ShopSystem, rich: Any) -> None:
        no = system.hold(rich, 400, manager={"name": "Anna", "pin": "274913"})
        assert (no.status_code, no.json["code"]) == (403, "approval_needed")
        wrong = system.hold(rich, 400, manager={"name": "Marta", "pin": "274913"})
        assert wrong.status_code == 401
        assert system.hold(rich, 400, manager={"name": "Marta", "pin": "860257"}).status_code == 201


class TestPinAtTheTill:
    def test_the_member_s_pin_redeems_more(self, shop: Any, rich: Any) -> None:
        set_pin(shop, rich)
        body = shop.posting(code=rich.code, points=400)
        assert shop.ask("POST", "/holds", body).json["code"] == "approval_needed"
        wrong = shop.ask("POST", "/holds", body | {"member_pin": "4817"})
        assert (wrong.status_code, wrong.json["code"]) == (403, "wrong_member_pin")
        first = shop.ask("POST", "/holds", body | {"member_pin": "4816"})
        assert first.status_code == 201
        assert shop.ask("POST", "/holds", body).json == first.json

    def test_a_replaced_card_keeps_its_pin_and_an_erased_one_has_none(
        self, shop: Any, rich: Any
    ) -> None:
        set_pin(shop, rich)
        with shop.context.database.write(shop.programme_id) as session:
            new = service.replace_card(
                session, shop.context.keys, rich.id, now=shop.context.clock()
            )
            assert pins.has_pin(session, new.id) and not pins.has_pin(session, rich.id)
        body = shop.posting(code=new.code, points=400, member_pin="4816")
        assert shop.ask("POST", "/holds", body).status_code == 201


class TestReturns:
    def sell(self, system: ShopSystem, card: Any, **more: Any) -> str:
        lines = [
            {"item": "Coffee", "quantity": 2, "amount_minor": 800},
            {"item": "Cake", "quantity": 1, "amount_minor": 450},
        ]
        answer = system.accrue(card, 1250, receipt="R-7", lines=lines, **more)
        return str(answer.json["posting_id"])

    def test_by_receipt_number_and_lines(self, shop: Any, system: ShopSystem) -> None:
        card = shop.issue()
        self.sell(system, card)
        part = {"receipt": "R-7", "lines": [{"position": 1, "quantity": 1}]}
        assert system.post("/returns", part).json["points"] == -3
        rest = {"receipt": "R-7", "day": "2026-06-01", "lines": [{"position": 2}]}
        assert system.post("/returns", rest).json["points"] == -5
        assert system.post("/returns", {"receipt": "R-7", "amount_minor": 400}).json["points"] == -4
        assert shop.balance(card) == 0
        more = system.post("/returns", {"receipt": "R-7", "amount_minor": 1})
        assert more.status_code in {409, 422}

    def test_whole_by_posting(self, shop: Any, system: ShopSystem) -> None:
        card = shop.issue()
        posting = self.sell(system, card)
        assert system.post("/returns", {"posting_id": posting}).json["points"] == -12
        again = system.post("/returns", {"posting_id": posting})
        assert (again.status_code, again.json["code"]) == (409, "already_reversed")

    def test_a_number_that_comes_again_needs_its_day(
        self, shop: Any, system: ShopSystem, clock: FixedClock
    ) -> None:
        first = self.sell(system, shop.issue())
        clock.advance(timedelta(days=1))
        second = self.sell(system, shop.issue())
        several = system.post("/returns", {"receipt": "R-7"})
        assert (several.status_code, several.json["code"]) == (409, "several_receipts")
        assert set(several.json["posting_ids"]) == {first, second}
        one = system.post("/returns", {"receipt": "R-7", "day": "2026-06-02"})
        assert one.status_code == 201
        nobody = system.post("/returns", {"receipt": "R-7", "day": "2026-06-03"})
        assert nobody.status_code == 404

    def test_name_a_posting_or_a_receipt(self, system: ShopSystem) -> None:
        for body in ({}, {"receipt": "R-7", "posting_id": str(uuid.uuid4())}):
            assert system.post("/returns", body).status_code == 422

    def test_a_location_takes_back_its_own(self, shop: Any, system: ShopSystem) -> None:
        card = shop.issue()
        elsewhere = self.sell(system, card)
        here = shop.accrue(card, 500, receipt="T-1").json["posting_id"]
        bound = ShopSystem.at(shop, location="old-town")
        refused = bound.post("/returns", {"posting_id": elsewhere})
        assert (refused.status_code, refused.json["code"]) == (403, "not_your_posting")
        assert bound.post("/returns", {"receipt": "R-7"}).status_code == 404
        # A till's receipt of that location: the shop system stands at the same counter.
        assert bound.post("/returns", {"posting_id": here}).status_code == 201

    def test_points_redeemed_on_the_receipt_come_back(
        self, system: ShopSystem, shop: Any, rich: Any
    ) -> None:
        held = system.hold(rich, 40, receipt="R-7", amount_minor=1250).json["posting_id"]
        system.post(f"/holds/{held}/capture", {})
        self.sell(system, rich)
        before = shop.balance(rich)
        answer = system.post("/returns", {"receipt": "R-7"})
        earned = 12 - 0  # Points at a cent each: 0.40 of 12.50 earned nothing.
        assert shop.balance(rich) == before + 40 - earned
        assert answer.status_code == 201


class TestHostileBodies:
    @pytest.mark.parametrize("path", ["/accruals", "/holds", "/returns", "/members/search"])
    @pytest.mark.parametrize(
        "body",
        [
            '{"card": "',
            "[" * 50_000,
            '{"points": ' + "9" * 6_000 + "}",
            "\x00",
            "\xff\xfe",
            "[]",
            "3",
        ],
        ids=["cut", "deep", "long number", "zero", "not utf-8", "a list", "a number"],
    )
    def test_no_body_is_too_much(self, system: ShopSystem, path: str, body: str) -> None:
        answer = system.shop.client.post(
            f"/api/pos/v1{path}",
            data=body.encode("latin-1"),
            content_type="application/json",
            headers={"Authorization": f"Bearer {system.key}", "Idempotency-Key": str(uuid.uuid4())},
        )
        assert answer.status_code in {400, 422}, answer.text
        assert answer.mimetype == "application/problem+json"

    def test_a_body_is_bounded(self, system: ShopSystem) -> None:
        answer = system.post("/accruals", {"card": "x" * 600_000})
        assert answer.status_code == 413

    def test_a_form_is_not_json(self, system: ShopSystem) -> None:
        answer = system.shop.client.post(
            "/api/pos/v1/accruals",
            data={"card": "x"},
            headers={"Authorization": f"Bearer {system.key}"},
        )
        assert answer.status_code == 415
