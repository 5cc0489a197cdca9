"""A receipt: what was sold, what has come back of it, and what that is worth.

Everything is counted from the start each time, so that partial returns in any sizes end exactly.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Invalid
from app.ledger import _expiries, _moved, _undo
from app.ledger._book import Row
from app.ledger._credits import thousandths
from app.ledger._operation import Context
from app.ledger._store import load_lots
from app.ledger._undo import Target
from app.ledger.errors import AlreadyReversed, ReturnTooLarge
from app.ledger.explain import Reason, because
from app.ledger.grounds import Kept, KeptLine
from app.ledger.models import Receipt, ReceiptLine, ReceiptReturn
from app.ledger.postings import ReturnedLine, Reverse
from app.ledger.rules import due_so_far


class Sold(NamedTuple):
    """The receipt as it was sold."""

    id: str
    number: str | None
    till_id: str | None
    amount_minor: int
    earning_minor: int
    occurred_at: datetime


class Line(NamedTuple):
    """A line as it was sold; *earns*: whether it is of a kind that earns."""

    quantity_thousandths: int
    amount_minor: int
    earns: bool


class Came(NamedTuple):
    """What came back of a receipt by one posting, and still counts."""

    id: str
    posting_id: str
    amount_minor: int
    earning_minor: int
    earned_points_due: int
    redeemed_points_due: int
    bonus_points_due: dict[str, int]
    counted_minor_due: int
    carried_micro_due: int
    lines: list[dict[str, Any]] | None
    reversed_at: datetime | None


def sold_on(session: Session, receipt_id: str | None) -> Sold:
    """The receipt of that id."""
    columns = tuple(getattr(Receipt, name) for name in Sold._fields)
    return Sold(*session.execute(select(*columns).where(Receipt.id == receipt_id)).one())


def returns_of(session: Session, receipt_id: str) -> list[Came]:
    """What came back of it, also by returns that were undone."""
    columns = tuple(getattr(ReceiptReturn, name) for name in Came._fields)
    rows = session.execute(select(*columns).where(ReceiptReturn.receipt_id == receipt_id))
    return [Came(*row) for row in rows]


def lines_of(session: Session, receipt_id: str) -> dict[int, Line]:
    """Its lines, by their position."""
    rows = session.execute(
        select(
            ReceiptLine.position,
            ReceiptLine.quantity_thousandths,
            ReceiptLine.amount_minor,
            ReceiptLine.earns,
        ).where(ReceiptLine.receipt_id == receipt_id)
    )
    return {row.position: Line(*row[1:]) for row in rows}


def lines_back(came: list[Came]) -> Counter[int]:
    """How much of each line came back, in thousandths, by position."""
    back: Counter[int] = Counter()
    for part in came:
        for line in part.lines or ():
            back[line["position"]] += line["quantity_thousandths"]
    return back


def back_of(came: list[Came]) -> int:
    """How much has come back, in minor units of the receipt."""
    return sum(part.amount_minor for part in came)


def earning_back(came: list[Came]) -> int:
    """How much of it had earned."""
    return sum(part.earning_minor for part in came)


@dataclass(frozen=True, slots=True)
class Part:
    """What comes back now: of the amount, and of the part of it that had earned."""

    value: int
    earning: int
    lines: list[dict[str, Any]] | None = None


def parts_of(came: Iterable[Came]) -> list[Part]:
    """What came back, as far as it says what is kept."""
    return [Part(each.amount_minor, each.earning_minor, each.lines) for each in came]


def kept_after(session: Session, receipt: Sold, parts: Sequence[Part]) -> Kept:
    """What is kept of a receipt of which *parts* came back."""
    back: dict[int, tuple[int, int]] = {}
    unknown = 0
    for part in parts:
        if part.lines is None:
            unknown += part.value
        for told in part.lines or ():
            pieces, money = back.get(told["position"], (0, 0))
            back[told["position"]] = (
                pieces + told["quantity_thousandths"],
                money + told["amount_minor"],
            )
    amount = receipt.amount_minor - sum(part.value for part in parts)
    lines = {}
    for position, line in lines_of(session, receipt.id).items():
        pieces, money = back.get(position, (0, 0))
        lines[position] = KeptLine(line.quantity_thousandths - pieces, line.amount_minor - money)
    return Kept(
        amount_minor=amount,
        earning_minor=receipt.earning_minor - sum(part.earning for part in parts),
        lines=lines,
        unknown_minor=unknown,
        is_nothing=bool(parts) and amount <= 0,
    )


def part_of(
    session: Session,
    receipt: Sold,
    came: list[Came],
    *,
    amount_minor: int | None,
    lines: Sequence[ReturnedLine] | None,
) -> Part:
    """What comes back now: an amount, lines, or all that is left.

    Raises `AlreadyReversed` where nothing is left, `ReturnTooLarge` where less is, `Invalid`.
    """
    sold, before = receipt.amount_minor, back_of(came)
    if came and before >= sold:
        raise AlreadyReversed("All of that receipt has come back already.")
    told = None
    if lines is not None:
        value, earning, told = _value_of_lines(session, receipt, came, lines)
    else:
        value = sold - before if amount_minor is None else amount_minor
        earning = due_so_far(receipt.earning_minor, before + value, sold)
        earning -= due_so_far(receipt.earning_minor, before, sold)
    if value > sold - before:
        text = f"Only {sold - before} of {sold} minor units are left to return."
        raise ReturnTooLarge(text, {"amount_minor": [text]}, left_minor=sold - before)
    left = receipt.earning_minor - earning_back(came)
    earning = left if value == sold - before else min(earning, left)
    return Part(value, earning, told)


def _value_of_lines(
    session: Session, receipt: Sold, came: list[Came], lines: Sequence[ReturnedLine]
) -> tuple[int, int, list[dict[str, Any]]]:
    sold = lines_of(session, receipt.id)
    back = lines_back(came)
    earned_before = _earned_of(sold, back)
    value = 0
    told = []
    for line in lines:
        if line.position not in sold:
            text = f"The receipt has no line {line.position}."
            raise Invalid(text, {"lines": [text]})
        quantity, amount_minor, _ = sold[line.position]
        left = quantity - back[line.position]
        part = left if line.quantity is None else thousandths(line.quantity)
        if part > left or left == 0:
            text = f"Of line {line.position} there is not so much left to return."
            raise ReturnTooLarge(text, {"lines": [text]})
        # From the start each time, as with the points: parts of a line add up to the line.
        worth = due_so_far(amount_minor, back[line.position] + part, quantity)
        worth -= due_so_far(amount_minor, back[line.position], quantity)
        back[line.position] += part
        value += worth
        told.append(
            {
                "position": line.position,
                "quantity_thousandths": part,
                "amount_minor": worth,
            }
        )
    if not told:
        raise Invalid("Name what comes back.", {"lines": ["Name at least one line."]})
    # Coupons and points paid for some of it: each line that earned bears its share.
    earned_of = _earned_of(sold, Counter({at: line[0] for at, line in sold.items()}))
    if earned_of == 0:
        return value, 0, told
    earning = due_so_far(receipt.earning_minor, _earned_of(sold, back), earned_of)
    earning -= due_so_far(receipt.earning_minor, earned_before, earned_of)
    return value, earning, told


def _earned_of(sold: dict[int, Line], back: Counter[int]) -> int:
    """The amount of what came back of the lines that earn."""
    return sum(
        due_so_far(line.amount_minor, back[position], line.quantity_thousandths)
        for position, line in sold.items()
        if line.earns
    )


def counting(context: Context, came: list[Came]) -> list[Came]:
    """Those of *came* that count, after what this posting has changed."""
    changed = context.book.changed_returns
    return [part for part in came if changed.get(part.id, part.reversed_at) is None]


def check_still_fits(session: Session, receipt_id: str, came: list[Came]) -> None:
    """Raise `ReturnTooLarge` where more came back than was sold."""
    lines = lines_of(session, receipt_id)
    too_much = any(
        quantity > lines[position].quantity_thousandths
        for position, quantity in lines_back(came).items()
    )
    if too_much or back_of(came) > sold_on(session, receipt_id).amount_minor:
        text = "Other parts of that receipt have come back meanwhile."
        raise ReturnTooLarge(text, {"posting_id": [text]})


def take_due(
    context: Context,
    entry: Row,
    target: Target,
    due: int,
    before: int,
    operation: Reverse,
    explain: list[Reason],
) -> None:
    """Take *due* points of what *target* gave back, under *entry*; *before* were due already.

    The entry counts for a tier what is due; what never counted is put right here.
    """
    book = context.book
    if target.points <= 0:
        return
    load_lots(context.session, book, entry_ids=[target.id])
    made = {lot.id: lot.points for lot in book.lots.values() if lot.entry_id == target.id}
    families = _moved.families(context.session, book, made)
    lots = {lot_id: made[first] for first, lots in families.items() for lot_id in lots}
    expired = sum(_expiries.expired_since(context.session, book, lots, target.sequence).values())
    # What expired unspent did nobody any good: it counts as taken back.
    points = max(0, min(due, target.points - expired - before))
    if points < due:
        explain.append(because("had_expired", points=due - points))
    if expired:
        never = _expiries.never_counted(context.session, book, lots, target.sequence)
        counted = max(0, min(due, target.points - never - before))
        book.count(entry, due - counted, 0)
    _undo.take_back(context, entry, points, lots, operation, explain, is_return=True)


def carried_back(accrual: Target, money: int, points: int) -> int:
    """How much of what a receipt left for the next one goes once so much has come back.

    *money* (minor units) came back and took *points* with it: what those had used up came back
    with them, and only the rest had been carried on.
    """
    weighed = accrual.weighted_micro or 0
    used = weighed - (accrual.carried_micro or 0)
    part = weighed * money // accrual.counted_minor if accrual.counted_minor else weighed
    return part - (used * points // accrual.points if accrual.points else 0)
