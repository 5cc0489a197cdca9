"""Tiers as postings move them, and partners of a coalition, told as statements."""

from collections.abc import Callable

import pytest

SCENARIOS = {
    # --- upgrades ---
    "a tier is reached exactly at its threshold": """
        programme tiers silver 100, gold 300
        earn 99
        -> tier none
        earn 1
        -> tier silver; told tier_up
        earn 199
        -> tier silver
        earn 1
        -> tier gold; changes: silver earned, gold earned
        """,
    "spending points does not lower a tier, nor does their expiry": """
        programme tiers silver 100
        earn 100 expires day 10
        spend 60
        sweep day 10
        -> balance 0; tier silver; counted 100
        """,
    "a tier can be measured in money": """
        programme tiers silver 10000, by spend
        earn 0 worth 99.99
        -> tier none
        earn 0 worth 0.01
        -> tier silver; spent 100.00
        """,
    "a bonus counts towards a tier, an adjustment does not": """
        programme tiers silver 100
        earn 60 worth 60.00 bonus 39
        adjust +100
        -> tier none; counted 99
        earn 1
        -> tier silver
        """,
    "pending points count for a tier when they become available": """
        programme tiers silver 100
        earn 100 from day 5
        -> tier none; counted 0; pending 100
        sweep day 5
        -> tier silver; counted 100; pending 0
        """,
    "confirmed points count for a tier": """
        programme tiers silver 100
        earn 100 pending as A
        sweep day 20
        -> tier none
        confirm A
        -> tier silver; told tier_up
        """,
    # --- returns ---
    "a return lowers the tier at once, and its undoing brings it back": """
        programme tiers silver 100, gold 300
        earn 250
        earn 50 as A
        -> tier gold
        reverse A as R
        -> tier silver; told tier_down
        reverse R
        -> tier gold; changes: silver earned, gold earned, silver returned, gold earned
        """,
    "a return counts whatever the policy leaves with the member": """
        programme tiers silver 100
        earn 100 as A
        spend 100
        reverse A policy within_balance
        -> balance 0; debt 0; tier none; counted 0
        """,
    "a return of pending points lowers nothing that they had not lifted": """
        programme tiers silver 100
        earn 100
        earn 50 from day 5 as A
        return 30.00 of A
        -> counted 100; tier silver
        sweep day 5
        -> counted 120
        reverse A
        -> counted 100; tier silver
        """,
    "pending points that expired count for nothing, also when their receipt comes back": """
        programme tiers silver 100
        earn 100
        earn 50 pending expires day 10 as A
        sweep day 10
        -> counted 100; balance 100; tier silver
        reverse A as R
        -> counted 100; balance 100; tier silver
        reverse R
        -> counted 100; balance 100; tier silver
        """,
    "a return undone before its pending points expired counts for nothing when done again": """
        programme tiers silver 100
        earn 100
        earn 50 pending expires day 10 as A
        return 20.00 of A as R
        reverse R as RR
        sweep day 10
        reverse RR
        -> counted 100; tier silver
        reverse A
        -> counted 100; tier silver
        """,
    "pending points of which a part came back expire by themselves": """
        programme tiers silver 100
        earn 100
        earn 50 pending expires day 10 as A
        return 20.00 of A
        sweep day 10
        -> counted 100
        return 15.00 of A
        return 15.00 of A
        -> counted 100; tier silver; balance 100
        """,
    # --- late ---
    "a late receipt is valued by the tier of its day": """
        programme tiers silver 100x2; earns 1 per 1.00
        buy 50.00 day 5
        buy 50.00 day 10
        -> tier silver; balance 100
        buy 50.00 day 11 happened day 9 late
        -> moved 50
        buy 50.00 day 11 happened day 10 10:00 late
        -> moved 100; told multiplied
        buy 50.00 day 11
        -> moved 100
        """,
    "a late receipt lifts the tier from its own day on, for later ones too": """
        programme tiers silver 100x2; earns 1 per 1.00
        buy 90.00 day 1
        buy 20.00 day 20 happened day 3 late
        -> tier silver; moved 20; changes: silver late_receipt
        buy 10.00 happened day 4 late
        -> moved 20
        buy 10.00 happened day 2 late
        -> moved 10
        """,
    "a late receipt of a year that was reviewed is reviewed again": """
        programme zone Europe/Riga; tiers silver 100
        earn 60 2025-12-01
        sweep 2026-01-01 00:00
        -> tier none
        earn 40 2026-01-05 happened 2025-12-30 late
        -> tier silver
        sweep 2027-01-01 00:00
        -> tier none; changes: silver late_receipt, none review
        """,
    # --- reviews ---
    "a tier is lowered only at its review": """
        programme zone Europe/Riga; tiers silver 100, gold 300
        earn 300 2025-06-01
        sweep 2026-12-31 23:59
        -> tier gold
        sweep 2027-01-01 00:00
        -> tier none; changes: gold earned, none review
        """,
    "a review may lower by one step": """
        programme zone Europe/Riga; tiers silver 100, gold 300, one step
        earn 300 2025-06-01
        sweep 2027-01-01 00:00
        -> tier silver
        sweep 2028-01-01 00:00
        -> tier none; changes: gold earned, silver review, none review
        """,
    "what is earned within the grace keeps the tier": """
        programme zone Europe/Riga; tiers silver 100, grace 30
        earn 100 2025-06-01
        sweep 2027-01-01 00:00
        -> tier silver
        earn 100 2027-01-20
        sweep 2027-02-01
        -> tier silver; changes: silver earned
        """,
    "when the grace is over the tier falls": """
        programme zone Europe/Riga; tiers silver 100, grace 30
        earn 100 2025-06-01
        sweep 2027-01-30 23:59
        -> tier silver
        sweep 2027-01-31 00:00
        -> tier none; changes: silver earned, none grace_over
        """,
    "a year begins when the account was opened": """
        programme zone Europe/Riga; tiers silver 100, anniversary
        earn 100 2025-06-15 12:00
        sweep 2027-06-14 23:59
        -> tier silver
        sweep 2027-06-15 00:00
        -> tier none; changes: silver earned, none review
        """,
    "an override has an end": """
        programme tiers silver 100, gold 300
        earn 100
        lift gold until day 30
        -> tier gold
        sweep day 29
        -> tier gold
        sweep day 30 00:00
        -> tier silver; changes: silver earned, gold override, silver override_over
        """,
    "points of the last day count in its review before they expire": """
        programme zone Europe/Riga; tiers silver 100
        earn 40 2026-06-01
        earn 60 2026-12-31 23:59 lasts 0 days
        -> tier silver
        sweep 2027-01-02
        -> tier silver; balance 40
        sweep 2028-01-01 00:00
        -> tier none
        """,
    # --- partners ---
    "points of one partner spent at another are settled between them": """
        earn 100 by Bakery
        spend 60 as S by Cinema
        -> settled: Bakery -60, Cinema 60
        reverse S
        -> settled: none
        """,
    "what is issued and redeemed by one partner is nobody else's": """
        earn 100 by Bakery
        spend 60 by Bakery
        -> settled: none
        """,
    "three partners net to zero, also over a return and its debt": """
        earn 50 as A by Bakery expires day 20
        earn 50 by Florist
        spend 80 by Cinema
        -> settled: Bakery -50, Cinema 80, Florist -30
        reverse A                       # 20 of the florist's lot and 30 of debt
        -> debt 30; settled: Cinema 80, Florist -50, us -30
        earn 30 by Bakery
        -> debt 0; settled: Bakery -30, Cinema 80, Florist -50
        """,
}


@pytest.mark.parametrize("text", SCENARIOS.values(), ids=SCENARIOS.keys())
def test_tiers_follow_what_is_earned(play: Callable[[str], None], text: str) -> None:
    play(text)
