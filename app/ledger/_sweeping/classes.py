"""Accounts that stand alike are judged once.

Accounts of the same tier whose years reached the same levels are a class: `tiers.assess` decides
for one that stands for all of them. So the rules of tiers are not told a second time here, and not
asked a million times at the end of a year. What no class can say is left to a look of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from app.ledger import rules, tiers
from app.ledger._sweeping import sql
from app.ledger._sweeping.fates import Fates
from app.ledger.tiers import Count, Downgrade, TierReason, TierScheme, TierState, Window


def has_classes(scheme: TierScheme) -> bool:
    """Whether accounts can stand alike by these rules: all of them are reviewed at once."""
    return (
        scheme.window is Window.CALENDAR
        and scheme.downgrade is Downgrade.RECOMPUTED
        and not scheme.grace_days
        and bool(scheme.levels)
    )


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Where everybody of a class stands afterwards, and the change of tier that this is, if any."""

    state: TierState
    is_moved: bool
    change: tiers.Change | None


class Classes:
    """The classes of one programme at one moment."""

    def __init__(self, scheme: TierScheme, time_zone: str, now: datetime) -> None:
        self._scheme, self._zone, self._now = scheme, time_zone, now
        year = rules.local_day(now, time_zone).year
        #: The first days of the year before last, last year, this year and the next.
        self._years = [date(each, 1, 1) for each in range(year - 2, year + 2)]
        self._began = [rules.start_of_day(day, time_zone) for day in self._years]

    @property
    def statement(self) -> str:
        """What finds them."""
        return sql.CLASSES.format(figure="spend_minor" if self._scheme.place else "points")

    @property
    def values(self) -> dict[str, Any]:
        """What it has to know, besides the accounts."""
        days = dict(zip(("before", "last", "this"), self._years, strict=False))
        return days | {
            "thresholds": list(self._scheme.thresholds),
            "this_began": self._began[2],
        }

    def judge(self, found: Iterator[Any], fates: Fates) -> None:
        """Add what becomes of everybody in the classes that were *found*, where one can say it."""
        for *facts, members, counted in found:
            verdict = self._verdict(*facts)
            if verdict is None:
                continue
            ids, change = members.split(","), verdict.change
            changes = [
                (account_id, replace(change, counted=int(points)))
                for account_id, points in zip(ids, counted.split(","), strict=True)
            ] if change is not None else []  # fmt: skip
            fates.add(ids, verdict.state, verdict.is_moved, changes)

    def _verdict(
        self,
        tier: str | None,
        before: str | None,
        kept: str | None,
        reviewed_at: datetime,
        review_at: datetime | None,
        is_this_year: bool,
        *levels: int,
    ) -> _Verdict | None:
        """What `tiers.assess` makes of one that stands for all; None where they may differ."""
        scheme = self._scheme
        last, this, following = self._began[1:]
        is_due = reviewed_at == last and review_at == this and not is_this_year
        if not is_due and (reviewed_at != this or review_at not in (None, following)):
            return None
        if tier not in scheme.ranks or kept not in scheme.ranks:
            return None
        # The least that reaches each level stands for what was counted.
        sums = [scheme.thresholds[level - 1] if level else 0 for level in levels]
        days = {
            day: Count(points, points)
            for day, points in zip(self._years, sums, strict=False)
            if points or (day == self._years[2] and is_this_year)
        }
        state = TierState(self._years[0], tier, before, kept, reviewed_at, review_at=review_at)
        was = replace(state)
        changes = tiers.assess(scheme, state, days, self._now, self._zone)
        change = changes[0] if changes else None
        if change is not None and not (
            is_due
            and len(changes) == 1
            and change.reason is TierReason.REVIEW
            and change.counted == sums[1]
            and change.effective_from == this
        ):
            return None
        return _Verdict(state, state != was, change)
