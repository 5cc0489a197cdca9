"""Local days, months, both clock changes of the year, and dates that roll, as statements.

In 2026 the clocks in Riga go from 03:00 to 04:00 on 29 March and from 04:00 back to 03:00 on
25 October; in Berlin an hour earlier by the clock, at the same instant.
"""

from collections.abc import Callable

import pytest

#: The same in two zones: the hour that is left out, the one that comes twice, and one before.
ZONES = {
    "Riga": ("Europe/Riga", "02:50", "04:04", "04:05", "03:50", "03:04", "03:05"),
    "Berlin": ("Europe/Berlin", "01:50", "03:04", "03:05", "02:50", "02:04", "02:05"),
}

CHANGES = {
    "the day of twenty-three hours counts in full": """
        earn 100 2026-03-28 12:00 lasts 1 day
        -> lots: 100 until 2026-03-30
        spend 10 2026-03-29 23:59
        spend 10 2026-03-30 00:00 ! InsufficientPoints
        sweep
        -> balance 0
        """,
    "points earned just before the clocks go forward last to midnight": """
        earn 100 2026-03-29 {before} lasts 0 days
        -> lots: 100 until 2026-03-30
        spend 100 2026-03-29 23:59
        """,
    "the day of twenty-five hours counts in full": """
        earn 100 2026-10-24 12:00 lasts 1 day
        spend 10 2026-10-25 {twice}
        spend 10 2026-10-25 {twice} again
        spend 10 2026-10-25 23:59
        -> lots: 70 until 2026-10-26
        spend 10 2026-10-26 00:00 ! InsufficientPoints
        -> available 0
        """,
    "of two equal hours the second is the same day": """
        earn 10 2026-10-25 {twice} lasts 0 days
        earn 10 2026-10-25 {twice} again lasts 0 days
        -> lots: 10 until 2026-10-26, 10 until 2026-10-26
        """,
    "a hold lasts its minutes over the hour that is left out": """
        earn 100 2026-03-29 00:10
        hold 60 as H 2026-03-29 {before}
        hold 40 as G 2026-03-29 {before}
        capture H 2026-03-29 {last}
        capture G 2026-03-29 {over} ! HoldNotOpen
        -> balance 40; held 0
        """,
    "a hold lasts its minutes over the hour that comes twice": """
        earn 100 2026-10-25 00:10
        hold 60 as H 2026-10-25 {twice}
        hold 40 as G 2026-10-25 {twice}
        capture H 2026-10-25 {last_again} again
        capture G 2026-10-25 {over_again} again ! HoldNotOpen
        -> balance 40; held 0
        """,
    "a day's count goes to the local day before the clocks go forward": """
        programme tiers silver 100, rolling
        earn 60 2026-03-28 23:59
        earn 40 2027-03-28 12:00        # twelve months: from 29 March on
        -> tier none
        """,
    "a day's count goes to the local day on which the clocks go forward": """
        programme tiers silver 100, rolling
        earn 60 2026-03-29 00:00
        earn 40 2027-03-28 23:59
        -> tier silver
        """,
    "a day's count goes to the local day before the clocks go back": """
        programme tiers silver 100, rolling
        earn 60 2026-10-24 23:59
        earn 40 2027-10-24 12:00
        -> tier none
        """,
    "a day's count goes to the local day on which the clocks go back": """
        programme tiers silver 100, rolling
        earn 30 2026-10-25 00:00
        earn 30 2026-10-25 23:59
        earn 40 2027-10-24 23:59
        -> tier silver
        """,
    "a review after the clocks went back is at local midnight": """
        programme tiers silver 100, rolling
        earn 100 2025-10-26 12:00
        sweep 2026-10-31 23:59
        -> tier silver
        sweep 2026-11-01 00:00
        -> tier none; changes: silver earned, none review
        """,
    "a review after the clocks went forward is at local midnight": """
        programme tiers silver 100, rolling
        earn 100 2025-03-30 12:00
        sweep 2026-03-31 23:59
        -> tier silver
        sweep 2026-04-01 00:00
        -> tier none; changes: silver earned, none review
        """,
    "an override ends at local midnight when the clocks have gone forward": """
        programme tiers silver 100
        earn 1 2026-03-28 12:00
        lift silver until 2026-03-30
        sweep 2026-03-29 23:59
        -> tier silver
        sweep 2026-03-30 00:00
        -> tier none
        """,
    "a date that rolls is a local midnight, whatever the clocks did": """
        programme inactive 1 month
        earn 100 rolling 2026-02-28 12:00
        -> rolling 2026-03-29
        spend 10 2026-03-28 23:59
        -> rolling 2026-04-29
        earn 10 rolling 2026-09-25 23:59
        -> rolling 2026-10-26; balance 10
        spend 10 2026-10-25 {twice} again
        -> rolling 2026-11-26
        """,
}

MONTHS = {
    "the month's end": ("2027-01-31", "1 month", "2027-03-01"),
    "the month's end in a leap year": ("2028-01-31", "1 month", "2028-03-01"),
    "a leap day a year on": ("2028-02-29", "12 months", "2029-03-01"),
    "the last day of a long month into a short one": ("2026-03-31", "1 month", "2026-05-01"),
    "a day that every month has": ("2026-03-15", "1 month", "2026-04-16"),
    "to the end of the month": ("2027-01-31", "1 month to the end of the month", "2027-03-01"),
    "to the end of the month from its middle": (
        "2026-03-15",
        "1 month to the end of the month",
        "2026-05-01",
    ),
    "to the end of the quarter": ("2027-01-31", "1 month to the end of the quarter", "2027-04-01"),
    "to the end of the year": ("2026-11-30", "3 months to the end of the year", "2028-01-01"),
    "over new year": ("2026-12-31", "2 months", "2027-03-01"),
}

