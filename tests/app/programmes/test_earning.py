"""What a receipt is worth: exact until one rounding, by the rules, the tier and the rate given."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Invalid
from app.ledger.explain import FACTS
from app.ledger.postings import AccountFacts, Line, Value
from app.programmes.earning import (
    Exchange,
    Sale,
    Tariff,
    earning_of,
    marked,
    tariff_of,
    value_of,
)
from app.programmes.settings import HIGHEST_AMOUNT_MINOR, settings_from_json

NOON = datetime(2026, 5, 12, 9, tzinfo=UTC)  # in Riga
GOLD = {"levels": [{"code": "gold", "at_least": 100, "multiplier": "1.5"}]}


def tariff(currency: str = "EUR", zone: str = "Europe/Riga", **settings: Any) -> Tariff:
    read = settings_from_json({"points": "1", "per_amount": "1"} | settings)
    return tariff_of(read, currency, zone)


def worth(
    by: Tariff,
    amount_minor: int,
    *,
    tier: str | None = None,
    carried_micro: int = 0,
    once: frozenset[str] = frozenset(),
    exchange: Exchange | None = None,
    **sale: Any,
) -> Value:
    details: dict[str, Any] = {"currency": by.currency, "occurred_at": NOON}
    receipt = Sale(amount_minor, **details | sale)
    facts = AccountFacts(tier, carried_micro, once)
    return value_of(by, earning_of(by, receipt, exchange), facts, now=NOON)


def reasons(value: Value) -> list[str]:
    for reason in value.explain:
        assert reason.keys() - {"code"} == FACTS[reason["code"]]
    return [reason["code"] for reason in value.explain]


# --- one rounding -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("points", "per_amount", "amount_minor", "currency", "earned"),
    [
        ("100", "1", 115, "EUR", 115),  # in binary 1.15 × 100 is 114.99…
        ("3", "1", 10, "EUR", 0),
        ("10", "1", 30, "EUR", 3),
        ("0.1", "1", 300, "EUR", 0),  # in binary 0.1 × 3 is 0.300…04
        ("0.1", "0.3", 300, "EUR", 1),  # and 0.3 ÷ 0.3 less than one
        ("1", "3", 300, "EUR", 1),  # one point for every three
        ("1", "3", 299, "EUR", 0),
        ("1", "3", 600, "EUR", 2),
        ("1.5", "1", 1999, "EUR", 29),
        ("1", "100", 1250, "JPY", 12),  # yen have no decimals
        ("1", "1", 1250, "KWD", 1),  # dinars have three
        ("1", "0.001", 1250, "KWD", 1250),
        ("1", "1", 0, "EUR", 0),
        ("1", "3", 10**15, "EUR", 10**13 // 3),
        ("999999.999999", "1", 10**15, "EUR", 9_999_999_999_990_000_000),
        ("0.000001", "999999.999999", HIGHEST_AMOUNT_MINOR, "JPY", 0),
    ],
)
def test_a_receipt_earns_whole_points_rounded_down_once(
    points: str, per_amount: str, amount_minor: int, currency: str, earned: int
) -> None:
    by = tariff(currency, points=points, per_amount=per_amount)
    assert worth(by, amount_minor).points == earned


rates = st.integers(1, 10**10).map(lambda digits: str(Decimal(digits).scaleb(-6)))
amounts = st.integers(0, 10**9)


@given(rates, st.integers(10**4, 10**10), amounts, st.sampled_from(["EUR", "JPY", "KWD"]))
def test_points_are_the_exact_quotient_whatever_the_rate(
    points: str, per: int, amount_minor: int, currency: str
) -> None:
    per_amount = Decimal(per).scaleb(-6)
    by = tariff(currency, points=points, per_amount=str(per_amount))
    exact = Fraction(points) * Fraction(amount_minor, 10**by.exponent) / Fraction(per_amount)
    assert worth(by, amount_minor).points == int(exact)


def test_the_tier_s_multiplier_is_not_a_second_rounding() -> None:
    by = tariff(points="1", per_amount="10", tiers=GOLD)
    # 1.9 points at silver are 1; 2.85 at gold are 2, and not 1 × 1.5.
    assert [worth(by, 1900, tier=tier).points for tier in (None, "gold", "silver")] == [1, 2, 1]
    value = worth(by, 1900, tier="gold")
    assert value.explain[0] == {"code": "multiplied", "tier": "gold", "factor": "1.5"}
    assert reasons(value) == ["multiplied", "earned_rounded"]
    assert reasons(worth(by, 2000, tier="gold")) == ["multiplied", "earned"]


# --- carried over -----------------------------------------------------------------------------


def in_turn(by: Tariff, parts: list[int], carried_micro: int = 0, **facts: Any) -> tuple[int, int]:
    points = 0
    for part in parts:
        value = worth(by, part, carried_micro=carried_micro, **facts)
        points += value.points
        if value.carried_micro is not None:
            carried_micro = value.carried_micro
    return points, carried_micro


def test_thirty_and_twenty_earn_at_a_threshold_of_fifty() -> None:
    by = tariff(points="1", per_amount="50", carry_remainder=True)
    first = worth(by, 3000)
    assert (first.points, first.carried_micro) == (0, 3000_000_000)
    assert reasons(first) == ["earned", "carried_over"]
    second = worth(by, 2000, carried_micro=first.carried_micro)
    assert (second.points, second.carried_micro) == (1, 0)
    assert reasons(second) == ["carried_in", "earned"]
    assert in_turn(tariff(points="1", per_amount="50"), [3000, 2000]) == (0, 0)


@given(
    st.integers(1, 100_000),
    st.integers(1, 10_000),
    st.lists(st.integers(0, 50_000), min_size=1, max_size=12),
    st.sampled_from(["EUR", "JPY", "KWD"]),
    st.sampled_from([None, "silver", "gold", "platinum"]),
)
def test_however_an_amount_is_split_its_parts_earn_what_the_whole_does(
    points: int, per: int, parts: list[int], currency: str, tier: str | None
) -> None:
    levels = [
        {"code": "silver", "at_least": 1, "multiplier": "1.25"},
        {"code": "gold", "at_least": 2, "multiplier": "1.5"},
        {"code": "platinum", "at_least": 3, "multiplier": "3"},
    ]
    by = tariff(
        currency,
        points=str(Decimal(points).scaleb(-2)),
        per_amount=str(per),
        carry_remainder=True,
        tiers={"levels": levels},
    )
    whole = worth(by, sum(parts), tier=tier)
    assert in_turn(by, parts, tier=tier) == (whole.points, whole.carried_micro)


@given(
    rates,
    st.integers(10**4, 10**10),
    st.lists(st.integers(0, 10**6), min_size=1, max_size=8),
    st.integers(-(10**12), 10**12),
)
def test_of_what_is_carried_less_than_a_millionth_a_receipt_is_lost(
    points: str, per: int, parts: list[int], carried_micro: int
) -> None:
    per_amount = Decimal(per).scaleb(-6)
    by = tariff(points=points, per_amount=str(per_amount), carry_remainder=True)
    earned, left = in_turn(by, parts, carried_micro)
    price = Fraction(per_amount) * 10**8 / Fraction(points)
    before = carried_micro + sum(parts) * 10**6
    assert abs(before - earned * price - left) < len(parts)


def test_money_below_zero_after_returns_is_made_good_before_anything_is_earned() -> None:
    by = tariff(points="1", per_amount="10", carry_remainder=True)
    value = worth(by, 1000, carried_micro=-1500_000_000)
    assert (value.points, value.carried_micro) == (0, -500_000_000)
    assert reasons(value) == ["carried_less", "earned", "carried_less"]
    assert in_turn(by, [1000, 500, 1000], -1500_000_000) == (1, 0)


def test_what_was_carried_has_been_multiplied_and_is_not_again() -> None:
    by = tariff(points="1", per_amount="10", carry_remainder=True, tiers=GOLD)
    silver_money = worth(by, 900).carried_micro
    assert silver_money == 900_000_000
    # 9 of the silver day and 6 × 1.5 of the golden one: 18, one point and 8 left over.
    value = worth(by, 600, tier="gold", carried_micro=silver_money)
    assert (value.points, value.carried_micro) == (1, 800_000_000)
    assert value.weighted_micro == 900_000_000  # its own, without what came in


def test_what_was_carried_stays_while_a_programme_does_not_carry() -> None:
    assert worth(tariff(points="1", per_amount="50"), 3000, carried_micro=123).carried_micro is None
    assert in_turn(tariff(points="1", per_amount="50"), [3000, 2000], 123) == (0, 123)


# --- what counts ------------------------------------------------------------------------------


def test_goods_coupons_and_points_spent_do_not_earn() -> None:
    by = tariff(excluded_categories=["tobacco"], point_value="0.10")
    lines = (Line("beans", 6000, category="food"), Line("cigars", 4000, category=" Tobacco"))
    value = worth(by, 10000, lines=lines, coupons_minor=500, paid_with_points=100)
    assert (value.points, value.earning_minor, value.spend_minor) == (45, 4500, 4500)
    assert reasons(value) == ["excluded", "coupons", "paid_with_points", "earned"]
    assert [line.earns for line in marked(by, lines)] == [True, False]
    assert worth(by, 1000, paid_with_points=10**9).points == 0


def test_tax_counts_or_not_as_the_programme_chooses() -> None:
    assert worth(tariff(earn_on="gross"), 1210, tax_minor=210).points == 12
    by = tariff(earn_on="net")
    value = worth(by, 1210, tax_minor=210)
    assert (value.points, value.earning_minor) == (10, 1000)
    assert reasons(value) == ["tax", "earned"]
    # Half of it was paid with a coupon: half of the tax was not counted anyway.
    assert worth(by, 1210, tax_minor=210, coupons_minor=605).earning_minor == 500
    # A third of a cent of tax is not rounded away before the points are.
    thousand = tariff(earn_on="net", points="1000")
    assert worth(thousand, 100, tax_minor=1, coupons_minor=67).points == 326


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"tax_minor": 1001}, "tax_minor"),
        ({"tax_minor": -1}, "tax_minor"),
        ({"coupons_minor": 1001}, "coupons_minor"),
        ({"paid_with_points": -1}, "paid_with_points"),
    ],
)
def test_a_receipt_that_makes_no_sense_is_named(wrong: dict[str, int], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        worth(tariff(), 1000, **wrong)
    assert refused.value.fields.keys() == {field}


# --- foreign money ----------------------------------------------------------------------------


def rate(text: str) -> Exchange:
    return Exchange(Decimal(text), "ECB", date(2026, 5, 12))


@pytest.mark.parametrize(
    ("own", "foreign", "text", "amount_minor", "points", "spend_minor"),
    [
        ("EUR", "USD", "0.9", 1000, 900, 900),
        ("EUR", "JPY", "0.00612345", 1000, 612, 612),  # no decimals into two
        ("JPY", "EUR", "163.21", 1001, 163373, 1633),  # and back
        ("EUR", "KWD", "3.0001", 1234, 370, 370),
        ("KWD", "EUR", "0.333333333333", 300, 99, 999),
    ],
)
def test_foreign_money_is_converted_exactly(
    own: str, foreign: str, text: str, amount_minor: int, points: int, spend_minor: int
) -> None:
    by = tariff(own, points="100")
    value = worth(by, amount_minor, currency=foreign, exchange=rate(text))
    assert (value.points, value.spend_minor) == (points, spend_minor)
    assert value.earning_minor == amount_minor
    assert reasons(value)[0] == "exchanged"


def test_rounding_of_currencies_never_touches_points() -> None:
    # 3 × 0.333 is 0.999 cents: as money 0, for the points 0.999.
    by = tariff(points="100000")
    value = worth(by, 3, currency="USD", exchange=rate("0.333"))
    assert (value.points, value.spend_minor) == (999, 0)


def test_points_spent_on_a_foreign_receipt_count_at_their_value() -> None:
    by = tariff(point_value="0.01")
    value = worth(by, 1000, currency="USD", exchange=rate("0.5"), paid_with_points=100)
    assert (value.points, value.spend_minor, value.earning_minor) == (4, 400, 800)


def test_foreign_money_without_a_rate_is_not_valued() -> None:
    with pytest.raises(ValueError, match="has a rate"):
        worth(tariff(), 1000, currency="USD")


# --- bonuses ----------------------------------------------------------------------------------

BIG = {"name": "Big shop", "at_least": "100", "points": 50}
FIRST = {"name": "Welcome", "at_least": "0.01", "points": 20, "once": "welcome"}


def test_a_bonus_is_for_a_receipt_that_earns_on_enough() -> None:
    by = tariff(bonuses=[BIG], excluded_categories=["tobacco"])
    assert [len(worth(by, amount).bonuses) for amount in (9999, 10000)] == [0, 1]
    [bonus] = worth(by, 10000).bonuses
    assert (bonus.points, bonus.name, bonus.at_least_minor) == (50, "Big shop", 10000)
    lines = (Line("beans", 9999), Line("cigars", 1, category="tobacco"))
    assert worth(by, 10000, lines=lines).bonuses == ()


def test_a_bonus_is_given_once_where_it_says_so() -> None:
    by = tariff(bonuses=[FIRST, BIG])
    value = worth(by, 10000)
    assert [(bonus.name, bonus.once_key) for bonus in value.bonuses] == [
        ("Welcome", "welcome"),
        ("Big shop", None),
    ]
    again = worth(by, 10000, once=frozenset({"welcome"}))
    assert [bonus.name for bonus in again.bonuses] == ["Big shop"]
    assert "bonus_once" in reasons(again)
    assert earning_of(by, Sale(10000, "EUR", NOON)).once_keys == ("welcome",)
    twice = tariff(bonuses=[FIRST, FIRST | {"name": "Hello"}])
    assert [bonus.name for bonus in worth(twice, 100).bonuses] == ["Welcome"]


def test_a_threshold_in_foreign_money_is_one_that_the_receipt_can_keep() -> None:
    by = tariff(bonuses=[BIG])
    # 100 euro are 111.11… dollars; 111.12 reach it and fall below it by returning one cent.
    value = worth(by, 11112, currency="USD", exchange=rate("0.9"))
    assert [bonus.at_least_minor for bonus in value.bonuses] == [11112]
    assert worth(by, 11111, currency="USD", exchange=rate("0.9")).bonuses == ()


# --- when -------------------------------------------------------------------------------------


def test_points_are_pending_for_whole_days_of_24_hours_or_until_confirmed() -> None:
    before_the_clocks_change = datetime(2026, 3, 28, 12, tzinfo=UTC)
    value = worth(tariff(pending_days=2), 100, occurred_at=before_the_clocks_change)
    assert value.available_from == before_the_clocks_change + timedelta(hours=48)
    assert worth(tariff(pending_until_confirmed=True), 100).available_from is None


def test_a_clock_that_is_ahead_gives_points_that_can_be_spent_at_once() -> None:
    assert worth(tariff(), 100, occurred_at=NOON + timedelta(minutes=5)).available_from == NOON


@pytest.mark.parametrize(
    ("months", "round_up", "day", "end"),
    [
        (1, "none", (2026, 1, 31), (2026, 3, 1)),  # through 28 February
        (1, "month", (2026, 1, 31), (2026, 3, 1)),
        (1, "none", (2026, 1, 5), (2026, 2, 6)),
        (1, "month", (2026, 1, 5), (2026, 3, 1)),
        (1, "quarter", (2026, 1, 31), (2026, 4, 1)),
        (12, "year", (2026, 2, 28), (2028, 1, 1)),
        (24, "month", (2024, 2, 29), (2026, 3, 1)),
    ],
)
def test_points_expire_with_the_local_day_then_rounded_up(
    months: int, round_up: str, day: tuple[int, int, int], end: tuple[int, int, int]
) -> None:
    by = tariff(zone="UTC", expires_after_months=months, expires_round_up=round_up)
    value = worth(by, 100, occurred_at=datetime(*day, 23, 59, tzinfo=UTC))
    assert value.expires_at == datetime(*end, tzinfo=UTC)
    assert reasons(value)[-1] == "usable_until"
    assert not value.rolling


def test_points_roll_where_they_expire_by_inactivity() -> None:
    by = tariff(expiry_mode="inactivity", inactivity_months=12, expires_after_months=3)
    value = worth(by, 100)
    assert (value.rolling, value.expires_at) == (True, None)
    assert worth(tariff(), 100).expires_at is None
