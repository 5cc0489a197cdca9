"""What a made-up basket earns is what a real one would."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.ledger.postings import Line
from app.programmes.drafts.consequences import Member, Sample, point_costs, reckon, sample_baskets
from app.programmes.file.examples import EXAMPLES, example
from app.programmes.file.reading import read
from app.programmes.settings import Settings, settings_from_json

#: A Tuesday, at nine.
AT = datetime.fromisoformat("2026-06-02T09:00")


def settings(**more: Any) -> Settings:
    return settings_from_json({"points": "1", "per_amount": "1"} | more)


def points(made: Settings, sample: Sample) -> int:
    return reckon(made, "EUR", "Europe/Riga", sample).points


def test_a_basket_of_twelve_fifty_earns_twelve_points() -> None:
    assert points(settings(), Sample(1250, AT)) == 12
    assert point_costs(settings(), "EUR", 12) == 12


def test_who_buys_when_and_where_decides_as_it_would_at_the_till() -> None:
    made = settings(
        tiers={"levels": [{"code": "gold", "at_least": 100, "multiplier": "2"}]},
        segments={"often": {"within_days": 30, "visits_at_least": 5}},
        rules=[
            {"name": "Tue", "kind": "multiplier", "factor": "3", "weekdays": ["tue"]},
            {"name": "Often", "kind": "visit", "role": "always", "segments": ["often"],
             "gives": {"points": 7}},
            {"name": "First", "kind": "visit", "role": "always", "first_purchase": True,
             "gives": {"points": 50}},
            {"name": "Row", "kind": "visit", "role": "always", "streak": {"weeks": 4},
             "gives": {"points": 100}},
            {"name": "Port", "kind": "visit", "role": "always", "locations": ["port"],
             "gives": {"points": 1000}},
        ],
    )  # fmt: skip
    sample = Sample(1000, AT, member=Member(visits=1))
    assert points(made, sample) == 30
    assert points(made, replace(sample, at=AT + timedelta(days=1))) == 10
    assert points(made, replace(sample, member=Member(tier="gold", visits=1))) == 60
    assert points(made, replace(sample, member=Member(visits=5))) == 37
    assert points(made, replace(sample, member=Member())) == 80
    assert points(made, replace(sample, member=Member(visits=1, in_a_row=True))) == 130
    assert points(made, replace(sample, location="port")) == 1030


def test_what_is_paid_earns_and_not_what_stands_on_the_label() -> None:
    made = settings(
        discounts=[{"code": "card", "names": {"en": "Card"}, "percent": "10"}],
        prices=[{"item": "beans", "price": "8.00"}],
    )
    lines = (Line("beans", 1000), Line("cup", 999), Line("tea", 1))
    found = reckon(made, "EUR", "Europe/Riga", Sample(2000, AT, lines))
    assert (found.priced.to_pay_minor, found.priced.saved_minor) == (1700, 300)
    assert found.points == 17


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["coffee", "cake", "paperback", "cement 25 kg", "gloves", "other"]),
            st.integers(0, 50_000),
            st.integers(1, 60),
        ),
        max_size=6,
    ),
    st.integers(0, 200_000),
    st.sampled_from([None, "gold"]),
    st.sampled_from(["personal", "company"]),
    st.integers(0, 30),
)
def test_any_basket_has_a_price_and_points_in_every_example(
    goods: list[tuple[str, int, int]], amount: int, tier: str | None, kind: str, visits: int
) -> None:
    lines = tuple(Line(name, minor, count, name) for name, minor, count in goods)
    total = sum(line.amount_minor for line in lines) if lines else amount
    member = Member(tier=tier, kind=kind, visits=visits, spent_minor=total, in_a_row=visits > 9)
    for name in EXAMPLES:
        made = read(example(name)).settings
        found = reckon(made, "EUR", "Europe/Riga", Sample(total, AT, lines, "old-town", member))
        assert found.points >= 0
        assert 0 <= found.priced.to_pay_minor <= total
        assert point_costs(made, "EUR", found.points) >= Decimal(0)


def test_the_baskets_to_begin_with_hold_goods_that_the_rules_name() -> None:
    made = read(example("cafe")).settings
    small, named, large = sample_baskets(made, "EUR", AT, {"old-town": "Old Town"})
    assert (small.amount_minor, large.amount_minor, small.location) == (1250, 8000, "old-town")
    assert [line.category for line in named.lines] == ["coffee", "cake"]
    assert sample_baskets(made, "JPY", AT, {})[0].amount_minor == 1250
