"""Scales: each step reached exactly, marginal money at the step it falls into, rounded once."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.programmes.fields import Wrong
from app.programmes.mechanics import scales
from app.programmes.mechanics.scales import MARGINAL, SLAB, Step

STEPS = (
    Step(Decimal(0), Decimal(3)),
    Step(Decimal(500), Decimal(5)),
    Step(Decimal(1000), Decimal(8)),
)


def off(kind: str, spent: int, amount: int) -> int:
    return scales.worth_minor(scales.parts(STEPS, kind, spent, amount, 2))


@pytest.mark.parametrize(
    ("spent", "amount", "slab", "marginal"),
    [
        (0, 100_00, 3_00, 3_00),
        (480_00, 50_00, 1_50, 2_10),  # 20 at 3 %, 30 at 5 %
        (499_99, 1, 0, 0),
        (499_99, 100_00, 3_00, 5_00),  # one cent at 3 %, the rest at 5 %
        (500_00, 100_00, 5_00, 5_00),
        (0, 2000_00, 60_00, 15_00 + 25_00 + 80_00),
        (-50_00, 100_00, 3_00, 3_00),
        (5000_00, 0, 0, 0),
    ],
)
def test_what_a_purchase_is_worth(spent: int, amount: int, slab: int, marginal: int) -> None:
    assert off(SLAB, spent, amount) == slab
    assert off(MARGINAL, spent, amount) == marginal


@given(st.integers(0, 3000_00), st.integers(0, 3000_00), st.integers(0, 3000_00))
def test_on_a_marginal_scale_two_purchases_are_worth_what_one_of_both_is(
    spent: int, one: int, other: int
) -> None:
    exact = lambda found: sum(part.minor * part.percent for part in found)  # noqa: E731
    apart = exact(scales.parts(STEPS, MARGINAL, spent, one, 2)) + exact(
        scales.parts(STEPS, MARGINAL, spent + one, other, 2)
    )
    assert apart == exact(scales.parts(STEPS, MARGINAL, spent, one + other, 2))


@given(st.integers(0, 3000_00), st.integers(0, 3000_00))
def test_the_parts_are_the_whole_purchase(spent: int, amount: int) -> None:
    for kind in (SLAB, MARGINAL):
        assert sum(part.minor for part in scales.parts(STEPS, kind, spent, amount, 2)) == amount


@given(st.integers(0, 3000_00), st.integers(0, 3000_00), st.sampled_from([SLAB, MARGINAL]))
def test_whoever_spent_more_never_gets_less(spent: int, amount: int, kind: str) -> None:
    assert off(kind, spent + 1_00, amount) >= off(kind, spent, amount)


def test_below_the_first_step_there_is_nothing() -> None:
    late = (Step(Decimal(100), Decimal(10)),)
    assert scales.worth_minor(scales.parts(late, MARGINAL, 0, 150_00, 2)) == 5_00
    assert scales.worth_minor(scales.parts(late, SLAB, 0, 150_00, 2)) == 0


def test_what_is_missing_to_the_next_step() -> None:
    assert scales.next_step(STEPS, 480_00, 2) == (20_00, Decimal(5))
    assert scales.next_step(STEPS, 500_00, 2) == (500_00, Decimal(8))
    assert scales.next_step(STEPS, 1000_00, 2) is None


def test_a_currency_without_decimals_and_one_with_three() -> None:
    assert scales.worth_minor(scales.parts(STEPS, SLAB, 500, 1000, 0)) == 50
    assert scales.worth_minor(scales.parts(STEPS, SLAB, 500_000, 1_000, 3)) == 50


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        "3",
        [{"from": "0"}],
        [{"from": "0", "percent": "101"}],
        [{"from": "10", "percent": "1"}, {"from": "10", "percent": "2"}],
        [{"from": "0", "percent": "1", "more": 1}],
        [{"from": str(each), "percent": "1"} for each in range(30)],
    ],
)
def test_a_scale_that_makes_no_sense_is_refused(wrong: object) -> None:
    with pytest.raises(Wrong):
        scales.read(wrong)
