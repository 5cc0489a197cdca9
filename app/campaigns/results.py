"""What those who were told did afterwards, against those who were held out.

Counted from the ledger, each from the moment of their turn on, for as many days as the plan says;
the held-out had their turn in the same queue. Everybody whose turn came counts, whether their phone
took the message or not: so the two groups are as the draw made them. Sums of squares and cubes are
kept, from which `app.insight.lift` has its intervals.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import Session

from app.campaigns.models import TOLD, Campaign, CampaignState, Recipient, State
from app.campaigns.plans import Plan, read_plan
from app.db import Prepared
from app.insight.lift import Amounts, Lift, Rate, of_means, of_rates
from app.ledger.models import Account, Entry, EntryKind, Receipt, ReceiptReturn

PAGE = 1000
MEASURES = ("visits", "spend", "points")
REACHED, HELD_OUT = "reached", "held_out"
#: A pass over all recipients begins no sooner than this after the one before; large ones later.
_SOONEST = timedelta(seconds=5)
_EACH_THOUSAND = timedelta(seconds=10)
_FIRST = "00000000-0000-0000-0000-000000000000"

_accounts: Any = Account.__table__
_entries: Any = Entry.__table__
_receipts: Any = Receipt.__table__
_returns: Any = ReceiptReturn.__table__
_recipients: Any = Recipient.__table__
_ids: Any = bindparam("ids", expanding=True)
_owner = func.coalesce(_accounts.c.merged_into_id, _accounts.c.id)


def _returned(column: Any) -> Any:
    return (
        select(func.sum(column))
        .where(_returns.c.receipt_id == _receipts.c.id, _returns.c.reversed_at.is_(None))
        .scalar_subquery()
    )


_page = Prepared(
    select(
        _recipients.c.account_id,
        _recipients.c.state,
        _recipients.c.sent_at,
    )
    .where(
        _recipients.c.campaign_id == bindparam("campaign"),
        _recipients.c.account_id > bindparam("after"),
        _recipients.c.sent_at.is_not(None),
    )
    .order_by(_recipients.c.account_id, _recipients.c.occasion)
    .limit(bindparam("limit"))
)
_bought = Prepared(
    select(
        _owner.label("owner"),
        _entries.c.occurred_at,
        _entries.c.points,
        _entries.c.counted_minor,
        _receipts.c.amount_minor,
        _returned(_returns.c.amount_minor).label("back"),
        _returned(_returns.c.counted_minor_due).label("back_counted"),
    )
    .select_from(
        _accounts.join(_entries, _entries.c.account_id == _accounts.c.id).join(
            _receipts, _receipts.c.id == _entries.c.receipt_id
        )
    )
    .where(
        or_(_accounts.c.id.in_(_ids), _accounts.c.merged_into_id.in_(_ids)),
        _entries.c.kind == EntryKind.ACCRUAL,
        _entries.c.occurred_at >= bindparam("since"),
        _entries.c.occurred_at < bindparam("until"),
    )
)


class Outcome:
    """What one group did: how many people, how many of them came, and sums of what they did."""

    def __init__(self, kept: dict[str, Any] | None = None) -> None:
        kept = kept or {}
        self.people = int(kept.get("people", 0))
        self.came = int(kept.get("came", 0))
        self.sums = {name: [int(n) for n in kept.get(name, (0, 0, 0))] for name in MEASURES}

    def add(self, visits: int, spend: int, points: int) -> None:
        """One more person."""
        self.people += 1
        self.came += visits > 0
        for name, value in zip(MEASURES, (visits, spend, points), strict=True):
            sums = self.sums[name]
            sums[0] += value
            sums[1] += value**2
            sums[2] += value**3

    def as_json(self) -> dict[str, Any]:
        """As it is kept; large numbers as text, since JSON's are not exact everywhere."""
        sums = {name: [str(each) for each in sums] for name, sums in self.sums.items()}
        return {"people": self.people, "came": self.came, **sums}

    @property
    def rate(self) -> Rate:
        """How many of them came at all."""
        return Rate(self.people, self.came)

    def amounts(self, name: str) -> Amounts:
        """What each of them did: visits, spend (minor units) or points."""
        return Amounts(self.people, *self.sums[name])


