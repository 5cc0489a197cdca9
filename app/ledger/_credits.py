"""Accrual, adjustment and confirmation: how points come in, and go by hand."""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import new_id
from app.errors import Invalid
from app.languages import _
from app.ledger import _moved, rules
from app.ledger._book import AccountState, Book, OtherReceipts, Row
from app.ledger._operation import (
    MOST_MINOR,
    MOST_POINTS,
    Context,
    Outcome,
    canonical_id,
    whole_number,
)
from app.ledger._store import load_lots
from app.ledger.errors import InsufficientPoints, NotReversible, UnknownPosting
from app.ledger.explain import Reason, because
from app.ledger.models import Entry, EntryKind, TierChange
from app.ledger.postings import AccountFacts, Accrue, Adjust, Bonus, Confirm, Line, Value

MOST_LINES = 1000


def accrue(context: Context, operation: Accrue) -> Outcome:
    """Write a receipt and give its points. No points make an entry without a lot."""
    whole_number(operation.amount_minor, "amount_minor", 0, MOST_MINOR)
    book = context.book
    circumstances = context.circumstances
    value = _value(context, operation)
    points = whole_number(value.points, "points", 0, MOST_POINTS)
    receipt = _receipt(context, operation, value)
    explain = list(value.explain)
    if value.rolling or book.account.rolling_expires_at is not None:
        book.roll(circumstances.occurred_at)
    entry = book.enter(
        EntryKind.ACCRUAL,
        circumstances,
        posting_id=context.request.id,
        receipt_id=receipt["id"],
        amount_minor=operation.amount_minor,
        currency=operation.currency,
        rule_version=value.rule_version or operation.rule_version,
        issuing_partner_id=operation.issuing_partner_id,
    )
    if value.carried_micro is not None:
        book.carry(entry, value.carried_micro - book.account.carried_micro)
        entry["weighted_micro"] = value.weighted_micro
    spend = receipt["earning_minor"] if value.spend_minor is None else value.spend_minor
    book.count(entry, points, spend)
    _give(context, entry, points, value, explain)
    for bonus in value.bonuses:
        points += _give_bonus(context, entry, bonus, value)
    return Outcome(
        "accrual", points=points, explain=explain, entry_id=entry["id"], given=value.given
    )


def _value(context: Context, operation: Accrue) -> Value:
    if isinstance(operation.value, Value):
        return operation.value
    return operation.value(facts_on(context.book, _tier_then(context)))


def facts_on(book: Book, tier: str | None) -> AccountFacts:
    """What a page says of its account, for a receipt of that *tier*."""
    return facts_of_account(book.account, tier, book.other_receipts, book.once_keys)


def facts_of_account(
    account: AccountState,
    tier: str | None,
    others: OtherReceipts | None,
    once_keys: frozenset[str] = frozenset(),
) -> AccountFacts:
    """The same of what was read without a page."""
    others = others or OtherReceipts()
    return AccountFacts(
        tier=tier,
        carried_micro=account.carried_micro,
        once_keys=once_keys,
        kind=account.kind,
        joined_on=account.tier.joined_on,
        visits_today=others.visits_today,
        is_first=others.is_first,
        windows=others.windows,
    )


def _tier_then(context: Context) -> str | None:
    """The tier when the receipt happened; a late one is valued by the tier of its day."""
    book = context.book
    if book.terms.tiers is None:
        return None
    if not context.circumstances.late:
        return book.account.tier.tier
    return tier_at(context.session, book.account.id, context.circumstances.occurred_at)


def tier_at(session: Session, account_id: str, moment: datetime) -> str | None:
    """The tier that an account had at *moment*, as far as it was known by now."""
    return session.scalar(
        select(TierChange.to_tier)
        .where(TierChange.account_id == account_id, TierChange.effective_from <= moment)
        .order_by(TierChange.effective_from.desc(), TierChange.sequence.desc())
        .limit(1)
    )


def _give_bonus(context: Context, accrual: Row, bonus: Bonus, value: Value) -> int:
    points = whole_number(bonus.points, "points", 0, MOST_POINTS)
    entry = context.book.enter(
        EntryKind.BONUS,
        context.circumstances,
        posting_id=context.request.id,
        receipt_id=accrual["receipt_id"],
        at_least_minor=bonus.at_least_minor,
        grounds=None if bonus.grounds is None else bonus.grounds.as_json(),
        once_key=bonus.once_key,
        reason=bonus.name[:200],
        rule_version=accrual["rule_version"],
        issuing_partner_id=accrual["issuing_partner_id"],
    )
    context.book.count(entry, points, 0)
    _give(context, entry, points, value, [])
    return points


def _give(
    context: Context,
    entry: Row,
    points: int,
    value: Value,
    explain: list[Reason],
) -> None:
    if points == 0:
        return
    book = context.book
    is_earned = entry["counted_points"] > 0
    lot = book.credit(
        entry,
        points,
        available_from=value.available_from,
        expires_at=value.expires_at,
        rolling=value.rolling,
        counts_on=entry["day"] if is_earned else None,
        issuing_partner_id=entry["issuing_partner_id"],
    )
    if lot.pending:
        if value.available_from is None:
            explain.append(because("pending_unconfirmed"))
        else:
            explain.append(because("pending_until", at=value.available_from))
        return
    owed = book.account.debt
    book.tidy()
    if owed > book.account.debt:
        explain.append(because("repaid_debt", points=owed - book.account.debt))


