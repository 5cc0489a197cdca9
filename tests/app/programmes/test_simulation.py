"""A simulation says to the point what a change would have given, and writes nothing."""

import random
import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.clock import FixedClock
from app.db import Database, enter
from app.errors import Invalid, NotFound
from app.ledger import service as ledger
from app.ledger.models import Account, Entry, Posting
from app.ledger.postings import Accrue, Circumstances, Line, Request, ReturnedLine, Reverse
from app.programmes import service
from app.programmes.earning import Sale
from app.programmes.pricing import price
from app.programmes.simulation import Plan, Scope, simulate
from app.programmes.terms import rulebook_of

DAY = timedelta(days=1)
TIERS = {"levels": [{"code": "gold", "at_least": 100, "multiplier": "2"}]}
RULES = [
    {"name": "Tuesday", "kind": "multiplier", "factor": "1.5", "weekdays": ["tue"]},
    {"name": "Cup", "kind": "item", "categories": ["coffee"], "role": "always",
     "gives": {"points": 1, "stamps": {"cup": 1}}},
    {"name": "Set", "kind": "basket", "contains": [{"categories": ["coffee"], "quantity": "2"}],
     "gives": {"points": 7}},
    {"name": "Often", "kind": "basket", "at_least": "1", "segments": ["often"],
     "gives": {"points": 3}},
    {"name": "Visit", "kind": "visit", "role": "always", "a_day": 1, "gives": {"points": 2}},
    {"name": "First", "kind": "basket", "at_least": "1", "first_purchase": True,
     "gives": {"points": 11}},
    {"name": "Hello", "kind": "basket", "at_least": "4", "once": "hello", "gives": {"points": 5}},
    {"name": "Harbour", "kind": "amount", "points": "3", "per_amount": "2",
     "locations": ["harbour"]},
]  # fmt: skip
CHANGE = {
    "rules": RULES,
    "segments": {"often": {"within_days": 5, "visits_at_least": 2, "spend_at_least": "8"}},
    "excluded_categories": ["tobacco"],
}


class Story:
    """A programme whose members buy and return, always the same things."""

    def __init__(
        self,
        database: Database,
        clock: FixedClock,
        settings: dict[str, Any],
        *,
        returns: bool = True,
    ) -> None:
        self.database, self.clock, self.returns = database, clock, returns
        clock.now = clock.now.replace(year=2026, month=6, day=1, hour=9, minute=0)
        with database.write_all() as session:
            made = service.create_programme(
                session,
                slug=f"p-{uuid.uuid4().hex[:8]}",
                name="P",
                now=clock(),
                settings=settings,
            )
            enter(session, made.id)
            self.id = made.id
            self.places = {
                slug: service.add_location(session, made.id, slug=slug, name=slug, now=clock()).id
                for slug in ("old-town", "harbour")
            }
            self.accounts = [ledger.open_account(session, now=clock()).id for _ in range(4)]
        self.play(random.Random(7))

    def play(self, chance: random.Random) -> None:
        sold: list[str] = []
        for _ in range(40):
            self.clock.now += timedelta(hours=chance.choice((1, 5, 20, 30)))
            lines = tuple(
                Line("x", chance.randrange(1, 1500), chance.randrange(1, 4), kind)
                for kind in chance.sample(["coffee", "bun", "tobacco", None], 2)
            )
            place = self.places[chance.choice(("old-town", "harbour"))]
            account_id = chance.choice(self.accounts)
            sold.append(self.buy(account_id, lines, place))
            if self.returns and chance.random() < 0.3:
                self.take_back(sold.pop(chance.randrange(len(sold))), chance)

    def buy(self, account_id: str, lines: tuple[Line, ...], place: str) -> str:
        now = self.clock()
        sale = Sale(sum(line.amount_minor for line in lines), "EUR", now, lines=lines)
        posting_id = str(uuid.uuid4())
        with self.database.write(self.id) as session:
            book = rulebook_of(session, self.id, now)
            priced = price(session, book, sale, now=now, location_id=place)
            ledger.post(
                session,
                Request(posting_id, "accrual", bytes(32)),
                Accrue(account_id, sale.amount_minor, "EUR", **priced.fields()),
                Circumstances(now, location_id=place),
                now=now,
                terms=book.terms(now),
            )
        return posting_id

    def take_back(self, posting_id: str, chance: random.Random) -> None:
        now = self.clock()
        how: dict[str, Any] = chance.choice(
            (
                {},
                {"amount_minor": 1},
                {"lines": (ReturnedLine(1, 1),)},
                {"lines": (ReturnedLine(2),)},
            )
        )
        with self.database.write(self.id) as session:
            terms = rulebook_of(session, self.id, now).terms(now)
            request = Request(str(uuid.uuid4()), "reversal", bytes(32))
            what = Reverse(posting_id, **how)
            ledger.post(session, request, what, Circumstances(now), now=now, terms=terms)

    def plan(self, change: Any, **facts: Any) -> Plan:
        return Plan(self.id, change, self.clock() - 100 * DAY, self.clock() + DAY, **facts)

    def points(self) -> int:
        with self.database.read(self.id) as session:
            return int(session.scalar(select(func.sum(Entry.points))) or 0)