ROLLING = {
    "all points of an account expire together, months after the last visit": """
        programme inactive 3 months
        earn 100 rolling 2026-01-31 12:00
        -> rolling 2026-05-01
        earn 50 rolling 2026-04-30 23:59
        -> lots: 100 until 2026-07-31, 50 until 2026-07-31
        sweep 2026-07-30 23:59
        -> balance 150
        sweep 2026-07-31 00:00
        -> balance 0; lots: none
        """,
    "a redemption moves the date, a hold does not": """
        programme inactive 3 months
        earn 100 rolling 2026-01-10
        hold 10 as H 2026-02-10
        release H
        -> rolling 2026-04-11
        spend 10 2026-02-10
        -> rolling 2026-05-11
        """,
    "returns, reversals and adjustments move nothing": """
        programme inactive 3 months
        earn 100 rolling 2026-01-10 as A
        spend 10 2026-01-10 as S
        return 20.00 of A 2026-02-10 as R
        reverse R 2026-02-11
        reverse S 2026-02-12
        adjust +5 2026-02-13
        adjust -5 2026-02-14
        -> rolling 2026-04-11
        """,
    "a late receipt moves the date from its own day, and never back": """
        programme inactive 3 months
        earn 100 rolling 2026-01-10
        earn 10 rolling 2026-01-20 happened 2026-01-15 late
        -> rolling 2026-04-16
        earn 10 rolling 2026-01-20 happened 2026-01-12 late
        -> rolling 2026-04-16
        """,
    "a receipt too small for a point is a visit": """
        programme inactive 3 months
        earn 100 rolling 2026-01-10
        earn 0 rolling worth 0.10 2026-02-10
        -> rolling 2026-05-11
        """,
    "points under a hold are passed over when their date comes": """
        programme inactive 3 months
        earn 100 rolling 2026-01-10
        hold 60 as H 2026-04-10 23:55
        sweep 2026-04-11 00:05
        -> balance 60; held 60; available 0
        capture H 2026-04-11 00:06
        -> balance 0; moved -60
        """,
    "points released after their date expire at once": """
        programme inactive 3 months
        earn 100 rolling 2026-01-10
        hold 60 as H 2026-04-10 23:55
        sweep 2026-04-11 00:05
        release H
        -> balance 0; lots: none
        """,
    "a shorter time applies from the next visit on, and never takes days away": """
        programme inactive 6 months
        earn 100 rolling 2026-01-10
        -> rolling 2026-07-11
        programme inactive 3 months
        earn 10 rolling 2026-02-10
        -> rolling 2026-07-11
        earn 10 rolling 2026-05-10
        -> rolling 2026-08-11
        """,
    "points that were given a date of their own keep it when others begin to roll": """
        earn 100 2026-01-10 lasts 2 months
        programme inactive 3 months
        earn 10 rolling 2026-02-10
        -> lots: 100 until 2026-03-11, 10 until 2026-05-11
        sweep 2026-03-11
        -> balance 10
        """,
    "points that roll keep their last date when new ones no longer roll": """
        programme inactive 3 months
        earn 100 rolling 2026-01-10
        programme inactive never
        earn 10 lasts 12 months 2026-02-10
        -> rolling 2026-04-11
        sweep 2026-04-11
        -> balance 10
        """,
    "redeemed points come back with the date that their account has": """
        programme inactive 3 months
        earn 100 rolling 2026-01-10
        spend 100 as S 2026-03-10
        -> rolling 2026-06-11
        reverse S 2026-05-01
        -> lots: 100 until 2026-06-11
        """,
    "redeemed points whose date has passed come back in a grace lot": """
        programme inactive 3 months
        earn 100 rolling 2026-01-10
        spend 60 as S 2026-01-10
        reverse S 2026-04-12 grace 5
        -> balance 60; lots: 60 until 2026-04-18
        """,
}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("text", CHANGES.values(), ids=CHANGES.keys())
def test_days_are_local_on_the_days_when_clocks_change(
    play: Callable[[str], None], zone: str, text: str
) -> None:
    name, before, last, over, twice, last_again, over_again = ZONES[zone]
    told = text.format(
        before=before,
        last=last,
        over=over,
        twice=twice,
        last_again=last_again,
        over_again=over_again,
    )
    play(f"programme zone {name}\n{told}")


@pytest.mark.parametrize(("day", "length", "until"), MONTHS.values(), ids=MONTHS.keys())
def test_months_end_where_the_calendar_says(
    play: Callable[[str], None], day: str, length: str, until: str
) -> None:
    play(f"""
        programme zone Europe/Riga
        earn 10 {day} 23:30 lasts {length}
        -> lots: 10 until {until}
        sweep {until} 00:00
        -> balance 0
        """)


@pytest.mark.parametrize("text", ROLLING.values(), ids=ROLLING.keys())
def test_points_that_roll_expire_by_the_last_visit(play: Callable[[str], None], text: str) -> None:
    play(f"programme zone Europe/Riga\n{text}")
