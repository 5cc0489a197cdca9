"""What the cashier does now and then: returns, a manager's approval, what the service refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from scanner import backlog
from scanner.amounts import parse_amount
from scanner.errors import ConfigError, Refused, ScanError, SignInError, TryLater
from scanner.page.outcomes import Told, told_of_code
from scanner.page.people import MANAGERS
from scanner.page.selling import facts_of, hand_out, redeem
from scanner.page.state import View
from scanner.page.telling import code_of, told_of_sign_in
from scanner.unsent import How, State

if TYPE_CHECKING:
    from scanner.page.desk import Desk

LONGEST_RECEIPT = 64
#: What a manager can approve, and what is then done again.
_FOR_MANAGERS = (Told.APPROVAL_NEEDED, Told.NOT_YOUR_POSTING)


def find_receipt(desk: Desk, typed: str) -> list[dict[str, Any]]:
    """The receipts of a number: the service's, or without it what this till gave itself."""
    counter, number = desk.counter, typed.strip()
    if counter is None:
        return []
    if not 0 < len(number) <= LONGEST_RECEIPT:
        desk.tell(Told.RECEIPT_WRONG)
        return []
    found: list[dict[str, Any]] | None = None
    if counter.online:
        try:
            found = [_receipt(each) for each in counter.receipts(number)]
        except TryLater:
            counter.online = False
    if found is None:
        found = _own_receipts(desk, number)
    if not found:
        desk.tell(Told.RECEIPT_UNKNOWN)
    return found


def _receipt(told: dict[str, Any]) -> dict[str, Any]:
    def whole(name: str) -> int:
        value = told.get(name)
        return value if isinstance(value, int) else 0

    return {
        "posting_id": str(told.get("posting_id"))[:36],
        "amount_minor": whole("amount_minor"),
        "returned_minor": whole("returned_minor"),
        "points": whole("points"),
        "at": str(told.get("occurred_at"))[:40],
    }


def _own_receipts(desk: Desk, number: str) -> list[dict[str, Any]]:
    """What this till gave for the receipt and may take back without the service."""
    found = []
    for posting in desk.queue.all(State.WAITING, State.SENT):
        if posting.kind != "accrual" or desk.queue.reversal_of(posting.id) is not None:
            continue
        body = json.loads(posting.body)
        if body.get("receipt") == number:
            points = (posting.answer or {}).get("points")
            found.append(
                {
                    "posting_id": posting.id,
                    "amount_minor": body["amount_minor"],
                    "returned_minor": 0,
                    "points": points if isinstance(points, int) else None,
                    "at": posting.kept_at.isoformat(),
                }
            )
    return found[-5:]


def take_back(
    desk: Desk, posting_id: str, typed_amount: str, *, approval: str | None = None
) -> None:
    """Take a receipt back, whole or in part."""
    counter = desk.counter
    if counter is None:
        return
    amount = None
    if typed_amount.strip():
        programme = desk.till.programme
        try:
            amount = parse_amount(typed_amount, programme.currency_exponent, programme.currency)
        except ConfigError:
            desk.tell(Told.AMOUNT_WRONG)
            return
    began = desk.now()
    try:
        done = counter.reverse(posting_id, "Return", amount_minor=amount, approval=approval)
    except Refused as refused:
        desk.forget_refused(began)
        told = told_of_code(code_of(refused))
        if told in _FOR_MANAGERS and approval is None:
            asked = {"posting_id": posting_id, "typed_amount": typed_amount}
            desk.ask_manager(told, "return", asked)
            return
        raise
    except ScanError:
        if counter.online:
            raise
        desk.tell(Told.RETURN_OFFLINE)
        return
    told = Told.RETURN_KEPT if done.queued else Told.RETURNED
    desk.posted(told, done, "reversal", facts_of(done), receipt=None, undo=False)


def approve(desk: Desk, name: str, pin: str) -> None:
    """A manager types the PIN: what was refused is done again, with the approval."""
    approval = desk.showing.view.approval
    if approval is None or desk.counter is None:
        return
    try:
        manager = desk.client.sign_in(name, pin)
    except Refused as refused:
        desk.tell(told_of_code(refused.code))
        return
    except TryLater as later:
        desk.tell(told_of_sign_in(SignInError(str(later)), later))
        return
    if manager.role not in MANAGERS or manager.session is None:
        desk.client.sign_out(manager)
        desk.tell(Told.NOT_A_MANAGER)
        return
    desk.remember(manager)
    desk.showing.change(View.without_approval)
    if approval.action == "redeem":
        redeem(desk, **approval.arguments, approval=manager.session)
    elif approval.action == "hand_out":
        hand_out(desk, **approval.arguments, approval=manager.session)
    elif approval.action == "return":
        take_back(desk, **approval.arguments, approval=manager.session)


def refused_list(desk: Desk) -> list[dict[str, Any]]:
    """What the service refused for good and nobody has resolved, with the ways out."""
    return [
        {
            "posting_id": each.posting.id,
            "kind": each.posting.kind,
            "amount_minor": each.amount_minor,
            "kept_at": each.posting.kept_at.isoformat(),
            "reason": each.reason,
            "told": told_of_code(code_of(each.reason)),
            "ways": list(each.ways),
        }
        for each in backlog.set_aside(desk.queue)
    ]


def resolve(desk: Desk, posting_id: str, how: str, reason: str) -> list[dict[str, Any]]:
    """Take one way out for a posting that was refused; what is left of the list."""
    counter = desk.counter
    if counter is None:
        return []
    backlog.resolve(
        desk.queue,
        desk.client,
        posting_id,
        How(how),
        who=counter.cashier.name,
        reason=reason or None,
        now=desk.now(),
    )
    desk.showing.tell("resolved", {"posting_id": posting_id, "how": how})
    return refused_list(desk)
