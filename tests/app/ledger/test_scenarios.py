"""The rules of the ledger as statements, on both databases. The language: `scenario.py`."""

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
    # --- returns ---
    "a whole return takes everything back": """
        earn 100 as A expires day 30
        reverse A
        -> balance 0; lots: none; moved -100
        reverse A ! AlreadyReversed
        """,
    "a return of pending points leaves nothing pending": """
        earn 100 as A from day 5
        reverse A
        -> balance 0; pending 0
        sweep day 5
        -> balance 0
        """,
    "earn A, earn B, spend A, return A takes B": """
        earn 100 as A expires day 10
        earn 100 as B expires day 20
        spend 100
        reverse A
        -> balance 0; debt 0; lots: none
        """,
    "three partial returns end at zero": """
        earn 10 as A worth 30.00
        return 10.00 of A
        -> balance 7; moved -3
        return 10.00 of A
        -> balance 4; moved -3
        return 10.00 of A
        -> balance 0; moved -4
        return 0.01 of A ! AlreadyReversed
        """,
    "uneven partial returns end at zero": """
        earn 7 as A worth 9.99
        return 0.01 of A
        -> moved 0
        return 3.33 of A
        return 5.00 of A
        return 1.65 of A
        -> balance 0; debt 0
        """,
    "a whole return after a partial one takes the rest": """
        earn 10 as A worth 30.00
        return 10.00 of A
        reverse A
        -> balance 0; moved -7
        return 1.00 of A ! AlreadyReversed
        """,
    "no more comes back than was sold": """
        earn 10 as A worth 30.00
        return 30.01 of A ! ReturnTooLarge
        return 20.00 of A
        return 10.01 of A ! ReturnTooLarge
        -> balance 4
        """,
    "lines come back by quantity, each once": """
        earn 10 as A lines 3x6.00 1x4.00
        return lines 1:1 of A
        -> balance 8; moved -2
        return lines 1:3 of A ! ReturnTooLarge
        return lines 1:2 2:all of A
        -> balance 0; moved -8
        return lines 2:1 of A ! AlreadyReversed
        """,
    "parts of a line add up to the line": """
        earn 100 as A lines 3x1.00
        return lines 1:1 of A
        -> moved -33
        return lines 1:1 of A
        -> moved -33
        return lines 1:1 of A
        -> balance 0
        """,
    "an amount and lines together are no more than was sold": """
        earn 10 as A lines 1x6.00 1x4.00
        return 5.00 of A
        return lines 1:all of A ! ReturnTooLarge
        return lines 2:all of A
        -> balance 1
        """,
    "what has expired unspent is not taken back again": """
        earn 100 as A expires day 10
        earn 50
        sweep day 10
        reverse A
        -> balance 50; debt 0; moved 0
        """,
    "what was spent before the rest expired is taken back": """
        earn 100 as A expires day 10
        spend 30
        earn 50
        sweep day 10
        reverse A
        -> balance 20; debt 0; moved -30
        """,
    "only_pending leaves what was available": """
        earn 100 as A
        earn 60 as B from day 5
        reverse A policy only_pending
        reverse B policy only_pending
        -> balance 100; pending 0; debt 0
        """,
    "within_balance takes what is there and makes no debt": """
        earn 100 as A
        spend 80
        earn 30 as B
        reverse A policy within_balance
        -> balance 0; debt 0; moved -50
        """,
    "within_balance does not take pending points of others": """
        earn 100 as A
        spend 100
        earn 30 from day 5
        reverse A policy within_balance
        -> balance 30; pending 30; debt 0; moved 0
        """,
    "debt stops at its floor": """
        earn 100 as A
        spend 100
        reverse A policy allow_debt floor 40
        -> balance -40; debt 40; moved -40
        """,
    "a debt at its floor grows no more": """
        earn 50 as A
        earn 50 as B
        spend 100
        reverse A policy allow_debt floor 40
        reverse B policy allow_debt floor 40
        -> balance -40; debt 40; moved 0
        """,
    "points under a hold are not taken by a return": """
        earn 100 as A
        hold 60 as H
        reverse A
        -> balance 0; held 60; debt 60
        capture H
        -> balance -60; held 0; debt 60
        """,
    "released points repay the debt that grew meanwhile": """
        earn 100 as A
        hold 60 as H
        reverse A
        release H
        -> balance 0; held 0; debt 0; lots: none
        """,
    # --- redeemed on the returned receipt ---
    "points redeemed on a returned receipt go back to their lots": """
        earn 100 expires day 30
        spend 40 receipt 7
        earn 20 as A receipt 7
        reverse A
        -> balance 100; lots: 100 until day 30; moved 20
        """,
    "points redeemed on a returned receipt come back in a grace lot when they have expired": """
        earn 100 expires day 10
        spend 100 receipt 7
        earn 20 as A receipt 7
        reverse A day 12 grace 3
        -> balance 100; lots: 100 until day 16; moved 80
        """,
    "partial returns give back exactly what was redeemed": """
        earn 100 expires day 30
        spend 10 receipt 7
        earn 20 as A receipt 7 worth 30.00
        return 10.00 of A           # 6 of 20 taken, 3 of 10 given back
        -> balance 107
        return 10.00 of A           # 7 and 3
        -> balance 103
        return 10.00 of A           # 7 and 4
        -> balance 100; lots: 100 until day 30
        """,
    "a return gives back what its own redemption took, last lot first": """
        earn 10 expires day 10
        earn 10 expires day 20
        spend 20 receipt 7
        earn 4 as A receipt 7
        return 2.00 of A
        -> lots: 10 until day 20, 2 for ever
        return 2.00 of A
        -> lots: 10 until day 10, 10 until day 20
        """,
    "points given back repay debt": """
        earn 100 as B
        spend 100 receipt 7
        earn 20 as A receipt 7
        reverse B
        -> debt 80; balance -80
        reverse A
        -> debt 0; balance 0; lots: none
        """,
    "another receipt's redemption is left alone": """
        earn 100
        spend 40 receipt 6
        earn 20 as A receipt 7
        reverse A
        -> balance 60
        """,
    "a receipt's number of another week is another receipt": """
        earn 100
        spend 40 receipt 7
        earn 20 as A receipt 7 day 8
        reverse A
        -> balance 60
        """,
    "a redemption reversed by itself is not given back by the return as well": """
        earn 100
        spend 40 as S receipt 7
        earn 20 as A receipt 7
        reverse S
        reverse A
        -> balance 100
        """,
    "a redemption given back by a return is not reversed as well": """
        earn 100
        spend 40 as S receipt 7
        earn 20 as A receipt 7
        return 10.00 of A
        -> balance 90
        reverse S
        -> balance 110; moved 20
        return 10.00 of A
        -> balance 100
        reverse S ! AlreadyReversed
        """,
    # --- reversals of reversals ---
    "a reversed redemption goes back to its lots": """
        earn 60 expires day 10
        earn 60 expires day 20
        spend 80 as S
        reverse S
        -> balance 120; lots: 60 until day 10, 60 until day 20; moved 80
        reverse S ! AlreadyReversed
        """,
    "a reversed redemption comes back in a grace lot when its lot has expired": """
        earn 60 expires day 10
        spend 60 as S
        reverse S day 12 grace 30
        -> balance 60; lots: 60 until day 43
        """,
    "reversing a reversal restores the lots": """
        earn 100 as A expires day 10
        reverse A as R
        reverse R
        -> balance 100; lots: 100 until day 10; moved 100
        """,
    "reversing a reversal restores the debt": """
        earn 100 as A
        spend 70
        reverse A as R
        -> debt 70
        reverse R
        -> balance 30; debt 0
        """,
    "a third reversal names the second": """
        earn 100 as A
        spend 70
        reverse A as R
        reverse R as RR
        reverse R ! AlreadyReversed
        reverse A ! AlreadyReversed
        reverse RR as RRR
        -> balance -70; debt 70
        reverse RRR
        -> balance 30; debt 0
        """,
    "undoing a return whose debt was repaid gives the repaying points back": """
        earn 50 as A
        spend 50
        reverse A as R
        earn 80 expires day 30
        -> balance 30; debt 0
        reverse R
        -> balance 80; debt 0; lots: 80 until day 30
        """,
    "undoing one of two returns leaves the debt of the other": """
        earn 50 as A
        earn 30 as B
        spend 80
        reverse A as R
        reverse B as Q
        earn 60
        -> balance -20; debt 20
        reverse R
        -> balance 30; debt 0
        reverse Q
        -> balance 60; debt 0
        """,
    "undoing a return of a lot that has expired since lets its points expire": """
        earn 100 as A expires day 10
        reverse A as R
        reverse R day 12
        -> balance 0; debt 0
        """,
    "an undone partial return counts for nothing": """
        earn 10 as A worth 30.00
        return 10.00 of A as R
        reverse R
        -> balance 10
        return 30.00 of A
        -> balance 0
        """,
    "an undone return cannot come back where too much has come back since": """
        earn 10 as A worth 30.00
        return 10.00 of A as R
        reverse R as RR
        return 25.00 of A
        reverse RR ! ReturnTooLarge
        return 5.00 of A
        -> balance 0
        """,
    "undoing a return undoes what it gave back": """
        earn 100
        spend 40 receipt 7
        earn 20 as A receipt 7
        reverse A as R
        -> balance 100
        reverse R as RR
        -> balance 80
        reverse RR
        -> balance 100
        """,
    "a redemption is given back once, in whatever order": """
        earn 100
        spend 40 as S receipt 7
        earn 20 as A receipt 7
        reverse A as R
        reverse R as RR
        reverse S
        -> balance 120
        reverse RR ! AlreadyReversed
        -> balance 120
        """,
    "undoing a reversed redemption takes the points again, wherever they are": """
        earn 60 expires day 10
        spend 60 as S
        reverse S as R
        spend 60
        earn 40
        reverse R
        -> balance -20; debt 20
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
def test_the_ledger_keeps_its_rules(play: Callable[[str], None], text: str) -> None:
    play(text)
