"""What may follow what on the page: amount first or card first, done, back by itself, undo."""

from datetime import UTC, datetime, timedelta

import pytest

from scanner.page.outcomes import Told
from scanner.page.state import CARD_FOR, DONE_FOR, TOLD_FOR, UNDO_FOR, Stage, View

NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
ANNA = {"id": "1", "name": "Anna", "role": "cashier"}
OPEN = View().signed_in(ANNA)


def posted(view: View, told: Told = Told.GIVEN) -> View:
    return view.posted(told, NOW, posting_id="p", kind="accrual", undo=True, facts={"points": 12})


@pytest.mark.parametrize("amount_first", [True, False])
def test_amount_and_card_come_in_either_order(amount_first: bool) -> None:
    view = OPEN
    if amount_first:
        view = view.keyed(1250, "R1").shown("abc", NOW, asking=True)
    else:
        view = view.shown("abc", NOW, asking=True).keyed(1250, "R1")
    assert view.stage is Stage.CARD
    assert (view.sale.amount_minor, view.sale.receipt) == (1250, "R1")
    assert view.card is not None and view.card.card_id == "abc"


def test_what_was_posted_ends_the_card_and_the_sale() -> None:
    view = posted(OPEN.shown("abc", NOW, asking=False).keyed(1250, None))
    assert view.stage is Stage.DONE and view.card is None
    assert view.sale.amount_minor is None and view.sale.number > 0


def test_done_goes_back_to_waiting_by_itself_and_undo_stays_for_a_minute() -> None:
    view = posted(OPEN)
    assert view.after(NOW + DONE_FOR - timedelta(milliseconds=1)).stage is Stage.DONE
    view = view.after(NOW + DONE_FOR)
    assert view.stage is Stage.WAITING and view.done is not None
    assert view.done.may_undo(NOW + UNDO_FOR - timedelta(seconds=1))
    assert not view.done.may_undo(NOW + UNDO_FOR)


def test_what_was_undone_is_not_undone_again() -> None:
    view = posted(OPEN).taken_back(Told.UNDONE, NOW, {})
    assert view.done is not None and not view.done.may_undo(NOW)


def test_after_redeeming_the_card_and_the_sale_are_still_in_hand() -> None:
    view = OPEN.shown("abc", NOW, asking=False).keyed(1250, None)
    view = view.posted(
        Told.REDEEMED,
        NOW,
        posting_id="p",
        kind="redemption",
        undo=True,
        facts={},
        left={"tier": "x"},
    )
    assert view.stage is Stage.DONE
    view = view.after(NOW + DONE_FOR)
    assert view.stage is Stage.CARD and view.sale.amount_minor == 1250
    assert view.card is not None and view.card.seen == {"tier": "x"}


def test_the_next_card_takes_the_place_of_the_one_before() -> None:
    view = OPEN.shown("abc", NOW, asking=True)
    first = view.card
    view = view.shown("def", NOW, asking=True)
    assert first is not None and view.card is not None and view.card.number > first.number
    # The service's late answer about the first one changes nothing.
    assert view.seen(first.number, {"tier": "Gold"}) == view


def test_a_late_quote_for_another_amount_is_not_shown() -> None:
    view = OPEN.shown("abc", NOW, asking=False).keyed(500, None)
    assert view.card is not None
    late = view.quoted(view.card.number, 400, {"points": 4})
    assert late.card is not None and late.card.quote is None


def test_a_refusal_is_told_over_what_is_shown_and_goes_by_itself() -> None:
    view = OPEN.shown("abc", NOW, asking=False).told(Told.LIMIT_REACHED, NOW)
    assert view.stage is Stage.CARD and view.notice is not None
    view = view.after(NOW + TOLD_FOR)
    assert view.stage is Stage.CARD and view.notice is None


def test_a_name_does_not_stand_on_the_screen_for_ever() -> None:
    view = OPEN.shown("abc", NOW, asking=False).after(NOW + CARD_FOR)
    assert view.stage is Stage.WAITING and view.card is None


def test_locking_leaves_nothing_of_customer_and_cashier_but_the_sale_of_the_pos() -> None:
    view = posted(OPEN).shown("abc", NOW, asking=False).keyed(500, None).locked()
    assert view == View(count=view.count, sale=view.sale) and view.sale.amount_minor is None
    told = OPEN.told_by_pos(990, "R2", (), at_once=False).locked()
    assert told.sale.amount_minor == 990


def test_a_locked_till_shows_no_card_and_posts_nothing() -> None:
    assert View().shown("abc", NOW, asking=True) == View()
    assert posted(View()) == View()


def test_keying_over_the_amount_of_the_pos_makes_it_the_cashiers_sale() -> None:
    view = OPEN.told_by_pos(990, "R2", ({"item": "Tea"},), at_once=True)
    same = view.keyed(990, "R2")
    assert same.sale.by_pos and same.sale.lines
    other = view.keyed(900, "R2")
    assert not other.sale.by_pos and not other.sale.lines and not other.sale.at_once
