"""A draw is held step by step, and what was published of it cannot be made to lie."""

import copy
import itertools
import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.benefits import service as benefits
from app.cards.service import create_signing_key, issue_card
from app.context import Context
from app.db import enter
from app.draws import checking, service
from app.draws.models import PrizeDraw, PrizeDrawHolder
from app.errors import Conflict, Invalid, NotFound
from app.ledger import service as ledger
from app.ledger.postings import Accrue, Circumstances, Given, Request, Reverse, Value, fingerprint
from app.programmes.giving import RuledPromises
from app.programmes.service import create_programme
from app.programmes.terms import rulebook_of

TERMS: dict[str, Any] = {
    "code": "summer",
    "title": "Summer draw",
    "prizes": [
        {"code": "bike", "name": "A bicycle", "count": 1},
        {"code": "book", "name": "A book", "count": 2},
    ],
    "one_prize_each": True,
    "closes_at": "2026-06-10T00:00:00+00:00",
    "public_value": "Viking Lotto of 10 June 2026, the numbers rising, with blanks",
    "public_value_known_from": "2026-06-10T18:00:00+00:00",
}
VALUE = "3 8 17 22 31 40"


class Hall:
    """A programme with a draw, and members who buy."""

    def __init__(self, context: Context, slug: str) -> None:
        self.context = context
        now = context.clock()
        with context.database.write_all() as session:
            programme = create_programme(session, slug=slug, name="Kaffa", now=now)
            enter(session, programme.id)
            create_signing_key(session, context.keys, programme.id, now=now)
        self.programme_id = programme.id

    def step(self, what: Callable[..., Any], *more: Any) -> Any:
        with self.context.database.write(self.programme_id) as session:
            return what(session, self.context.keys, "summer", *more, now=self.context.clock())

    def add(self, **changes: Any) -> None:
        with self.context.database.write(self.programme_id) as session:
            service.add(session, TERMS | changes, now=self.context.clock())

    def join(self) -> str:
        now = self.context.clock()
        with self.context.database.write(self.programme_id) as session:
            account = ledger.open_account(session, now=now)
            issue_card(
                session, self.context.keys, self.programme_id, account_id=account.id, now=now
            )
            return account.id

    def post(self, operation: Any) -> str:
        now = self.context.clock()
        with self.context.database.write(self.programme_id) as session:
            book = rulebook_of(session, self.programme_id, now)
            posting_id = str(uuid.uuid4())
            mark = fingerprint(self.programme_id, None, "test", {})
            benefits.post(
                session,
                Request(posting_id, "test", mark),
                operation,
                Circumstances(now),
                RuledPromises(book, now),
                now=now,
                terms=book.terms(now),
            )
            return posting_id

    def buy(self, account_id: str, tickets: int) -> str:
        given = (Given("tickets", "summer", tickets, "a ticket a coffee"),)
        value = Value(1, self.context.clock(), given=given)
        return self.post(Accrue(account_id, 100, "EUR", value))

    def document(self) -> dict[str, Any]:
        with self.context.database.read(self.programme_id) as session:
            found = service.document(session, service.by_code(session, "summer"))
            return dict(json.loads(json.dumps(found)))

    def wait(self, **time: int) -> None:
        self.context.clock.advance(timedelta(**time))  # type: ignore[attr-defined]


@pytest.fixture
def open_hall(context: Context) -> Callable[[], Hall]:
    numbers = itertools.count(1)
    return lambda: Hall(context, f"hall-{next(numbers)}")


@pytest.fixture
def hall(open_hall: Callable[[], Hall]) -> Hall:
    return open_hall()


@pytest.fixture
def drawn(hall: Hall) -> tuple[Hall, dict[str, dict[str, Any]]]:
    """A draw from its terms to its winners, with each file that was published."""
    hall.add()
    hall.step(service.publish)
    published = {"first": hall.document()}
    for tickets in (1, 2, 3, 4, 5):
        hall.buy(hall.join(), tickets)
    hall.wait(days=9)
    hall.step(service.close)
    published["second"] = hall.document()
    hall.wait(days=1)
    hall.step(service.hold, VALUE)
    published["last"] = hall.document()
    return hall, published


