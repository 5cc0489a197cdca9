"""Where each rule of the ledger is proved, by its number; and those that are told nowhere else.

A place is a file under tests/app and what is told there: a test, or a scenario by its name.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.ledger.errors import UnknownPosting
from app.ledger.models import Entry
from app.ledger.postings import Merge, Reverse

TESTS = Path(__file__).parents[1]
SCENARIOS, RETURNS = "ledger/test_scenarios.py", "ledger/test_return_scenarios.py"
BONUSES, EARNING = "ledger/test_bonus_scenarios.py", "ledger/test_earning_scenarios.py"
TIERS, CLOCK = "ledger/test_tier_scenarios.py", "ledger/test_clock_scenarios.py"
HERE = "ledger/test_rules_by_number.py"

PLACES = {
    "1 entries are append-only": [
        ("test_migrations.py", "test_the_ledger_refuses_to_be_changed"),
        ("ledger/test_postings.py", "test_what_happened_and_when_we_learned_of_it_are_two_things"),
    ],
    "2 kinds": [(HERE, "test_every_movement_says_of_what_kind_it_is")],
    "3 lots": [(SCENARIOS, "an expired rest never turns into debt")],
    "4 draw order": [
        (SCENARIOS, "what expires first is spent first, then what never expires"),
        (SCENARIOS, "of two lots with one expiry the older is spent first"),
        (SCENARIOS, "debt does not grow by expiry"),
        (RETURNS, "earn A, earn B, spend A, return A takes B"),
    ],
    "5 a credit repays debt": [
        (SCENARIOS, "a credit repays debt at once"),
        (SCENARIOS, "a credit that repaid debt and is reversed restores the debt"),
        (SCENARIOS, "a pending credit repays debt when it becomes available, not before"),
        (RETURNS, "points given back repay debt"),
    ],
    "6 balances": [
        ("ledger/test_machine.py", "the_ledgers_agree"),
        ("ledger/test_everything_machine.py", "the_books_are_right"),
    ],
    "7 pending": [
        (SCENARIOS, "pending points are shown apart and cannot be spent"),
        (SCENARIOS, "points may be pending until they are confirmed"),
        (TIERS, "pending points count for a tier when they become available"),
        (TIERS, "pending points that expired count for nothing, also when their receipt"),
    ],
    "8 expiry": [
        (SCENARIOS, "the day of expiry is the first day without the points"),
        (SCENARIOS, "points that the sweep has not reached cannot be spent"),
        (CLOCK, "the day of twenty-three hours counts in full"),
        (CLOCK, "the day of twenty-five hours counts in full"),
    ],
    "9 months": [(CLOCK, "test_months_end_where_the_calendar_says")],
    "10 the sweep": [
        (SCENARIOS, "no point expires twice"),
        (SCENARIOS, "the sweep passes over points under a hold"),
        (CLOCK, "points that were given a date of their own keep it when others begin to roll"),
    ],
    "11 inactivity": [
        (CLOCK, "all points of an account expire together, months after the last visit"),
        (CLOCK, "a redemption moves the date, a hold does not"),
        (CLOCK, "returns, reversals and adjustments move nothing"),
    ],
    "12 what a return names": [
        (HERE, "test_a_return_of_another_member_s_receipt_is_refused"),
        (RETURNS, "no more comes back than was sold"),
        (RETURNS, "lines come back by quantity, each once"),
    ],
    "13 cumulative rounding": [
        (RETURNS, "three partial returns end at zero"),
        (RETURNS, "uneven partial returns end at zero"),
        (EARNING, "lines of which a coupon paid a part come back by one rounding"),
    ],
    "14 threshold bonuses": [
        (BONUSES, "a threshold bonus goes when what is kept falls below it"),
        (BONUSES, "a threshold bonus comes back when the return is undone"),
        (BONUSES, "what does not earn does not hold a bonus up"),
    ],
    "15 points that are spent already": [
        (HERE, "the same return by each policy"),
        (RETURNS, "only_pending leaves what was available"),
        (RETURNS, "within_balance takes what is there and makes no debt"),
        (RETURNS, "debt stops at its floor"),
    ],
    "16 points redeemed on a returned receipt": [
        (RETURNS, "points redeemed on a returned receipt go back to their lots"),
        (RETURNS, "points redeemed on a returned receipt come back in a grace lot"),
    ],
    "17 what a return sets off again": [
        (TIERS, "a return lowers the tier at once, and its undoing brings it back"),
        (BONUSES, "a bonus that is given once can be had again when it was taken back"),
        (EARNING, "a return takes back what was carried"),
    ],
    "17a reversals of reversals": [
        (RETURNS, "a third reversal names the second"),
        (RETURNS, "undoing a return undoes what it gave back"),
        (BONUSES, "what came back with an undone return goes again when that is undone"),
    ],
    "18 two phases": [
        (SCENARIOS, "a hold releases itself"),
        (SCENARIOS, "a capture succeeds though its lot has expired meanwhile"),
        (SCENARIOS, "points released onto an expired lot expire at once"),
    ],
    "19 one lock": [
        ("ledger/test_concurrency.py", "test_of_many_redemptions_of_the_whole_balance"),
        ("ledger/test_crowd.py", "test_processes_at_once_lose_nothing_and_do_nothing_twice"),
        ("api/test_till_crowd.py", "test_of_fifty_redemptions_of_the_whole_balance_one_succeeds"),
    ],
    "20 one filter": [("ledger/test_machine.py", "the_ledgers_agree")],
    "21 how many points": [
        ("api/test_till_limits.py", "test_minimum_and_step_of_a_redemption_hold")
    ],
    "22 what earns": [
        (EARNING, "points count on what is left after points spent, coupons and excluded goods"),
        (EARNING, "tax counts by switch"),
        (EARNING, "a line that does not earn takes nothing when it comes back"),
    ],
    "23 one rounding": [
        (EARNING, "1.15 times a hundred is 115"),
        (EARNING, "a tenth times three is a third of nothing"),
        (EARNING, "one point for three units"),
        (EARNING, "thirty and twenty earn at a threshold of fifty"),
    ],
    "24 currencies": [
        (EARNING, "a foreign receipt is valued by the rate of its day"),
        (EARNING, "a currency's rounding never touches points"),
        (EARNING, "currencies without decimals and with three"),
    ],
    "25 windows": [
        (TIERS, "a tier is reached exactly at its threshold"),
        (TIERS, "spending points does not lower a tier, nor does their expiry"),
        (TIERS, "a tier can be measured in money"),
        (CLOCK, "a day's count goes to the local day on which the clocks go forward"),
    ],
    "26 reviews": [
        (TIERS, "a tier is lowered only at its review"),
        (TIERS, "a review may lower by one step"),
        (TIERS, "when the grace is over the tier falls"),
        (TIERS, "an override has an end"),
        (TIERS, "points of the last day count in its review before they expire"),
    ],
    "27 late receipts": [
        (TIERS, "a late receipt is valued by the tier of its day"),
        ("programmes/test_pricing.py", "test_a_late_receipt_is_valued_by_the_rules_of_its_day"),
    ],
    "28 cards": [
        ("cards/test_service.py", "test_a_replaced_card_is_refused_and_its_successor_has"),
    ],
    "29 merging": [
        ("ledger/test_merge.py", "lots keep their expiry, and the account that goes is empty"),
        ("ledger/test_merge.py", "debt of the account that goes is repaid at once"),
        ("ledger/test_unmerge.py", "undone at once everything is as it was"),
        ("ledger/test_unmerge.py", "what was spent meanwhile the other account pays"),
        ("ledger/test_unmerge.py", "a bonus that both had once is taken back from the later"),
        ("cards/test_holders.py", "test_the_stricter_consent_wins_and_stays"),
    ],
    "30 erasure": [("cards/test_holders.py", "test_erasing_a_member_leaves_every_entry")],
    "31 liability": [
        ("ledger/test_reports_rules.py", "test_revenue_follows_what_is_redeemed_of_what"),
    ],
    "32 partners": [
        (TIERS, "three partners net to zero, also over a return and its debt"),
        ("ledger/test_reports_machine.py", "test_reports_are_right_whatever_partners_post"),
    ],
    "33 offline": [
        ("api/test_till_postings.py", "test_offline_a_till_takes_back_only_its_own_accrual"),
    ],
    "34 the till's word": [
        ("api/test_till_postings.py", "test_a_date_that_cannot_be_believed_waits_for_a_manager"),
    ],
    "35 ids": [
        ("api/test_till_postings.py", "test_a_repeat_gets_the_first_answer"),
        ("api/test_till_postings.py", "test_another_body_under_the_same_id_is_refused"),
        ("api/test_till_postings.py", "test_a_refusal_is_not_kept_so_the_same_posting_may_succeed"),
    ],
}


@pytest.mark.parametrize("rule", PLACES)
def test_each_rule_is_proved_where_the_table_says(rule: str) -> None:
    for file, told in PLACES[rule]:
        assert told in (TESTS / file).read_text(), f"{told!r} is not in {file} any more"


def test_the_table_has_every_rule() -> None:
    numbers = [rule.split()[0] for rule in PLACES]
    assert numbers == [*(str(number) for number in range(1, 18)), "17a", *map(str, range(18, 36))]


def test_a_return_of_another_member_s_receipt_is_refused(ledger: Any) -> None:
    mine, theirs = ledger.account(), ledger.account()
    sale = ledger.earn(theirs, 100)
    with pytest.raises(UnknownPosting):
        ledger.post(Reverse(sale, account_id=mine))
    assert ledger.standing(theirs).balance == 100


def test_every_movement_says_of_what_kind_it_is(ledger: Any) -> None:
    one, other = ledger.account(), ledger.account()
    sale = ledger.earn(one, 100, expires_at=ledger.clock.now.replace(day=2))
    ledger.adjust(one, 5)
    ledger.spend(one, 10)
    ledger.reverse(sale, amount_minor=1000)
    ledger.clock.now = ledger.clock.now.replace(day=3)
    ledger.sweep()
    ledger.post(Merge(one, other))
    with ledger.database.read(ledger.programme_id) as session:
        kinds = list(session.scalars(select(Entry.kind).order_by(Entry.sequence)))
        reversed_ = session.scalars(select(Entry.reverses_id).where(Entry.kind == "reversal")).one()
        assert reversed_ == session.scalar(select(Entry.id).where(Entry.kind == "accrual"))
    assert kinds == [
        "accrual",
        "adjustment",
        "redemption",
        "reversal",
        "expiry",
        "transfer_in",
        "transfer_out",
    ]


POLICIES = {
    "the same return by each policy: debt": """
        earn 100 as A
        spend 100
        adjust +30
        reverse A policy allow_debt
        -> balance -70; debt 70; moved -100
        """,
    "the same return by each policy: no more than there is": """
        earn 100 as A
        spend 100
        adjust +30
        reverse A policy within_balance
        -> balance 0; debt 0; moved -30; told forgiven
        """,
    "the same return by each policy: pending points alone": """
        earn 100 as A
        spend 100
        adjust +30
        reverse A policy only_pending
        -> balance 30; debt 0; moved 0; told forgiven
        """,
}


@pytest.mark.parametrize("text", POLICIES.values(), ids=POLICIES.keys())
def test_the_policy_decides_what_spent_points_cost(play: Callable[[str], None], text: str) -> None:
    play(text)
