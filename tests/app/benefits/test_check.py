"""What benefits keep is proved from the grants alone, and grants never change."""

from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError

from app.benefits.check import check
from app.benefits.models import Coupon, Grant, RewardStock, Tally, Use
from app.benefits.service import Order
from app.ledger.postings import Given, Present

THINGS = (Given("stamps", "coffee", 3, "by hand"), Given("coupon", "cake", 1, "by hand"))


@pytest.fixture
def owner(benefits_bench: Any) -> str:
    """An account with stamps, a used coupon and a reward taken."""
    account_id: str = benefits_bench.account()
    benefits_bench.earn(account_id, 100)
    benefits_bench.post(Present(account_id, THINGS, "for the test"))
    [coupon] = benefits_bench.open_coupons(account_id, "cake")
    for order in (
        Order("coupon", "cake", "Cake", {"gives": "goods"}, coupon_id=coupon),
        Order("reward", "mug", "Mug", {"gives": "goods"}, points=50, stock=2),
    ):
        benefits_bench.redeem(account_id, order)
    benefits_bench.prove(account_id)
    return account_id


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (
            lambda of: update(Tally).where(of(Tally), Tally.kind == "stamps").values(count=4),
            "tally",
        ),
        (lambda of: update(Coupon).where(of(Coupon)).values(status="open"), "state of a coupon"),
        (lambda of: update(Coupon).where(of(Coupon)).values(status="owed"), "state of a coupon"),
        (lambda of: update(Use).where(of(Use), Use.pieces == 1).values(pieces=0), "taken rewards"),
        (
            lambda of: delete(Use).where(of(Use), Use.coupon_id.is_not(None)),
            "uses of a coupon",
        ),
    ],
)
def test_what_was_tampered_with_is_found(
    benefits_bench: Any, owner: str, change: Any, found: str
) -> None:
    with benefits_bench.database.write(benefits_bench.programme_id) as session:
        statement = change(lambda table: table.account_id == owner)
        session.execute(statement.execution_options(synchronize_session=False))
        session.flush()
        assert found in {each.what for each in check(session)}
        session.rollback()


def test_the_stock_is_counted_again(benefits_bench: Any, owner: str) -> None:
    with benefits_bench.database.write(benefits_bench.programme_id) as session:
        session.execute(update(RewardStock).values(taken=0))
        assert [each.what for each in check(session)] == ["taken rewards"]
        session.rollback()


@pytest.mark.parametrize("change", [update(Grant).values(count=9), delete(Grant)])
def test_grants_are_never_changed_or_deleted(benefits_bench: Any, owner: str, change: Any) -> None:
    with benefits_bench.database.write(benefits_bench.programme_id) as session:
        with pytest.raises(DBAPIError, match="never changed or deleted"):
            session.execute(change.execution_options(synchronize_session=False))
        session.rollback()