def verdict(document: dict[str, Any], *earlier: dict[str, Any]) -> bool:
    found = checking.check(document, [("earlier", each) for each in earlier])
    return all(each.holds is not False for each in found)


def test_a_draw_from_terms_to_winners_holds(
    drawn: tuple[Hall, dict[str, dict[str, Any]]],
) -> None:
    hall, published = drawn
    last = published["last"]
    assert [each["prize"] for each in last["drawn"]["winners"]] == ["bike", "book", "book"]
    assert last["closed"]["tickets"] == 15
    assert verdict(last, published["first"], published["second"])
    assert all(verdict(each) for each in published.values())
    told = [each.text for each in checking.check(last)]
    assert "The winners follow from seed, list and value: 3 winners." in told
    assert any(
        "Look up yourself whether '3 8 17 22 31 40' is: Viking Lotto" in each for each in told
    )
    # The seed is not in anything that was published before.
    assert last["drawn"]["seed"] not in json.dumps([published["first"], published["second"]])
    # Nor is anybody's account, at any time.
    with hall.context.database.read(hall.programme_id) as session:
        for row in session.scalars(select(PrizeDrawHolder)):
            assert row.account_id not in json.dumps(last)
            assert row.pseudonym in last["closed"]["list"]


def test_whatever_is_changed_afterwards_is_found_out(
    drawn: tuple[Hall, dict[str, dict[str, Any]]],
) -> None:
    _, published = drawn
    last = published["last"]

    def forged(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        other = copy.deepcopy(last)
        change(other)
        return other

    winners = last["drawn"]["winners"]
    lines = last["closed"]["list"].splitlines(keepends=True)
    forgeries: list[Callable[[dict[str, Any]], Any]] = [
        lambda it: it["drawn"].update(seed="00" * 32),
        lambda it: it["drawn"]["winners"].reverse(),
        lambda it: it["drawn"]["winners"].pop(),
        lambda it: it["drawn"].update(winners=None),
        lambda it: it["drawn"]["winners"][0].update(pseudonym="a" * 32),
        lambda it: it["closed"].update(list="".join(lines[1:])),
        lambda it: it["closed"].update(list=""),
        lambda it: it["closed"].update(tickets=16),
        lambda it: it.pop("closed"),
        lambda it: it["terms"].update(title="Another"),
        lambda it: it["terms"]["prizes"][0].update(count=2),
        lambda it: it["terms"].update(public_value_known_from="2026-06-01T00:00:00+00:00"),
        lambda it: it.update(seed_sha256="0" * 64),
        lambda it: it.update(seed_sha256=None),
        lambda it: it.update(drawn={"seed": 5}),
    ]
    assert len(winners) == 3
    for number, change in enumerate(forgeries):
        assert not verdict(forged(change)), number


def test_another_public_value_is_found_out_by_the_winners(
    drawn: tuple[Hall, dict[str, dict[str, Any]]],
) -> None:
    _, published = drawn
    others = [copy.deepcopy(published["last"]) for _ in range(20)]
    for number, other in enumerate(others):
        other["drawn"]["public_value"] = f"1 2 3 4 5 {number}"
    # By chance one value in sixty draws the same three of five holders.
    assert sum(verdict(other) for other in others) < 5


def test_a_file_that_agrees_with_itself_but_not_with_what_was_published_is_found_out(
    open_hall: Callable[[], Hall], drawn: tuple[Hall, dict[str, dict[str, Any]]]
) -> None:
    hall, published = drawn
    other = open_hall()
    other.context.clock.advance(-timedelta(days=10))  # type: ignore[attr-defined]
    other.add()
    other.step(service.publish)
    other.buy(other.join(), 3)
    other.wait(days=10)
    other.step(service.close)
    other.step(service.hold, VALUE)
    last = other.document()
    assert verdict(last)
    assert not verdict(last, published["first"])
    assert not verdict(last, published["second"])
    assert hall.programme_id != other.programme_id


def test_a_return_takes_tickets_back_until_the_list_is_closed(hall: Hall) -> None:
    hall.add()
    hall.step(service.publish)
    one, two = hall.join(), hall.join()
    back = hall.buy(one, 3)
    hall.buy(one, 2)
    kept = hall.buy(two, 4)
    hall.post(Reverse(back))
    hall.wait(days=9)
    # Bought after the hour that was published, before somebody closed the list.
    hall.buy(two, 50)
    draw = hall.step(service.close)
    assert (draw.holders, draw.tickets) == (2, 6)
    hall.post(Reverse(kept))
    hall.wait(days=1)
    hall.step(service.hold, VALUE)
    assert hall.document()["closed"]["tickets"] == 6


def test_the_seed_comes_before_the_first_ticket(hall: Hall) -> None:
    hall.add()
    hall.buy(hall.join(), 1)
    with pytest.raises(Conflict, match="proves nothing"):
        hall.step(service.publish)


def test_the_steps_are_made_in_their_order_and_time_and_once(hall: Hall) -> None:
    with pytest.raises(NotFound):
        hall.step(service.publish)
    hall.add()
    hall.add(title="Corrected")
    with pytest.raises(Conflict, match="Publish it first"):
        hall.step(service.close)
    first = hall.step(service.publish).seed_sha256
    assert hall.step(service.publish).seed_sha256 == first
    with pytest.raises(Conflict, match="its terms stay"):
        hall.add(title="Corrected again")
    with pytest.raises(Conflict, match="as was published"):
        hall.step(service.close)
    with pytest.raises(Conflict, match="Close the list first"):
        hall.step(service.hold, VALUE)
    hall.buy(hall.join(), 1)
    hall.wait(days=9)
    closed = hall.step(service.close).list_sha256
    assert hall.step(service.close).list_sha256 == closed
    with pytest.raises(Conflict, match="Nobody can know the value"):
        hall.step(service.hold, VALUE)
    hall.wait(days=1)
    hall.step(service.hold, VALUE)
    hall.step(service.hold, f"  {VALUE} ")
    with pytest.raises(Conflict, match="another value"):
        hall.step(service.hold, "1 2 3")


def test_a_value_that_could_be_known_before_closing_is_refused(hall: Hall) -> None:
    with pytest.raises(Invalid) as caught:
        hall.add(public_value_known_from="2026-06-09T00:00:00+00:00")
    assert "Somebody could know it" in str(caught.value.fields)
    with pytest.raises(Invalid):
        hall.add(prizes=[])
    with pytest.raises(Invalid):
        hall.add(code="No Blanks")


def test_a_draw_without_tickets_has_no_winners(hall: Hall) -> None:
    hall.add()
    hall.step(service.publish)
    hall.wait(days=10)
    hall.step(service.close)
    hall.step(service.hold, VALUE)
    last = hall.document()
    assert last["drawn"]["winners"] == []
    assert verdict(last)


def test_the_seed_stands_nowhere_in_the_clear_before_the_draw(hall: Hall) -> None:
    hall.add()
    draw = hall.step(service.publish)
    with hall.context.database.read(hall.programme_id) as session:
        row = session.scalars(select(PrizeDraw)).one()
        assert row.revealed_seed is None
        assert row.seed is not None
        seed = hall.context.keys.open_sealed(
            row.seed, context=f"prize_draws/{draw.id}/seed".encode()
        )
        assert seed not in row.seed


def test_another_programme_sees_nothing_of_it(open_hall: Callable[[], Hall]) -> None:
    one, two = open_hall(), open_hall()
    one.add()
    with pytest.raises(NotFound):
        two.step(service.publish)
