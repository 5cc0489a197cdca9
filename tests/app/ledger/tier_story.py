"""An account's tier as a story: what it earned, when somebody looked, and what changed."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from app.ledger import tiers
from app.ledger.tiers import Change, Count, TierReason, TierScheme, TierState

RIGA = "Europe/Riga"


class Story:
    """An account and what the ledger would ask for it. Moments are local."""

    def __init__(self, scheme: TierScheme, joined_on: str = "2025-01-01", zone: str = RIGA) -> None:
        self.scheme, self.zone = scheme, zone
        self.state = TierState(date.fromisoformat(joined_on))
        self.days: dict[date, Count] = {}
        self.changes: list[Change] = []

    def moment(self, local: str) -> datetime:
        time = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(self.zone))
        return time.astimezone(UTC)

    def count(self, day: str, points: int) -> None:
        there = date.fromisoformat(day[:10])
        before = self.days.get(there, Count(0, 0))
        self.days[there] = Count(before.points + points, before.spend_minor + points * 100)

    def earn(self, when: str, points: int, arrives: str | None = None) -> None:
        """A receipt; a late one *arrives* later than it happened."""
        self.look(arrives or when)
        self.count(when, points)
        why = TierReason.LATE_RECEIPT if arrives else TierReason.EARNED
        self.assess(arrives or when, why, when)

    def give_back(self, receipt_of: str, points: int, when: str) -> None:
        self.look(when)
        self.count(receipt_of, -points)
        self.assess(when, TierReason.RETURNED, when)

    def look(self, when: str) -> None:
        self.assess(when, TierReason.EARNED, None)

    def lift(self, tier: str, until: str, when: str) -> None:
        self.changes += tiers.override(
            self.scheme,
            self.state,
            tier,
            self.moment(until),
            self.days,
            self.moment(when),
            self.zone,
        )

    def assess(self, when: str, why: TierReason, happened: str | None = None) -> None:
        """Assess with the days that are needed; all days, and doing it again, change nothing."""
        now = self.moment(when)
        happened_at = None if happened is None else self.moment(happened)
        earliest = tiers.earliest_day(self.scheme, self.state, now, self.zone)
        needed = {day: count for day, count in self.days.items() if day >= earliest}
        with_all = replace(self.state)
        told = [
            tiers.assess(
                self.scheme, state, days, now, self.zone, because=why, happened_at=happened_at
            )
            for state, days in ((self.state, needed), (with_all, self.days))
        ]
        assert list(told[0]) == list(told[1])
        assert self.state == with_all
        assert not tiers.assess(self.scheme, with_all, self.days, now, self.zone)
        assert self.state == with_all
        self.changes += told[0]

    @property
    def told(self) -> list[str]:
        zone = ZoneInfo(self.zone)
        return [
            f"{change.effective_from.astimezone(zone):%Y-%m-%d %H:%M} "
            f"{change.from_tier or '-'} > {change.to_tier or '-'}: {change.reason}"
            for change in self.changes
        ]

    def tier_at(self, when: str) -> str | None:
        """The latest change by then; of two with one moment the one that was written later."""
        moment = self.moment(when)
        known = [change for change in self.changes if change.effective_from <= moment]
        return (
            sorted(known, key=lambda change: change.effective_from)[-1].to_tier if known else None
        )
