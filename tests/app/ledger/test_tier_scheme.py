"""Tiers as they are written in settings, and how far an account is."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Invalid
from app.ledger import tiers
from app.ledger.tiers import Count, Downgrade, Level, Measure, TierScheme, TierState, Window

ZONE = "Europe/Riga"
LEVELS = (Level("silver", 500), Level("gold", 1000))
GOLD = {"code": "gold", "at_least": 1000}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@given(
    st.builds(
        TierScheme,
        levels=st.just(LEVELS),
        measure=st.sampled_from(Measure),
        window=st.sampled_from(Window),
        downgrade=st.sampled_from(Downgrade),
        grace_days=st.integers(0, 180),
    )
)
def test_a_scheme_is_read_as_it_was_written(scheme: TierScheme) -> None:
    assert tiers.scheme_from_json(tiers.scheme_as_json(scheme)) == scheme


def test_only_the_levels_have_to_be_said() -> None:
    assert tiers.scheme_from_json({"levels": [GOLD]}) == TierScheme((Level("gold", 1000),))


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        (None, {"tiers"}),
        ([], {"tiers"}),
        ({}, {"levels"}),
        ({"levels": []}, {"levels"}),
        ({"levels": [GOLD] * 21}, {"levels"}),
        ({"levels": {"gold": 1000}}, {"levels"}),
        ({"levels": ["gold"]}, {"levels.1"}),
        ({"levels": [GOLD | {"name": "Gold"}]}, {"levels.1.name"}),
        ({"levels": [{"code": "gold"}]}, {"levels.1.at_least"}),
        ({"levels": [{"at_least": 1}]}, {"levels.1.code"}),
        ({"levels": [GOLD, GOLD]}, {"levels.2.code", "levels.2.at_least"}),
        ({"levels": [GOLD, {"code": "silver", "at_least": 1000}]}, {"levels.2.at_least"}),
        ({"levels": [{"code": "Gold", "at_least": 0}]}, {"levels.1.code", "levels.1.at_least"}),
        (
            {"levels": [{"code": "g" * 41, "at_least": True}]},
            {"levels.1.code", "levels.1.at_least"},
        ),
        ({"levels": [{"code": "gold\n", "at_least": 1.0}]}, {"levels.1.code", "levels.1.at_least"}),
        ({"levels": [GOLD | {"at_least": 10**13}]}, {"levels.1.at_least"}),
        ({"levels": [GOLD], "window": "decade"}, {"window"}),
        ({"levels": [GOLD], "measure": None, "downgrade": 1}, {"measure", "downgrade"}),
        ({"levels": [GOLD], "grace_days": -1}, {"grace_days"}),
        ({"levels": [GOLD], "grace_days": 181}, {"grace_days"}),
        ({"levels": [GOLD], "grace_days": True}, {"grace_days"}),
        ({"levels": [GOLD], "colour": "red", 7: 1}, {"colour", "7"}),
    ],
)
def test_each_wrong_field_is_named(data: Any, fields: set[str]) -> None:
    with pytest.raises(Invalid) as refused:
        tiers.scheme_from_json(data)
    assert set(refused.value.fields) == fields
    assert all(text.endswith(".") for texts in refused.value.fields.values() for text in texts)


@pytest.mark.parametrize("levels", [LEVELS[::-1], (LEVELS[0], LEVELS[0])])
def test_a_scheme_rises(levels: tuple[Level, ...]) -> None:
    with pytest.raises(ValueError, match="rise"):
        TierScheme(levels)


# --- progress ---------------------------------------------------------------------------------


def test_a_card_says_what_the_next_tier_lacks_and_until_when() -> None:
    scheme, state = TierScheme(LEVELS), TierState(date(2026, 1, 1))
    days = {date(2026, 5, 1): Count(499, 0)}
    shown = tiers.progress(scheme, state, days, utc("2026-06-01 10:00"), ZONE)
    assert (shown.tier, shown.counted, shown.next_level, shown.missing) == (
        None,
        499,
        LEVELS[0],
        1,
    )
    assert shown.until == utc("2026-12-31 22:00")
    assert (shown.keep_missing, shown.keep_by) == (0, None)


def test_a_card_says_what_keeps_the_tier() -> None:
    scheme = TierScheme(LEVELS, grace_days=30)
    state = TierState(date(2025, 1, 1))
    days = {date(2025, 5, 1): Count(1000, 0), date(2026, 5, 1): Count(300, 0)}
    tiers.assess(scheme, state, days, utc("2025-05-01 10:00"), ZONE)
    shown = tiers.progress(scheme, state, days, utc("2026-06-01 10:00"), ZONE)
    assert (shown.tier, shown.next_level, shown.missing) == ("gold", None, None)
    assert (shown.keep_missing, shown.keep_by) == (700, utc("2026-12-31 22:00"))
    days[date(2027, 1, 10)] = Count(50, 0)
    shown = tiers.progress(scheme, state, days, utc("2027-01-10 10:00"), ZONE)
    assert (shown.tier, shown.counted) == ("gold", 50)
    assert (shown.keep_missing, shown.keep_by) == (650, utc("2027-01-30 22:00"))
    # Showing it is no review.
    assert state.reviewed_at is None


@pytest.mark.parametrize(
    ("day", "today", "leaves"),
    [
        ("2025-05-10", "2026-02-01", "2026-05-09 21:00"),
        ("2027-05-10", "2028-02-01", "2028-05-09 21:00"),
        ("2028-02-28", "2028-06-01", "2029-02-27 22:00"),
        ("2028-02-29", "2028-06-01", "2029-02-28 22:00"),
    ],
)
def test_a_card_says_when_twelve_months_begin_to_shrink(day: str, today: str, leaves: str) -> None:
    scheme = TierScheme(LEVELS, window=Window.ROLLING)
    counted = date.fromisoformat(day)
    days = {counted: Count(100, 0)}
    shown = tiers.progress(scheme, TierState(date(2025, 1, 1)), days, utc(f"{today} 10:00"), ZONE)
    assert (shown.counted, shown.until) == (100, utc(leaves))
    later = tiers.progress(scheme, TierState(date(2025, 1, 1)), days, utc(leaves), ZONE)
    assert (later.counted, later.until) == (0, None)


def test_an_override_is_no_progress() -> None:
    scheme, state = TierScheme(LEVELS), TierState(date(2026, 1, 1))
    now = utc("2026-06-01 10:00")
    tiers.override(scheme, state, "gold", utc("2026-09-01 10:00"), {}, now, ZONE)
    shown = tiers.progress(scheme, state, {}, now, ZONE)
    assert (shown.tier, shown.counted, shown.next_level, shown.keep_by) == ("gold", 0, None, None)
    days = {date(2026, 6, 1): Count(0, 600)}
    spend = replace(scheme, measure=Measure.SPEND)
    shown = tiers.progress(spend, state, days, now, ZONE)
    assert (shown.counted, shown.keep_missing, shown.keep_by) == (600, 0, utc("2026-12-31 22:00"))
