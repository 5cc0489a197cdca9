"""The history that is measured on is one that the product could have written."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.clock import FixedClock
from app.config import from_environment
from app.context import Context
from app.db import Database
from app.demo.cafe import make_cafe
from app.figures import adding
from app.insight import folding
from app.insight.models import InsightMark
from app.ledger import service as ledger
from app.ledger.check import check
from app.ledger.models import Account, EarningDay, Entry
from app.ledger.rules import start_of_day
from app.programmes.terms import terms_of
from benchmarks import _history, _large
from benchmarks._added_up import note_added_up
from benchmarks._history import History, account_id

MEMBERS = 100


@pytest.fixture
def context(database: Database, clock: FixedClock, tmp_path: Path) -> Iterator[Context]:
    settings = {"COUNTERFOIL_DATA": str(tmp_path), "COUNTERFOIL_DATABASE_URL": database.url}
    context = Context.open(from_environment(settings), clock=clock)
    yield context
    context.database.dispose()


@pytest.fixture
def history(context: Context) -> History:
    programme_id = make_cafe(context).programme_id
    new_year = start_of_day(date(2026, 1, 1), "Europe/Riga")
    made = History(programme_id, MEMBERS, date(2025, 12, 31), new_year, review_at=new_year)
    _history.make(context.database, made)
    return made


def differences(context: Context) -> list[str]:
    with context.database.read_all() as session:
        return [str(difference) for difference in check(session)]


def test_its_books_are_right(context: Context, history: History) -> None:
    assert differences(context) == []
    with context.database.read_all() as session:
        assert session.scalar(select(func.count()).select_from(Entry)) == MEMBERS * _history.ENTRIES
        assert session.scalar(select(func.count()).select_from(EarningDay)) == MEMBERS * 7


def test_it_goes_on_like_any_other(context: Context, history: History, clock: FixedClock) -> None:
    def terms(_: str) -> Any:
        return terms_of(session, history.programme_id, clock.now)

    with context.database.read(history.programme_id) as session:
        before = session.get_one(Account, account_id(7)).balance
    with context.database.write_all() as session:
        assert ledger.expire_lots(session, clock.now, 1000, terms) == MEMBERS
    with context.database.read(history.programme_id) as session:
        after = session.get_one(Account, account_id(7)).balance
    assert after == before - (5 + (7 * 7 + 4 * 13) % 40)
    assert differences(context) == []


def test_it_can_be_lived_through(context: Context, history: History) -> None:
    """Figures and insight have nothing left to add up of it, and take up what comes next."""
    note_added_up(context, history.programme_id)
    now = datetime.now(UTC)
    with context.database.write_all() as session:
        assert adding.step(session, now) == 0
    with context.database.write_all() as session:
        assert folding.step(session, now) == 0
        mark = session.get_one(InsightMark, folding.VISITS)
        assert (mark.until, mark.after) == (MEMBERS * _history.ENTRIES, None)


def test_what_is_measured_on_the_large_programme_is_measured_together() -> None:
    wanted = ["accrual_growth", "idle_mb", "ledger_check_seconds", "quote_ms", "sweep_seconds"]
    assert _large.in_order(wanted) == [*_large.MEASURED, "idle_mb", "quote_ms"]
    assert _large.in_order(["idle_mb", "accrual_growth"]) == ["idle_mb", "accrual_growth"]
    assert _large.in_order(["quote_ms", "idle_mb"]) == ["quote_ms", "idle_mb"]
