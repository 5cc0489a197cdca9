"""The sums follow the ledger whatever happens in it; and made anew, they are the same."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.clock import FixedClock
from app.db import Database
from app.errors import CounterfoilError
from app.insight import folding, reading
from app.insight.models import InsightMark
from app.insight.periods import Period
from app.insight.rules import ASKED_DAYS
from app.insight.tiers import tiers
from app.ledger.models import Account
from app.ledger.postings import (
    Accrue,
    Circumstances,
    Merge,
    Operation,
    Reverse,
    Terms,
    Unmerge,
    Value,
)
from app.ledger.rules import ReturnPolicy
from app.ledger.service import post
from app.ledger.tiers import Level, TierScheme
from tests.app.insight import naive
from tests.app.ledger.bench import Bench
from tests.conftest import START

HERE, THERE = (f"0196aaaa-0000-7000-8000-00000000000{n}" for n in (1, 2))
DAY = timedelta(days=1)
SCHEME = TierScheme((Level("silver", 5), Level("gold", 12)))

Nudge = tuple[str, datetime]
_databases: dict[str, Database] = {}
_started: dict[str, datetime] = {}
_nudges: dict[str, list[Nudge]] = {}


class Life:
    """A shop whose members come, bring back, spend, merge and are asked to come; at random."""

    def __init__(self, database: Database) -> None:
        # Time goes on from one example to the next, as it does everywhere.
        _started[database.url] = _started.get(database.url, START) + 500 * DAY
        self.database, self.clock = database, FixedClock(_started[database.url])
        self.bench = Bench(database, self.clock)
        self.bench.terms = Terms(tiers=SCHEME)
        self.accounts = [self.bench.account() for _ in range(3)]
        self.sales: list[str] = []
        self.others: list[str] = []
        #: Those of all examples: what is made anew is made anew for every programme.
        self.nudges = _nudges.setdefault(database.url, [])

    def nudged(self, session: Session, ids: Sequence[str], since: datetime) -> list[Nudge]:
        return [each for each in self.nudges if each[0] in ids and each[1] >= since]

    def step(self, limit: int) -> int:
        with self.database.write_all() as session:
            return folding.step(session, self.clock.now, limit, [self.nudged])

    def follow(self) -> None:
        """Fold in everything; on PostgreSQL a number is sure only in the step after it was seen."""
        self.clock.advance(timedelta(minutes=11))
        for _ in range(3):
            while self.step(100):
                pass

    def post(self, operation: Operation, *, ago: int = 0, location_id: str = HERE) -> str:
        at = Circumstances(self.clock.now - ago * DAY, late=ago > 0, location_id=location_id)
        with self.database.write(self.bench.programme_id) as session:
            done = post(
                session,
                self.bench.request(operation),
                operation,
                at,
                now=self.clock.now,
                terms=self.bench.terms,
            )
        return str(done.answer["posting_id"])

    def do(self, what: int, who: int, much: int) -> None:
        """One thing, chosen by numbers; what the ledger refuses does not happen."""
        account, self.clock.now = self.accounts[who % 3], self.clock.now + timedelta(hours=much % 5)
        kept = {"return_policy": ReturnPolicy.ALLOW_DEBT}
        try:
            match what:
                case 0 | 1 | 2 | 3:
                    value = Value(much % 7, self.clock.now)
                    amount = 0 if much % 11 == 0 else much * 10
                    sale = Accrue(account, amount, "EUR", value)
                    ago = (0, 0, 1, 13)[what]
                    self.sales.append(self.post(sale, ago=ago, location_id=(HERE, THERE)[much % 2]))
                case 4:
                    part = None if much % 2 else 10 * (1 + much % 4)
                    self.others.append(
                        self.post(Reverse(self._one(self.sales, much), amount_minor=part, **kept))
                    )
                case 5:
                    self.others.append(self.post(Reverse(self._one(self.others, much), **kept)))
                case 6:
                    self.others.append(self.bench.spend(account, 1 + much % 5))
                case 7:
                    self.others.append(self.bench.adjust(account, much % 9 - 4 or 1))
                case 8:
                    other = self.accounts[(who + 1 + much % 2) % 3]
                    self.others.append(self.post(Merge(other, account)))
                case 9:
                    self.post(Unmerge(self._one(self.others, much)))
                case 10:
                    self.nudges.append((account, self.clock.now))
                case 11:
                    self.clock.advance(DAY * (much % 40))
                case _:
                    self.step(1 + much % 6)
        except (CounterfoilError, IndexError):
            return

    @staticmethod
    def _one(of: list[str], much: int) -> str:
        return of[much % len(of)] if of else of[0]


def check_measures(life: Life) -> None:
    """What is read of the sums is what counting by hand gives, for any days."""
    with life.database.read(life.bench.programme_id) as session:
        by_hand = naive.visits(session)
        points = naive.points(session)
        balance = session.scalar(select(func.sum(Account.balance)))
        days = sorted({day for _, day, *_ in by_hand}) or [life.clock.now.date()]
        asked = naive.unasked(by_hand, life.nudges, timedelta(days=ASKED_DAYS))
        for first in days[:: max(1, len(days) // 4)]:
            for until in days[:: max(1, len(days) // 4)]:
                if first <= until:
                    period = Period(first, until + DAY)
                    found = reading.figures(session, life.bench.programme_id, period)
                    of_days = [each for each in by_hand if first <= each[1] <= until]
                    assert (found.came, found.came_again) == naive.came(by_hand, first, until + DAY)
                    assert found.came_unasked == naive.came(asked, first, until + DAY)[1]
                    assert found.visits == len(of_days)
                    assert found.spend_minor == sum(each[4] for each in of_days)
                    for piece in reading.pieces(session, life.bench.programme_id, period):
                        of_piece = naive.came(by_hand, piece.period.first, piece.period.until)
                        assert piece.came == of_piece[0]
                    there = [each for each in by_hand if each[3] == THERE]
                    at = reading.figures(session, life.bench.programme_id, period, THERE)
                    assert (at.came, at.came_again) == naive.came(there, first, until + DAY)
        ever = reading.figures(
            session, life.bench.programme_id, Period(days[0] - 60 * DAY, days[-1] + 800 * DAY)
        )
        assert (ever.issued, ever.spent, ever.expired) == (
            points["issued"],
            points["spent"],
            points["expired"],
        )
        assert ever.outstanding == balance == points["all"]
        held = session.execute(
            select(Account.tier, func.count())
            .where(Account.tier.is_not(None), Account.merged_into_id.is_(None))
            .group_by(Account.tier)
        )
        until = life.clock.now.date() + 2 * DAY
        found_tiers = tiers(
            session, life.bench.programme_id, Period(until - DAY, until), "Europe/Riga"
        )
        assert found_tiers.after == {tier: members for tier, members in held}


#: Without explaining: that takes longer than all the rest.
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
_things = st.lists(
    st.tuples(st.integers(0, 13), st.integers(0, 2), st.integers(0, 60)), min_size=4, max_size=30
)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@given(things=_things)
@settings(
    max_examples=12,
    deadline=None,
    phases=_PHASES,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_sums_that_followed_the_ledger_are_those_made_anew(
    kind: str, things: list[tuple[int, int, int]], module_database_urls: Callable[[str], str]
) -> None:
    if kind not in _databases:
        _databases[kind] = Database(module_database_urls(kind))
    database = _databases[kind]
    life = Life(database)
    for thing in things:
        life.do(*thing)
    life.follow()
    with database.read_all() as session:
        followed = naive.rows(session)
    check_measures(life)
    with database.write_all() as session:
        folding.forget(session)
    life.follow()
    with database.read_all() as session:
        assert naive.rows(session) == followed


def test_an_entry_that_commits_late_is_not_passed_over(
    module_database_urls: Callable[[str], str],
) -> None:
    """On PostgreSQL number 1 may be seen after number 2; nothing is folded in before it is."""
    database = Database(module_database_urls("postgresql"))
    life = Life(database)
    slow, quick = life.accounts[:2]
    programme_id = life.bench.programme_id
    with database.write(programme_id) as session:
        operation = Accrue(slow, 500, "EUR", Value(5, life.clock.now))
        post(
            session,
            life.bench.request(operation),
            operation,
            Circumstances(life.clock.now),
            now=life.clock.now,
            terms=life.bench.terms,
        )
        session.flush()
        life.bench.earn(quick, 7)
        for _ in range(4):
            life.step(100)
        assert _issued(life) == 0, "what might be passed over was folded in"
    life.follow()
    assert _issued(life) == 12
    with database.read_all() as session:
        assert reading.standing(session).complete_until == life.clock.now
    # Brought back in another cluster, whose transactions count from the beginning.
    with database.write_all() as session:
        session.execute(update(InsightMark).values(seen_in=10**15))
    life.bench.earn(quick, 7)
    life.follow()
    assert _issued(life) == 19
    database.dispose()


def _issued(life: Life) -> int:
    day = life.clock.now.date()
    with life.database.read(life.bench.programme_id) as session:
        period = Period(day - DAY, day + 2 * DAY)
        return reading.figures(session, life.bench.programme_id, period).issued


def test_a_step_that_is_lost_is_done_again_and_two_at_once_do_it_once(database: Database) -> None:
    life = Life(database)
    for _ in range(3):
        life.bench.earn(life.accounts[0], 10)
    with pytest.raises(ZeroDivisionError), database.write_all() as session:
        folding.step(session, life.clock.now)
        raise ZeroDivisionError
    if not database.is_sqlite:
        life.step(1)
        with database.write_all() as one, database.write_all() as other:
            assert folding.step(one, life.clock.now) > 0
            assert folding.step(other, life.clock.now) == 0
    life.follow()
    assert _issued(life) == 30
    with database.read(life.bench.programme_id) as session:
        day = life.clock.now.date()
        found = reading.figures(session, life.bench.programme_id, Period(day - DAY, day + 2 * DAY))
    assert (found.visits, found.spend_minor, found.came, found.average_minor) == (3, 3000, 1, 1000)


def test_members_that_joined_years_ago_are_counted_once_they_are_imported(
    database: Database,
) -> None:
    life = Life(database)
    programme_id, now = life.bench.programme_id, life.clock.now
    life.follow()
    with database.write(programme_id) as session:
        for years in (1, 2):
            session.add(Account(changed_at=now, created_at=now - 365 * years * DAY))
    merged = life.post(Merge(life.accounts[1], life.accounts[0]))
    life.follow()

    def members(ago: int) -> tuple[int, int, int]:
        day = (now - ago * DAY).date()
        with database.read(programme_id) as session:
            found = reading.figures(session, programme_id, Period(day, day + 3 * DAY))
        return found.members, found.joined, found.departed

    assert members(731) == (1, 1, 0)
    assert members(366) == (2, 1, 0)
    assert members(1) == (4, 3, 1)
    life.post(Unmerge(merged))
    life.follow()
    assert members(1) == (5, 3, 0)


def test_money_of_another_country_is_added_up_in_our_own(database: Database) -> None:
    life = Life(database)
    for amount, currency, rate in (
        (1000, "USD", "0.915"),
        (300, "JPY", "0.0061"),
        (100, "EUR", None),
    ):
        life.post(
            Accrue(
                life.accounts[0],
                amount,
                currency,
                Value(1, life.clock.now),
                exchange_rate=None if rate is None else Decimal(rate),
                exchange_source=None if rate is None else "the bank",
            )
        )
    life.follow()
    day = life.clock.now.date()
    with database.read(life.bench.programme_id) as session:
        found = reading.figures(session, life.bench.programme_id, Period(day - DAY, day + 2 * DAY))
    # 9.15 + 1.83 + 1.00
    assert found.spend_minor == 1198
    assert found.average_minor == 399
