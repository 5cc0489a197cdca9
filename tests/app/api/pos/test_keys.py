"""Who may ask what with an API key."""

import hmac
import uuid
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import select

from app.api.pos import door
from app.clock import FixedClock
from app.errors import Conflict, Invalid, TooMany
from app.pos import keys
from app.pos.models import ApiKey
from app.pos.rate import Rate
from app.pos.rules import Scope, make_key, read_key
from tests.app.api.pos.shop_system import ShopSystem

#: Each route with a body that reaches its own check, and the scope that it asks for.
ID = "5f0c1c9e-2d0a-4c58-8d9e-0d9b7a1f3c11"
ROUTES: list[tuple[str, str, Any, Scope]] = [
    ("POST", "/quote", {}, Scope.QUOTE),
    ("POST", "/accruals", {}, Scope.ACCRUE),
    ("POST", "/holds", {}, Scope.REDEEM),
    ("POST", f"/holds/{ID}/capture", {}, Scope.REDEEM),
    ("POST", f"/holds/{ID}/release", {}, Scope.REDEEM),
    ("POST", "/returns", {}, Scope.RETURN),
    ("GET", "/webhooks", None, Scope.WEBHOOKS),
    ("POST", "/webhooks", {}, Scope.WEBHOOKS),
    ("DELETE", f"/webhooks/{ID}", None, Scope.WEBHOOKS),
    ("GET", f"/webhooks/{ID}/log", None, Scope.WEBHOOKS),
    ("POST", f"/webhooks/{ID}/resend", {}, Scope.WEBHOOKS),
    ("GET", f"/coupons/{ID}", None, Scope.COUPONS),
    ("POST", "/coupons/search", {}, Scope.COUPONS),
    ("GET", f"/accounts/{ID}/coupons", None, Scope.COUPONS),
    ("POST", "/coupon-redemptions", {}, Scope.COUPONS),
    ("POST", "/reward-redemptions", {}, Scope.REDEEM),
    ("GET", "/members/0123456789abcdef", None, Scope.MEMBERS_READ),
    ("POST", "/members/search", {}, Scope.MEMBERS_READ),
    ("GET", f"/accounts/{ID}/entries", None, Scope.MEMBERS_READ),
]


def fresh(number: int) -> bytes:
    return bytes(range(number))


class TestText:
    def test_a_key_is_recognised_and_holds_160_random_bits(self) -> None:
        made = make_key(fresh)
        assert made.text.startswith("cfk_") and len(made.text) == 4 + 16 + 40 + 8
        assert read_key(made.text) == made

    @pytest.mark.parametrize("place", [4, 20, 40, 60, 67])
    def test_a_mistyped_key_is_told_from_a_wrong_one(self, place: int) -> None:
        text = make_key(fresh).text
        letter = "0" if text[place] != "0" else "1"
        assert read_key(text[:place] + letter + text[place + 1 :]) is None

    @pytest.mark.parametrize(
        "change", [str.upper, lambda text: text + "\n", lambda text: " " + text]
    )
    def test_nothing_is_forgiven(self, change: Callable[[str], str]) -> None:
        assert read_key(change(make_key(fresh).text)) is None


