"""Rules of the lift: held to published counts and intervals, and to simulated campaigns."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.insight.lift import FEWEST, Amounts, Rate, Verdict, of_means, of_rates, wilson
from app.insight.lift_words import say_money, say_points, say_rates

#: Kevin Hillstrom's MineThatData e-mail challenge (2008): visits within two weeks.
CONTROL = Rate(21_306, 2_262)
MENS, WOMENS = Rate(21_307, 3_894), Rate(21_387, 3_238)
LANGUAGES = ("en", "de", "lv", "ru")


@pytest.mark.parametrize(
    ("reached", "difference", "error"), [(MENS, 0.07659, 0.00339), (WOMENS, 0.04523, 0.00323)]
)
def test_the_lift_of_hillstroms_campaigns_is_the_published_one(
    reached: Rate, difference: float, error: float
) -> None:
    lift = of_rates(reached, CONTROL)
    assert round(lift.difference, 5) == difference
    assert round(lift.error, 5) == error
    assert lift.low == pytest.approx(lift.difference - 1.96 * lift.error, abs=5e-5)
    assert lift.high == pytest.approx(lift.difference + 1.96 * lift.error, abs=5e-5)
    assert lift.verdict is Verdict.WORKED
    assert lift.total[1] == pytest.approx(reached.people * difference, rel=1e-4)


@pytest.mark.parametrize(
    ("rate", "low", "high"),
    # Newcombe 1998 (Statistics in Medicine 17:857), table I, method 3.
    [((263, 81), 0.2553, 0.3662), ((148, 15), 0.0624, 0.1605), ((20, 0), 0, 0.1611),
     ((29, 1), 0.0061, 0.1718)],
)  # fmt: skip
def test_a_share_has_wilsons_interval(rate: tuple[int, int], low: float, high: float) -> None:
    assert wilson(Rate(*rate)) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("reached", "held_out", "low", "high"),
    # Newcombe 1998 (Statistics in Medicine 17:873), table II, method 10.
    [((70, 56), (80, 48), 0.0524, 0.3339), ((10, 9), (10, 3), 0.1705, 0.8090),
     ((7, 6), (7, 2), 0.0582, 0.8062), ((56, 5), (29, 0), -0.0381, 0.1926),
     ((10, 0), (20, 0), -0.1611, 0.2775), ((10, 10), (20, 0), 0.6791, 1)],
)  # fmt: skip
def test_a_difference_of_shares_has_newcombes_interval(
    reached: tuple[int, int], held_out: tuple[int, int], low: float, high: float
) -> None:
    lift = of_rates(Rate(*reached), Rate(*held_out))
    assert (lift.low, lift.high) == pytest.approx((low, high), abs=5e-5)


_rates = st.integers(0, 5_000).flatmap(
    lambda people: st.integers(0, people).map(lambda did: Rate(people, did))
)


@given(_rates, _rates)
def test_whatever_was_counted_the_interval_holds_the_difference(one: Rate, other: Rate) -> None:
    lift, back = of_rates(one, other), of_rates(other, one)
    assert -1 <= lift.low <= lift.difference <= lift.high <= 1
    assert (lift.low, lift.high) == pytest.approx((-back.high, -back.low))
    assert (lift.verdict is Verdict.TOO_FEW) == (min(one.people, other.people) < FEWEST)
    if lift.is_shown:
        assert (lift.low > 0) == (lift.verdict is Verdict.WORKED) == (lift.difference > 0)
    for language in LANGUAGES:
        sentence = say_rates(lift, language)
        assert sentence.endswith(".") and "{" not in sentence and "nan" not in sentence


_amounts = st.lists(st.integers(-5_000, 10**9), max_size=80)


@given(_amounts, _amounts)
def test_whatever_was_spent_the_verdict_says_no_more_than_the_interval(
    ones: list[int], others: list[int]
) -> None:
    lift = of_means(Amounts.of(ones), Amounts.of(others))
    assert lift.low <= lift.difference <= lift.high
    if lift.low <= 0 <= lift.high or min(len(ones), len(others)) < FEWEST:
        assert not lift.is_shown
    for language in LANGUAGES:
        for sentence in (say_money(lift, "EUR", language), say_points(lift, language)):
            assert sentence.endswith(".") and "{" not in sentence and "nan" not in sentence


def test_what_groups_spent_is_compared_as_welch_did() -> None:
    # Two groups of 30 and 40; the figures by hand: means 14.5 and 10.75, variances 77.5, 36.346...
    ones, others = list(range(30)), [i % 20 + (5 if i < 10 else 0) for i in range(40)]
    lift = of_means(Amounts.of(ones), Amounts.of(others))
    mean, other = sum(ones) / 30, sum(others) / 40
    spread = sum((x - mean) ** 2 for x in ones) / 29 / 30
    spread2 = sum((x - other) ** 2 for x in others) / 39 / 40
    assert lift.difference == pytest.approx(mean - other)
    assert lift.error == pytest.approx((spread + spread2) ** 0.5)
    freedom = (spread + spread2) ** 2 / (spread**2 / 29 + spread2**2 / 39)
    assert 40 < freedom < 60  # There the table of Student's t says 2.0211 to 2.0003.
    assert 2.0003 < (lift.high - lift.difference) / lift.error < 2.0211


def _covered(rng: random.Random, draw: float, people: int, controls: int, rounds: int) -> float:
    """How often the interval holds the true difference, of shoppers with a long tail."""
    held = 0
    for _ in range(rounds):
        groups = [
            Amounts.of(
                round(rng.lognormvariate(3, 0.8) * 100) if rng.random() < draw else 0
                for _ in range(many)
            )
            for many in (people, controls)
        ]
        lift = of_means(*groups)
        held += lift.low <= 0 <= lift.high
    return held / rounds


def test_of_a_hundred_campaigns_that_do_nothing_five_seem_to_do_something() -> None:
    assert 0.92 <= _covered(random.Random(7), 0.3, 600, 200, 400) <= 0.98
    rng, held = random.Random(5), 0
    for _ in range(2_000):
        one, other = (sum(rng.random() < 0.1 for _ in range(n)) for n in (300, 60))
        held += not of_rates(Rate(300, one), Rate(60, other)).is_shown
    assert 0.93 <= held / 2_000 <= 0.98


def test_one_large_purchase_proves_nothing() -> None:
    lift = of_means(Amounts.of([0] * 95 + [300] * 4 + [900_000]), Amounts.of([0] * 90 + [300] * 10))
    assert lift.verdict is Verdict.TOO_UNEVEN
    assert "few large purchases" in say_money(lift, "EUR", "en")


def test_nobody_anywhere_is_too_few() -> None:
    lift = of_rates(Rate(0, 0), Rate(0, 0))
    assert (lift.verdict, lift.difference, lift.low, lift.high) == (Verdict.TOO_FEW, 0, -1, 1)
    nothing = of_means(Amounts(0, 0, 0, 0), Amounts.of([5]))
    assert nothing.verdict is Verdict.TOO_FEW and nothing.error == 0


def test_what_cannot_have_been_counted_is_refused() -> None:
    for people, did in ((3, 4), (3, -1), (-1, -1)):
        with pytest.raises(ValueError, match="some people"):
            Rate(people, did)
    with pytest.raises(ValueError, match="squares"):
        Amounts(2, 10, 49, 0)
    with pytest.raises(ValueError, match="nothing"):
        Amounts(0, 5, 25, 125)


def test_a_shop_owner_hears_how_many_of_a_thousand_more_came() -> None:
    assert say_rates(of_rates(MENS, CONTROL), "en") == (
        "It worked: of every 1,000 who got it 183 came, of every 1,000 who did not 106. "
        "That is about 77 more (between 70 and 83)."
    )
    assert "77 mehr (zwischen 70 und 83)" in say_rates(of_rates(MENS, CONTROL), "de")
    assert "77 vairāk (no 70 līdz 83)" in say_rates(of_rates(MENS, CONTROL), "lv")
    assert "77 больше (от 70 до 83)" in say_rates(of_rates(MENS, CONTROL), "ru")
    assert "77 fewer (between 70 and 83)" in say_rates(of_rates(CONTROL, MENS), "en")


def test_what_chance_may_have_done_is_called_not_shown_to_work() -> None:
    lift = of_rates(Rate(300, 33), Rate(300, 30))
    said = [say_rates(lift, language).split(":")[0] for language in LANGUAGES]
    assert said == [
        "Not shown to work",
        "Wirkung nicht gezeigt",
        "Nav pierādīts, ka tas strādā",
        "Не доказано, что это работает",
    ]
    even = of_means(Amounts.of([100, 300] * 50), Amounts.of([110, 300] * 50))
    assert say_money(even, "EUR", "en").startswith(
        "Not shown to work: whoever got it brought €2.00"
    )
    assert "2 pts" not in say_points(even, "en") and "200 pts" in say_points(even, "en")
    assert "at least 30" in say_rates(of_rates(Rate(20, 19), Rate(20, 0)), "en")
