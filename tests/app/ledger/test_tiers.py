"""When a tier is reached, reviewed and lost, told as stories (see `tier_story.py`)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from app.ledger import tiers
from app.ledger.tiers import Downgrade, Level, Measure, TierScheme, Window

Tell = Callable[..., Any]

RIGA, BERLIN = "Europe/Riga", "Europe/Berlin"
LEVELS = (Level("silver", 500), Level("gold", 1000), Level("platinum", 2000))
CALENDAR = TierScheme(LEVELS)
ANNIVERSARY = TierScheme(LEVELS, window=Window.ANNIVERSARY)
ROLLING = TierScheme(LEVELS, window=Window.ROLLING)
GRACE = replace(CALENDAR, grace_days=30)
ONE_STEP = replace(CALENDAR, downgrade=Downgrade.ONE_STEP)


# --- thresholds and measures ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("points", "tier"),
    [(499, None), (500, "silver"), (999, "silver"), (1000, "gold"), (5000, "platinum")],
)
@pytest.mark.parametrize("scheme", [CALENDAR, ANNIVERSARY, ROLLING])
def test_a_tier_is_reached_exactly_at_its_threshold(
    tell: Tell, scheme: TierScheme, points: int, tier: str | None
) -> None:
    story = tell(scheme)
    story.earn("2025-03-01 10:00", points - 1)
    story.earn("2025-03-02 12:30", 1)
    assert story.state.tier == tier
    if tier and points in (500, 1000):
        assert story.told[-1].startswith("2025-03-02 12:30")
        assert story.changes[-1].counted == points


def test_money_is_counted_where_money_is_the_measure(tell: Tell) -> None:
    story = tell(replace(CALENDAR, measure=Measure.SPEND))
    story.earn("2025-03-01 10:00", 4)
    assert story.state.tier is None
    story.earn("2025-03-01 10:00", 1)
    assert story.state.tier == "silver"


def test_one_receipt_may_skip_a_tier(tell: Tell) -> None:
    story = tell(CALENDAR)
    story.earn("2025-03-01 10:00", 1500)
    assert story.told == ["2025-03-01 10:00 - > gold: earned"]


def test_tiers_are_ranked_and_none_is_below_all() -> None:
    codes = (None, "unknown", "silver", "gold", "platinum")
    assert [tiers.rank(CALENDAR, code) for code in codes] == [0, 0, 1, 2, 3]


# --- windows and reviews ----------------------------------------------------------------------


def test_a_calendar_year_counts_to_its_last_local_second(tell: Tell) -> None:
    story = tell(CALENDAR)
    story.earn("2025-12-31 23:59", 500)
    assert story.told == ["2025-12-31 23:59 - > silver: earned"]
    assert story.state.review_at == story.moment("2026-01-01 00:00")
    story.look("2026-12-31 23:59")
    assert story.state.tier == "silver"
    story.look("2027-01-01 00:00")
    assert story.told[1:] == ["2027-01-01 00:00 silver > -: review"]
    assert story.state.review_at is None


def test_the_new_year_begins_at_nothing(tell: Tell) -> None:
    story = tell(CALENDAR)
    story.earn("2025-12-31 23:59", 400)
    story.earn("2026-01-01 00:00", 400)
    assert story.told == []


@pytest.mark.parametrize(
    ("joined_on", "last", "review"),
    [
        ("2025-05-10", "2026-05-09 23:59", "2026-05-10 00:00"),
        # 29 February is 28 February in the other years, and 29 February again in a leap year.
        ("2024-02-29", "2025-02-27 23:59", "2025-02-28 00:00"),
        ("2027-02-28", "2028-02-27 23:59", "2028-02-28 00:00"),
    ],
)
def test_an_anniversary_ends_the_year_of_the_account(
    tell: Tell, joined_on: str, last: str, review: str
) -> None:
    story = tell(ANNIVERSARY, joined_on)
    story.earn(last, 500)
    assert story.state.review_at == story.moment(review)
    story.earn(review, 499)
    assert story.told == [f"{last} - > silver: earned"]
    following = review.replace(review[:4], str(int(review[:4]) + 1))
    story.look(following)
    assert story.told[1:] == [f"{following} silver > -: review"]


def test_a_leap_day_comes_back_in_a_leap_year(tell: Tell) -> None:
    story = tell(ANNIVERSARY, "2024-02-29")
    story.earn("2027-06-01 10:00", 500)
    assert story.state.review_at == story.moment("2028-02-29 00:00")


@pytest.mark.parametrize(
    ("first", "second", "is_silver"),
    [
        ("2025-03-15", "2026-03-14", True),
        ("2025-03-15", "2026-03-15", False),
        # The month's end: after 28 February come the twelve months to 28 February.
        ("2027-03-01", "2028-02-28", True),
        ("2027-02-28", "2028-02-28", False),
        ("2027-03-01", "2028-02-29", True),
        ("2027-02-28", "2028-02-29", False),
        ("2028-02-29", "2029-02-28", True),
        ("2028-02-28", "2029-02-28", False),
        ("2028-02-29", "2029-03-01", False),
        ("2025-08-31", "2026-08-31", False),
        ("2025-09-01", "2026-08-31", True),
    ],
)
def test_twelve_months_begin_after_the_same_day_a_year_before(
    tell: Tell, first: str, second: str, is_silver: bool
) -> None:
    story = tell(ROLLING)
    story.earn(f"{first} 23:59", 250)
    story.earn(f"{second} 00:00", 250)
    assert (story.state.tier == "silver") is is_silver


def test_days_that_leave_the_window_lower_nothing_before_the_review(tell: Tell) -> None:
    story = tell(ROLLING)
    story.earn("2025-03-10 10:00", 300)
    story.earn("2026-03-05 10:00", 200)
    story.earn("2026-03-20 10:00", 10)
    assert story.told == ["2026-03-05 10:00 - > silver: earned"]
    story.look("2026-04-02 08:00")
    assert story.told[1:] == ["2026-04-01 00:00 silver > -: review"]


def test_rolling_tiers_are_reviewed_each_month(tell: Tell) -> None:
    story = tell(ROLLING)
    story.earn("2025-03-10 10:00", 1000)
    assert story.state.review_at == story.moment("2025-04-01 00:00")
    story.earn("2025-09-30 10:00", 500)
    story.look("2026-12-31 10:00")
    assert story.told[1:] == [
        "2026-04-01 00:00 gold > silver: review",
        "2026-10-01 00:00 silver > -: review",
    ]


@pytest.mark.parametrize(
    ("zone", "joined_on", "review_utc"),
    [
        # Into summer on 29 March 2026, out of it on 25 October 2026.
        (RIGA, "2025-03-29", "2026-03-28 22:00"),
        (RIGA, "2025-03-30", "2026-03-29 21:00"),
        (RIGA, "2025-10-25", "2026-10-24 21:00"),
        (RIGA, "2025-10-26", "2026-10-25 22:00"),
        (BERLIN, "2025-03-29", "2026-03-28 23:00"),
        (BERLIN, "2025-03-30", "2026-03-29 22:00"),
        (BERLIN, "2025-10-25", "2026-10-24 22:00"),
        (BERLIN, "2025-10-26", "2026-10-25 23:00"),
    ],
)
def test_reviews_are_at_local_midnight_through_both_clock_changes(
    tell: Tell, zone: str, joined_on: str, review_utc: str
) -> None:
    story = tell(ANNIVERSARY, joined_on, zone)
    story.earn(f"{joined_on} 12:00", 500)
    assert story.state.review_at == datetime.fromisoformat(review_utc).replace(tzinfo=UTC)


@pytest.mark.parametrize("zone", [RIGA, BERLIN])
def test_rolling_reviews_and_graces_keep_to_local_midnight(tell: Tell, zone: str) -> None:
    story = tell(replace(ROLLING, grace_days=30), "2025-01-01", zone)
    story.earn("2025-03-10 12:00", 500)
    story.look("2026-04-01 00:00")
    assert story.state.grace_until == story.moment("2026-05-01 00:00")
    story.look("2026-05-01 00:00")
    assert story.told[1:] == ["2026-05-01 00:00 silver > -: grace_over"]


# --- downgrades -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "counted", "tier"),
    [
        (CALENDAR, 0, None),
        (CALENDAR, 999, "silver"),
        (CALENDAR, 2000, "platinum"),
        (ONE_STEP, 0, "gold"),
        (ONE_STEP, 999, "gold"),
        (ONE_STEP, 2000, "platinum"),
    ],
)
def test_a_review_recomputes_or_takes_one_step(
    tell: Tell, scheme: TierScheme, counted: int, tier: str | None
) -> None:
    story = tell(scheme)
    story.earn("2025-05-01 10:00", 2000)
    story.earn("2026-05-01 10:00", counted)
    assert story.state.tier == "platinum"
    story.look("2027-02-01 10:00")
    assert story.state.tier == tier


def test_missed_reviews_happen_in_their_order(tell: Tell) -> None:
    story = tell(ONE_STEP)
    story.earn("2025-05-01 10:00", 2000)
    story.look("2030-06-01 10:00")
    assert story.told[1:] == [
        "2027-01-01 00:00 platinum > gold: review",
        "2028-01-01 00:00 gold > silver: review",
        "2029-01-01 00:00 silver > -: review",
    ]


@pytest.mark.parametrize("scheme", [CALENDAR, ANNIVERSARY, ROLLING])
def test_an_account_that_slept_three_years_begins_anew(tell: Tell, scheme: TierScheme) -> None:
    story = tell(scheme)
    story.earn("2025-05-01 10:00", 2000)
    story.earn("2029-05-01 10:00", 500)
    assert [text[16:] for text in story.told[1:]] == [
        " platinum > -: review",
        " - > silver: earned",
    ]
    assert story.told[-1].startswith("2029-05-01 10:00")


def test_an_upgrade_that_nobody_saw_comes_before_the_review_that_took_it(tell: Tell) -> None:
    story = tell(CALENDAR)
    story.count("2025-05-01", 400)
    story.count("2025-06-01", 600)
    story.look("2027-03-01 10:00")
    assert story.told == [
        "2025-06-01 00:00 - > gold: earned",
        "2027-01-01 00:00 gold > -: review",
    ]


# --- grace ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("points", "tier"), [(399, "silver"), (400, "gold"), (5000, "platinum"), (0, "silver")]
)
def test_a_grace_keeps_what_the_year_and_the_grace_count_together(
    tell: Tell, points: int, tier: str
) -> None:
    story = tell(GRACE)
    story.earn("2025-05-01 10:00", 1000)
    story.earn("2026-05-01 10:00", 600)
    story.earn("2027-01-30 23:59", points)
    assert story.state.tier == ("platinum" if points == 5000 else "gold")
    assert story.state.review_at == story.moment("2027-01-31 00:00")
    story.look("2027-01-31 00:00")
    assert story.state.tier == tier
    if tier == "silver":
        assert story.told[1:] == ["2027-01-31 00:00 gold > silver: grace_over"]


def test_a_grace_keeps_and_never_lifts(tell: Tell) -> None:
    story = tell(GRACE)
    story.earn("2025-05-01 10:00", 500)
    story.earn("2026-05-01 10:00", 400)
    story.earn("2027-01-15 10:00", 700)
    story.look("2027-12-01 10:00")
    assert story.told == ["2025-05-01 10:00 - > silver: earned"]


def test_what_is_earned_after_the_grace_keeps_nothing(tell: Tell) -> None:
    story = tell(GRACE)
    story.earn("2025-05-01 10:00", 1000)
    story.earn("2026-05-01 10:00", 600)
    story.earn("2027-01-31 00:00", 400)
    assert story.told[1:] == ["2027-01-31 00:00 gold > silver: grace_over"]


def test_a_grace_lowers_one_step_where_that_is_the_rule(tell: Tell) -> None:
    story = tell(replace(ONE_STEP, grace_days=30))
    story.earn("2025-05-01 10:00", 2000)
    story.look("2030-06-01 10:00")
    assert story.told[1:] == [
        "2027-01-31 00:00 platinum > gold: grace_over",
        "2028-01-31 00:00 gold > silver: grace_over",
        "2029-01-31 00:00 silver > -: grace_over",
    ]


def test_there_is_no_rolling_review_while_a_grace_runs(tell: Tell) -> None:
    story = tell(replace(ROLLING, grace_days=75))
    story.earn("2025-03-10 10:00", 1000)
    story.look("2026-04-01 00:00")
    assert story.state.grace_until == story.moment("2026-06-15 00:00")
    story.earn("2026-05-20 10:00", 500)
    story.look("2026-12-01 10:00")
    assert story.told[1:] == ["2026-06-15 00:00 gold > silver: grace_over"]
    assert story.state.review_at == story.moment("2027-01-01 00:00")


def test_what_was_reached_during_a_grace_is_reviewed_after_it(tell: Tell) -> None:
    story = tell(replace(ROLLING, grace_days=75))
    story.earn("2025-03-10 10:00", 1000)
    story.earn("2025-05-20 10:00", 900)
    story.earn("2026-05-10 10:00", 1100)
    story.look("2026-12-01 10:00")
    assert story.told[1:] == [
        "2026-05-10 10:00 gold > platinum: earned",
        "2026-09-14 00:00 platinum > gold: grace_over",
    ]


def test_a_step_is_taken_from_what_was_reached_within_the_month(tell: Tell) -> None:
    story = tell(replace(ROLLING, downgrade=Downgrade.ONE_STEP))
    story.earn("2025-03-10 10:00", 900)
    story.earn("2026-03-05 10:00", 100)
    story.look("2026-04-01 10:00")
    assert story.told[1:] == [
        "2026-03-05 10:00 silver > gold: earned",
        "2026-04-01 00:00 gold > silver: review",
    ]
