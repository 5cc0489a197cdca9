"""Both sides are thanked once the newcomer has bought, and only as long as that stays so."""

import random
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.clock import FixedClock
from app.db import Database
from app.errors import NotFound
from app.ledger import service as ledger
from app.ledger.postings import Accrue, Circumstances, Request, Reverse, Value
from app.members.service import read_contact
from app.programmes.models import Programme as ProgrammeRow
from app.programmes.service import change_settings
from app.referrals import service as referrals
from app.web.joining import join
from tests.app.api.programmes import Programme

RULE: dict[str, Any] = {
    "names": {"en": "Thanks for bringing a friend"},
    "at_least": "10.00",
    "within_days": 30,
    "referrer": {"points": 100},
    "referred": {"points": 50},
    "taper": [100, 50, 25],
    "most_a_year": 4,
}


@pytest.fixture
def moving() -> FixedClock:
    return FixedClock(datetime(2026, 3, 2, 9, tzinfo=UTC))


@pytest.fixture
def shop(database: Database, moving: FixedClock, tmp_path: Path) -> Programme:
    shop = Programme.alone(database, moving, tmp_path)
    with database.write(shop.programme_id) as session:
        change_settings(session, shop.programme_id, {"referral": RULE}, valid_from=moving())
    return shop


def joined(shop: Programme, code: str | None = None, email: str = "") -> str:
    """Somebody joins; the account's id."""
    context = shop.context
    with context.database.write(shop.programme_id) as session:
        programme = session.get_one(ProgrammeRow, shop.programme_id)
        made = join(
            session, context.keys, programme, read_contact("", email), language="en",
            source="web", now=context.clock(), referral_code=code,
        )  # fmt: skip
        return str(made.card.account_id)


def code_of(shop: Programme, account_id: str) -> str:
    with shop.context.database.write(shop.programme_id) as session:
        return referrals.code_of(
            session, account_id, now=shop.context.clock(), choose=random.Random(7).choice
        )


def buy(shop: Programme, account_id: str, amount_minor: int) -> str:
    now, posting = shop.context.clock(), str(uuid.uuid4())
    with shop.context.database.write(shop.programme_id) as session:
        ledger.post(
            session,
            Request(posting, "accrual", bytes(32)),
            Accrue(account_id, amount_minor, "EUR", Value(0, now)),
            Circumstances(now),
            now=now,
        )
    return posting


def come_back(shop: Programme, posting: str, amount_minor: int | None = None) -> str:
    now, own = shop.context.clock(), str(uuid.uuid4())
    with shop.context.database.write(shop.programme_id) as session:
        ledger.post(
            session,
            Request(own, "reversal", bytes(32)),
            Reverse(posting, amount_minor=amount_minor),
            Circumstances(now),
            now=now,
        )
    return own


def settle(shop: Programme) -> None:
    """The step, as often as anything is to be done; the clock goes on as it does."""
    while True:
        shop.context.clock.advance(timedelta(seconds=5))  # type: ignore[attr-defined]
        with shop.context.database.write_all() as session:
            if not referrals.settle(session, shop.context.clock(), 10):
                return


def balances(shop: Programme, *account_ids: str) -> list[int]:
    now = shop.context.clock()
    with shop.context.database.read(shop.programme_id) as session:
        return [ledger.standing(session, each, now=now).balance for each in account_ids]


def test_both_are_thanked_once_when_the_newcomer_has_spent_enough(shop: Programme) -> None:
    ada = joined(shop)
    ben = joined(shop, code_of(shop, ada).lower())
    settle(shop)
    assert balances(shop, ada, ben) == [0, 0]
    buy(shop, ben, 9_99)
    settle(shop)
    assert balances(shop, ada, ben) == [0, 0]
    buy(shop, ben, 1)
    for _ in range(3):
        settle(shop)
        assert balances(shop, ada, ben) == [100, 50]
    buy(shop, ben, 100_00)
    settle(shop)
    assert balances(shop, ada, ben) == [100, 50]


def test_a_return_takes_it_back_and_a_new_purchase_gives_it_again(shop: Programme) -> None:
    ada = joined(shop)
    ben = joined(shop, code_of(shop, ada))
    bought = buy(shop, ben, 20_00)
    settle(shop)
    back = come_back(shop, bought, 15_00)
    settle(shop)
    assert balances(shop, ada, ben) == [0, 0]
    come_back(shop, back)
    settle(shop)
    assert balances(shop, ada, ben) == [100, 50], "the return was a mistake"
    come_back(shop, bought)
    settle(shop)
    buy(shop, ben, 10_00)
    settle(shop)
    assert balances(shop, ada, ben) == [100, 50]


def test_each_further_one_in_a_year_is_worth_less(shop: Programme) -> None:
    ada = joined(shop)
    code, points = code_of(shop, ada), []
    for _ in range(5):
        ben = joined(shop, code)
        buy(shop, ben, 10_00)
        settle(shop)
        points.append(balances(shop, ada)[0])
        assert balances(shop, ben) == [50]
    assert points == [100, 150, 175, 200, 200], "100 %, 50 %, 25 %, 25 %, and no more than four"


def test_nobody_brings_himself(shop: Programme) -> None:
    ada = joined(shop, email="ada@example.com")
    ben = joined(shop, code_of(shop, ada), email="ADA@example.com")
    buy(shop, ben, 50_00)
    settle(shop)
    assert balances(shop, ada, ben) == [0, 0]


def test_whoever_buys_too_late_was_brought_for_nothing(shop: Programme, moving: FixedClock) -> None:
    ada = joined(shop)
    ben = joined(shop, code_of(shop, ada))
    buy(shop, ben, 1_00)
    settle(shop)
    moving.advance(timedelta(days=31))
    buy(shop, ben, 50_00)
    settle(shop)
    assert balances(shop, ada, ben) == [0, 0]


def test_a_code_that_nobody_has_keeps_nobody_out(shop: Programme) -> None:
    ben = joined(shop, "NOSUCHCD")
    buy(shop, ben, 50_00)
    settle(shop)
    assert balances(shop, ben) == [0]


def test_a_code_of_another_programme_is_nobodys(shop: Programme) -> None:
    other = Programme.open(shop.context, "other")
    code = code_of(shop, joined(shop))
    with (
        pytest.raises(NotFound),
        shop.context.database.write(other.programme_id) as session,
    ):
        referrals.refer(session, code, other.issue().account_id, now=shop.context.clock())


def test_an_account_has_one_code_that_can_be_read_out(shop: Programme) -> None:
    ada = joined(shop)
    code = code_of(shop, ada)
    assert code == code_of(shop, ada)
    assert len(code) == referrals.CODE_LENGTH
    assert not set(code) & set("AEIOU01L")