def test_a_change_that_changes_nothing_costs_nothing(database: Database, clock: FixedClock) -> None:
    story = Story(database, clock, {"tiers": TIERS, **CHANGE})
    found = simulate(database, story.plan({}))
    assert (found.all.receipts, found.members) == (40, 4)
    assert found.all.change == 0
    assert (found.winners, found.losers) == (0, 0)
    assert found.things_before == found.things_after
    assert found.all.before == story.points()


def test_a_simulation_says_what_the_change_would_have_given(
    database: Database, clock: FixedClock
) -> None:
    plain = Story(database, clock, {"carry_remainder": True})
    found = simulate(database, plain.plan(CHANGE | {"carry_remainder": False}))
    really = Story(database, clock, CHANGE)
    assert found.all.after == really.points()
    assert found.won - found.lost == found.all.change == found.all.after - found.all.before
    assert sum(each.change for each in found.locations.values()) == found.all.change
    assert set(found.locations) == {"old-town", "harbour"}
    assert sum(found.rules.values()) == found.all.after
    assert found.things_after["stamps", "cup"] > 0
    assert sum(found.gains.values()) == found.winners


def test_nothing_is_written_and_two_processes_find_the_same(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story(database, clock, {"points": "2"})
    with database.read(story.id) as session:
        before = [session.scalar(select(func.count()).select_from(t)) for t in (Entry, Posting)]
        versions = session.scalars(select(Account.version)).all()
    alone = simulate(database, story.plan(CHANGE), processes=1)
    monkeypatch.setattr("app.programmes.simulation.running._WORTH_SHARING", 0)
    told: list[tuple[int, int]] = []
    shared = simulate(
        database, story.plan(CHANGE), processes=2, progress=lambda *each: told.append(each)
    )
    assert shared.as_json() == alone.as_json()
    assert told[0] == (0, 40)
    assert told[-1] == (40, 40)
    with database.read(story.id) as session:
        after = [session.scalar(select(func.count()).select_from(t)) for t in (Entry, Posting)]
        assert session.scalars(select(Account.version)).all() == versions
    assert after == before


def test_a_pilot_is_simulated_where_it_would_hold(database: Database, clock: FixedClock) -> None:
    story = Story(database, clock, {})
    scope = Scope(locations=frozenset({"harbour"}))
    found = simulate(database, story.plan({"points": "3"}, scope=scope))
    assert found.locations["old-town"].change == 0
    assert found.locations["harbour"].after > 2 * found.locations["harbour"].before > 0
    with pytest.raises(NotFound):
        simulate(database, story.plan({"points": "3"}, scope=Scope(frozenset({"nowhere"}))))
    with pytest.raises(Invalid):
        simulate(database, story.plan({"points": "x"}))


def test_a_simulation_counts_the_next_best_promotion_after_returns(
    database: Database, clock: FixedClock
) -> None:
    story = Story(database, clock, {**CHANGE, "stacking": "best"})
    found = simulate(database, story.plan({}))
    assert found.all.change == 0
    assert found.all.before == story.points()
