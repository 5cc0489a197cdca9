"""Two accounts become one; `_unmerge` makes two of them again.

A merge is a pair of entries under one posting: a transfer out of the account that goes, and one
into the account that stays. Every lot goes on as a lot with the same dates that names the one it
came from; debt and carried money go along, and what the days count towards a tier. From then on
whoever asks for the account that went is shown to the one that stayed (`merged_into_id`), and
what it had posted is reversed there, on the lots that its own became (`_moved`).

Undoing that gives the account back what it gave, as two reversals of that pair: its lots, less what
has expired of them since, its debt and its carried money. What was spent of them meanwhile the
other account pays, from its other lots and then as debt. Whatever was posted while the two were
one stays with the account that stayed.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import fields, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.db import new_id
from app.errors import Invalid
from app.languages import _
from app.ledger import _bonuses, _moved, _receipts, _store, _undo, rules, tiers
from app.ledger._book import Book, Row, posted_points
from app.ledger._operation import Context, Outcome, canonical_id
from app.ledger.errors import NotMergeable, UnknownAccount, UnknownPosting
from app.ledger.explain import Reason, because
from app.ledger.models import (
    AccountMerge,
    Entry,
    EntryKind,
)
from app.ledger.postings import Merge, Reverse, Terms, Unmerge
from app.ledger.tiers import Count, TierReason, TierState

#: What may be merged into what, besides two of a kind: somebody joins a household.
_FITS = {("personal", "household")}
_MOST_REASON = 200


# --- pages ------------------------------------------------------------------------------------


def find(session: Session, posting_id: str) -> AccountMerge:
    """The merge that a posting made, as it is stored now. Raises `UnknownPosting`."""
    found = session.scalar(
        select(AccountMerge)
        .where(AccountMerge.posting_id == canonical_id(posting_id))
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise UnknownPosting(_("No posting of that id merged two accounts."))
    return found


def page(session: Session, operation: Merge | Unmerge, now: datetime, terms: Terms) -> Book:
    """The page of the account that stays; the other's lies beside it. Both are locked.

    Raises `UnknownAccount`, `UnknownPosting`, `Invalid`.
    """
    if isinstance(operation, Merge):
        goes = canonical_id(operation.from_account_id)
        stays = canonical_id(operation.into_account_id)
        if goes is None or stays is None:
            raise UnknownAccount(_("There is no such account."))
        if goes == stays:
            text = _("An account is not merged into itself. Name two.")
            raise Invalid(text, {"into": [text]})
    else:
        found = find(session, operation.posting_id)
        goes, stays = found.from_account_id, found.into_account_id
    accounts = _store.lock(session, [goes, stays], terms)
    if len(accounts) < 2:
        raise UnknownAccount(_("There is no such account."))
    books = _store.load(session, accounts.values(), now, whole=True, terms=terms)
    books[stays].beside = books[goes]
    return books[stays]


def beside(context: Context) -> Book:
    """The page of the account that goes, or that comes back."""
    if context.book.beside is None:
        raise AssertionError("a merge is of two pages")
    return context.book.beside


def checked_reason(reason: str | None) -> str | None:
    """*reason* if it is not too long. Raises `Invalid`."""
    if reason is not None and len(reason) > _MOST_REASON:
        text = _(
            "Give a reason of at most %(longest_reason)s letters.", longest_reason=_MOST_REASON
        )
        raise Invalid(text, {"reason": [text]})
    return reason


# --- one of two -------------------------------------------------------------------------------


def merge(context: Context, operation: Merge) -> Outcome:
    """Move everything from one account to the other. Raises `NotMergeable`."""
    book, other = context.book, beside(context)
    other.settle()
    _check_may(book, other)
    before = replace(book.account.tier)
    reason = checked_reason(operation.reason)
    explain: list[Reason] = []
    facts: Row = {"posting_id": context.request.id, "reason": reason}
    leaving = other.enter(EntryKind.TRANSFER_OUT, context.circumstances, **facts)
    coming = book.enter(EntryKind.TRANSFER_IN, context.circumstances, **facts)
    _move_points(other, leaving, book, coming, explain)
    if other.account.carried_micro:
        book.carry(coming, other.account.carried_micro)
        other.carry(leaving, -other.account.carried_micro)
    gone = [other.account.id, *_moved.merged_accounts(context.session, other.account.id)]
    own = [book.account.id, *_moved.merged_accounts(context.session, book.account.id)]
    other.move_days(counted_by(context.session, gone, other.entries), to=book)
    _collapse_bonuses(context, operation, gone, own, explain)
    if book.terms.tiers is not None:
        tiers.absorb(book.terms.tiers, book.account.tier, other.account.tier)
        explain += book.assess(
            context.now, TierReason.MERGED, context.circumstances, context.request.id
        )
    other.account.tier.review_at = None
    change_together(context)
    book.merged_into |= dict.fromkeys(gone, book.account.id)
    book.merges.append(
        {
            "programme_id": book.account.programme_id,
            "id": new_id(),
            "posting_id": context.request.id,
            "from_account_id": other.account.id,
            "into_account_id": book.account.id,
            "tier_before": _tier_as_json(before),
            "merged_at": context.now,
        }
    )
    points = posted_points(book.entries, context.request.id)
    return Outcome("merge", points=points, explain=explain, entry_id=coming["id"])


def _check_may(book: Book, other: Book) -> None:
    for account in (other.account, book.account):
        if account.merged_into_id is not None:
            raise NotMergeable(
                _(
                    "Account %(id)s was merged into %(merged_into_id)s already. Name that one.",
                    id=account.id,
                    merged_into_id=account.merged_into_id,
                ),
                merged_into=account.merged_into_id,
            )
    kinds = (other.account.kind, book.account.kind)
    if kinds[0] != kinds[1] and kinds not in _FITS:
        raise NotMergeable(
            _(
                "A %(given)s account is not merged into a %(given_2)s one. Merge two of a "
                "kind, or a personal one into a household's.",
                given=kinds[0],
                given_2=kinds[1],
            )
        )
    if other.holds:
        points = sum(hold.points for hold in other.holds.values())
        until = max(hold.expires_at for hold in other.holds.values())
        raise NotMergeable(
            _(
                "A redemption of %(points)s points is not finished on the account that is to "
                "be merged. Complete or cancel it at its till, or wait until it lapses "
                "(%(until)s UTC), then merge again.",
                points=points,
                until=f"{until:%H:%M}",
            ),
            held=points,
            until=until.isoformat(),
        )


def _move_points(other: Book, leaving: Row, book: Book, coming: Row, explain: list[Reason]) -> None:
    """Lots go on with the dates that they had; debt is repaid at once by what can be spent."""
    lots = [lot for lot in rules.draw_order(other.lots.values()) if lot.remaining]
    roll_to_later(book, other, any(lot.rolling for lot in lots))
    for lot in lots:
        points = lot.remaining
        other.draw(leaving, lot, points)
        book.credit(
            coming,
            points,
            available_from=lot.available_from,
            expires_at=lot.expires_at,
            rolling=lot.rolling,
            counts_on=lot.counts_on,
            origin_lot_id=lot.id,
            issuing_partner_id=lot.issuing_partner_id,
        )
        explain.append(because("transferred_in", points=points, expires_at=lot.expires_at))
    debt = other.account.debt
    if debt:
        other.owe(leaving, -debt)
        book.owe(coming, debt)
        explain.append(because("owed", points=debt))
    owed = book.account.debt
    book.tidy()
    if owed > book.account.debt:
        explain.append(because("repaid_debt", points=owed - book.account.debt))


def roll_to_later(book: Book, other: Book, has_rolling: bool) -> None:
    """What rolls expires at the later date of the two accounts: whoever came, came for both."""
    until = other.account.rolling_expires_at
    if not has_rolling or until is None:
        return
    mine = book.account.rolling_expires_at
    if mine is None or mine < until:
        book.account.rolling_expires_at = until
        for lot in book.lots.values():
            if lot.rolling:
                lot.expires_at = until


def change_together(context: Context) -> None:
    """Both accounts show something new, and later than anything that either has shown."""
    book, other = context.book, beside(context)
    other.account.raise_version(context.now)
    latest = max(book.account.changed_at, other.account.changed_at)
    book.account.changed_at = other.account.changed_at = latest


def counted_by(
    session: Session, account_ids: Collection[str], unwritten: Iterable[Row] = ()
) -> dict[date, Count]:
    """What the entries of these accounts count for each day."""
    rows = session.execute(
        select(Entry.day, func.sum(Entry.counted_points), func.sum(Entry.counted_minor))
        .where(
            Entry.account_id.in_(account_ids),
            or_(Entry.counted_points != 0, Entry.counted_minor != 0),
        )
        .group_by(Entry.day)
    )
    days = {day: Count(int(points), int(minor)) for day, points, minor in rows}
    for entry in unwritten:
        had = days.get(entry["day"], Count(0, 0))
        days[entry["day"]] = Count(
            had.points + entry["counted_points"], had.spend_minor + entry["counted_minor"]
        )
    return days


# --- bonuses that are given once --------------------------------------------------------------


def _collapse_bonuses(
    context: Context,
    operation: Merge,
    gone: Collection[str],
    own: Collection[str],
    explain: list[Reason],
) -> None:
    """Of a bonus that both had once the earlier one stays; the later one is taken back."""
    theirs, ours = _live_bonuses(context.session, gone), _live_bonuses(context.session, own)
    back = Reverse(
        context.request.id,
        return_policy=operation.return_policy,
        debt_floor=operation.debt_floor,
        reason=operation.reason,
    )
    for key in sorted(theirs.keys() & ours.keys()):
        _, *later = sorted(theirs[key] + ours[key], key=lambda each: each[:2])
        for _, _, bonus, left in later:
            entry = context.book.enter(
                EntryKind.REVERSAL,
                context.circumstances,
                posting_id=context.request.id,
                reverses_id=bonus.id,
                receipt_id=bonus.receipt_id,
                once_key=bonus.once_key,
                reason=operation.reason,
            )
            entry["day"] = bonus.day
            context.book.count(entry, -left, 0)
            explain.append(because("bonus_gone", name=bonus.reason or "", points=left))
            _receipts.take_due(context, entry, bonus, left, bonus.points - left, back, explain)
            if bonus.receipt_id is not None:
                _bonuses.note_bonuses(context, bonus.receipt_id, {bonus.id: left})


_Live = tuple[datetime, int, _undo.Target, int]


def _live_bonuses(session: Session, account_ids: Collection[str]) -> dict[str, list[_Live]]:
    """Bonuses that are given once and have not been taken back, by their key.

    Each with when it was given, its sequence, and how many of its points no return has claimed.
    """
    rows = session.execute(
        select(Entry.occurred_at, *_undo.TARGET)
        .where(Entry.account_id.in_(account_ids), Entry.once_key.is_not(None))
        .order_by(Entry.sequence)
    )
    given: dict[str, tuple[datetime, _undo.Target]] = {}
    root: dict[str, str] = {}
    left: dict[str, int] = defaultdict(int)
    for occurred_at, *columns in rows:
        entry = _undo.Target(*columns)
        if entry.kind == EntryKind.BONUS:
            given[entry.id] = (occurred_at, entry)
        root[entry.id] = root.get(entry.reverses_id or "", entry.reverses_id or entry.id)
        left[root[entry.id]] += entry.counted_points
    live: dict[str, list[_Live]] = defaultdict(list)
    for id_, (occurred_at, entry) in given.items():
        if left[id_] > 0:
            live[str(entry.once_key)].append((occurred_at, entry.sequence, entry, left[id_]))
    return live


# --- tiers ------------------------------------------------------------------------------------

#: What of a tier's state a merge keeps, for its undoing.
KEPT_OF_TIER = [
    each.name for each in fields(TierState) if each.name not in {"joined_on", "changed_at"}
]


def _tier_as_json(state: TierState) -> dict[str, Any]:
    values = {name: getattr(state, name) for name in KEPT_OF_TIER}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }
