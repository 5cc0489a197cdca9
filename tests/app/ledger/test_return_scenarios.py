"""Returns, and returns of returns, told as statements (see `scenario.py`)."""

from collections.abc import Callable

import pytest

SCENARIOS = {
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
}


@pytest.mark.parametrize("text", SCENARIOS.values(), ids=SCENARIOS.keys())
def test_points_come_back_by_the_rules(play: Callable[[str], None], text: str) -> None:
    play(text)
