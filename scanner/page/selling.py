"""Giving and redeeming with the card in hand, and taking the last of it back."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from scanner.amounts import parse_amount
from scanner.errors import ConfigError, Refused, ScanError
from scanner.page.outcomes import Told, told_of_code
from scanner.page.snapshot import tiles
from scanner.page.state import Sale, View
from scanner.page.telling import code_of
from scanner.sale import Posted

if TYPE_CHECKING:
    from scanner.page.desk import Desk

MOST_EXPLAINED = 5
LONGEST_RECEIPT = 64


def told_by_pos(
    desk: Desk,
    amount_minor: int,
    receipt: str | None,
    lines: tuple[dict[str, Any], ...],
    *,
    at_once: bool,
) -> None:
    """The shop's own POS told an amount, before or after the scan."""
    view = desk.showing.change(
        lambda view: view.told_by_pos(amount_minor, receipt, lines, at_once=at_once)
    )
    desk.showing.tell("sale", {"amount_minor": amount_minor, "receipt": receipt})
    if view.card is not None and at_once and desk.counter is not None:
        give(desk, view.card.number)
    else:
        quote(desk)


def withdrawn(desk: Desk) -> None:
    """The POS cancelled its sale."""
    desk.showing.change(View.withdrawn)
    desk.showing.tell("withdrawn", {})


def note_sale(desk: Desk, typed: str, receipt: str) -> None:
    """Note what the cashier has keyed in so far; half an amount is none."""
    programme = desk.till.programme
    amount: int | None = None
    with suppress(ConfigError):
        amount = parse_amount(typed, programme.currency_exponent, programme.currency)
    number = receipt.strip()[:LONGEST_RECEIPT] or None
    desk.showing.change(lambda view: view.keyed(amount, number))


def keyed(desk: Desk, typed: str, receipt: str) -> None:
    """Note what the cashier has keyed in so far, and what it would give."""
    note_sale(desk, typed, receipt)
    quote(desk)


def quote(desk: Desk) -> None:
    """Ask what the amount would give to the card in hand, for the button's words."""
    counter, view = desk.counter, desk.showing.view
    card, sale = view.card, view.sale
    amount = sale.amount_minor
    if counter is None or card is None or amount is None or desk.reading is None:
        return
    said = counter.quote(desk.reading, amount, sale.receipt, _lines(sale))
    if said is not None:
        told = {"amount_minor": amount, "points": said["points"]}
        desk.showing.change(lambda view: view.quoted(card.number, amount, told))


def give(desk: Desk, card_number: int) -> None:
    """Give points for the sale to the card in hand."""
    counter, view = desk.with_card(card_number)
    if counter is None or desk.reading is None:
        return
    sale, began = view.sale, desk.now()
    if sale.amount_minor is None:
        desk.tell(Told.AMOUNT_WRONG)
        return
    try:
        done = counter.accrue(desk.reading, sale.amount_minor, sale.receipt, _lines(sale))
    except Refused:
        desk.forget_refused(began)
        raise
    facts = facts_of(done) | {"amount_minor": sale.amount_minor}
    desk.posted(_given(done), done, "accrual", facts, receipt=sale.receipt, undo=True)


def redeem(desk: Desk, card_number: int, points: int, *, approval: str | None = None) -> None:
    """Redeem points of the card in hand; `approval` is a manager's session."""
    counter, view = desk.with_card(card_number)
    if counter is None or desk.reading is None or view.card is None:
        return
    if not counter.online:
        desk.tell(Told.REDEEM_OFFLINE)
        return
    shown, began = (view.card.seen or {}).get("presentation") or {}, desk.now()
    try:
        done = counter.redeem(desk.reading, points, shown.get("token"), view.sale.receipt, approval)
    except Refused as refused:
        desk.forget_refused(began)
        told = told_of_code(code_of(refused))
        if told is not Told.APPROVAL_NEEDED or approval is not None:
            raise
        desk.ask_manager(told, "redeem", {"card_number": card_number, "points": points})
        return
    facts, receipt = facts_of(done), view.sale.receipt
    left = left_of(view.card.seen or {}, done, None)
    desk.posted(Told.REDEEMED, done, "redemption", facts, receipt=receipt, undo=True, left=left)
    quote(desk)


