"""What rules give and what returns leave of it, told as statements; see `scenario`.

The first day is a Monday. Lines are "kind:quantity x money of all of it".
"""

from collections.abc import Callable

import pytest

Play = Callable[[str], None]

SCENARIOS = {
    "the best base rule counts alone": """
        programme earns 1 per 1.00; rule Rich amount points=3 per_amount=2.00
        buy 10.00 day 1
        -> moved 15; told best_base
        programme rule Rich amount points=1 per_amount=2.00
        buy 10.00 day 1
        -> moved 10; balance 25
    """,
    "a base rule with a threshold is lost with it": """
        programme earns 1 per 1.00; rule Big amount points=2 per_amount=1.00 at_least=50.00
        buy 60.00 day 1 as A
        -> moved 120
        return 5.00 of A
        -> balance 110
        return 10.00 of A
        -> balance 0
    """,
    "points for a visit, twice a day at most": """
        programme earns 0 per 1.00; rule Visit visit gives=10 a_day=2
        buy 5.00 day 1
        buy 5.00 day 1 12:00
        buy 5.00 day 1 15:00
        -> balance 20; told enough_today
        buy 5.00 day 2
        -> balance 30
    """,
    "a visit that came back whole was none": """
        programme earns 0 per 1.00; rule Visit visit gives=10 a_day=1
        buy 5.00 day 1 as A
        reverse A
        buy 5.00 day 1 12:00
        -> balance 10
    """,
    "a visit counts as long as anything of it is kept": """
        programme earns 0 per 1.00; rule Visit visit gives=10
        buy 5.00 day 1 as A
        return 4.99 of A
        -> balance 10
        return 0.01 of A
        -> balance 0
    """,
    "points for each piece go with the piece": """
        programme rule Buns item categories=bun gives=3 role=promotion
        buy 0 lines bun:3x3.00 1x7.00 day 1 as A
        -> moved 19
        return lines 1:1 of A
        -> moved -4; balance 15
        return lines 2:all of A
        -> balance 8
        return lines 1:all of A
        -> balance 0
    """,
    "of more pieces than count the spare ones come back first": """
        programme earns 0 per 1.00; rule Buns item categories=bun gives=3 most=2
        buy 0 lines bun:4x4.00 day 1 as A
        -> moved 6
        return lines 1:2 of A
        -> balance 6
        return lines 1:1 of A
        -> balance 3
    """,
    "for each two pieces": """
        programme earns 0 per 1.00; rule Pair item categories=bun per_quantity=2 gives=5
        buy 0 lines bun:5x5.00 day 1
        -> moved 10
    """,
    "stamps are given by piece and go with it": """
        programme rule Cup item categories=coffee gives=stamps:cup
        buy 0 lines coffee:2x5.00 bun:1x2.00 day 1 as A
        -> moved 7; given 2 stamps cup
        return lines 2:all of A
        -> left A 2 stamps cup; balance 5
        return lines 1:1 of A
        -> left A 1 stamps cup
        reverse A
        -> left A nothing; balance 0
    """,
    "what comes back unnamed is of other goods first": """
        programme rule Cup item categories=coffee gives=stamps:cup
        buy 0 lines coffee:2x5.00 bun:1x2.00 day 1 as A
        return 2.00 of A
        -> left A 2 stamps cup
        return 1.00 of A
        -> left A 1 stamps cup
    """,
    "a basket's gift goes with what it was for": """
        programme rule Set basket contains=coffee:1,bun:2 gives=5+gift:mug
        buy 0 lines coffee:1x3.00 bun:2x2.00 tea:1x5.00 day 1 as A
        -> moved 15; given 1 gift mug
        return lines 3:all of A
        -> balance 10; left A 1 gift mug
        return lines 2:1 of A as R
        -> balance 4; left A nothing
        reverse R
        -> balance 10; left A 1 gift mug
    """,
    "each complete set counts": """
        programme earns 0 per 1.00
        programme rule Set basket contains=coffee:1,bun:2 each gives=5+tickets:draw:2
        buy 0 lines coffee:3x9.00 bun:5x5.00 day 1 as A
        -> moved 10; given 4 tickets draw
        return lines 2:2 of A
        -> balance 5; left A 2 tickets draw
    """,
    "tickets for each so much money": """
        programme rule Draw basket per_amount=10.00 most=3 role=always gives=tickets:draw
        buy 25.00 day 1 as A
        -> given 2 tickets draw
        return 5.00 of A
        -> left A 2 tickets draw
        return 1.00 of A
        -> left A 1 tickets draw
        buy 99.00 day 2
        -> given 3 tickets draw
    """,
    "a coupon from a minimum spend, on what earns": """
        programme not tobacco; rule Spend basket at_least=20.00 gives=coupon:cake
        buy 0 lines 1x19.99 tobacco:1x10.00 day 1
        -> given nothing; moved 19
        buy 20.00 day 1 as A
        -> given 1 coupon cake
        buy 20.00 coupons 0.01 day 1
        -> given nothing
        return 0.01 of A
        -> left A nothing
    """,
    "twice as much on Tuesday": """
        programme rule Tuesday multiplier factor=2 weekdays=tue
        buy 10.00 day 1
        -> moved 10
        buy 10.00 day 2 as A
        -> moved 20; told multiplied_by
        return 5.00 of A
        -> moved -10
    """,
    "hours are the shop's own, and the night belongs to the evening": """
        programme zone Europe/Riga; rule Night multiplier factor=2 weekdays=mon hours=22:00-02:00
        buy 10.00 2026-06-01 21:59
        -> moved 10
        buy 10.00 2026-06-01 22:00
        -> moved 20
        buy 10.00 2026-06-02 01:59
        -> moved 20
        buy 10.00 2026-06-02 22:30
        -> moved 10
    """,
    "multipliers are added up": """
        programme rule Two multiplier factor=2; rule Three multiplier factor=3
        buy 10.00 day 1
        -> moved 40
    """,
    "only the best promotion counts where the programme says so": """
        programme stacking best; rule Two multiplier factor=2; rule Six basket at_least=1.00 gives=6
        buy 10.00 day 1
        -> moved 20; told not_stacked
        buy 5.00 day 1
        -> moved 11
    """,
    "after a return the next best promotion counts for what is kept": """
        programme stacking best; rule Forty basket at_least=40.00 gives=30
        programme rule Ten basket at_least=10.00 gives=8; rule Twenty basket at_least=20.00 gives=12
        buy 50.00 day 1 as A
        -> moved 80; told not_stacked
        return 5.00 of A
        -> moved -5; balance 75
        return 10.00 of A as R
        -> moved -28; balance 47; told next_best
        return 20.00 of A
        -> moved -24; balance 23; told next_best
        return 10.00 of A as S
        -> moved -18; balance 5
        reverse S
        -> moved 18; balance 23
        reverse S ! AlreadyReversed
        reverse A
        -> balance 0
    """,
    "a return that is undone brings the best promotion back": """
        programme stacking best; rule Forty basket at_least=40.00 gives=30
        programme rule Ten basket at_least=10.00 gives=8
        buy 50.00 day 1 as A
        return 20.00 of A as R
        -> balance 38; told next_best
        reverse R as S
        -> moved 42; balance 80
        reverse S
        -> balance 38
    """,
    "a multiplier that was passed over counts for what is kept": """
        programme stacking best; rule Half multiplier factor=1.5
        programme rule Set basket contains=coffee:2 gives=40
        buy 0 lines coffee:2x20.00 bun:1x20.00 day 1 as A
        -> moved 80; told not_stacked
        return lines 1:1 of A
        -> moved -35; balance 45; told next_best
        return lines 2:1 of A
        -> moved -30; balance 15
        return lines 1:1 of A
        -> balance 0
    """,
    "the best promotion goes a piece at a time until another is worth more": """
        programme stacking best; rule Buns item categories=bun gives=5 role=promotion
        programme rule Visit basket at_least=1.00 gives=12
        buy 0 lines bun:4x4.00 tea:1x6.00 day 1 as A
        -> moved 30
        return lines 1:1 of A
        -> moved -6; balance 24
        return lines 1:1 of A
        -> moved -4; balance 20; told next_best
        return lines 1:2 of A
        -> moved -2; balance 18
    """,
    "a promotion that may be had once is not replaced: it may be had again": """
        programme stacking best; rule Hello basket at_least=20.00 once=hello gives=30
        programme rule Ten basket at_least=10.00 gives=8
        buy 25.00 day 1 as A
        -> moved 55
        return 10.00 of A
        -> balance 15
        buy 20.00 day 2
        -> moved 50
    """,
    "what always counts stands beside the best promotion": """
        programme stacking best; rule Two multiplier factor=2; rule Six basket at_least=1.00 gives=6
        programme rule Cup item categories=coffee gives=stamps:cup
        buy 0 lines coffee:1x10.00 day 1
        -> moved 20; given 1 stamps cup
    """,
    "a thing is worth what the programme says where the best is chosen": """
        programme stacking best; rule Two multiplier factor=2
        programme rule Mug basket at_least=1.00 gives=gift:mug worth=15
        buy 10.00 day 1
        -> moved 10; given 1 gift mug
        buy 16.00 day 1
        -> moved 32; given nothing
    """,
    "a place has rules of its own": """
        programme rule Harbour amount points=2 per_amount=1.00 locations=harbour
        buy 10.00 place harbour day 1
        -> moved 20
        buy 10.00 place old-town day 1
        -> moved 10
        buy 10.00 day 1
        -> moved 10
    """,
    "a rule holds from its first moment to before its last": """
        programme rule June multiplier factor=2 from=2026-06-02 until=2026-06-03T12:00
        buy 10.00 day 1 23:59
        -> moved 10
        buy 10.00 day 2 00:00
        -> moved 20
        buy 10.00 day 3 11:59
        -> moved 20
        buy 10.00 day 3 12:00
        -> moved 10
        buy 10.00 happened day 2 late day 4
        -> moved 20
    """,
    "a rule for a tier is for the tier of the day": """
        programme tiers gold 100; rule Gold basket at_least=1.00 tiers=gold gives=7
        buy 100.00 day 1
        -> moved 100; tier gold
        buy 10.00 day 2
        -> moved 17
        buy 10.00 happened day 1 08:00 late day 3
        -> moved 10
    """,
    "a rule for those who joined lately": """
        programme segment new joined_within_days=2
        programme rule New basket at_least=1.00 segments=new gives=5
        buy 10.00 day 1
        -> moved 15
        buy 10.00 day 2
        -> moved 15
        buy 10.00 day 3
        -> moved 10
    """,
    "a rule for those who come often and spend": """
        programme segment busy within_days=3 visits_at_least=2 spend_at_least=15.00
        programme rule Busy basket at_least=1.00 segments=busy gives=5
        buy 10.00 day 1 as A
        buy 4.00 day 2
        buy 10.00 day 2 12:00
        -> moved 10
        buy 1.00 day 2 13:00
        -> moved 6
        reverse A day 2 14:00
        buy 1.00 day 2 15:00
        -> moved 6
        buy 1.00 day 5
        -> moved 1
    """,
    "a first purchase is one": """
        programme rule First basket at_least=5.00 first_purchase gives=20+coupon:cake
        buy 4.00 day 1 as A
        -> moved 4
        buy 5.00 day 2
        -> moved 5
        Bert: buy 5.00 day 2
        Bert: -> moved 25; given 1 coupon cake
    """,
    "what is given once may be had again once it was taken back": """
        programme rule Hello basket at_least=1.00 once=hello gives=20
        buy 5.00 day 1 as A
        -> moved 25
        buy 5.00 day 1
        -> moved 5; told bonus_once
        reverse A
        -> balance 5
        buy 5.00 day 2
        -> moved 25
    """,
    "a promotion on some goods goes with them": """
        programme rule Books amount points=2 per_amount=1.00 only_categories=book role=promotion
        buy 0 lines book:1x10.00 pen:1x5.00 day 1 as A
        -> moved 35
        return lines 2:all of A
        -> moved -5
        return lines 1:all of A
        -> balance 0
    """,
    "fractions of a receipt are rounded once": """
        programme earns 0.5 per 1.00
        programme rule Books amount points=0.5 per_amount=1.00 only_categories=book role=promotion
        buy 0 lines book:1x1.00 day 1
        -> moved 1
        buy 0 lines book:1x3.00 pen:1x4.00 day 1
        -> moved 5
    """,
    "a multiplied base carries its remainder": """
        programme earns 1 per 50.00 carried on; rule Two multiplier factor=2 weekdays=tue
        buy 30.00 day 1
        -> moved 0; carried 30.00
        buy 15.00 day 2 as A
        -> moved 1; carried 10.00
        reverse A
        -> balance 0; carried 30.00
    """,
    "gross and net are a rule's choice": """
        programme earns 1 per 1.00 net of tax; rule Gross amount points=1.1 per_amount=1.00 on=gross
        buy 12.00 tax 2.00 day 1
        -> moved 13
    """,
    "a rule in foreign money": """
        programme money USD 0.5; rule Spend basket at_least=10.00 gives=6+gift:mug
        buy 20.00 in USD day 1 as A
        -> moved 16; given 1 gift mug
        buy 19.99 in USD day 1
        -> moved 9; given nothing
        return 0.01 of A
        -> left A nothing
    """,
    "a repeat says again what was given": """
        programme rule Cup item categories=coffee gives=stamps:cup
        buy 0 lines coffee:2x5.00 day 1 as A
        repeat A
        -> balance 5
    """,
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(play: Play, name: str) -> None:
    play(SCENARIOS[name])
