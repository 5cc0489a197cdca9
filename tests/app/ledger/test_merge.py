"""Merging two accounts and parting them again, told as statements (see `scene.py`)."""

from collections.abc import Callable
from typing import Any

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
    # --- parting again ---
    "undone at once everything is as it was": """
        A: earn 100 expires day 30
        A: earn 40 from day 9
        A: spend 30
        B: earn 50 expires day 20
        merge A into B as M
        unmerge M
        A: -> balance 110; pending 40; available 70; lots: 70 until day 30, 40 for ever
        B: -> balance 50; moved -110; lots: 50 until day 20
        unmerge M ! AlreadyReversed
        """,
    "what was spent meanwhile the other account pays": """
        A: earn 100 expires day 10
        B: earn 80 expires day 20
        merge A into B as M
        B: spend 60
        unmerge M
        A: -> balance 100; lots: 100 until day 10
        B: -> balance 20; debt 0; lots: 20 until day 20
        """,
    "what nobody can pay becomes a debt of the account that stayed": """
        A: earn 100 expires day 10
        B: earn 80 expires day 20
        merge A into B as M
        B: spend 150
        unmerge M
        A: -> balance 100; debt 0
        B: -> balance -70; debt 70; lots: none
        """,
    "what was earned meanwhile stays with the account that stayed": """
        A: earn 100 as S expires day 30
        B: earn 10
        merge A into B as M
        B: earn 25 as T
        A: return 40.00 of S
        unmerge M
        A: -> balance 100
        B: -> balance -5
        A: reverse S
        A: -> balance 40
        B: reverse T
        B: -> balance -30
        """,
    "what expired meanwhile is over for both": """
        A: earn 100 expires day 10
        A: earn 20
        B: earn 50
        merge A into B as M
        B: spend 30
        sweep day 11
        unmerge M
        A: -> balance 20; debt 0
        B: -> balance 50; debt 0
        """,
    "debt goes back to whose it was": """
        A: earn 100 as S
        A: spend 100
        A: reverse S
        B: earn 150 expires day 20
        merge A into B as M
        B: -> balance 50
        unmerge M
        A: -> balance -100; debt 100
        B: -> balance 150; debt 0; lots: 150 until day 20
        """,
    "debt that the merge repaid stands again": """
        B: earn 100 as S
        B: spend 100
        B: reverse S
        A: earn 60 expires day 20
        A: earn 60 expires day 10
        merge A into B as M
        B: -> balance 20
        unmerge M
        A: -> balance 120; debt 0; lots: 60 until day 10, 60 until day 20
        B: -> balance -100; debt 100; lots: none
        """,
    "a debt that was lifted meanwhile was lifted for the account that stayed": """
        A: earn 50 as S
        A: spend 50
        A: reverse S as R
        B: earn 10
        merge A into B as M
        A: reverse R
        B: -> balance 10; debt 0
        unmerge M
        A: -> balance -50; debt 50
        B: -> balance 60; debt 0
        """,
    "the account that got its points back posts as before": """
        A: earn 100 as S expires day 30
        A: spend 20 as R
        B: earn 10
        merge A into B as M
        unmerge M
        A: spend 10
        A: reverse R
        A: reverse S
        A: -> balance -10; debt 10
        B: -> balance 10
        """,
    "points under a hold of the account that stayed are not taken": """
        A: earn 100 expires day 10
        B: earn 30 expires day 20
        merge A into B as M
        B: hold 90 as H
        unmerge M
        A: -> balance 100; held 0
        B: -> held 90; debt 60
        B: release H
        B: -> balance 30; debt 0; held 0
        """,
    "points that were confirmed meanwhile are confirmed": """
        A: earn 100 as S pending
        B: earn 10
        merge A into B as M
        B: confirm S
        unmerge M
        A: -> balance 100; pending 0; available 100
        """,
    # --- merges of merges ---
    "a merge of a merge is undone in order": """
        A: earn 100 as S expires day 30
        B: earn 20 expires day 20
        C: earn 4
        merge A into B as M
        B: spend 10
        merge B into C as N
        C: -> balance 114; lots: 10 until day 20, 100 until day 30, 4 for ever
        A: return 50.00 of S
        C: -> balance 64
        unmerge M ! NotMergeable
        unmerge N
        B: -> balance 110; lots: 10 until day 20, 100 until day 30
        C: -> balance -46; debt 46
        unmerge M
        A: -> balance 100
        B: -> balance 10
        unmerge N ! AlreadyReversed
        """,
    "what two accounts gave goes back to each": """
        A: earn 100 expires day 30
        B: earn 20 expires day 20
        C: earn 4
        merge A into C as M
        merge B into C as N
        C: spend 30
        unmerge M
        unmerge N
        A: -> balance 100; lots: 100 until day 30
        B: -> balance 20; lots: 20 until day 20
        C: -> balance -26; debt 26
        """,
    "merged again after it was undone": """
        A: earn 100 as S expires day 30
        B: earn 20
        C: earn 1
        merge A into B as M
        unmerge M
        merge A into B as N
        A: return 10.00 of S
        B: -> balance 110
        unmerge N
        merge A into C
        A: reverse S
        C: -> balance 11
        A: -> balance 0
        """,
    "a merge is not reversed like a sale": """
        A: earn 10
        B: earn 20
        merge A into B as M
        B: reverse M ! NotReversible
        unmerge M as U
        B: reverse U ! NotReversible
        A: -> balance 10
        """,
}


@pytest.mark.parametrize("text", SCENARIOS.values(), ids=SCENARIOS.keys())
def test_scenario(stage: Callable[[str], Any], text: str) -> None:
    stage(text)
