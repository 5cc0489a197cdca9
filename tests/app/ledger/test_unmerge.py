"""Accounts that were merged part again, told as statements (see `scenario.py`)."""

from collections.abc import Callable

import pytest

SCENARIOS = {
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
    # --- tiers, bonuses and carried money ---
    "what both earned counts for one tier": """
        programme tiers silver 100, gold 300
        A: earn 180
        B: earn 150
        A: -> tier silver
        merge A into B as M
        B: -> tier gold; counted 330; told tier_up
        A: -> counted 0
        unmerge M
        A: -> tier silver; counted 180
        B: -> tier silver; counted 150; changes: silver earned, gold merged, silver merged
        """,
    "the higher tier is kept by whoever stays": """
        programme tiers silver 100, gold 300
        A: earn 400
        B: earn 10
        merge A into B as M
        B: -> tier gold
        B: earn 500 as T
        unmerge M
        B: -> tier gold; counted 510
        A: -> tier gold; counted 400
        B: reverse T
        B: -> tier none
        """,
    "a tier that somebody lifted comes along, and goes back": """
        programme tiers silver 100, gold 300
        A: earn 10
        A: lift gold until day 90
        B: earn 120
        merge A into B as M
        B: -> tier gold
        unmerge M
        B: -> tier silver
        A: -> tier gold
        sweep day 91
        A: -> tier none
        """,
    "a review after the merge is done again for each when it is undone": """
        programme zone Europe/Riga; tiers silver 100
        A: earn 60 2026-06-01
        B: earn 60
        merge A into B as M
        B: -> tier silver
        sweep 2027-01-02
        B: -> tier silver
        unmerge M 2027-01-03
        A: -> tier none
        B: -> tier none; counted 60
        """,
    "pending points count nowhere until they are available": """
        programme tiers silver 100
        A: earn 100 from day 9
        B: earn 20
        merge A into B as M
        B: -> tier none; counted 20
        sweep day 9
        B: -> tier silver; counted 120
        unmerge M
        A: -> tier silver; counted 100
        B: -> tier none; counted 20
        """,
    "a return of a receipt from before lowers the tier": """
        programme tiers silver 100
        A: earn 90 as S
        B: earn 20
        merge A into B
        B: -> tier silver
        A: reverse S
        B: -> tier none; counted 20
        """,
    "a bonus that both had once is taken back from the later": """
        programme earns 1 per 1.00; bonus 50 at 10.00 welcome
        A: buy 10.00 as S
        B: buy 20.00 as T day 2
        A: -> balance 60
        merge A into B as M
        B: -> balance 80; told bonus_gone
        B: buy 30.00
        B: -> balance 110
        B: reverse T
        B: -> balance 90
        unmerge M
        A: -> balance 60
        B: -> balance 30
        """,
    "each has its bonus again when the merge is undone": """
        programme earns 1 per 1.00; bonus 50 at 10.00 welcome
        B: buy 20.00 as T
        A: buy 10.00 as S expires day 30 day 2
        merge A into B as M
        B: -> balance 80
        unmerge M
        A: -> balance 60
        B: -> balance 70
        A: reverse S
        B: reverse T
        A: -> balance 0
        B: -> balance 0
        """,
    "a bonus that was spent before is taken from other points": """
        programme earns 1 per 1.00; bonus 50 at 10.00 welcome
        B: buy 70.00
        A: buy 10.00 day 2
        A: spend 60
        merge A into B as M
        B: -> balance 70; debt 0
        unmerge M
        A: -> balance 0
        B: -> balance 120
        """,
    "of three that had it once one bonus stays": """
        programme earns 1 per 1.00; bonus 50 at 10.00 welcome
        A: buy 10.00
        B: buy 10.00 day 2
        C: buy 10.00 as S day 3
        merge A into B as M
        merge B into C as N
        C: -> balance 80
        C: reverse S
        C: -> balance 70
        C: buy 10.00
        C: -> balance 80
        unmerge N
        unmerge M
        A: -> balance 60
        B: -> balance 60
        """,
    "carried money adds up, and goes back": """
        programme earns 1 per 50.00 carried on
        A: buy 30.00
        B: buy 20.00
        B: -> balance 0; carried 20.00
        merge A into B as M
        A: -> carried 0.00
        B: -> carried 50.00
        B: buy 1.00
        B: -> balance 1; carried 1.00
        unmerge M
        A: -> carried 30.00
        B: -> carried -29.00; balance 1
        """,
    "what rolls expires at the later date of the two": """
        programme inactive 2 months
        A: earn 10 rolling
        B: earn 20 rolling day 20
        merge B into A as M
        A: -> balance 30; rolling day 82
        unmerge M day 25
        B: -> balance 20; rolling day 82
        sweep day 83
        B: -> balance 0
        """,
    "lots keep who issued them": """
        A: earn 100 by Bakery
        B: earn 10
        merge A into B as M
        -> settled: none
        B: spend 110 by Cinema
        -> settled: Bakery -100, Cinema 110, us -10
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
def test_scenario(play: Callable[[str], None], text: str) -> None:
    play(text)
