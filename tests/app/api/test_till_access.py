"""Who may ask the till API, and what a scanned card tells: over HTTP, on both databases."""

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.cards import service as cards
from app.clock import FixedClock
from app.staff import service as staff
from app.till import access
from passes import code as card_code
from passes import refused, totp
from passes.base45 import decode as base45_decode
from passes.base45 import encode as base45_encode
from passes.card import CardStatus


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

    def test_who_left_or_has_another_pin_is_named_for_tills_without_a_network(
        self, shop: Any, clock: FixedClock
    ) -> None:
        assert shop.ask("GET", "/keys").json["staff_changed"] == []
        with shop.context.database.write(shop.programme_id) as session:
            staff.leave(session, "Anna", now=clock())
        clock.advance(timedelta(hours=1))
        with shop.context.database.write(shop.programme_id) as session:
            staff.set_pin(session, "Marta", "918273", now=clock())
        changed = {
            each["id"]: each["at"] for each in shop.ask("GET", "/keys").json["staff_changed"]
        }
        later = clock().isoformat()
        assert changed == {
            shop.staff["Anna"]: (clock() - timedelta(hours=1)).isoformat(),
            shop.staff["Marta"]: later,
        }
        clock.advance(timedelta(days=9))
        assert shop.ask("GET", "/keys").json["staff_changed"] == []


class TestRefusedCards:
    def list_of(self, shop: Any, **headers: str) -> Any:
        return shop.ask("GET", "/refused-cards", **headers)

    def opened(self, shop: Any, answer: Any) -> Any:
        listed = shop.ask("GET", "/keys").json["keys"]
        keys = {
            key["key_id"]: Ed25519PublicKey.from_public_bytes(base64.b64decode(key["public_key"]))
            for key in listed
        }
        statement = refused.verify(
            base64.b64decode(answer.headers["Counterfoil-Statement"]),
            programme_id=shop.programme_id,
            keys=keys,
        )
        return refused.unpack(answer.data, statement) if answer.data else statement

    def test_cards_that_are_not_active_are_on_a_list_that_the_programme_signed(
        self, shop: Any, clock: FixedClock
    ) -> None:
        good, *ended = [shop.issue() for _ in range(4)]
        with shop.context.database.write(shop.programme_id) as session:
            cards.set_status(session, ended[0].id, CardStatus.BLOCKED, now=clock())
            cards.replace_card(session, shop.context.keys, ended[1].id, now=clock())
            cards.set_status(session, ended[2].id, CardStatus.EXPIRED, now=clock())
        read = self.opened(shop, self.list_of(shop))
        assert [str(read.get(card.id)) for card in ended] == [
            "blocked", "replaced", "expired"
        ]  # fmt: skip
        assert read.get(good.id) is None and len(read) == 3
        assert read.signed_at == clock()

    def test_a_list_that_the_till_has_is_not_sent_again_but_vouched_for_anew(
        self, shop: Any, clock: FixedClock
    ) -> None:
        name = self.list_of(shop).headers["ETag"]
        clock.advance(timedelta(hours=2))
        again = self.list_of(shop, If_None_Match=name)
        assert (again.status_code, again.data) == (304, b"")
        assert self.opened(shop, again).signed_at == clock()
        card = shop.issue()  # a new card changes nothing
        assert self.list_of(shop, If_None_Match=name).status_code == 304
        with shop.context.database.write(shop.programme_id) as session:
            cards.set_status(session, card.id, CardStatus.BLOCKED, now=clock())
        other = self.list_of(shop, If_None_Match=name)
        assert other.status_code == 200
        with shop.context.database.write(shop.programme_id) as session:
            cards.set_status(session, card.id, CardStatus.ACTIVE, now=clock())
        back = self.list_of(shop, If_None_Match=other.headers["ETag"])
        assert back.status_code == 200 and back.headers["ETag"] == name

    def test_a_long_list_is_shared_and_never_out_of_date(
        self, shop: Any, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made: list[int] = []
        real = refused.pack
        monkeypatch.setattr("app.cards.refusals.LONG", 3)
        monkeypatch.setattr(
            "app.cards.refusals.refused.pack", lambda listed: made.append(1) or real(listed)
        )
        ended = [shop.issue() for _ in range(6)]

        def change(card: Any, status: CardStatus) -> None:
            clock.advance(timedelta(seconds=1))
            with shop.context.database.write(shop.programme_id) as session:
                cards.set_status(session, card.id, status, now=clock())

        for card in ended[:4]:
            change(card, CardStatus.BLOCKED)
        for _ in range(3):
            assert len(self.opened(shop, self.list_of(shop))) == 4
        assert len(made) == 1
        for card, status in (
            (ended[4], CardStatus.BLOCKED),
            (ended[0], CardStatus.ACTIVE),
            (ended[1], CardStatus.EXPIRED),
            (ended[0], CardStatus.BLOCKED),
        ):
            change(card, status)
            read = self.opened(shop, self.list_of(shop))
            assert read.get(card.id) == (None if status == CardStatus.ACTIVE else status)
        assert len(made) == 5

    def test_another_programmes_cards_are_not_on_it(
        self, shop: Any, open_shop: Callable[[], Any]
    ) -> None:
        other = open_shop()
        card = other.issue()
        with shop.context.database.write(other.programme_id) as session:
            cards.set_status(session, card.id, CardStatus.BLOCKED, now=shop.context.clock())
        assert len(self.opened(shop, self.list_of(shop))) == 0
        assert len(self.opened(other, self.list_of(other))) == 1

    def test_it_is_signed_with_the_newest_key(self, shop: Any, clock: FixedClock) -> None:
        with shop.context.database.write_all() as session:
            cards.create_signing_key(session, shop.context.keys, shop.programme_id, now=clock())
        assert len(self.opened(shop, self.list_of(shop))) == 0

    def test_nobody_but_a_till_gets_it(self, shop: Any) -> None:
        assert shop.client.get("/api/till/v1/refused-cards").status_code == 401


class TestEnrollingAgain:
    def code(self, shop: Any) -> str:
        with shop.context.database.write(shop.programme_id) as session:
            till = access.till_by_name(session, shop.programme_id, "Counter 1")
            return access.new_code(session, till, now=shop.context.clock())

    def test_a_code_of_another_programme_is_refused_where_postings_wait_and_stays_good(
        self, shop: Any, open_shop: Callable[[], Any]
    ) -> None:
        body = {"code": self.code(shop), "programme_id": open_shop().programme_id}
        answer = shop.client.post("/api/till/v1/enrolments", json=body)
        assert (answer.status_code, answer.json["code"]) == (409, "another_programme")
        body["programme_id"] = shop.programme_id
        answer = shop.client.post("/api/till/v1/enrolments", json=body)
        assert answer.status_code == 201


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
