"""How many members each tier has, and who went from which to which."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.insight._members import departures
from app.insight.models import InsightMove
from app.insight.periods import Period
from app.ledger.models import Account
from app.ledger.rules import start_of_day

#: In the place of a tier: below the first.
NO_TIER = ""


@dataclass(frozen=True, slots=True)
class Tiers:
    """Members by tier before a period began and at its end, and the moves within it.

    Whoever is in no tier is left out of the counts; in the moves that is `NO_TIER`.
    """

    before: Counter[str]
    after: Counter[str]
    moves: Counter[tuple[str, str]]


def tiers(session: Session, programme_id: str, period: Period, time_zone: str) -> Tiers:
    """What became of the tiers in a period."""
    return Tiers(
        _standing(session, programme_id, period.first, time_zone),
        _standing(session, programme_id, period.until, time_zone),
        _moves(session, programme_id, period),
    )


def _moves(session: Session, programme_id: str, period: Period) -> Counter[tuple[str, str]]:
    rows = session.execute(
        select(InsightMove.from_tier, InsightMove.to_tier, func.sum(InsightMove.members))
        .where(
            InsightMove.programme_id == programme_id,
            InsightMove.day >= period.first,
            InsightMove.day < period.until,
        )
        .group_by(InsightMove.from_tier, InsightMove.to_tier)
    )
    return Counter({(from_tier, to_tier): int(members) for from_tier, to_tier, members in rows})


def _standing(session: Session, programme_id: str, until: date, time_zone: str) -> Counter[str]:
    """By tier: who came up into it or down into it, less who left it, and less who left us."""
    found: Counter[str] = Counter()
    for from_tier, to_tier, members in session.execute(
        select(InsightMove.from_tier, InsightMove.to_tier, func.sum(InsightMove.members))
        .where(InsightMove.programme_id == programme_id, InsightMove.day < until)
        .group_by(InsightMove.from_tier, InsightMove.to_tier)
    ):
        found[to_tier] += int(members)
        found[from_tier] -= int(members)
    gone = departures(programme_id).subquery()
    for tier, members in session.execute(
        select(Account.tier, func.count())
        .join(gone, gone.c.account_id == Account.id)
        .where(
            Account.programme_id == programme_id,
            Account.tier.is_not(None),
            gone.c.gone_at < start_of_day(until, time_zone),
        )
        .group_by(Account.tier)
    ):
        found[tier or NO_TIER] -= members
    del found[NO_TIER]
    return Counter({tier: members for tier, members in found.items() if members > 0})
