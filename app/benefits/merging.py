"""Two accounts become one, and two again: what they have besides points goes along."""

from collections import defaultdict
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.benefits._page import MERGE, Page, Where
from app.benefits.models import Coupon, Grant
from app.cards import accounts
from app.ledger import service as ledger
from app.ledger.postings import Circumstances, Merge, Posted, Request, Terms, Unmerge


def merge(
    session: Session,
    request: Request,
    operation: Merge,
    circumstances: Circumstances,
    *,
    now: datetime,
    terms: Terms,
) -> Posted:
    """Merge accounts as `cards.accounts.merge` does, and move what they have besides points."""
    posted = accounts.merge(session, request, operation, circumstances, now=now, terms=terms)
    if not posted.repeated:
        found = ledger.merge_of(session, request.id)
        page = Page(session, now)
        page.load([found.from_account_id, found.into_account_id])
        where = Where(request.id, circumstances.occurred_at, None, circumstances.language)
        coupons = session.scalars(
            select(Coupon)
            .where(Coupon.account_id == found.from_account_id)
            .execution_options(populate_existing=True)
        ).all()
        _move_tallies(page, where, found.from_account_id, found.into_account_id)
        # Each coupon by name, so that its undoing knows which ones came along.
        for coupon in coupons:
            for account_id in (found.from_account_id, found.into_account_id):
                page.move(
                    where, account_id, "coupon", coupon.what, 0, rule=MERGE, coupon_id=coupon.id
                )
            coupon.account_id = found.into_account_id
        page.flush()
    return posted


def _move_tallies(page: Page, where: Where, here: str, there: str) -> None:
    for tally in page.tallies(here):
        count, until = tally.count, tally.expires_at
        if count == 0:
            continue
        page.move(where, here, tally.kind, tally.what, -count, rule=MERGE)
        other = page.move(where, there, tally.kind, tally.what, count, rule=MERGE)
        tally.expires_at = None
        if other.count > 0 and until is not None:
            other.expires_at = max(until, other.expires_at or until)


def unmerge(
    session: Session,
    request: Request,
    operation: Unmerge,
    circumstances: Circumstances,
    *,
    now: datetime,
    terms: Terms,
) -> Posted:
    """Undo a merge: the account gets back what it gave; what was used of it since, the other owes.

    Coupons that came along go back as they are now, used or not.
    """
    found = ledger.merge_of(session, operation.posting_id)
    posted = accounts.unmerge(session, request, operation, circumstances, now=now, terms=terms)
    if posted.repeated:
        return posted
    page = Page(session, now)
    page.load([found.from_account_id, found.into_account_id])
    where = Where(request.id, circumstances.occurred_at, None, circumstances.language)
    gone, back = found.from_account_id, found.into_account_id
    came = session.execute(
        select(Grant.kind, Grant.what, func.sum(Grant.count))
        .where(Grant.posting_id == found.posting_id, Grant.account_id == back)
        .group_by(Grant.kind, Grant.what)
    ).all()
    coupon_ids = session.scalars(
        select(Grant.coupon_id)
        .where(Grant.posting_id == found.posting_id, Grant.coupon_id.is_not(None))
        .distinct()
    ).all()
    owns: defaultdict[str, int] = defaultdict(int)
    for coupon in session.scalars(
        select(Coupon).where(Coupon.id.in_(coupon_ids), Coupon.account_id == back)
    ):
        owns[coupon.what] += {"open": 1, "owed": -1}.get(coupon.status, 0)
    for kind, what, count in came:
        moved = owns[what] if kind == "coupon" else int(count)
        until = next((each.expires_at for each in page.tallies(back) if each.what == what), None)
        page.move(where, back, kind, what, -moved, rule=MERGE)
        tally = page.move(where, gone, kind, what, moved, rule=MERGE)
        if tally.count > 0:
            tally.expires_at = until
    page.flush()
    session.execute(
        update(Coupon)
        .where(Coupon.id.in_(coupon_ids), Coupon.account_id == back)
        .values(account_id=gone)
        .execution_options(synchronize_session=False)
    )
    return posted