class TestWho:
    def test_every_route_names_its_scope(self, app: APIFlask) -> None:
        routes = {
            rule.endpoint for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/pos/")
        }
        assert routes - door.OPEN == set(door.SCOPES)
        methods = {
            (method, rule.endpoint)
            for rule in app.url_map.iter_rules()
            if rule.rule.startswith("/api/pos/") and rule.endpoint not in door.OPEN
            for method in rule.methods or ()
            if method not in {"HEAD", "OPTIONS"}
        }
        assert len(methods) == len(ROUTES)

    @pytest.mark.parametrize(("method", "path", "body", "scope"), ROUTES)
    def test_a_route_needs_its_scope_and_no_other(
        self, shop: Any, method: str, path: str, body: Any, scope: Scope
    ) -> None:
        others = ShopSystem.at(shop, scopes=[each for each in Scope if each != scope])
        refused = others.ask(method, path, body)
        assert (refused.status_code, refused.json["code"]) == (403, "scope_missing")
        only = ShopSystem.at(shop, scopes=[scope])
        assert only.ask(method, path, body).status_code in {200, 404, 422}

    @pytest.mark.parametrize(("method", "path", "body", "scope"), ROUTES)
    def test_without_a_key_nothing_is_answered(
        self, shop: Any, method: str, path: str, body: Any, scope: Scope
    ) -> None:
        answer = shop.client.open(f"/api/pos/v1{path}", method=method, json=body)
        assert (answer.status_code, answer.json["code"]) == (401, "unknown_key")
        assert answer.headers["WWW-Authenticate"] == "Bearer"

    def test_a_till_token_is_no_api_key_and_an_api_key_no_till_token(
        self, shop: Any, system: ShopSystem
    ) -> None:
        theirs = shop.client.get(
            "/api/pos/v1/members/0123456789abcdef",
            headers={"Authorization": f"Bearer {shop.token}"},
        )
        ours = shop.client.get(
            "/api/till/v1/keys", headers={"Authorization": f"Bearer {system.key}"}
        )
        assert (theirs.status_code, ours.status_code) == (401, 401)

    def test_a_revoked_key_is_refused_at_once(self, shop: Any, system: ShopSystem) -> None:
        assert system.ask("POST", "/members/search", {"email": "a@b.cd"}).status_code == 200
        with shop.context.database.write(shop.programme_id) as session:
            key = session.get_one(ApiKey, system.key_id)
            keys.revoke(session, key, now=shop.context.clock())
        assert system.ask("POST", "/members/search", {"email": "a@b.cd"}).status_code == 401

    def test_a_rotated_key_is_another_text_of_the_same_key(
        self, shop: Any, system: ShopSystem
    ) -> None:
        card, id = shop.issue(), str(uuid.uuid4())
        body = {"card": card.code, "amount_minor": 1250, "currency": "EUR"}
        first = system.post("/accruals", body, id=id)
        old = system.key
        with shop.context.database.write(shop.programme_id) as session:
            system.key = keys.rotate(session, session.get_one(ApiKey, system.key_id))
        again = system.post("/accruals", body, id=id)
        assert (again.status_code, again.json) == (201, first.json)
        assert again.headers["Idempotent-Replay"] == "true"
        system.key = old
        assert system.post("/accruals", body, id=id).status_code == 401

    def test_hashes_are_compared_in_constant_time_also_where_there_is_no_such_key(
        self, system: ShopSystem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        compared: list[tuple[int, int]] = []

        def compare(given: bytes, kept: bytes) -> bool:
            compared.append((len(given), len(kept)))
            return hmac.compare_digest(given, kept)

        monkeypatch.setattr(keys, "hmac", SimpleNamespace(compare_digest=compare))
        right = system.key
        same_handle = make_key(
            lambda count: bytes.fromhex(right[4:20]) if count == 8 else bytes(20)
        )
        for wrong in (make_key(fresh).text, same_handle.text):
            system.key = wrong
            assert system.ask("POST", "/members/search", {"email": "a@b.cd"}).status_code == 401
        system.key = right
        assert system.ask("POST", "/members/search", {"email": "a@b.cd"}).status_code == 200
        assert compared == [(32, 32)] * 3

    def test_only_the_hash_is_kept(self, shop: Any, system: ShopSystem) -> None:
        with shop.context.database.read(shop.programme_id) as session:
            key = session.scalars(select(ApiKey)).one()
        kept = repr({name: getattr(key, name) for name in ApiKey.__table__.c.keys()})
        assert system.key[20:60] not in kept
        assert len(key.key_hash) == 32

    def test_wrong_keys_of_one_address_are_counted_and_right_ones_are_not(
        self, shop: Any, system: ShopSystem, clock: FixedClock
    ) -> None:
        right = system.key
        for number in range(keys.WRONG_KEYS + 2):
            system.key = make_key(lambda count, n=number: bytes([n] * count)).text
            answer = system.ask("POST", "/members/search", {"email": "a@b.cd"})
            assert answer.status_code == (401 if number < keys.WRONG_KEYS else 429)
        assert int(answer.headers["Retry-After"]) > 0
        system.key = right
        assert system.ask("POST", "/members/search", {"email": "a@b.cd"}).status_code == 200
        clock.advance(keys.WRONG_KEYS_WINDOW + timedelta(seconds=1))
        system.key = make_key(fresh).text
        assert system.ask("POST", "/members/search", {"email": "a@b.cd"}).status_code == 401

    def test_a_key_asks_so_often_and_then_waits(
        self, system: ShopSystem, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(door, "_rate", Rate(burst=3, per_second=0.5))
        codes = [system.ask("GET", f"/accounts/{ID}/entries").status_code for _ in range(4)]
        assert codes == [404, 404, 404, 429]
        clock.advance(timedelta(seconds=2))
        assert system.ask("GET", f"/accounts/{ID}/entries").status_code == 404

    def test_all_processes_together_let_a_key_through_so_often(
        self, shop: Any, system: ShopSystem, clock: FixedClock
    ) -> None:
        # Each counter is what one process of the service has.
        processes = [Rate(burst=40, per_second=2) for _ in range(3)]

        def let_through(tries: int) -> int:
            count = 0
            for number in range(tries):
                process = processes[number % 3]
                try:
                    process.take(
                        shop.context.database, shop.programme_id, system.key_id, now=clock()
                    )
                except TooMany as refused:
                    assert refused.retry_after_seconds >= 1
                else:
                    count += 1
            return count

        assert let_through(120) == 40
        assert let_through(3) == 0
        clock.advance(timedelta(seconds=5))
        assert let_through(60) == 10
        clock.advance(timedelta(hours=1))
        assert let_through(120) == 40

    def test_the_last_use_is_noted_once_a_minute(
        self, shop: Any, system: ShopSystem, clock: FixedClock
    ) -> None:
        def noted() -> Any:
            with shop.context.database.read(shop.programme_id) as session:
                return session.get_one(ApiKey, system.key_id).last_used_at

        assert noted() is None
        system.ask("GET", f"/accounts/{ID}/entries")
        first = noted()
        clock.advance(timedelta(seconds=30))
        system.ask("GET", f"/accounts/{ID}/entries")
        assert noted() == first == clock() - timedelta(seconds=30)
        clock.advance(timedelta(seconds=31))
        system.ask("GET", f"/accounts/{ID}/entries")
        assert noted() == clock()


class TestMaking:
    def test_a_name_is_taken_once_until_its_key_is_revoked(self, shop: Any) -> None:
        ShopSystem.at(shop, name="web")
        with pytest.raises(Conflict):
            ShopSystem.at(shop, name="web")
        with shop.context.database.write(shop.programme_id) as session:
            keys.revoke(session, keys.key_by_name(session, "web"), now=shop.context.clock())
        ShopSystem.at(shop, name="web")

    def test_an_unknown_scope_is_refused_with_those_there_are(self, shop: Any) -> None:
        with pytest.raises(Invalid, match="members:read"):
            ShopSystem.at(shop, scopes=["everything"])


def test_another_programme_s_things_are_not_there(open_shop: Callable[[], Any]) -> None:
    ours, theirs = open_shop(), open_shop()
    system = ShopSystem.at(ours)
    card = theirs.issue()
    posted = theirs.accrue(card, 5000, receipt="R-1").json["posting_id"]
    held = theirs.ask("POST", "/holds", theirs.posting(code=card.code, points=10)).json
    assert system.ask("GET", f"/members/{card.id}").status_code == 404
    assert system.ask("GET", f"/accounts/{card.account_id}/entries").status_code == 404
    assert system.post(f"/holds/{held['posting_id']}/capture", {}).status_code == 404
    assert system.post("/returns", {"posting_id": posted}).status_code == 404
    assert system.post("/returns", {"receipt": "R-1"}).status_code == 404
    body = {"card": card.id, "amount_minor": 100, "currency": "EUR"}
    assert system.post("/accruals", body).status_code == 404
    refused = system.accrue(card)
    assert (refused.status_code, refused.json["outcome"]) == (409, "other_programme")
    located = system.accrue(ours.issue(), location="elsewhere")
    assert located.status_code == 404
