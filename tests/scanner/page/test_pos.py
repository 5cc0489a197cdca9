"""The shop's own POS tells the amount and follows what happens."""

import json
import stat
import threading
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any

import pytest


def signed_in(till: Any) -> None:
    assert till.page("sign-in", name="Anna", pin="271828")["stage"] == "waiting"


class Follower:
    """Follows GET /events in a thread of its own."""

    def __init__(self, till: Any, last: str | None = None) -> None:
        self._connection = HTTPConnection("127.0.0.1", till.guard.port, timeout=20)
        headers = till.pos_headers | ({"Last-Event-ID": last} if last else {})
        self._connection.request("GET", "/events", headers=headers)
        self._response = self._connection.getresponse()
        assert self._response.status == 200

    def next(self) -> tuple[int, str, dict[str, Any]]:
        event: dict[str, str] = {}
        while True:
            line = self._response.readline().decode().rstrip("\n")
            if not line and "data" in event:
                return int(event["id"]), event["event"], json.loads(event["data"])
            name, _, value = line.partition(": ")
            event[name] = value

    def close(self) -> None:
        self._connection.close()


def test_the_token_is_in_a_file_for_its_owner_alone(till: Any) -> None:
    assert stat.S_IMODE((till.folder / "pos-token").stat().st_mode) == 0o600
    assert till.request("GET", "/sale", headers=till.pos_headers).status == 200
    assert till.request("GET", "/sale").status == 401
    wrong = {"Authorization": "Bearer " + "x" * 43}
    assert till.request("POST", "/sale", {"amount_minor": 1}, wrong).status == 401


def test_a_web_page_cannot_use_it_even_with_the_token(till: Any) -> None:
    for header in ({"Origin": "http://127.0.0.1:1"}, {"Sec-Fetch-Site": "none"}):
        headers = till.pos_headers | header
        assert till.request("POST", "/sale", {"amount_minor": 1}, headers).status == 403


@pytest.mark.parametrize("before", [True, False])
def test_an_amount_before_or_after_the_scan_becomes_points(
    till: Any, service: Any, make_card: Callable[..., str], before: bool
) -> None:
    signed_in(till)
    follower = Follower(till)
    sale = {
        "amount_minor": 1250,
        "receipt": "R-1",
        "at_once": True,
        "lines": [{"item": "Tea", "quantity": 1, "amount_minor": 1250}],
    }
    if before:
        assert till.request("POST", "/sale", sale, till.pos_headers).status == 202
        till.page("code", text=make_card())
    else:
        till.page("code", text=make_card())
        assert till.request("POST", "/sale", sale, till.pos_headers).status == 202
    names = [follower.next() for _ in range(3)]
    assert {name for _, name, _ in names} == {"sale", "card", "posted"}
    posted = next(data for _, name, data in names if name == "posted")
    assert (posted["points"], posted["receipt"], posted["queued"]) == (12, "R-1", False)
    assert [body["lines"][0]["item"] for _, body, _ in service.postings.values()] == ["Tea"]
    follower.close()


def test_without_at_once_the_cashier_presses_the_button(
    till: Any, service: Any, make_card: Callable[..., str]
) -> None:
    signed_in(till)
    till.request("POST", "/sale", {"amount_minor": 990}, till.pos_headers)
    view = till.page("code", text=make_card())
    assert view["stage"] == "card" and view["sale"]["amount_minor"] == 990
    assert service.postings == {}
    view = till.page("give", card=view["card"]["number"], amount="9.90", receipt="")
    assert view["stage"] == "done" and view["done"]["told"] == "given"


def test_a_sale_can_be_withdrawn(till: Any) -> None:
    till.request("POST", "/sale", {"amount_minor": 990}, till.pos_headers)
    answer = till.request("DELETE", "/sale", headers=till.pos_headers)
    assert answer.json["sale"]["amount_minor"] is None


def test_who_comes_back_gets_the_events_since(till: Any) -> None:
    first = Follower(till)
    for amount in (100, 200, 300):
        till.request("POST", "/sale", {"amount_minor": amount}, till.pos_headers)
    number, _, data = first.next()
    assert data["amount_minor"] == 100
    first.close()
    again = Follower(till, last=str(number))
    assert [again.next()[2]["amount_minor"] for _ in range(2)] == [200, 300]
    again.close()


def test_no_name_is_told_to_the_pos(till: Any, make_card: Callable[..., str]) -> None:
    signed_in(till)
    follower = Follower(till)
    till.page("code", text=make_card())
    _, name, data = follower.next()
    assert name == "card" and "Ada" not in json.dumps(data)
    follower.close()


NONSENSE: list[Any] = [
    None, [], {}, {"amount_minor": 0}, {"amount_minor": -5}, {"amount_minor": 1.5},
    {"amount_minor": True}, {"amount_minor": "12"}, {"amount_minor": 10**12},
    {"amount_minor": 5, "receipt": ""}, {"amount_minor": 5, "receipt": "x" * 65},
    {"amount_minor": 5, "receipt": "a\nb"}, {"amount_minor": 5, "at_once": "yes"},
    {"amount_minor": 5, "lines": [{}]}, {"amount_minor": 5, "lines": [{"item": "x"}] * 501},
    {"amount_minor": 5, "other": 1},
]  # fmt: skip


def test_a_sale_that_makes_no_sense_is_refused_in_words(till: Any) -> None:
    for body in NONSENSE:
        answer = till.request("POST", "/sale", body, till.pos_headers)
        assert answer.status == 422 and answer.json["message"].endswith("."), body


def test_many_may_follow_and_the_oldest_makes_room(till: Any) -> None:
    followers = [Follower(till) for _ in range(14)]
    till.request("POST", "/sale", {"amount_minor": 100}, till.pos_headers)
    told = [threading.Thread(target=each.next, daemon=True) for each in followers[-12:]]
    for each in told:
        each.start()
    for each in told:
        each.join(timeout=10)
        assert not each.is_alive()
    for each in followers:
        each.close()
