"""The check finds whatever is wrong with a cache; what it counts from cannot be changed."""

import re
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.ledger.check import check
from app.ledger.models import Draw, Entry, Lot

#: What is tampered with, and the names of the differences it makes.
TAMPERINGS = {
    "UPDATE accounts SET balance = balance + 1": {"balance", "balance and debt"},
    "UPDATE accounts SET debt = debt + 1": {"debt", "balance and debt"},
    "UPDATE accounts SET held = held + 1": {"held"},
    "UPDATE lots SET remaining = remaining - 1 WHERE points = 100": {
        "taken points",
        "balance and debt",
    },
    "UPDATE lots SET held = held + 1 WHERE points = 100": {"held points"},
    "UPDATE lots SET points = points + 1 WHERE points = 100": {"points", "taken points"},
    "UPDATE hold_lots SET points = points + 1": {"held points", "reserved points"},
    "UPDATE holds SET points = points + 1 WHERE status = 'open'": {"held", "reserved points"},
    "UPDATE holds SET points = points + 1 WHERE status = 'captured'": {
        "reserved points",
        "captured points",
    },
    "UPDATE holds SET status = 'released' WHERE status = 'open'": {"held", "held points"},
    "DELETE FROM hold_lots": {"held points", "reserved points"},
    "UPDATE accounts SET carried_micro = carried_micro + 1": {"carried money"},
    "UPDATE earning_days SET points = points + 1 WHERE points > 0": {"counted points"},
    "UPDATE earning_days SET spend_minor = spend_minor + 1 WHERE points > 0": {"counted money"},
    "DELETE FROM earning_days": {"counted points", "counted money"},
    "UPDATE receipt_returns SET amount_minor = 1000000": {"returned value"},
}


@pytest.fixture
def kept(ledger: Any) -> Any:
    """A ledger with something of everything in it."""
    account_id = ledger.account()
    first = ledger.earn(account_id, 30)
    ledger.earn(account_id, 100)
    ledger.spend(account_id, 60)
    ledger.reverse(first, amount_minor=1000)
    ledger.hold(account_id, 10)
    owing = ledger.account()
    sale = ledger.earn(owing, 50)
    ledger.spend(owing, 50)
    ledger.reverse(sale)
    ledger.prove()
    return ledger


def differences(ledger: Any) -> list[Any]:
    with ledger.database.read_all() as session:
        return list(check(session))


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_every_tampered_cache_is_found(kept: Any, tampering: str) -> None:
    with kept.database.engine.begin() as connection:
        connection.execute(text(tampering))
    assert {difference.what for difference in differences(kept)} == TAMPERINGS[tampering]


def test_draws_that_name_another_account_are_found_even_where_they_cancel_out(kept: Any) -> None:
    first, second = kept.account(), kept.account()
    kept.earn(first, 30)
    kept.earn(second, 20)
    with kept.database.write(kept.programme_id) as session:
        entry = session.scalars(select(Entry).where(Entry.account_id == first)).one()
        lot = session.scalars(select(Lot).where(Lot.account_id == second)).one()
        for lot_id, points in ((lot.id, 5), (lot.id, -5), (None, 7), (None, -7)):
            session.add(
                Draw(
                    programme_id=kept.programme_id,
                    entry_id=entry.id,
                    account_id=second,
                    lot_id=lot_id,
                    points=points,
                    recorded_at=kept.clock.now,
                )
            )
    found = differences(kept)
    assert {difference.what for difference in found} == {"account of a draw"}
    assert {difference.account_id for difference in found} == {second}
    assert len(found) == 4


def test_lots_and_draws_of_different_accounts_are_found(kept: Any) -> None:
    first, second = kept.account(), kept.account()
    kept.earn(first, 123)
    kept.spend(first, 3)
    with kept.database.engine.begin() as connection:
        connection.execute(
            text("UPDATE lots SET account_id = :other WHERE points = 123"),
            {"other": second.replace("-", "") if kept.database.is_sqlite else second},
        )
    names = {difference.what for difference in differences(kept)}
    assert names == {"balance and debt", "account of a lot", "account of a drawn lot"}


def test_a_difference_says_what_is_stored_and_what_must_be(kept: Any) -> None:
    account_id = kept.account()
    kept.earn(account_id, 7)
    with kept.database.engine.begin() as connection:
        connection.execute(text("UPDATE accounts SET balance = 9 WHERE balance = 7"))
    first, _ = differences(kept)
    assert (first.account_id, first.programme_id) == (account_id, kept.programme_id)
    assert str(first) == (f"account {account_id}: balance of {account_id} is 9, must be 7")


def test_a_check_of_one_programme_sees_only_that_one(kept: Any, make_bench: Any) -> None:
    other = make_bench(kept.database, kept.clock)
    other.earn(other.account(), 10)
    with kept.database.engine.begin() as connection:
        connection.execute(text("UPDATE accounts SET held = held + 1"))
    with kept.database.read(other.programme_id) as session:
        assert {found.programme_id for found in check(session)} == {other.programme_id}


@pytest.mark.parametrize("table", ["entries", "draws"])
@pytest.mark.parametrize(
    "change", ["UPDATE {} SET points = points + 1", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
def test_entries_and_draws_cannot_be_changed(kept: Any, table: str, change: str) -> None:
    if kept.database.is_sqlite and change.startswith("TRUNCATE"):
        change = "DELETE FROM {} WHERE true"  # SQLite knows no TRUNCATE.
    with (
        pytest.raises(DBAPIError, match=re.escape("never changed or deleted")),
        kept.database.engine.begin() as connection,
    ):
        connection.execute(text(change.format(table)))
    kept.prove()


def test_the_database_itself_keeps_lots_and_debts_in_bounds(kept: Any) -> None:
    for change in (
        "UPDATE lots SET remaining = points + 1",
        "UPDATE lots SET held = remaining + 1",
        "UPDATE accounts SET debt = -1",
        "UPDATE accounts SET held = -1",
    ):
        with pytest.raises(DBAPIError), kept.database.engine.begin() as connection:
            connection.execute(text(change))
