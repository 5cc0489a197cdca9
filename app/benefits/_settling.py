"""Giving, and giving back: what a posting gave, and what is left of that after a return.

A source (the posting that gave) is always counted from the start: what it still gives, less what
was settled so far. So any sequence of returns and of returns undone ends exactly. What the account
used already becomes a debt, or stays with the member, as the programme's return policy says:

* ``allow_debt``: stamps may fall below zero, a used coupon is owed; the next ones pay for it;
* ``within_balance`` and ``only_pending``: only what is still there is taken.

A gift was handed over: the answer tells the cashier to take it back. What expired unused did
nobody any good: it counts as taken back.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.benefits._coupons import give_coupon, settle_coupons
from app.benefits._page import RETURN, Page, Where, last_expiry
from app.benefits.models import Grant, Tally
from app.benefits.promises import COUPON, GIFT, STAMPS, Promises
from app.ledger.explain import because
from app.ledger.facts import kept_of
from app.ledger.grounds import Grounds, count_left, grounds_from_json
from app.ledger.kept import KeptReceipt
from app.ledger.rules import ReturnPolicy

#: No posting gives more of one thing than this.
MOST = 1_000_000
#: Each coupon is a row of its own.
MOST_COUPONS = 20

#: Of a kind, what and how many.
Thing: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Source:
    """The posting that gives: whose account has it now, and by which version of the rules."""

    posting_id: str
    account_id: str
    rule_version: int | None = None


class Settled(NamedTuple):
    """What is settled of one thing that a source gave: what it *moved*, and what was *due*."""

    first: int
    moved: int
    due: int


@dataclass(frozen=True, slots=True)
class First:
    """One grant as the source gave it."""

    kind: str
    what: str
    count: int
    grounds: Mapping[str, Any] | None


def give(
    page: Page,
    where: Where,
    source: Source,
    given: Iterable[Mapping[str, Any]],
    promises: Promises,
    told: Collection[str] = (),
) -> None:
    """Keep what a posting gave, as its answer says: kind, what, count, rule and grounds.

    *told* are the reasons that its answer has already.
    """
    for each in given:
        if each["count"] < 1:
            continue
        if each["kind"] == COUPON:
            for _ in range(min(each["count"], MOST_COUPONS)):
                give_coupon(page, where, source, each, promises, told)
        else:
            _give(page, where, source, each, promises, told)


def settle(
    page: Page, where: Where, source: Source, still: Counter[Thing], promises: Promises
) -> None:
    """Bring what was given for a source to what it still gives."""
    for (kind, what), coupons in _settled(page, source).items():
        difference = still[kind, what] - sum(each.due for each in coupons.values())
        if kind == COUPON:
            settle_coupons(page, where, source, what, coupons, difference, promises)
        elif difference > 0:
            _give_again(page, where, source, (kind, what), difference, coupons[None], promises)
        elif difference < 0:
            _take(page, where, source, (kind, what), -difference, coupons[None], promises)


def given_first(page: Page, source: Source) -> list[First]:
    """What the source gave when it was posted."""
    rows = page.session.execute(
        select(Grant.kind, Grant.what, Grant.due, Grant.grounds)
        .where(Grant.source_id == source.posting_id, Grant.posting_id == source.posting_id)
        .order_by(Grant.sequence)
    )
    return [First(*row) for row in rows]


def all_of(first: Iterable[First]) -> Counter[Thing]:
    """All that a source gave."""
    still: Counter[Thing] = Counter()
    for each in first:
        still[each.kind, each.what] += each.count
    return still


def still_of(
    session: Session, first: Iterable[First], receipt: KeptReceipt, *, is_back: bool
) -> Counter[Thing]:
    """What a source still gives of which a part of the receipt is kept."""
    still: Counter[Thing] = Counter()
    if is_back:
        return still
    kept = kept_of(session, receipt.id)
    for each in first:
        grounds = Grounds() if each.grounds is None else grounds_from_json(each.grounds)
        still[each.kind, each.what] += count_left(each.count, grounds, kept)
    return still


def _settled(page: Page, source: Source) -> dict[Thing, dict[str | None, Settled]]:
    """By kind and thing, and for coupons by coupon."""
    rows = page.session.execute(
        select(
            Grant.kind,
            Grant.what,
            Grant.coupon_id,
            func.min(Grant.sequence),
            func.sum(Grant.count),
            func.sum(Grant.due),
        )
        .where(Grant.source_id == source.posting_id)
        .group_by(Grant.kind, Grant.what, Grant.coupon_id)
        .order_by(func.min(Grant.sequence))
    )
    found: dict[Thing, dict[str | None, Settled]] = defaultdict(dict)
    for kind, what, coupon_id, first, moved, due in rows:
        found[kind, what][coupon_id] = Settled(int(first), int(moved), int(due))
    return found


def _give(
    page: Page,
    where: Where,
    source: Source,
    given: Mapping[str, Any],
    promises: Promises,
    told: Collection[str],
) -> None:
    kind, what, count = given["kind"], given["what"], min(given["count"], MOST)
    tally = page.move(
        where,
        source.account_id,
        kind,
        what,
        count,
        due=count,
        source_id=source.posting_id,
        rule=given["rule"],
        rule_version=source.rule_version,
        grounds=given.get("grounds"),
    )
    _prolong(tally, promises, where.occurred_at)
    if f"given_{kind}" not in told:
        name = promises.name(kind, what, where.language)
        page.tell(where.posting_id, because("given", name=name, count=count))
    tell_stamps(page, where, source.account_id, kind, what, promises)


def _prolong(tally: Tally, promises: Promises, at: datetime) -> None:
    until = promises.lasts_until(tally.kind, tally.what, at) if tally.count > 0 else None
    if until is not None and (tally.expires_at is None or until > tally.expires_at):
        tally.expires_at = until


def _give_again(
    page: Page,
    where: Where,
    source: Source,
    thing: Thing,
    due: int,
    settled: Settled,
    promises: Promises,
) -> None:
    """Undo a return. What it had left with the member is not given a second time."""
    kind, what = thing
    count = due - min(due, max(0, settled.moved - settled.due))
    tally = page.move(
        where,
        source.account_id,
        kind,
        what,
        count,
        due=due,
        source_id=source.posting_id,
        rule=RETURN,
    )
    _prolong(tally, promises, where.occurred_at)
    if count:
        name = promises.name(kind, what, where.language)
        page.tell(where.posting_id, because("given_again", name=name, count=count))
    tell_stamps(page, where, source.account_id, kind, what, promises)


def _take(
    page: Page,
    where: Where,
    source: Source,
    thing: Thing,
    due: int,
    settled: Settled,
    promises: Promises,
) -> None:
    kind, what = thing
    account_id = source.account_id
    count = due
    if last_expiry(page.session, account_id, kind, what) > settled.first:
        count = 0
    elif kind != GIFT and promises.return_policy != ReturnPolicy.ALLOW_DEBT:
        count = min(due, max(0, page.count(account_id, kind, what)))
    page.move(
        where,
        account_id,
        kind,
        what,
        -count,
        due=-due,
        source_id=source.posting_id,
        rule=RETURN,
    )
    name = promises.name(kind, what, where.language)
    if kind == GIFT:
        page.tell(where.posting_id, because("gift_back", name=name, count=count))
        return
    if count:
        page.tell(where.posting_id, because("given_back", name=name, count=count))
    if count < due:
        page.tell(where.posting_id, because("given_kept", name=name, count=due - count))
    tell_stamps(page, where, account_id, kind, what, promises)


def tell_stamps(
    page: Page, where: Where, account_id: str, kind: str, what: str, promises: Promises
) -> None:
    """How full the card is now, and whether its reward is waiting."""
    size = promises.size(what) if kind == STAMPS else None
    if size is None:
        return
    count = page.count(account_id, kind, what)
    name = promises.name(kind, what, where.language)
    if count < 0:
        page.tell(where.posting_id, because("stamps_owed", name=name, count=-count))
        return
    page.tell(where.posting_id, because("stamps_now", name=name, count=count % size, size=size))
    if count >= size:
        page.tell(where.posting_id, because("stamps_full", name=name, count=count // size))
