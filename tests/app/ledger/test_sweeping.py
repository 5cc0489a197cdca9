"""Settling many accounts at once writes what settling them one by one writes, row for row.

SQLite settles page by page and PostgreSQL in bulk; both live through the same years here.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.clock import FixedClock
from app.db import Database, within
from app.ledger._sweeping import settle_plain
from app.ledger.models import Account, Draw, EarningDay, Entry, Lot, TierChange
from app.ledger.postings import Terms
from app.ledger.tiers import Downgrade, Level, Measure, TierScheme, Window

DAY = timedelta(days=1)
ACCOUNTS = 24
LEVELS = (Level("bronze", 60), Level("silver", 120), Level("gold", 200))
SCHEMES = {
    "none": None,
    "points": TierScheme(LEVELS),
    "money": TierScheme(
        tuple(Level(level.code, level.at_least * 100) for level in LEVELS), Measure.SPEND
    ),
    "grace": TierScheme(LEVELS, grace_days=40),
    "steps": TierScheme(LEVELS, downgrade=Downgrade.ONE_STEP),
    "anniversary": TierScheme(LEVELS, window=Window.ANNIVERSARY),
    "rolling": TierScheme(LEVELS, window=Window.ROLLING, grace_days=20),
}


class Life:
    """The same years with the same chances, in one database."""

    def __init__(self, bench: Any, scheme: TierScheme | None) -> None:
        self.bench, self.clock = bench, bench.clock
        self.chance = random.Random(11)
        self.clock.now = datetime(2024, 3, 1, 9, tzinfo=UTC)
        bench.terms = Terms("Europe/Riga", scheme)
        self.accounts = [bench.account() for _ in range(ACCOUNTS)]
        self.holding: list[str] = []

    def live(self, until: datetime) -> None:
        """Let members earn and spend until then, with nobody sweeping."""
        chance, bench = self.chance, self.bench
        while self.clock.now < until:
            for account_id in chance.sample(self.accounts, 3):
                points = chance.randrange(5, 80)
                lasts = chance.choice([30, 30, 200, 400, None])
                pending = chance.random() < 0.1
                posting = bench.earn(
                    account_id,
                    points,
                    expires_at=lasts and self._midnight(lasts),
                    available_from=self.clock.now + 20 * DAY if pending else self.clock.now,
                )
                if chance.random() < 0.2:
                    bench.reverse(posting, amount_minor=points * 50)
                if chance.random() < 0.2 and bench.standing(account_id).available > 8:
                    bench.spend(account_id, 8)
                if chance.random() < 0.05 and bench.terms.tiers is not None:
                    bench.lift(account_id, "gold", self.clock.now + 70 * DAY)
            self.clock.advance(21 * DAY)
        self.clock.now = until

    def _midnight(self, days: int) -> datetime:
        return datetime.combine(self.clock.now.date(), datetime.min.time(), UTC) + days * DAY

    def hold(self) -> None:
        for account_id in self.accounts[:4]:
            if self.bench.standing(account_id).available > 3:
                self.bench.hold(account_id, 3, expires_at=self.clock.now + DAY)

    def told(self) -> dict[str, Any]:
        """Everything that was written, in words that are the same in both databases."""
        with self.bench.database.read_all() as session:
            entries = {entry.id: entry for entry in session.scalars(select(Entry))}
            lots = {lot.id: lot for lot in session.scalars(select(Lot).order_by(Lot.sequence))}
            number = {lot_id: place for place, lot_id in enumerate(lots)}
            draws = list(session.scalars(select(Draw).order_by(Draw.sequence)))
            changes = list(session.scalars(select(TierChange).order_by(TierChange.sequence)))
            days = list(session.scalars(select(EarningDay)))
            accounts = {account.id: account for account in session.scalars(select(Account))}
        unsaid = {"id", "sequence", "account_id", "programme_id", "posting_id", "receipt_id"}
        unsaid |= {"entry_id", "lot_id", "reverses_id", "origin_lot_id", "merged_into_id"}

        def plain(row: Any) -> dict[str, Any]:
            names = [column.key for column in row.__table__.columns]
            return {name: getattr(row, name) for name in names if name not in unsaid}

        return {
            f"account {place}": {
                "row": plain(accounts[id_]),
                "lots": [plain(lot) for lot in lots.values() if lot.account_id == id_],
                "entries": [
                    plain(entry)
                    for entry in sorted(entries.values(), key=lambda each: each.sequence)
                    if entry.account_id == id_
                ],
                "draws": [
                    (plain(draw), plain(entries[draw.entry_id]), number.get(draw.lot_id or ""))
                    for draw in draws
                    if draw.account_id == id_
                ],
                "tiers": [plain(each) for each in changes if each.account_id == id_],
                "days": sorted(
                    (day.day, day.points, day.spend_minor) for day in days if day.account_id == id_
                ),
            }
            for place, id_ in enumerate(self.accounts)
        }


@pytest.mark.parametrize("scheme", SCHEMES)
def test_many_at_once_are_settled_like_one_by_one(
    scheme: str, database_urls: Callable[[str], str], make_bench: Any
) -> None:
    lives = []
    for kind in ("sqlite", "postgresql"):
        database = Database(database_urls(kind))
        lives.append(Life(make_bench(database, FixedClock(datetime.now(UTC))), SCHEMES[scheme]))
    for until in (datetime(2025, 1, 3, 7, tzinfo=UTC), datetime(2026, 2, 10, 7, tzinfo=UTC)):
        stories = []
        for life in lives:
            life.live(until)
            life.hold()
            life.clock.advance(2 * DAY)
            assert life.bench.sweep(limit=50) > 0
            life.bench.prove()
            stories.append(life.told())
        for name, story in stories[0].items():
            assert stories[1][name] == story
    for life in lives:
        life.bench.database.dispose()


@pytest.fixture
def postgresql(database_urls: Callable[[str], str]) -> Any:
    database = Database(database_urls("postgresql"))
    yield database
    database.dispose()


def test_only_what_is_plain_is_done_at_once(
    postgresql: Database, clock: FixedClock, make_bench: Any
) -> None:
    ledger = make_bench(postgresql, clock)
    plain, held, pending, owing = (ledger.account() for _ in range(4))
    for account_id in (plain, held, pending):
        ledger.earn(account_id, 30, expires_at=clock.now + DAY)
    ledger.earn(held, 5)
    ledger.hold(held, 35)
    ledger.earn(pending, 10, available_from=clock.now + 5 * DAY)
    sale = ledger.earn(owing, 20, expires_at=clock.now + DAY)
    ledger.spend(owing, 20)
    ledger.reverse(sale)
    clock.advance(2 * DAY)
    with postgresql.write_all() as session, within(session, ledger.programme_id):
        done = settle_plain(session, [plain, held, pending, owing], clock.now, ledger.terms)
    assert (done.accounts, done.lots) == (1, 1)
    assert done.others == sorted([held, pending, owing])
    ledger.prove(plain)


@pytest.mark.parametrize("scheme", ["none", "points", "grace", "steps", "anniversary", "rolling"])
def test_whatever_the_tiers_none_that_is_plain_is_left_over(
    scheme: str, postgresql: Database, clock: FixedClock, make_bench: Any
) -> None:
    ledger = make_bench(postgresql, clock)
    ledger.terms = Terms("Europe/Riga", SCHEMES[scheme])
    accounts = [ledger.account() for _ in range(3)]
    for account_id in accounts:
        ledger.earn(account_id, 130, expires_at=clock.now + DAY)
    if SCHEMES[scheme] is not None:
        ledger.lift(accounts[0], "gold", clock.now + DAY)
    clock.advance(1500 * DAY)
    with postgresql.write_all() as session, within(session, ledger.programme_id):
        done = settle_plain(session, accounts, clock.now, ledger.terms)
    assert (done.accounts, done.lots, done.others) == (3, 3, [])
    for account_id in accounts:
        assert ledger.row(account_id).tier is None
        ledger.prove(account_id)


def test_an_account_that_somebody_has_locked_is_left_alone(
    postgresql: Database, clock: FixedClock, make_bench: Any
) -> None:
    ledger = make_bench(postgresql, clock)
    free, taken = ledger.account(), ledger.account()
    for account_id in (free, taken):
        ledger.earn(account_id, 30, expires_at=clock.now + DAY)
    clock.advance(2 * DAY)
    with postgresql.write(ledger.programme_id) as other:
        other.scalars(select(Account).where(Account.id == taken).with_for_update()).one()
        with postgresql.write_all() as session, within(session, ledger.programme_id):
            done = settle_plain(session, [free, taken], clock.now, ledger.terms)
    assert (done.accounts, done.others) == (1, [])
    assert ledger.row(taken).balance == 30
