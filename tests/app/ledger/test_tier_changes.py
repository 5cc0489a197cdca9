"""What comes late or back, overrides, merges and new rules, told as stories (`tier_story.py`)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from app.errors import Invalid
from app.ledger import tiers
from app.ledger.tiers import Count, Downgrade, Level, TierReason, TierScheme, TierState, Window

Tell = Callable[..., Any]

BERLIN = "Europe/Berlin"
LEVELS = (Level("silver", 500), Level("gold", 1000), Level("platinum", 2000))
CALENDAR = TierScheme(LEVELS)
ROLLING = TierScheme(LEVELS, window=Window.ROLLING)
ONE_STEP = replace(CALENDAR, downgrade=Downgrade.ONE_STEP)


# --- late receipts ----------------------------------------------------------------------------


def test_receipts_of_a_till_without_network_are_valued_in_their_order(tell: Tell) -> None:
    story = tell(CALENDAR)
    story.earn("2025-05-01 10:00", 499, "2025-05-01 15:00")
    story.earn("2025-05-01 11:00", 1, "2025-05-01 15:00")
    assert story.tier_at("2025-05-01 10:59") is None
    assert story.tier_at("2025-05-01 11:30") == "silver"
    story.earn("2025-05-01 12:00", 500, "2025-05-01 15:00")
    assert story.tier_at("2025-05-01 11:30") == "silver"
    assert story.tier_at("2025-05-01 12:00") == "gold"


def test_a_late_receipt_never_changes_the_time_before_the_last_change(tell: Tell) -> None:
    story = tell(CALENDAR)
    story.earn("2025-05-01 12:00", 600)
    story.earn("2025-05-01 10:00", 400, "2025-05-01 15:00")
    assert story.told[1:] == ["2025-05-01 12:00 silver > gold: late_receipt"]
    assert story.tier_at("2025-05-01 11:00") is None
    assert story.tier_at("2025-05-01 13:00") == "gold"


def test_a_late_receipt_counts_from_the_day_on_which_all_of_it_was_enough(tell: Tell) -> None:
    story = tell(CALENDAR)
    story.earn("2025-05-03 12:00", 300)
    story.earn("2025-05-01 10:00", 200, "2025-05-05 15:00")
    assert story.told == ["2025-05-03 00:00 - > silver: late_receipt"]


@pytest.mark.parametrize("scheme", [CALENDAR, ROLLING])
def test_a_late_receipt_restores_what_the_review_took(tell: Tell, scheme: TierScheme) -> None:
    story = tell(scheme)
    story.earn("2025-12-01 10:00", 500)
    story.earn("2026-12-30 10:00", 300)
    story.look("2027-01-01 06:00")
    assert story.told[-1] == "2027-01-01 00:00 silver > -: review"
    story.earn("2026-12-31 20:00", 200, "2027-01-02 10:00")
    assert story.told[-1] == "2027-01-01 00:00 - > silver: late_receipt"
    assert story.changes[-1].counted == 500


def test_a_late_receipt_of_the_last_year_reaches_a_tier_for_the_next(tell: Tell) -> None:
    story = tell(CALENDAR)
    story.earn("2026-12-30 10:00", 900)
    story.look("2027-01-01 06:00")
    story.earn("2026-12-31 20:00", 100, "2027-01-02 10:00")
    assert story.told[-1] == "2026-12-31 20:00 silver > gold: late_receipt"
    story.look("2027-12-31 10:00")
    assert story.state.tier == "gold"


def test_a_late_receipt_of_somebody_without_a_tier_is_reviewed_too(tell: Tell) -> None:
    story = tell(CALENDAR)
    story.earn("2025-03-01 10:00", 400)
    story.earn("2026-12-31 20:00", 500, "2027-01-02 10:00")
    story.look("2028-01-02 10:00")
    assert story.told == [
        "2026-12-31 20:00 - > silver: late_receipt",
        "2028-01-01 00:00 silver > -: review",
    ]


def test_reviews_before_the_last_stand_as_they_are(tell: Tell) -> None:
    story = tell(CALENDAR)
    story.earn("2025-12-31 20:00", 500, "2027-01-02 10:00")
    assert story.told == []


def test_a_late_receipt_may_save_what_a_grace_lost(tell: Tell) -> None:
    story = tell(replace(CALENDAR, grace_days=30))
    story.earn("2025-05-01 10:00", 500)
    story.earn("2026-05-01 10:00", 300)
    story.look("2027-02-01 10:00")
    assert story.told[-1] == "2027-01-31 00:00 silver > -: grace_over"
    story.earn("2027-01-30 10:00", 200, "2027-02-02 10:00")
    assert story.told[-1] == "2027-01-31 00:00 - > silver: late_receipt"


@pytest.mark.parametrize("scheme", [CALENDAR, ROLLING])
def test_points_that_were_pending_at_the_review_count_for_it_later(
    tell: Tell, scheme: TierScheme
) -> None:
    story = tell(scheme)
    story.look("2027-01-05 10:00")
    story.count("2026-12-20", 500)
    story.look("2027-01-08 10:00")
    assert story.told == ["2027-01-08 10:00 - > silver: earned"]
    story.look("2027-01-31 10:00")
    assert story.state.tier == "silver"


def test_a_late_receipt_may_make_a_grace_needless(tell: Tell) -> None:
    story = tell(replace(ROLLING, grace_days=75))
    story.earn("2025-03-10 10:00", 500)
    story.earn("2026-03-10 10:00", 400)
    story.look("2026-04-10 10:00")
    assert story.state.review_at == story.moment("2026-06-15 00:00")
    story.earn("2026-03-31 10:00", 100, "2026-04-10 10:00")
    assert (story.state.grace_until, story.state.review_at) == (
        None,
        story.moment("2026-05-01 00:00"),
    )


def test_a_receipt_of_a_till_that_is_ahead_waits_for_its_year(tell: Tell) -> None:
    story = tell(CALENDAR)
    story.earn("2026-01-01 00:02", 500, "2025-12-31 23:58")
    assert story.told == []
    assert story.state.review_at == story.moment("2026-01-01 00:00")
    story.look("2026-01-01 00:05")
    assert story.told == ["2026-01-01 00:05 - > silver: earned"]


# --- returns ----------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", [CALENDAR, ROLLING])
def test_a_return_takes_back_what_only_it_had_reached(tell: Tell, scheme: TierScheme) -> None:
    story = tell(scheme)
    story.earn("2025-05-01 10:00", 500)
    story.earn("2025-06-01 10:00", 500)
    story.give_back("2025-06-01", 1, "2025-06-03 11:00")
    assert story.told[1:] == [
        "2025-06-01 10:00 silver > gold: earned",
        "2025-06-03 11:00 gold > silver: returned",
    ]


@pytest.mark.parametrize("scheme", [CALENDAR, ROLLING])
def test_a_return_that_is_undone_gives_the_tier_again(tell: Tell, scheme: TierScheme) -> None:
    story = tell(scheme)
    story.earn("2025-06-01 10:00", 500)
    story.give_back("2025-06-01", 100, "2025-06-03 11:00")
    story.give_back("2025-06-01", -100, "2025-06-04 12:00")
    story.give_back("2025-06-01", 100, "2025-06-05 13:00")
    assert story.told[1:] == [
        "2025-06-03 11:00 silver > -: returned",
        "2025-06-04 12:00 - > silver: earned",
        "2025-06-05 13:00 silver > -: returned",
    ]


def test_a_return_leaves_what_was_kept(tell: Tell) -> None:
    story = tell(CALENDAR)
    story.earn("2025-06-01 10:00", 500)
    story.earn("2026-06-01 10:00", 1000)
    story.give_back("2026-06-01", 1000, "2026-06-02 10:00")
    assert story.told[-1] == "2026-06-02 10:00 gold > silver: returned"


@pytest.mark.parametrize(("scheme", "left"), [(CALENDAR, None), (ONE_STEP, "silver")])
def test_a_return_after_the_review_does_it_again(
    tell: Tell, scheme: TierScheme, left: str | None
) -> None:
    story = tell(scheme)
    story.earn("2025-06-01 10:00", 1000)
    story.earn("2026-12-20 10:00", 2000)
    story.look("2027-01-01 06:00")
    assert story.state.tier == "platinum"
    story.give_back("2026-12-20", 2000, "2027-01-10 10:00")
    # Without that receipt gold would have been reviewed.
    assert story.state.tier == left
    assert story.changes[-1].reason is TierReason.RETURNED
    story.give_back("2026-12-20", -2000, "2027-01-11 10:00")
    assert story.state.tier == "platinum"


def test_a_return_after_the_review_may_begin_a_grace(tell: Tell) -> None:
    story = tell(replace(CALENDAR, grace_days=30))
    story.earn("2025-06-01 10:00", 500)
    story.earn("2026-12-20 10:00", 500)
    story.give_back("2026-12-20", 100, "2027-01-10 10:00")
    assert (story.state.tier, story.state.review_at) == ("silver", story.moment("2027-01-31 00:00"))
    story.earn("2027-01-20 10:00", 99)
    story.look("2027-02-02 10:00")
    assert story.told[1:] == ["2027-01-31 00:00 silver > -: grace_over"]


def test_a_return_of_something_else_leaves_the_last_review_as_it_was(tell: Tell) -> None:
    story = tell(replace(ROLLING, downgrade=Downgrade.ONE_STEP))
    story.earn("2025-03-10 10:00", 900)
    story.earn("2026-03-05 10:00", 100)
    story.earn("2026-04-02 10:00", 10)
    assert story.told[-1] == "2026-04-01 00:00 gold > silver: review"
    story.give_back("2026-04-02", 10, "2026-04-03 10:00")
    assert story.state.tier == "silver"


# --- overrides --------------------------------------------------------------------------------


def test_an_override_lifts_until_its_end(tell: Tell) -> None:
    story = tell(CALENDAR)
    story.earn("2025-05-01 10:00", 500)
    story.lift("platinum", "2025-07-01 00:00", "2025-05-02 10:00")
    story.earn("2025-06-01 10:00", 500)
    story.look("2025-07-03 10:00")
    assert story.told[1:] == [
        "2025-05-02 10:00 silver > platinum: override",
        "2025-07-01 00:00 platinum > gold: override_over",
    ]
    assert (story.state.override, story.state.override_until) == (None, None)


def test_an_override_over_a_review_hides_it_and_ends_where_it_left(tell: Tell) -> None:
    story = tell(CALENDAR)
    story.earn("2025-05-01 10:00", 1000)
    story.lift("platinum", "2027-03-01 00:00", "2025-05-02 10:00")
    story.look("2028-07-03 10:00")
    assert story.told[2:] == ["2027-03-01 00:00 platinum > -: override_over"]


def test_an_override_never_lowers(tell: Tell) -> None:
    story = tell(CALENDAR)
    story.earn("2025-05-01 10:00", 1000)
    story.lift("silver", "2027-03-01 00:00", "2025-05-02 10:00")
    assert story.state.tier == "gold"
    story.look("2027-01-01 00:00")
    assert story.told[1:] == ["2027-01-01 00:00 gold > silver: review"]


def test_an_override_alone_is_ended_too(tell: Tell) -> None:
    story = tell(CALENDAR)
    story.lift("gold", "2025-07-01 00:00", "2025-05-02 10:00")
    assert story.state.review_at == story.moment("2025-07-01 00:00")
    story.look("2025-07-01 00:00")
    assert (story.state.tier, story.state.review_at) == (None, None)


def test_a_new_override_takes_the_place_of_the_old_and_ends_by_hand(tell: Tell) -> None:
    story = tell(CALENDAR)
    story.lift("platinum", "2025-07-01 00:00", "2025-05-02 10:00")
    story.lift("gold", "2025-09-01 00:00", "2025-05-03 10:00")
    now = story.moment("2025-05-04 10:00")
    story.changes += tiers.end_override(CALENDAR, story.state, {}, now, story.zone)
    assert story.told == [
        "2025-05-02 10:00 - > platinum: override",
        "2025-05-03 10:00 platinum > gold: override",
        "2025-05-04 10:00 gold > -: override_over",
    ]


def test_an_override_needs_a_known_tier_and_an_end_to_come(tell: Tell) -> None:
    story = tell(CALENDAR)
    with pytest.raises(Invalid) as refused:
        story.lift("diamond", "2025-05-02 10:00", "2025-05-02 10:00")
    assert set(refused.value.fields) == {"tier", "until"}
    assert story.state == TierState(date(2025, 1, 1))


# --- merges -----------------------------------------------------------------------------------


def test_a_merge_counts_both_and_keeps_the_better(tell: Tell) -> None:
    story, other = tell(CALENDAR), tell(CALENDAR)
    story.earn("2026-05-01 10:00", 600)
    other.earn("2025-05-01 10:00", 1000)
    other.lift("platinum", "2026-08-01 00:00", "2026-05-03 10:00")
    other.earn("2026-05-01 10:00", 400)
    alone = replace(story.state)
    tiers.absorb(CALENDAR, story.state, other.state)
    story.count("2026-05-01", 400)
    story.assess("2026-06-01 10:00", TierReason.MERGED)
    assert story.told[1:] == ["2026-06-01 10:00 silver > platinum: merged"]
    story.look("2026-08-02 10:00")
    assert story.state.tier == "gold"
    # Undone: both as they were, with what each counted itself.
    story.state = replace(alone, tier=story.state.tier, changed_at=story.state.changed_at)
    story.count("2026-05-01", -400)
    story.assess("2026-08-03 10:00", TierReason.MERGED)
    assert story.told[-1] == "2026-08-03 10:00 gold > silver: merged"


# --- new rules --------------------------------------------------------------------------------


def test_higher_thresholds_take_nothing_before_the_next_review(tell: Tell) -> None:
    story = tell(CALENDAR)
    story.earn("2025-05-01 10:00", 600)
    story.scheme = replace(CALENDAR, levels=(Level("silver", 1000),))
    story.assess("2025-06-01 10:00", TierReason.RULES)
    story.earn("2025-07-01 10:00", 10)
    assert (story.state.tier, story.state.review_at) == ("silver", story.moment("2026-01-01 00:00"))
    story.look("2026-01-02 10:00")
    assert story.told[1:] == ["2026-01-01 00:00 silver > -: review"]


def test_lower_thresholds_give_at_once(tell: Tell) -> None:
    story = tell(CALENDAR)
    story.earn("2025-05-01 10:00", 400)
    story.look("2026-02-01 10:00")
    story.scheme = replace(CALENDAR, levels=(Level("silver", 300),))
    story.assess("2026-06-01 10:00", TierReason.RULES)
    assert story.told == ["2026-06-01 10:00 - > silver: rules"]


@pytest.mark.parametrize("because", [TierReason.RULES, TierReason.EARNED])
def test_a_tier_that_is_no_more_gives_way_to_what_was_counted(
    tell: Tell, because: TierReason
) -> None:
    story = tell(CALENDAR)
    story.earn("2025-05-01 10:00", 1000)
    story.look("2026-02-01 10:00")
    story.scheme = replace(CALENDAR, levels=LEVELS[:1])
    story.assess("2026-06-01 10:00", because)
    assert story.told[1:] == ["2026-06-01 10:00 gold > silver: rules"]
    story.scheme = replace(CALENDAR, levels=())
    story.look("2026-06-02 10:00")
    assert story.told[2:] == ["2026-06-02 10:00 silver > -: rules"]


@pytest.mark.parametrize("because", [TierReason.RULES, TierReason.EARNED])
def test_another_window_reviews_from_now_on_and_not_in_the_past(
    tell: Tell, because: TierReason
) -> None:
    story = tell(CALENDAR, "2025-01-01", BERLIN)
    story.earn("2025-05-10 10:00", 500)
    story.look("2026-02-01 10:00")
    story.scheme = ROLLING
    story.assess("2026-06-20 10:00", because)
    assert story.state.tier == "silver"
    assert story.state.review_at == story.moment("2026-07-01 00:00")
    story.look("2026-07-02 10:00")
    assert story.told[1:] == ["2026-07-01 00:00 silver > -: review"]
    story.scheme = CALENDAR
    story.assess("2026-07-20 10:00", because)
    assert story.state.tier == ("silver" if because is TierReason.RULES else None)


def test_tiers_for_accounts_that_are_older_find_what_counts(tell: Tell) -> None:
    story = tell(ROLLING, "2015-01-01")
    story.days = {date(year, 3, 1): Count(300, 0) for year in range(2015, 2026)}
    story.count("2025-12-01", 300)
    story.assess("2026-02-01 10:00", TierReason.RULES)
    assert story.told == ["2026-02-01 10:00 - > silver: rules"]
