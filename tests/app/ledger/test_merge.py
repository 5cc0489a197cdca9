"""Two accounts become one, told as statements (see `scenario.py`)."""

from collections.abc import Callable

import pytest

SCENARIOS = {
    # --- merging (rule 29) ---
    "lots keep their expiry, and the account that goes is empty": """
        A: earn 100 expires day 30
        A: earn 40
        B: earn 50 expires day 20
        merge A into B
        A: -> balance 0; debt 0; lots: none
        B: -> balance 190; available 190; moved 140
        B: -> lots: 50 until day 20, 100 until day 30, 40 for ever
        sweep day 31
        B: -> balance 40
        """,
    "pending points stay pending until their day": """
        A: earn 100 from day 5 expires day 30
        B: earn 10
        merge A into B
        B: -> balance 110; pending 100; available 10
        B: spend 11 ! InsufficientPoints
        B: spend 60 day 5
        B: -> balance 50; pending 0; lots: 40 until day 30, 10 for ever
        """,
    "what waits to be confirmed is confirmed by its own posting": """
        A: earn 100 as S pending
        B: earn 10
        merge A into B
        B: -> balance 110; pending 100
        B: confirm S
        B: -> pending 0; available 110
        B: confirm S ! NotReversible
        """,
    "what was spent stays spent": """
        A: earn 100 expires day 30
        A: spend 30
        B: earn 10
        merge A into B
        B: -> balance 80; lots: 70 until day 30, 10 for ever
        """,
    "an account that has nothing is merged too": """
        A: -> balance 0
        B: earn 10
        merge A into B as M
        B: -> balance 10; moved 0
        unmerge M
        A: -> balance 0
        B: -> balance 10
        """,
    "debt of the account that goes is repaid at once": """
        A: earn 100 as S
        A: spend 100
        A: reverse S
        A: -> debt 100
        B: earn 150 expires day 20
        merge A into B
        A: -> balance 0; debt 0
        B: -> balance 50; debt 0; available 50; lots: 50 until day 20
        """,
    "debt of the account that stays is repaid at once": """
        B: earn 100 as S
        B: spend 100
        B: reverse S
        A: earn 60 expires day 20
        A: earn 60 expires day 10
        merge A into B
        B: -> balance 20; debt 0; lots: 20 until day 20
        """,
    "debt that the other's points do not cover stays": """
        A: earn 100 as S
        A: spend 100
        A: reverse S
        B: earn 30
        B: earn 50 from day 9
        merge A into B
        B: -> balance -20; debt 70; pending 50; available -70
        sweep day 9
        B: -> balance -20; debt 20; lots: none
        """,
    "two debts add up": """
        A: earn 100 as S
        A: spend 100
        A: reverse S
        B: earn 30 as T
        B: spend 30
        B: reverse T
        merge A into B
        A: -> debt 0
        B: -> balance -130; debt 130
        """,
    "points under a hold refuse the merge until it is over": """
        A: earn 100
        A: hold 60 as H
        B: earn 10
        merge A into B ! NotMergeable
        A: -> balance 100; held 60
        A: release H
        merge A into B
        B: -> balance 110
        """,
    "a hold that has lapsed refuses nothing": """
        A: earn 100
        A: hold 60 as H minutes 15
        B: earn 10
        merge A into B day 1 10:00
        B: -> balance 110; held 0
        A: capture H ! HoldNotOpen
        """,
    "a hold on the account that stays goes on": """
        A: earn 100
        B: earn 50
        B: hold 40 as H
        merge A into B
        B: -> balance 150; held 40
        B: capture H
        B: -> balance 110
        """,
    "what has expired does not come along": """
        A: earn 100 expires day 5
        A: earn 10
        B: earn 1
        merge A into B day 6
        B: -> balance 11; moved 10
        """,
    "an account is merged once, and never into itself": """
        A: earn 10
        B: earn 20
        C: earn 40
        merge A into B
        merge A into C ! NotMergeable
        merge C into A ! NotMergeable
        C: -> balance 40
        """,
    "a repeat changes nothing": """
        A: earn 10
        B: earn 20
        merge A into B as M
        B: spend 25
        repeat M
        B: -> balance 5
        unmerge M as U
        repeat U
        repeat M
        A: -> balance 10
        """,
    # --- postings of the account that went ---
    "an accrual for the account that went is given to the one that stayed": """
        A: earn 10
        B: earn 20
        merge A into B
        A: earn 5
        A: adjust +3
        A: spend 2
        A: -> balance 0
        B: -> balance 36
        """,
    "a return of a receipt from before takes from the lots that its own became": """
        B: earn 40 expires day 5
        A: earn 100 as S expires day 30
        A: earn 7 expires day 10
        merge A into B
        A: return 30.00 of S
        B: -> balance 117; lots: 40 until day 5, 7 until day 10, 70 until day 30
        A: reverse S
        B: -> balance 47; lots: 40 until day 5, 7 until day 10
        A: reverse S ! AlreadyReversed
        """,
    "a return of a receipt that was spent before takes other points": """
        A: earn 100 as S
        A: spend 100
        B: earn 70
        merge A into B
        A: reverse S
        B: -> balance -30; debt 30
        """,
    "a return of a receipt that was spent in part before takes the rest from other points": """
        A: earn 100 as S expires day 30
        A: spend 60
        B: earn 80 expires day 20
        merge A into B
        A: reverse S
        B: -> balance 20; debt 0; lots: 20 until day 20
        """,
    "what had expired before or since is not taken back again": """
        A: earn 100 as S expires day 10
        A: earn 50 as T expires day 5
        B: earn 200
        merge A into B day 6
        sweep day 11
        A: reverse S
        A: reverse T
        B: -> balance 200; debt 0
        """,
    "a return of pending points leaves nothing pending": """
        A: earn 100 as S from day 9
        B: earn 5
        merge A into B
        A: reverse S policy only_pending
        B: -> balance 5; pending 0
        """,
    "a redemption from before comes back with its dates, or in a grace lot": """
        A: earn 30 expires day 5
        A: earn 70 expires day 30
        A: spend 50 as R
        B: earn 5
        merge A into B
        A: reverse R grace 10 day 6
        B: -> balance 105
        B: -> lots: 30 until day 17, 50 until day 30, 20 until day 30, 5 for ever
        A: reverse R ! AlreadyReversed
        """,
    "points redeemed on a receipt from before come back with it": """
        A: earn 100 expires day 30
        A: spend 40 receipt 7
        A: earn 10 as S receipt 7 worth 10.00
        B: earn 1
        merge A into B
        A: return 5.00 of S
        B: -> balance 86
        A: reverse S
        B: -> balance 101
        """,
    "a return of a return from before gives the points again": """
        A: earn 100 as S expires day 30
        A: reverse S as R
        B: earn 1
        merge A into B
        A: reverse R as Q
        B: -> balance 101; lots: 100 until day 30, 1 for ever
        A: reverse Q
        B: -> balance 1
        """,
    "a return that made a debt, undone after the merge, lifts it": """
        A: earn 100 as S
        A: spend 100
        A: reverse S as R
        B: earn 30
        merge A into B
        B: -> debt 70
        A: reverse R
        B: -> balance 30; debt 0; available 30
        """,
    "a debt that was repaid before the merge is given back with the lot's dates": """
        A: earn 100 as S
        A: spend 100
        A: reverse S as R
        A: earn 130 expires day 30
        A: -> balance 30; debt 0
        B: earn 5
        merge A into B
        A: reverse R
        B: -> balance 135; debt 0; lots: 30 until day 30, 100 until day 30, 5 for ever
        """,
    "an adjustment from before is undone": """
        A: adjust +50 as X
        A: earn 100
        A: adjust -20 as Y
        B: earn 1
        merge A into B
        A: reverse Y
        A: reverse X
        B: -> balance 101
        """,
}


@pytest.mark.parametrize("text", SCENARIOS.values(), ids=SCENARIOS.keys())
def test_scenario(play: Callable[[str], None], text: str) -> None:
    play(text)
