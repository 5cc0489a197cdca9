"""What a receipt is worth, and what of that a return takes, told as statements."""

from collections.abc import Callable

import pytest

SCENARIOS = {
    # --- rounding ---
    "1.15 times a hundred is 115": """
        programme earns 1.15 per 1.00
        buy 100.00
        -> balance 115
        """,
    "a tenth times three is a third of nothing": """
        programme earns 0.1 per 1.00
        buy 3.00
        -> balance 0; told earned_rounded
        buy 10.00
        -> balance 1
        """,
    "one point for three units": """
        programme earns 1 per 3.00
        buy 8.99
        -> balance 2
        buy 9.00
        -> balance 5
        """,
    "a receipt is rounded once, not line by line": """
        programme earns 1 per 1.00
        buy 1.50 lines 1x0.50 1x0.50 1x0.50 as A
        -> balance 1
        """,
    "currencies without decimals and with three": """
        programme money JPY; earns 1 per 100
        buy 299
        -> balance 2
        programme money KWD; earns 1 per 0.250
        buy 0.999
        -> balance 5
        """,
    # --- carried ---
    "thirty and twenty earn at a threshold of fifty": """
        programme earns 1 per 50.00 carried on
        buy 30.00
        -> balance 0; carried 30.00
        buy 20.00
        -> balance 1; carried 0.00; told carried_in
        buy 49.99
        -> balance 1; carried 49.99
        """,
    "without carrying each receipt begins anew": """
        programme earns 1 per 50.00
        buy 30.00
        buy 20.00
        -> balance 0; carried 0.00
        """,
    "a return takes back what was carried": """
        programme earns 1 per 50.00 carried on
        buy 30.00 as A
        reverse A as R
        -> balance 0; carried 0.00
        buy 20.00
        -> balance 0; carried 20.00
        reverse R
        -> carried 50.00
        """,
    "a return of what was carried into a point that stays is made good by the next receipt": """
        programme earns 1 per 50.00 carried on
        buy 30.00 as A
        buy 20.00 as B
        reverse A
        -> balance 1; carried -30.00
        buy 40.00
        -> balance 1; carried 10.00
        """,
    "a return of the receipt that made the point gives back what others had brought": """
        programme earns 1 per 50.00 carried on
        buy 30.00 as A
        buy 20.00 as B
        reverse B
        -> balance 0; carried 30.00
        buy 20.00
        -> balance 1; carried 0.00
        """,
    "parts of a return end exactly, also with what is carried": """
        programme earns 1 per 50.00 carried on
        buy 120.00 as A
        -> balance 2; carried 20.00
        return 40.00 of A
        return 40.00 of A
        return 40.00 of A
        -> balance 0; carried 0.00
        """,
    # --- what counts ---
    "points count on what is left after points spent, coupons and excluded goods": """
        programme earns 1 per 1.00; not tobacco, gift-cards
        buy 100.00 lines 1x60.00 tobacco:1x30.00 gift-cards:1x10.00 coupons 5.00 paid 1000 as A
        -> told excluded; told coupons; told paid_with_points; moved 45
        """,
    "tax counts by switch": """
        programme earns 1 per 1.00
        buy 121.00 tax 21.00
        -> moved 121
        programme earns 1 per 1.00 net of tax
        buy 121.00 tax 21.00
        -> moved 100; told tax
        """,
    "a line that does not earn takes nothing when it comes back": """
        programme earns 1 per 1.00; not tobacco
        buy 40.00 lines 2x30.00 tobacco:1x10.00 as A
        -> balance 30
        return lines 2:all of A
        -> balance 30; moved 0; spent 30.00
        return lines 1:1 of A
        -> balance 15; spent 15.00
        return lines 1:1 of A
        -> balance 0; spent 0.00
        return 0.01 of A ! AlreadyReversed
        """,
    "an amount that comes back bears its share of what did not earn": """
        programme earns 1 per 1.00; not tobacco
        buy 40.00 lines 1x30.00 tobacco:1x10.00 as A
        return 20.00 of A
        -> balance 15; spent 15.00
        return 20.00 of A
        -> balance 0; spent 0.00
        """,
    "lines of which a coupon paid a part come back by one rounding": """
        programme earns 1 per 0.01
        buy 3.00 lines 1x1.00 1x1.00 1x1.00 coupons 0.01 as A
        -> balance 299
        return lines 1:all of A
        -> balance 200                  # floor of 299 times a third: 99
        return lines 2:all of A
        -> balance 100                  # floor of 299 times two thirds: 199
        return lines 3:all of A
        -> balance 0
        """,
    "a foreign receipt is valued by the rate of its day, and returned in its own currency": """
        programme money USD 0.9; earns 1 per 1.00
        buy 100.00 in USD as A
        -> balance 90; told exchanged; spent 90.00
        return 50.00 of A
        -> balance 45; spent 45.00
        programme money USD 0.5; earns 1 per 1.00
        return 50.00 of A
        -> balance 0; spent 0.00
        """,
    "a currency's rounding never touches points": """
        programme money USD 0.3333; earns 3 per 1.00
        buy 1.00 in USD as A            # 0.9999 points, 33.33 cents
        -> balance 0; spent 0.33
        buy 100.00 in USD as B          # 99.99
        -> balance 99
        """,
}


@pytest.mark.parametrize("text", SCENARIOS.values(), ids=SCENARIOS.keys())
def test_receipts_earn_by_the_rules(play: Callable[[str], None], text: str) -> None:
    play(text)
