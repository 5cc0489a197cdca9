"""Stamps, rewards, coupons and gifts, told as statements (see `benefit_play.py`)."""

from collections.abc import Callable

import pytest

SCENARIOS = {
    "stamps add up and a full card is ten": """
        earn 5 gives coffee 3
        earn 5 gives coffee 4
        -> stamps coffee 7; told stamps_now
        earn 5 gives coffee 4
        -> stamps coffee 11; told stamps_full
        """,
    "a full card is spent and the rest stays": """
        earn 5 gives coffee 12
        take free-coffee
        -> stamps coffee 2; moved 0
        take free-coffee ! NotEnough
        -> stamps coffee 2
        """,
    "a return takes the stamps of its receipt": """
        earn 5 as A gives coffee 3
        earn 5 gives coffee 4
        reverse A
        -> stamps coffee 4; told given_back
        """,
    "reversing the return gives them again, once": """
        earn 5 as A gives coffee 3
        reverse A as R
        -> stamps coffee 0
        reverse R as S
        -> stamps coffee 3
        reverse S
        -> stamps coffee 0
        """,
    "a return after the card was spent becomes a debt that the next stamps pay": """
        earn 5 as A gives coffee 4
        earn 5 gives coffee 6
        take free-coffee
        reverse A
        -> stamps coffee -4; told stamps_owed
        earn 5 gives coffee 5
        -> stamps coffee 1
        """,
    "within the balance only what is there is taken, and given back no more than that": """
        programme policy within_balance
        earn 5 as A gives coffee 4
        earn 5 gives coffee 7
        take free-coffee
        -> stamps coffee 1
        reverse A as R
        -> stamps coffee 0; told given_kept
        reverse R
        -> stamps coffee 1
        """,
    "a redeemed reward that is reversed gives its stamps back": """
        earn 5 gives coffee 10
        take free-coffee as R
        -> stamps coffee 0
        reverse R as S
        -> stamps coffee 10; told given_again
        reverse S
        -> stamps coffee 0
        """,
    "a reward goes back with the receipt that it was for": """
        earn 5 gives coffee 10
        take free-coffee receipt 7
        earn 8 as A receipt 7 gives coffee 1
        -> stamps coffee 1
        reverse A
        -> stamps coffee 10
        """,
    "points and stock of a reward come back with it": """
        earn 120
        take mug as M
        -> balance 70; taken mug 1
        reverse M
        -> balance 120; taken mug 0
        """,
    "the last of a reward is taken once": """
        Anna: earn 100
        Bert: earn 100
        Anna: take mug
        Anna: -> taken mug 1
        Bert: take mug as B
        Bert: -> taken mug 2
        Anna: take mug ! OutOfStock
        Anna: -> balance 50
        Bert: reverse B
        Anna: take mug
        -> taken mug 2
        """,
    "a reward that the points do not reach takes nothing": """
        earn 40
        take mug ! InsufficientPoints
        -> balance 40; taken mug 0
        """,
    "a coupon works once": """
        earn 5 gives cake 1
        -> coupons cake: open; told coupon_given
        use cake
        -> coupons cake: used
        use cake ! CouponNotOpen
        """,
    "an unused coupon is withdrawn with its receipt and comes back with it": """
        earn 5 as A gives cake 1
        reverse A as R
        -> coupons cake: withdrawn
        use cake ! CouponNotOpen
        reverse R
        -> coupons cake: open
        use cake
        """,
    "a coupon that was used and then taken back is paid for by the next one": """
        earn 5 as A gives cake 1
        use cake
        reverse A
        -> coupons cake: owed; told coupon_owed
        earn 5 as B gives cake 1
        -> coupons cake: used; told coupon_repaid
        earn 5 gives cake 1
        -> coupons cake: used, open
        """,
    "what paid for an owed coupon is taken back like any other": """
        earn 5 as A gives cake 1
        use cake
        reverse A as R
        earn 5 as B gives cake 1
        reverse B
        -> coupons cake: owed
        reverse R
        -> coupons cake: used
        """,
    "without debt a used coupon stays with the member": """
        programme policy within_balance
        earn 5 as A gives cake 1
        use cake
        reverse A as R
        -> coupons cake: used; told coupon_kept
        reverse R
        earn 5 gives cake 1
        -> coupons cake: used, open
        """,
    "a coupon comes back with the receipt that it was used on": """
        earn 5 gives cake 1
        use cake receipt 9
        earn 30 as A receipt 9
        return 10.00 of A
        -> coupons cake: used
        reverse A as R
        -> coupons cake: open; told given_again
        reverse R
        -> coupons cake: used
        """,
    "reversing the use of a coupon opens it": """
        earn 5 gives cake 1
        use cake as U
        reverse U as R
        -> coupons cake: open
        use cake
        reverse R ! CouponNotOpen
        """,
    "a use that was reversed is not given back a second time by its receipt": """
        earn 5 gives cake 1
        use cake as U receipt 9
        earn 30 as A receipt 9
        reverse U
        reverse A as R
        -> coupons cake: open
        reverse R
        -> coupons cake: open
        """,
    "a coupon that a withdrawn receipt gave is no coupon any more when its use is reversed": """
        earn 5 as A gives cake 1
        use cake as U
        reverse A
        -> coupons cake: owed
        reverse U as R
        -> coupons cake: withdrawn
        reverse R
        -> coupons cake: owed
        """,
    "a coupon ends with its last day": """
        earn 5 day 1 gives week 1
        use week day 9 ! CouponNotOpen
        sweep day 9
        -> coupons week: expired
        sweep day 10
        -> coupons week: expired
        """,
    "what expired unused is not owed when its receipt comes back": """
        earn 5 day 1 as A gives week 1
        sweep day 10
        reverse A as R
        -> coupons week: expired
        reverse R
        -> coupons week: expired
        """,
    "a coupon whose day passed while it was used comes back for the time of grace": """
        earn 5 day 1 gives week 1
        use week day 5 as U
        sweep day 10
        -> coupons week: used
        reverse U day 12
        -> coupons week: open
        use week day 20
        """,
    "stamps last from the last one on, and end together": """
        earn 5 day 1 gives tea 2
        earn 5 day 20 gives tea 1
        sweep day 40
        -> stamps tea 3
        sweep 2026-07-21
        -> stamps tea 0
        """,
    "stamps that ended are not taken back": """
        earn 5 day 1 as A gives tea 2
        sweep 2026-07-10
        earn 5 gives tea 1
        reverse A as R
        -> stamps tea 1
        reverse R
        -> stamps tea 1
        """,
    "a gift is withdrawn with its receipt": """
        earn 5 as A gives tote 1
        -> gifts tote 1
        reverse A
        -> gifts tote 0; told gift_back
        """,
    "what was given without a receipt can be taken back": """
        give as G gives cake 1 coffee 2
        -> coupons cake: open; stamps coffee 2
        reverse G
        -> coupons cake: withdrawn; stamps coffee 0
        """,
    "a repeat gives nothing twice": """
        earn 5 as A gives coffee 2 cake 1
        repeat A
        -> stamps coffee 2; coupons cake: open
        reverse A as R
        repeat R
        -> stamps coffee 0; coupons cake: withdrawn
        """,
    "several cards fill side by side": """
        earn 5 gives coffee 2 lunch 5
        take free-lunch
        -> stamps lunch 0; stamps coffee 2
        """,
    "a merge carries stamps and coupons over, and what they had given is settled there": """
        Anna: earn 5 as A gives coffee 4 cake 1
        Bert: earn 5 gives coffee 3
        merge Anna into Bert as M
        Bert: -> stamps coffee 7; coupons cake: open
        Anna: -> stamps coffee 0
        Bert: reverse A
        Bert: -> stamps coffee 3; coupons cake: withdrawn
        """,
    "an undone merge gives each what it had": """
        Anna: earn 5 as A gives coffee 4 cake 1
        Bert: earn 5 gives coffee 3 cake 1
        merge Anna into Bert as M
        Bert: earn 5 gives coffee 1
        unmerge M
        Anna: -> stamps coffee 4; coupons cake: open
        Bert: -> stamps coffee 4; coupons cake: open
        Anna: reverse A
        Anna: -> stamps coffee 0; coupons cake: withdrawn
        """,
    "what was spent of it meanwhile the other account owes": """
        Anna: earn 5 gives coffee 6
        Bert: earn 5 gives coffee 5
        merge Anna into Bert as M
        Bert: take free-coffee
        unmerge M
        Anna: -> stamps coffee 6
        Bert: -> stamps coffee -5
        """,
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name: str, play: Callable[[str], None]) -> None:
    play(SCENARIOS[name])
