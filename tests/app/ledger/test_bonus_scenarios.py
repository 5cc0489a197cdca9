"""Bonuses that are examined again, told as statements (see `scenario.py`)."""

from collections.abc import Callable

import pytest

SCENARIOS = {
    # --- what is kept of the receipt ---
    "a threshold bonus goes when what is kept falls below it": """
        earn 120 worth 120.00 bonus 50 at 100.00 as A
        -> balance 170; counted 170; moved 170
        return 20.00 of A               # exactly the threshold is kept
        -> balance 150
        return 0.01 of A
        -> balance 100; told bonus_gone; counted 100
        return 99.99 of A
        -> balance 0; counted 0; spent 0.00
        """,
    "a threshold bonus that goes takes other points where it was spent": """
        earn 10 worth 100.00 bonus 50 at 100.00 as A expires day 20
        spend 60
        earn 70
        return 10.00 of A
        -> balance 19; debt 0; moved -51
        """,
    "a threshold bonus comes back when the return is undone": """
        earn 100 worth 120.00 bonus 50 at 100.00 as A expires day 30
        return 30.00 of A as R
        -> balance 75
        reverse R
        -> balance 150; counted 150; lots: 100 until day 30, 50 until day 30
        reverse A
        -> balance 0; debt 0; counted 0
        """,
    "a bonus comes back when of two returns only the one is left that it outlives": """
        earn 120 worth 120.00 bonus 50 at 100.00 as A expires day 30
        return 15.00 of A as R
        -> balance 155
        return 15.00 of A as Q
        -> balance 90; told bonus_gone
        reverse R
        -> balance 155; told bonus_back; counted 155; lots: 105 until day 30, 50 until day 30
        return 15.00 of A
        -> balance 90; debt 0; counted 90
        reverse A
        -> balance 0; debt 0; counted 0
        """,
    "what came back with an undone return goes again when that is undone": """
        earn 120 worth 120.00 bonus 50 at 100.00 as A
        return 15.00 of A as R
        return 15.00 of A as Q
        reverse R as RR
        -> balance 155
        reverse RR
        -> balance 90; counted 90
        """,
    "a bonus that was forgiven is not given a second time": """
        earn 120 worth 120.00 bonus 50 at 100.00 as A
        spend 170
        return 15.00 of A as R policy within_balance
        return 15.00 of A as Q policy within_balance
        -> balance 0; debt 0
        reverse R policy within_balance
        -> balance 0; lots: none
        """,
    "a bonus that had expired does not come back": """
        earn 120 worth 120.00 bonus 50 at 100.00 as A expires day 10
        return 15.00 of A as R day 11
        return 15.00 of A as Q
        -> balance 0; debt 0
        reverse R
        -> balance 0; lots: none; debt 0
        """,
    "a bonus that was owed comes back as debt that is lifted": """
        earn 120 worth 120.00 bonus 50 at 100.00 as A expires day 10
        spend 170
        return 15.00 of A as R
        return 15.00 of A as Q day 12
        -> balance -80; debt 80
        reverse R day 13                # 15 of the receipt and the bonus
        -> balance -15; debt 15; lots: none
        """,
    "a pending bonus that came back is confirmed with its receipt": """
        earn 120 worth 120.00 bonus 50 at 100.00 as A pending
        -> pending 170; counted 0
        return 15.00 of A as R
        return 15.00 of A as Q
        -> pending 90; counted 0
        reverse R
        -> pending 155; counted 0; debt 0
        return 15.00 of A as P
        -> pending 90; debt 0; balance 90
        reverse P
        confirm A
        -> pending 0; available 155; counted 155
        """,
    "a bonus without a threshold goes in proportion": """
        earn 10 worth 30.00 bonus 10 as A
        return 10.00 of A
        -> balance 14; moved -6
        return 10.00 of A
        -> balance 8
        return 10.00 of A
        -> balance 0
        """,
    "each threshold is examined by itself": """
        earn 200 worth 200.00 bonus 10 at 50.00 bonus 20 at 100.00 bonus 40 at 200.00 as A
        -> balance 270
        return 100.00 of A
        -> balance 130; moved -140
        return 60.00 of A
        -> balance 40; moved -90
        """,
    # --- what earns ---
    "what does not earn does not hold a bonus up": """
        programme earns 1 per 1.00; not tobacco; bonus 50 at 100.00
        buy 120.00 lines 1x80.00 1x20.00 tobacco:1x20.00 as A
        -> balance 150; told excluded; spent 100.00
        return lines 2:all of A         # 100 are kept, but 80 that earned
        -> balance 80; told bonus_gone; spent 80.00
        """,
    "a bonus stays when what did not earn comes back": """
        programme earns 1 per 1.00; not tobacco; bonus 50 at 100.00
        buy 120.00 lines 1x100.00 tobacco:1x20.00 as A
        return lines 2:all of A
        -> balance 150; moved 0; spent 100.00
        return lines 1:all of A
        -> balance 0; spent 0.00
        """,
    "a bonus in proportion follows what earned": """
        earn 10 lines 1x50.00 1x50.00 counts 50.00 bonus 10 as A
        return 50.00 of A
        -> balance 10
        return 50.00 of A
        -> balance 0
        """,
    "a receipt reaches a threshold with what is left after coupons": """
        programme earns 1 per 1.00; bonus 50 at 100.00
        buy 120.00 coupons 20.01 as A
        -> balance 99; told coupons
        buy 120.00 coupons 20.00 as B
        -> balance 249
        reverse B
        -> balance 99
        """,
    # --- once ---
    "a bonus that is given once can be had again when it was taken back": """
        programme earns 1 per 1.00; bonus 50 at 10.00 once
        buy 10.00 as A
        -> balance 60
        buy 10.00
        -> balance 70; told bonus_once
        reverse A
        -> balance 10
        buy 10.00
        -> balance 70
        """,
    "a return that left a bonus with the member keeps it from being had again": """
        programme earns 1 per 1.00; bonus 50 at 10.00 once
        buy 10.00 as A
        spend 60
        reverse A policy within_balance
        -> balance 0; debt 0
        buy 10.00
        -> balance 10; told bonus_once
        """,
}


@pytest.mark.parametrize("text", SCENARIOS.values(), ids=SCENARIOS.keys())
def test_bonuses_follow_what_is_kept(play: Callable[[str], None], text: str) -> None:
    play(text)