def _receipt(context: Context, operation: Accrue, value: Value) -> Row:
    circumstances = context.circumstances
    if operation.receipt_number is not None and len(operation.receipt_number) > 64:
        raise Invalid("The receipt's number is too long.", {"receipt": ["At most 64 characters."]})
    rate = operation.exchange_rate
    earning = operation.amount_minor if value.earning_minor is None else value.earning_minor
    whole_number(earning, "earning_minor", 0, operation.amount_minor)
    receipt: Row = {
        "programme_id": context.book.account.programme_id,
        "id": new_id(),
        "account_id": context.book.account.id,
        "location_id": circumstances.location_id,
        "till_id": circumstances.till_id,
        "number": operation.receipt_number,
        "amount_minor": operation.amount_minor,
        "currency": operation.currency,
        "earning_minor": earning,
        "tax_minor": operation.tax_minor,
        "coupons_minor": operation.coupons_minor,
        "paid_points": operation.paid_points,
        "exchange_rate": None if rate is None else f"{rate:f}",
        "exchange_source": operation.exchange_source,
        "occurred_at": circumstances.occurred_at,
    }
    context.book.receipts.append(receipt)
    lines = operation.lines if value.lines is None else value.lines
    if lines:
        context.book.receipt_lines.extend(_lines(receipt, lines))
    return receipt


def _lines(receipt: Row, lines: tuple[Line, ...]) -> list[Row]:
    total = sum(whole_number(line.amount_minor, "lines", 0, MOST_MINOR) for line in lines)
    wrong = None
    if len(lines) > MOST_LINES:
        wrong = f"At most {MOST_LINES} lines."
    elif total != receipt["amount_minor"]:
        wrong = f"They add up to {total}, not to the receipt's {receipt['amount_minor']}."
    if wrong:
        raise Invalid(f"The receipt's lines do not make sense. {wrong}", {"lines": [wrong]})
    return [
        {
            "programme_id": receipt["programme_id"],
            "id": new_id(),
            "receipt_id": receipt["id"],
            "position": position,
            "item": line.item[:120],
            "category": line.category[:64] if line.category else None,
            "quantity_thousandths": thousandths(line.quantity),
            "amount_minor": line.amount_minor,
            "earns": line.earns,
        }
        for position, line in enumerate(lines, start=1)
    ]


def thousandths(quantity: Any) -> int:
    """A quantity above zero in thousandths. Raises `Invalid` for anything finer or larger."""
    try:
        exact = Decimal(str(quantity)) * 1000
        if exact == exact.to_integral_value() and 0 < exact < 10**12:
            return int(exact)
    except InvalidOperation:
        pass
    text = "A quantity is above zero and has at most three decimals."
    raise Invalid(text, {"lines": [text]})


def adjust(context: Context, operation: Adjust) -> Outcome:
    """Give or take points by hand. Raises `InsufficientPoints` where there are not so many."""
    points = whole_number(operation.points, "points", -MOST_POINTS, MOST_POINTS)
    if points == 0 or not operation.reason.strip() or len(operation.reason) > 200:
        text = _("An adjustment moves points and says why, in at most 200 characters.")
        raise Invalid(text, {"reason" if points else "points": [text]})
    book = context.book
    explain: list[Reason] = []
    entry = book.enter(
        EntryKind.ADJUSTMENT,
        context.circumstances,
        posting_id=context.request.id,
        reason=operation.reason,
    )
    if points > 0:
        value = Value(points, operation.available_from or context.now, operation.expires_at)
        _give(context, entry, points, value, explain)
    else:
        takes, missing = rules.plan_debit(book.spendable(), -points)
        if missing:
            raise InsufficientPoints(-points, book.standing().available)
        for take in takes:
            lot = book.lots[take.lot_id]
            book.draw(entry, lot, take.points)
            explain.append(because("taken_from", points=take.points, expires_at=lot.expires_at))
    return Outcome("adjustment", points=points, explain=explain, entry_id=entry["id"])


def confirm(context: Context, operation: Confirm) -> Outcome:
    """Make a posting's pending points available now; they repay debt if there is any."""
    book = context.book
    entry_ids = context.session.scalars(
        select(Entry.id).where(Entry.posting_id == canonical_id(operation.posting_id))
    ).all()
    if not entry_ids:
        raise UnknownPosting("There is no such posting.")
    load_lots(context.session, book, entry_ids=entry_ids)
    made = [lot.id for lot in book.lots.values() if lot.entry_id in entry_ids]
    families = _moved.families(context.session, book, made)
    lots = [book.lots[lot_id] for family in families.values() for lot_id in family]
    pending = [lot for lot in lots if lot.pending]
    if not pending:
        raise NotReversible("None of that posting's points are pending.")
    for lot in pending:
        # `tidy` finds it available and lets it count.
        lot.available_from = context.now
        book.changed_lots.add(lot.id)
    points = sum(lot.remaining for lot in pending)
    book.tidy()
    return Outcome("confirmation", explain=[because("available_now", points=points)])