class Result:
    """Both groups, and what may be said of the difference."""

    def __init__(self, campaign: Campaign) -> None:
        kept = campaign.result or {}
        self.reached = Outcome(kept.get(REACHED))
        self.held_out = Outcome(kept.get(HELD_OUT))
        self.is_whole = bool(kept.get("is_whole"))
        at = kept.get("at")
        self.at = datetime.fromisoformat(at) if at else None
        self.cost_minor = campaign.spent_minor

    @property
    def came(self) -> Lift:
        """Whether more of them came."""
        return of_rates(self.reached.rate, self.held_out.rate)

    def lift(self, name: str) -> Lift:
        """Whether they did more each: visits, spend or points."""
        return of_means(self.reached.amounts(name), self.held_out.amounts(name))


def measure(session: Session, campaign: Campaign, *, now: datetime, limit: int = PAGE) -> int:
    """Count a page of recipients of a campaign that is locked; how many. 0: nothing is due."""
    if campaign.result_at is not None and campaign.result_at > now:
        return 0
    counts = campaign.counts
    turned = sum(counts.get(each, 0) for each in (*TOLD, State.HELD_OUT))
    if not turned or _is_over(campaign):
        return 0
    plan = read_plan(campaign.plan)
    under_way = dict(campaign.cursor.get("measured", {}))
    groups = {name: Outcome(under_way.get(name)) for name in (REACHED, HELD_OUT)}
    after = campaign.result_after or _FIRST
    rows: list[Any] = list(
        _page(session, {"campaign": campaign.id, "after": after, "limit": limit}).all()
    )
    if len(rows) == limit:
        # All occasions of an account are of one page.
        last = rows[-1].account_id
        rows = [row for row in rows if row.account_id != last] or rows
    _count(session, plan, rows, groups)
    measured = {name: group.as_json() for name, group in groups.items()}
    if len(rows) >= limit - 50 and rows:
        campaign.result_after = rows[-1].account_id
        campaign.cursor = {**campaign.cursor, "measured": measured}
    else:
        _publish(campaign, plan, measured, turned, now)
    session.flush()
    return len(rows) or 1


def _is_over(campaign: Campaign) -> bool:
    return bool(campaign.result.get("is_whole"))


def _publish(
    campaign: Campaign, plan: Plan, measured: dict[str, Any], turned: int, now: datetime
) -> None:
    ended = campaign.state in (CampaignState.STOPPED, CampaignState.DONE)
    whole_at = (campaign.ended_at or now) + timedelta(days=plan.measure_days)
    is_whole = ended and now >= whole_at
    campaign.result = {**measured, "at": now.isoformat(), "is_whole": is_whole}
    campaign.result_after = None
    campaign.cursor = {name: each for name, each in campaign.cursor.items() if name != "measured"}
    wait = max(_SOONEST, _EACH_THOUSAND * (turned / 1000))
    campaign.result_at = min(now + wait, whole_at) if ended and now < whole_at else now + wait


def _count(session: Session, plan: Plan, rows: Sequence[Any], groups: dict[str, Outcome]) -> None:
    turns = [row for row in rows if row.state != State.SKIPPED]
    if not turns:
        return
    span = timedelta(days=plan.measure_days)
    asked = {
        "ids": sorted({row.account_id for row in turns}),
        "since": min(row.sent_at for row in turns),
        "until": max(row.sent_at for row in turns) + span,
    }
    bought: dict[str, list[Any]] = {}
    for each in _bought(session, asked):
        if each.back is None or each.back < each.amount_minor:
            bought.setdefault(each.owner, []).append(each)
    for row in turns:
        mine = [
            each
            for each in bought.get(row.account_id, ())
            if row.sent_at <= each.occurred_at < row.sent_at + span
        ]
        spend = sum(int(each.counted_minor) - int(each.back_counted or 0) for each in mine)
        points = sum(int(each.points) for each in mine)
        group = HELD_OUT if row.state == State.HELD_OUT else REACHED
        groups[group].add(len(mine), max(spend, 0), points)
