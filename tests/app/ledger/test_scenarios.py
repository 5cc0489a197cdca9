"""Earning, expiring, owing, holding and spending, told as statements (see `scenario.py`)."""

from collections.abc import Callable

import pytest

SCENARIOS = {
    # --- entries, lots, expiry ---
    "an expired rest never turns into debt": """
        earn   100  day 1   expires day 10
        spend   60  day 2
        earn    50  day 3   expires day 30
        sweep       day 11
        -> balance 50; lots: 50 until day 30
        """,
    "what expires first is spent first, then what never expires": """
        earn 10 as A
        earn 20 expires day 30
        earn 30 expires day 10
        spend 35
        -> lots: 15 until day 30, 10 for ever
        spend 20
        -> lots: 5 for ever
        """,
    "of two lots with one expiry the older is spent first": """
        earn 10 as A expires day 10
        earn 10 as B expires day 10
        spend 10
        reverse A
        -> debt 0; balance 0
        """,
    "the day of expiry is the first day without the points": """
        earn 100 expires day 10
        spend 40 day 9 23:59
        spend 40 day 10 00:00 ! InsufficientPoints
        -> balance 0; available 0
        """,
    "points that the sweep has not reached cannot be spent": """
        earn 100 expires day 10
        spend 1 day 12 ! InsufficientPoints
        -> balance 0; lots: 100 until day 10
        earn 5
        -> balance 5; lots: 5 for ever
        """,
    "no point expires twice": """
        earn 100 expires day 10
        sweep day 10
        -> balance 0
        sweep day 10
        sweep day 20
        -> balance 0; lots: none
        """,
    "nothing can be spent that is not there": """
        spend 1 ! InsufficientPoints
        earn 10
        spend 11 ! InsufficientPoints
        -> balance 10; held 0
        spend 10
        -> balance 0; moved -10
        """,
    "a receipt too small for a point is an entry all the same": """
        earn 0 as A worth 0.40
        -> balance 0; moved 0; lots: none
        reverse A
        -> balance 0; moved 0
        reverse A ! AlreadyReversed
        """,
    # --- pending ---
    "pending points are shown apart and cannot be spent": """
        earn 100 from day 5
        -> balance 100; pending 100; available 0
        spend 1 day 4 ! InsufficientPoints
        -> pending 100
        spend 30 day 5 00:00
        -> balance 70; pending 0; available 70
        """,
    "points may be pending until they are confirmed": """
        earn 40 as A pending
        spend 1 day 100 ! InsufficientPoints
        confirm A day 101
        -> pending 0; available 40; moved 0
        spend 40
        confirm A ! NotReversible
        """,
    "pending points can expire": """
        earn 40 pending expires day 10
        sweep day 10
        -> balance 0; pending 0
        """,
    # --- debt ---
    "a return after the points were spent makes a debt": """
        earn 100 as A
        spend 80
        reverse A
        -> balance -80; debt 80; available -80; moved -100
        """,
    "a credit repays debt at once": """
        earn 100 as A
        spend 80
        reverse A
        earn 100 expires day 30
        -> balance 20; debt 0; lots: 20 until day 30
        """,
    "a small credit repays part of a debt": """
        earn 100 as A
        spend 80
        reverse A
        earn 30
        -> balance -50; debt 50; lots: none
        earn 60
        -> balance 10; debt 0
        """,
    "a pending credit repays debt when it becomes available, not before": """
        earn 100 as A
        spend 80
        reverse A
        earn 50 from day 5
        -> balance -30; pending 50; debt 80; available -80
        sweep day 5
        -> balance -30; pending 0; debt 30; lots: none
        """,
    "a credit that repaid debt and is reversed restores the debt": """
        earn 100 as A
        spend 80
        reverse A
        earn 100 as B expires day 30
        -> balance 20; debt 0
        reverse B
        -> balance -80; debt 80; lots: none
        """,
    "a restored debt is repaid by what can be spent elsewhere": """
        earn 50 as A
        spend 50
        reverse A
        earn 50 as B
        earn 70 as C
        -> balance 70; debt 0
        reverse B
        -> balance 20; debt 0; lots: 20 for ever
        """,
    "no policy forgives a debt that was there before the credit": """
        earn 50 as A
        spend 50
        reverse A
        earn 50 as B
        -> balance 0; debt 0
        reverse B policy within_balance
        -> balance -50; debt 50; moved -50
        """,
    "no floor stops a debt that was there before the credit": """
        earn 50 as A
        spend 50
        reverse A
        earn 60 as B
        spend 10
        reverse B policy allow_debt floor 10
        -> balance -50; debt 50; moved -50
        """,
    "debt restored by the part of a credit": """
        earn 60 as A
        spend 60
        reverse A
        earn 100 as B
        return 50.00 of B
        -> balance -10; debt 10
        return 50.00 of B
        -> balance -60; debt 60
        """,
    "a repayment that was due before an expiry happened before it": """
        earn 80 as A
        spend 80
        reverse A
        earn 50 from day 5 expires day 10
        sweep day 20                # both long past: the lot first repaid, then had nothing left
        -> balance -30; debt 30; lots: none
        """,
    "debt does not grow by expiry": """
        earn 50 as A
        spend 50
        earn 20 pending expires day 10
        reverse A
        -> balance -30; debt 50; pending 20
        sweep day 10
        -> balance -50; debt 50; pending 0
        """,
    # --- adjustments ---
    "an adjustment never makes debt": """
        adjust +10 expires day 10
        adjust -4
        adjust -7 ! InsufficientPoints
        -> balance 6; lots: 6 until day 10
        """,
    "an adjustment can be reversed, either way": """
        adjust +10 as X
        adjust -4 as Y
        reverse Y
        -> balance 10
        reverse X
        -> balance 0; lots: none
        """,
    # --- holds ---
    "a hold reserves, a capture spends": """
        earn 100
        hold 60 as H
        -> balance 100; held 60; available 40; moved 60
        spend 41 ! InsufficientPoints
        capture H
        -> balance 40; held 0; moved -60
        capture H ! HoldNotOpen
        release H ! HoldNotOpen
        """,
    "a released hold gives everything back to its lots": """
        earn 50 expires day 10
        earn 50 expires day 20
        hold 70 as H
        release H
        -> balance 100; held 0; available 100; moved 0; lots: 50 until day 10, 50 until day 20
        capture H ! HoldNotOpen
        """,
    "a hold releases itself": """
        earn 100
        hold 60 as H day 1 09:00
        -> available 40
        spend 100 day 1 09:15
        capture H ! HoldNotOpen
        -> balance 0
        """,
    "a capture at the last moment succeeds": """
        earn 100
        hold 60 as H day 1 09:00
        capture H day 1 09:14
        -> balance 40
        """,
    "a hold that lapsed is released by the sweep": """
        earn 100
        hold 60 as H day 1 09:00
        sweep day 1 09:15
        -> held 0; available 100
        capture H ! HoldNotOpen
        """,
    "a capture succeeds though its lot has expired meanwhile": """
        earn 100 expires day 2
        hold 60 as H day 1 23:55
        capture H day 2 00:05
        -> balance 0; moved -60; lots: none
        """,
    "the sweep passes over points under a hold": """
        earn 100 expires day 2
        hold 60 as H day 1 23:55
        sweep day 2 00:05
        -> balance 60; held 60; available 0; lots: 60 until day 2
        capture H
        -> balance 0
        """,
    "points released onto an expired lot expire at once": """
        earn 100 expires day 2
        hold 60 as H day 1 23:55
        sweep day 2 00:05
        release H
        -> balance 0; held 0; lots: none
        """,
    "a hold that lapsed on an expired lot lets its points expire": """
        earn 100 expires day 2
        hold 60 as H day 1 23:55
        sweep day 2 01:00
        -> balance 0; held 0; lots: none
        """,
    "a hold cannot reserve what another has reserved": """
        earn 100
        hold 60 as H
        hold 60 as G ! InsufficientPoints
        hold 40 as G
        capture G
        capture H
        -> balance 0
        """,
    "a hold is nothing to reverse": """
        earn 100
        hold 60 as H
        reverse H ! NotReversible
        """,
    # --- repeats ---
    "a repeat gets the first answer, whatever has happened since": """
        earn 100 as A
        repeat A
        hold 100 as H
        repeat H
        capture H as S
        repeat S
        repeat H
        repeat A day 40
        reverse S as R
        repeat R
        -> balance 100
        """,
}


@pytest.mark.parametrize("text", SCENARIOS.values(), ids=SCENARIOS.keys())
def test_points_come_and_go_by_the_rules(play: Callable[[str], None], text: str) -> None:
    play(text)
