"""Laws of rules, for any rules and any receipt: more bought is never worth less, a receipt that
comes back whole leaves nothing, and returns in any sizes end where one return ends."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.ledger.grounds import (
    Grounds,
    Kept,
    KeptLine,
    count_left,
    grounds_from_json,
    points_due,
)
from app.ledger.postings import AccountFacts, Activity, Line, Value
from app.programmes.earning import Sale, earning_of, tariff_of, value_of
from app.programmes.settings import settings_from_json

NOON = datetime(2026, 6, 1, 9, tzinfo=UTC)
KINDS = st.sampled_from(["coffee", "bun", "book", None])
CATEGORIES = st.lists(
    st.sampled_from(["coffee", "bun", "book"]), min_size=1, max_size=2, unique=True
)
GIVES = st.builds(
    lambda points, stamps: {"points": points} | ({"stamps": {"cup": stamps}} if stamps else {}),
    st.integers(1, 9),
    st.integers(0, 3),
)
AMOUNT = st.fixed_dictionaries(
    {
        "kind": st.just("amount"),
        "points": st.sampled_from(["0.3", "1", "2.5"]),
        "per_amount": st.sampled_from(["0.7", "1", "3"]),
        "role": st.sampled_from(["base", "promotion"]),
    },
    optional={"only_categories": CATEGORIES, "at_least": st.sampled_from(["1", "9.99"])},
)
ITEM = st.fixed_dictionaries(
    {
        "kind": st.just("item"),
        "categories": CATEGORIES,
        "gives": GIVES,
        "role": st.sampled_from(["promotion", "always"]),
    },
    optional={"per_quantity": st.sampled_from(["0.5", "1", "2"]), "most": st.integers(1, 4)},
)
BASKET = st.fixed_dictionaries(
    {
        "kind": st.just("basket"),
        "contains": st.lists(
            st.fixed_dictionaries(
                {"categories": CATEGORIES, "quantity": st.sampled_from(["1", "2", "3"])}
            ),
            min_size=1,
            max_size=2,
            unique_by=lambda each: (tuple(each["categories"]), each["quantity"]),
        ),
        "gives": GIVES,
        "each": st.booleans(),
    }
)
TICKETS = st.fixed_dictionaries(
    {
        "kind": st.just("basket"),
        "per_amount": st.sampled_from(["0.5", "3"]),
        "gives": GIVES,
    }
)
VISIT = st.fixed_dictionaries(
    {"kind": st.just("visit"), "gives": GIVES, "role": st.just("always")},
    optional={"at_least": st.sampled_from(["1", "5"])},
)
TIMES = st.fixed_dictionaries(
    {"kind": st.just("multiplier"), "factor": st.sampled_from(["1", "1.5", "2"])}
)


@st.composite
def programmes(draw: st.DrawFn, *, stacking: str | None = None) -> Any:
    rules = draw(st.lists(st.one_of(AMOUNT, ITEM, BASKET, TICKETS, VISIT, TIMES), max_size=6))
    read = settings_from_json(
        {
            "points": draw(st.sampled_from(["0", "0.3", "1"])),
            "per_amount": "1",
            "stacking": stacking or draw(st.sampled_from(["all", "best"])),
            "rules": [rule | {"name": f"rule {at}"} for at, rule in enumerate(rules)],
        }
    )
    assert settings_from_json(read.as_json()) == read
    return tariff_of(read, "EUR", "Europe/Riga")


LINES = st.lists(
    st.builds(
        lambda kind, quantity, amount: Line("x", amount, quantity, kind),
        KINDS,
        st.integers(1, 5),
        st.integers(0, 2000),
    ),
    min_size=1,
    max_size=5,
)


def worth(tariff: Any, lines: list[Line]) -> Value:
    sale = Sale(sum(line.amount_minor for line in lines), "EUR", NOON, lines=tuple(lines))
    facts = AccountFacts(windows={30: Activity(1, 1)})
    return value_of(tariff, earning_of(tariff, sale), facts, now=NOON)


def all_points(value: Value) -> int:
    return value.points + sum(bonus.points for bonus in value.bonuses)


@given(programmes(), LINES, st.integers(1, 500), KINDS)
@settings(max_examples=200, deadline=None)
def test_more_bought_is_never_worth_fewer_points(
    tariff: Any, lines: list[Line], amount: int, kind: str | None
) -> None:
    more = [*lines, Line("more", amount, 1, kind)]
    assert all_points(worth(tariff, more)) >= all_points(worth(tariff, lines))


@given(programmes(stacking="all"), LINES, st.integers(1, 500), KINDS)
@settings(max_examples=100, deadline=None)
def test_more_bought_never_gives_fewer_things(
    tariff: Any, lines: list[Line], amount: int, kind: str | None
) -> None:
    def stamps(of: list[Line]) -> int:
        return sum(each.count for each in worth(tariff, of).given)

    assert stamps([*lines, Line("more", amount, 1, kind)]) >= stamps(lines)


@given(programmes(), LINES)
@settings(max_examples=100, deadline=None)
def test_the_points_are_those_that_the_reasons_name(tariff: Any, lines: list[Line]) -> None:
    value = worth(tariff, lines)
    named = sum(
        reason["points"]
        for reason in value.explain
        if reason["code"] in {"earned", "earned_rounded", "base_rule", "bonus"}
    )
    assert named == all_points(value)


def kept_of(lines: list[Line], back: dict[int, int], unknown: int, earning: int) -> Kept:
    """What is kept when so many pieces of each line and so much besides came back."""
    left = {}
    came = unknown
    for at, line in enumerate(lines, 1):
        pieces = int(line.quantity)
        money = line.amount_minor * back.get(at, 0) // pieces
        came += money
        left[at] = KeptLine((pieces - back.get(at, 0)) * 1000, line.amount_minor - money)
    amount = sum(line.amount_minor for line in lines) - came
    share = max(0, amount)
    return Kept(amount, min(earning, share), left, unknown, is_nothing=amount <= 0)


@given(programmes(), LINES, st.data())
@settings(max_examples=200, deadline=None)
def test_returns_in_any_sizes_take_more_and_more_and_end_exactly(
    tariff: Any, lines: list[Line], data: st.DataObject
) -> None:
    value = worth(tariff, lines)
    earning = value.earning_minor or 0
    whole = kept_of(lines, {}, 0, earning)
    gone: dict[int, int] = {}
    before = [0] * len(value.bonuses)
    things = [each.count for each in value.given]
    for bonus in value.bonuses:
        assert bonus.grounds is not None
        assert grounds_from_json(bonus.grounds.as_json()) == bonus.grounds
        if earning:
            assert points_due(bonus.points, bonus.grounds, whole) == 0
    order = data.draw(
        st.permutations([at for at, line in enumerate(lines, 1) for _ in range(int(line.quantity))])
    )
    for at in order:
        gone[at] = gone.get(at, 0) + 1
        kept = kept_of(lines, gone, 0, earning)
        for place, bonus in enumerate(value.bonuses):
            due = points_due(bonus.points, bonus.grounds or Grounds(), kept)
            assert before[place] <= due <= bonus.points
            before[place] = due
        for place, each in enumerate(value.given):
            left = count_left(each.count, each.grounds, kept)
            assert 0 <= left <= things[place]
            things[place] = left
    assert before == [bonus.points for bonus in value.bonuses]
    assert not any(things)


@given(programmes(), LINES, st.integers(0, 10_000))
@settings(max_examples=100, deadline=None)
def test_what_comes_back_unnamed_takes_no_more_than_all(
    tariff: Any, lines: list[Line], unknown: int
) -> None:
    value = worth(tariff, lines)
    total = sum(line.amount_minor for line in lines)
    kept = kept_of(lines, {}, min(unknown, total), value.earning_minor or 0)
    for bonus in value.bonuses:
        due = points_due(bonus.points, bonus.grounds or Grounds(), kept)
        assert 0 <= due <= bonus.points
        assert due == bonus.points or unknown < total
