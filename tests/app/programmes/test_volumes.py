"""Volume bonuses: worked out over a whole period, given once, when its returns are in."""

import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.clock import FixedClock
from app.db import Database
from app.ledger import service as ledger
from app.ledger.postings import Accrue, Circumstances, Request, Reverse, Value
from app.programmes import volumes
from app.programmes.mechanics.volumes import read
from app.programmes.service import change_settings
from tests.app.api.programmes import Programme

RULE: dict[str, Any] = {
    "code": "trade",
    "names": {"en": "Volume bonus"},
    "every": "quarter",
    "scale": [{"from": "1000", "percent": "1"}, {"from": "5000", "percent": "2"}],
    "after_days": 14,
}


@pytest.fixture
def moving() -> FixedClock:
    return FixedClock(datetime(2026, 1, 10, 9, tzinfo=UTC))


@pytest.fixture
def shop(database: Database, moving: FixedClock, tmp_path: Path) -> Programme:
    shop = Programme.alone(database, moving, tmp_path)
    with database.write(shop.programme_id) as session:
        change_settings(session, shop.programme_id, {"volumes": [RULE]}, valid_from=moving())
    return shop


def account(shop: Programme, kind: str = "company") -> str:
    with shop.context.database.write(shop.programme_id) as session:
        return ledger.open_account(session, now=shop.context.clock(), kind=kind).id


def buy(shop: Programme, account_id: str, amount_minor: int, day: datetime) -> str:
    posting = str(uuid.uuid4())
    with shop.context.database.write(shop.programme_id) as session:
        ledger.post(
            session,
            Request(posting, "accrual", bytes(32)),
            Accrue(account_id, amount_minor, "EUR", Value(0, day)),
            Circumstances(day),
            now=shop.context.clock(),
        )
    return posting


def run(shop: Programme) -> None:
    while True:
        with shop.context.database.write_all() as session:
            if not volumes.give(session, shop.context.clock(), 2):
                return


def balance(shop: Programme, account_id: str) -> int:
    with shop.context.database.read(shop.programme_id) as session:
        return ledger.standing(session, account_id, now=shop.context.clock()).balance


def test_a_quarter_is_paid_once_after_its_returns(shop: Programme, moving: FixedClock) -> None:
    firm, small, person = account(shop), account(shop), account(shop, "personal")
    run(shop)
    moving.now = datetime(2026, 3, 31, 12, tzinfo=UTC)
    bought = buy(shop, firm, 6000_00, moving.now)
    buy(shop, small, 900_00, moving.now)
    buy(shop, person, 9000_00, moving.now)
    moving.now = datetime(2026, 4, 10, 12, tzinfo=UTC)
    with shop.context.database.write(shop.programme_id) as session:
        ledger.post(
            session,
            Request(str(uuid.uuid4()), "reversal", bytes(32)),
            Reverse(bought, amount_minor=500_00),
            Circumstances(moving.now),
            now=moving.now,
        )
    run(shop)
    assert balance(shop, firm) == 0, "returns of the quarter may still come"
    moving.now = datetime(2026, 4, 15, 12, tzinfo=UTC)
    for _ in range(3):
        run(shop)
        # 1 % of the 4,000 above 1,000, and 2 % of the 500 above 5,000, at a cent a point.
        assert [balance(shop, each) for each in (firm, small, person)] == [50_00, 0, 0]
    moving.now = datetime(2026, 7, 20, 12, tzinfo=UTC)
    run(shop)
    assert balance(shop, firm) == 50_00, "nothing was bought in the second quarter"


def test_each_period_has_its_days() -> None:
    [quarter] = read([RULE])
    assert quarter.period_of(date(2026, 5, 31)) == (date(2026, 4, 1), date(2026, 7, 1))
    assert quarter.period_of(date(2026, 12, 31)) == (date(2026, 10, 1), date(2027, 1, 1))
    [year] = read([{**RULE, "every": "year"}])
    assert year.period_of(date(2026, 5, 31)) == (date(2026, 1, 1), date(2027, 1, 1))


@pytest.mark.parametrize(
    ("kind", "spent", "points"),
    [
        ("marginal", 1000_00, 0),
        ("marginal", 5000_00, 40_00),
        ("slab", 999_99, 0),
        ("slab", 1000_00, 10_00),
        ("slab", 5000_00, 100_00),
        ("slab", -5_00, 0),
    ],
)
def test_what_a_volume_is_worth(kind: str, spent: int, points: int) -> None:
    [volume] = read([{**RULE, "kind": kind}])
    assert volume.points(spent, Decimal("0.01"), 2) == points
