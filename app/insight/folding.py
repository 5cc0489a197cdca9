"""The background step that keeps the sums up with the ledger, and what makes them anew.

Four sources, each with a mark of its own: what points moved, what was bought, how tiers changed,
who joined and left. A step is one transaction: sums and mark change together or not at all. So it
may be killed at any moment and run twice or side by side; and made anew, the sums are the same.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.insight import _members, _sources, _writing
from app.insight._settled import Newest, newest, settled, take
from app.insight._sources import Nudges, Receipts, coupon_nudges
from app.insight.models import (
    InsightAsked,
    InsightCohort,
    InsightDay,
    InsightMark,
    InsightMove,
    InsightReturn,
)
from app.insight.rules import (
    ASKED_DAYS,
    NOWHERE,
    Brought,
    Place,
    Shares,
    Visit,
    asked_days,
    first_moments,
)
from app.ledger.models import Entry, EntryKind, TierChange
from app.ledger.rules import local_day
from app.programmes.models import Programme

__all__ = ["LIMIT", "MEMBERS", "Nudges", "coupon_nudges", "forget", "step"]

POINTS, VISITS, TIERS, MEMBERS = "points", "visits", "tiers", "members"
#: Entries of one step; accounts of one, while all that there is already is gone through.
LIMIT = 5_000
#: How old the moment may be that pages call these sums complete at, while nothing happens.
NOTED_EVERY = timedelta(minutes=1)
#: Accounts that are read together.
_PAGE = 1_000
_FIRST_ID = "00000000-0000-0000-0000-000000000000"
_EVER = datetime(1, 1, 2, tzinfo=UTC)
#: What an entry's points are to `models.InsightDay`, and with which sign.
_COLUMNS = {
    EntryKind.ACCRUAL: ("issued", 1),
    EntryKind.BONUS: ("issued", 1),
    EntryKind.ADJUSTMENT: ("issued", 1),
    EntryKind.OPENING: ("issued", 1),
    EntryKind.REDEMPTION: ("spent", -1),
    EntryKind.EXPIRY: ("expired", -1),
    EntryKind.TRANSFER_IN: ("moved", 1),
    EntryKind.TRANSFER_OUT: ("moved", 1),
}


def step(
    session: Session, now: datetime, limit: int = LIMIT, nudges: Sequence[Nudges] = (coupon_nudges,)
) -> int:
    """One bounded step over all programmes; how much it did, 0 when nothing is left.

    In a session for all programmes that has written nothing yet. *nudges* say who was asked to
    come. A source that another process is at is left to it.
    """
    seen = newest(session, entries=Entry.sequence, tiers=TierChange.sequence)
    programmes = list(session.scalars(select(Programme)))
    done = _points(session, seen, now, limit)
    done += _Buying(session, seen, now, programmes, nudges).fold(limit)
    done += _tiers(session, seen, now, limit, {each.id: each.time_zone for each in programmes})
    mark = take(session, MEMBERS)
    if mark is not None:
        done += _members.count(session, mark, programmes, now)
    session.flush()
    return done


def forget(session: Session) -> None:
    """Delete all sums: the next steps make them anew. Waits for a step that is at work."""
    session.execute(select(InsightMark).with_for_update())
    _writing.clear(session)
    session.execute(delete(InsightMark))


# --- points -----------------------------------------------------------------------------------


def _points(session: Session, seen: Newest, now: datetime, limit: int) -> int:
    mark = take(session, POINTS)
    if mark is None:
        return 0
    after, end = mark.until, settled(session, mark, seen, "entries")
    # Without accounts to look into, many more go into a step.
    until = min(end, after + 20 * limit)
    if until > after:
        sums: dict[tuple[str, Place], Counter[str]] = {}
        for programme_id, day, location_id, kind, points in _sources.moved_points(
            session, after, until
        ):
            column, sign = _COLUMNS[EntryKind(kind)]
            place = programme_id, Place(day, location_id or NOWHERE)
            sums.setdefault(place, Counter())[column] += sign * points
        _writing.add(
            session,
            InsightDay,
            [_day_row(*place, points=points) for place, points in sums.items()],
        )
        mark.until = until
    _note_current(mark, until, end, now)
    return until - after


def _day_row(
    programme_id: str,
    place: Place,
    brought: Brought = Brought(),  # noqa: B008 - it cannot be changed
    points: Counter[str] | None = None,
) -> dict[str, Any]:
    moved = points or Counter()
    columns = ("issued", "spent", "expired", "moved")
    return {
        "programme_id": programme_id,
        "day": place.day,
        "location_id": place.location_id,
        "visits": brought.visits,
        "receipts": brought.receipts,
        "spend_minor": brought.spend_minor,
        **{column: moved[column] for column in columns},
    }


def _note_current(mark: InsightMark, until: int, end: int, now: datetime) -> None:
    """Note that everything which had settled is in; not every few seconds while nothing happens."""
    is_old = mark.current_at is None or now - mark.current_at >= NOTED_EVERY
    if until >= end and mark.after is None and (is_old or until > mark.noted):
        mark.current_at, mark.noted = now, until


# --- receipts ---------------------------------------------------------------------------------


class _Buying:
    """Folds in what was bought and brought back."""

    def __init__(
        self,
        session: Session,
        seen: Newest,
        now: datetime,
        programmes: Sequence[Programme],
        nudges: Sequence[Nudges],
    ) -> None:
        self._session, self._seen, self._now, self._nudges = session, seen, now, nudges
        self._currencies = {each.id: each.currency for each in programmes}
        self._shares: dict[str, Shares] = {}
        self._asked: list[dict[str, Any]] = []
        self._unasked: list[tuple[str, date]] = []

    def fold(self, limit: int) -> int:
        """Fold in the next entries, or the next accounts of those there were before."""
        mark = take(self._session, VISITS)
        if mark is None:
            return 0
        end = settled(self._session, mark, self._seen, "entries")
        if mark.until == 0 and mark.after is None and end:
            # Nothing is folded in yet: account by account, each is read once.
            mark.until, mark.after = end, _FIRST_ID
        if mark.after is not None:
            return self._go_through(mark, limit)
        after, until = mark.until, min(end, mark.until + limit)
        if until > after:
            account_ids = _sources.stirred(self._session, after, until)
            for start in range(0, len(account_ids), _PAGE):
                self._accounts(account_ids[start : start + _PAGE], after, until)
            self._write()
            mark.until = until
        _note_current(mark, until, end, self._now)
        return until - after

    def _go_through(self, mark: InsightMark, limit: int) -> int:
        done = 0
        while done < limit and mark.after is not None:
            account_ids = _sources.next_accounts(
                self._session, mark.after, min(_PAGE, limit - done)
            )
            mark.after = account_ids[-1] if account_ids else None
            if account_ids:
                self._accounts(account_ids, 0, mark.until)
                done += len(account_ids)
        self._write()
        return max(done, 1)

    def _accounts(self, account_ids: Sequence[str], after: int, until: int) -> None:
        """Take off what these accounts added by the entries up to *after*, put on what they add
        by those up to *until*."""
        receipts = Receipts(self._session, account_ids, until, self._currencies)
        asked = self._asked_before(account_ids) if after else {}
        was = {each: receipts.visits(each, after) if after else [] for each in account_ids}
        now_is = {each: receipts.visits(each, until) for each in account_ids}
        changed = [each for each in account_ids if was[each] != now_is[each]]
        new_asked = self._asked_now(changed, was, now_is, asked)
        for account_id in changed:
            programme_id = receipts.programme_of[account_id]
            shares = self._shares.setdefault(programme_id, Shares())
            had = asked.get(account_id, set())
            has = new_asked.get(account_id, set())
            shares.add(was[account_id], had, -1)
            shares.add(now_is[account_id], has, 1)
            self._asked += [
                {"programme_id": programme_id, "account_id": account_id, "day": day}
                for day in has - had
            ]
            self._unasked += [(account_id, day) for day in had - has]

    def _asked_before(self, account_ids: Sequence[str]) -> dict[str, set[date]]:
        found: dict[str, set[date]] = {}
        for account_id, day in self._session.execute(
            select(InsightAsked.account_id, InsightAsked.day).where(
                InsightAsked.account_id.in_(account_ids)
            )
        ):
            found.setdefault(account_id, set()).add(day)
        return found

    def _asked_now(
        self,
        changed: Sequence[str],
        was: dict[str, list[Visit]],
        now_is: dict[str, list[Visit]],
        asked: dict[str, set[date]],
    ) -> dict[str, set[date]]:
        """On which days they came because they had been asked to.

        Only days are looked at on which something changed: what is said of the others stays.
        """
        fresh: dict[str, dict[date, datetime]] = {}
        kept: dict[str, set[date]] = {}
        for account_id in changed:
            before, after = first_moments(was[account_id]), first_moments(now_is[account_id])
            new = {day: each for day, each in after.items() if before.get(day) != each}
            kept[account_id] = {
                day for day in asked.get(account_id, ()) if day in after and day not in new
            }
            if new:
                fresh[account_id] = new
        moments = self._nudges_of(fresh)
        for account_id, came in fresh.items():
            kept[account_id] |= asked_days(came, moments.get(account_id, ()))
        return kept

    def _nudges_of(self, fresh: dict[str, dict[date, datetime]]) -> dict[str, list[datetime]]:
        if not fresh:
            return {}
        earliest = min(moment for came in fresh.values() for moment in came.values())
        since = max(earliest - timedelta(days=ASKED_DAYS), _EVER)
        found: dict[str, list[datetime]] = {}
        for source in self._nudges:
            for account_id, moment in source(self._session, list(fresh), since):
                found.setdefault(account_id, []).append(moment)
        return found

    def _write(self) -> None:
        for programme_id, shares in self._shares.items():
            of = {"programme_id": programme_id}
            _writing.add(
                self._session,
                InsightDay,
                [
                    _day_row(programme_id, place, brought)
                    for place, brought in shares.days.items()
                    if any(brought)
                ],
            )
            _writing.add(
                self._session,
                InsightReturn,
                [of | cell._asdict() | each._asdict() for cell, each in shares.cells().items()],
            )
            _writing.add(
                self._session,
                InsightCohort,
                [
                    of | cohort._asdict() | {"members": members}
                    for cohort, members in shares.cohorts.items()
                    if members
                ],
            )
        _writing.note_asked(self._session, self._asked)
        _forget_asked(self._session, self._unasked)
        self._shares, self._asked, self._unasked = {}, [], []


def _forget_asked(session: Session, days: Collection[tuple[str, date]]) -> None:
    for account_id, day in days:
        session.execute(
            delete(InsightAsked).where(
                InsightAsked.account_id == account_id, InsightAsked.day == day
            )
        )


# --- tiers ------------------------------------------------------------------------------------


def _tiers(session: Session, seen: Newest, now: datetime, limit: int, zones: dict[str, str]) -> int:
    mark = take(session, TIERS)
    if mark is None:
        return 0
    after, end = mark.until, settled(session, mark, seen, "tiers")
    until = min(end, after + limit)
    if until > after:
        moves: Counter[tuple[str, date, str, str]] = Counter()
        for programme_id, moment, from_tier, to_tier in session.execute(
            select(
                TierChange.programme_id,
                TierChange.effective_from,
                TierChange.from_tier,
                TierChange.to_tier,
            ).where(TierChange.sequence > after, TierChange.sequence <= until)
        ):
            day = local_day(moment, zones[programme_id])
            moves[programme_id, day, from_tier or "", to_tier or ""] += 1
        names = ("programme_id", "day", "from_tier", "to_tier", "members")
        _writing.add(
            session,
            InsightMove,
            [dict(zip(names, (*key, members), strict=True)) for key, members in moves.items()],
        )
        mark.until = until
    _note_current(mark, until, end, now)
    return until - after
