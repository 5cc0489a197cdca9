"""The tier of an account replayed from its entries and lots alone, beside what the ledger keeps."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from app.ledger import tiers
from app.ledger.models import Account, Entry, Lot
from app.ledger.postings import Terms
from app.ledger.rules import local_day
from app.ledger.tiers import Count, TierReason, TierState


def has_joined(lot: Lot, now: datetime) -> bool:
    """Whether its points have become available before they expired."""
    at = lot.available_from
    return at is not None and at <= now and (lot.expires_at is None or at < lot.expires_at)


class Shadow:
    """The tier of one account, from its entries alone."""

    def __init__(self, terms: Terms, opened_at: datetime) -> None:
        self.terms = terms
        self.state = TierState(local_day(opened_at, terms.time_zone))
        self.days: dict[date, Count] = {}
        #: Lots that joined their day although nobody has written that yet.
        self.joined: set[str] = set()

    def assess(self, now: datetime, why: TierReason, happened_at: datetime | None = None) -> None:
        assert self.terms.tiers is not None
        zone = self.terms.time_zone
        days = {day: count for day, count in self.days.items() if count != (0, 0)}
        tiers.assess(
            self.terms.tiers, self.state, days, now, zone, because=why, happened_at=happened_at
        )

    def look(self, lots: list[Lot], now: datetime) -> None:
        """What became available since somebody last looked joins its day, at its moment."""
        ripe = [lot for lot in lots if lot.pending and lot.counts_on and lot.available_from]
        for lot in sorted(ripe, key=lambda lot: lot.available_from or now):
            at = lot.available_from
            assert at is not None
            if lot.id in self.joined or not has_joined(lot, now):
                continue
            self.joined.add(lot.id)
            self.assess(at, TierReason.EARNED)
            day = lot.counts_on
            assert day is not None
            had = self.days.get(day, Count(0, 0))
            self.days[day] = Count(had.points + lot.remaining, had.spend_minor)
        self.assess(now, TierReason.EARNED)


def lots_of(bench: Any, account_id: str) -> list[Lot]:
    """The account's lots as they are written, those that roll with their date."""
    with bench.database.read(bench.programme_id) as session:
        rolling = session.scalar(select(Account.rolling_expires_at).where(Account.id == account_id))
        found = list(session.scalars(select(Lot).where(Lot.account_id == account_id)))
        session.expunge_all()
    for lot in found:
        if lot.rolling:
            lot.expires_at = rolling
    return found


def counted_of(bench: Any, account_id: str) -> dict[date, Count]:
    """What each day counts: what its entries say, without points still pending."""
    days: dict[date, Count] = {}

    def add(day: date, points: int, minor: int) -> None:
        had = days.get(day, Count(0, 0))
        days[day] = Count(had.points + points, had.spend_minor + minor)

    with bench.database.read(bench.programme_id) as session:
        for entry in session.scalars(select(Entry).where(Entry.account_id == account_id)):
            add(entry.day, entry.counted_points, entry.counted_minor)
    for lot in lots_of(bench, account_id):
        waits = lot.pending and not has_joined(lot, bench.clock.now)
        if waits and lot.counts_on is not None:
            add(lot.counts_on, -lot.remaining, 0)
    return {day: count for day, count in days.items() if count != (0, 0)}