def hand_out(
    desk: Desk, card_number: int, kind: str, what_id: str, *, approval: str | None = None
) -> None:
    """Redeem one of the tiles: a reward, or a coupon."""
    counter, view = desk.with_card(card_number)
    if counter is None or desk.reading is None or view.card is None:
        return
    seen = view.card.seen or {}
    tile = next(
        (each for each in tiles(seen) if (each["kind"], each["id"]) == (kind, what_id)), None
    )
    if tile is None:
        desk.tell(Told.CARD_GONE)
        return
    what: dict[str, Any] = {"coupon_id": what_id}
    if kind == "reward":
        points = tile["points"] if tile["from"] else None
        token = (seen.get("presentation") or {}).get("token")
        what = {"reward": what_id, "points": points, "presentation_token": token}
    began, sale = desk.now(), view.sale
    try:
        done = counter.hand_out(desk.reading, kind, what, sale.receipt, sale.amount_minor, approval)
    except Refused as refused:
        desk.forget_refused(began)
        told = told_of_code(code_of(refused))
        if told is not Told.APPROVAL_NEEDED or approval is not None:
            raise
        asked = {"card_number": card_number, "kind": kind, "what_id": what_id}
        desk.ask_manager(told, "hand_out", asked)
        return
    facts = facts_of(done) | _benefit(done, tile["name"])
    rest = left_of(seen, done, what_id)
    desk.posted(Told.HANDED_OUT, done, kind, facts, receipt=sale.receipt, undo=True, left=rest)
    quote(desk)


def left_of(seen: dict[str, Any], done: Posted, used: str | None) -> dict[str, Any]:
    """What the service said of a card, less what was just redeemed from it.

    Not asked anew: a code that changes was used up by the first look-up. `used` is the coupon.
    """
    told = (done.answer or {}).get("standing")
    standing = told if isinstance(told, dict) else {}
    available = standing.get("available")
    most = available if isinstance(available, int) else 0
    redeem = dict(seen.get("redeem") or {})
    redeem["maximum"] = min(most, redeem.get("maximum") or 0)
    rewards = [
        {**each, "can_take": bool(each.get("can_take")) and _costs(each) <= most}
        for each in seen.get("rewards") or []
        # A full stamp card is used up; how many stamps are left is told at the next scan.
        if not each.get("stamps")
    ]
    coupons = [each for each in seen.get("coupons") or [] if each.get("id") != used]
    shown = {"stamps": [], "rewards": rewards, "coupons": coupons, "coupon": None}
    return seen | shown | {"standing": standing or seen.get("standing"), "redeem": redeem}


def _costs(reward: dict[str, Any]) -> int:
    return reward.get("points") or reward.get("points_from") or 0


def _benefit(done: Posted, name: str) -> dict[str, Any]:
    """What was handed out, and what comes off the receipt for it."""
    told = (done.answer or {}).get("benefit")
    benefit = told if isinstance(told, dict) else {}
    amount = benefit.get("amount_minor")
    return {"what": name, "off_minor": amount if isinstance(amount, int) else None}


def undo(desk: Desk) -> None:
    """Take back what was just posted; within a minute, by a reversal."""
    counter, view = desk.counter, desk.showing.view
    if counter is None or view.done is None:
        return
    if not view.done.may_undo(desk.now()):
        desk.tell(Told.UNDO_TOO_LATE)
        return
    began = desk.now()
    try:
        done = counter.reverse(view.done.posting_id, "Undo")
    except Refused:
        desk.forget_refused(began)
        raise
    except ScanError:
        if counter.online:
            raise
        desk.tell(Told.RETURN_OFFLINE)
        return
    told = Told.UNDO_KEPT if done.queued else Told.UNDONE
    facts = facts_of(done)
    desk.showing.change(lambda view: view.taken_back(told, desk.now(), facts))
    desk.showing.tell("undone", {"posting_id": view.done.posting_id, **facts})


def facts_of(done: Posted) -> dict[str, Any]:
    """What is told of a posting: points, the balance after it, and why."""
    answer = done.answer or {}
    standing, points = answer.get("standing"), answer.get("points")
    return {
        "points": abs(points) if isinstance(points, int) else None,
        "balance": standing.get("balance") if isinstance(standing, dict) else None,
        "explain": [str(line)[:200] for line in answer.get("explain") or []][:MOST_EXPLAINED],
    }


def _lines(sale: Sale) -> list[dict[str, Any]] | None:
    return list(sale.lines) or None


def _given(done: Posted) -> Told:
    if done.answer is None:
        return Told.KEPT
    if done.answer.get("status") == "waiting_for_manager":
        return Told.WAITS_FOR_MANAGER
    return Told.GIVEN if done.answer.get("points") else Told.GIVEN_NOTHING
