"""Running a simulation: what has to be read, and the work shared by several processes.

Each process reads accounts of its own; what they find adds up in any order. So does a simulation in
this very process, which is what one of few receipts is.
"""

import gc
import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from multiprocessing import get_context, parent_process
from typing import Any

from sqlalchemy import Text, cast, select
from sqlalchemy.orm import Session

from app.db import Database
from app.errors import Invalid, NotFound
from app.languages import _
from app.programmes.models import Location
from app.programmes.rules.streaks import LOOK_BACK_DAYS
from app.programmes.settings import Settings, settings_from_json
from app.programmes.simulation import reading
from app.programmes.simulation.reading import Range, Wants
from app.programmes.simulation.replay import Changing, Replay, Scope
from app.programmes.simulation.tally import Tally
from app.programmes.terms import Rulebook, Version, whole_rulebook

#: Fewer receipts than this are replayed sooner than a process starts.
_WORTH_SHARING = 20_000
_MOST_PROCESSES = 8
#: Ranges a process: the last ones to finish keep nobody waiting long.
_RANGES_EACH = 24


@dataclass(frozen=True, slots=True)
class Plan:
    """A simulation that is asked for: receipts from *since* on, up to *now*, under a *change*."""

    programme_id: str
    change: Mapping[str, Any]
    since: datetime
    now: datetime
    scope: Scope = Scope()  # noqa: RUF009 - frozen


def simulate(
    database: Database,
    plan: Plan,
    *,
    processes: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Tally:
    """Replay the receipts under the change. Nothing is written.

    *progress* is told receipts done, and of how many. Raises `Invalid` for a change that makes no
    sense, `NotFound` for a location that there is not.
    """
    with database.read(plan.programme_id) as session:
        book = whole_rulebook(session, plan.programme_id, plan.now)
        _check(session, book, plan)
        total = reading.count_receipts(session, plan.since, plan.now)
        if processes is None:
            processes = min(_MOST_PROCESSES, os.cpu_count() or 1)
        if total < _WORTH_SHARING:
            processes = 1
        # A range is done in seconds, however many there are: somebody watches the progress.
        count = max(processes * _RANGES_EACH, total // 50_000) if processes > 1 else 1
        slices = reading.ranges(session, plan.programme_id, count)
    progress(0, total)
    found = Tally()
    for part in _done(database, plan, slices, processes):
        found.add(part)
        progress(found.all.receipts, total)
    return found


def _done(
    database: Database, plan: Plan, slices: Sequence[Range], processes: int
) -> Iterator[Tally]:
    if processes == 1:
        for each in slices:
            yield replayed(database, plan, each)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(_replayed_apart, database.url, plan, each) for each in slices]
        try:
            for done in as_completed(waiting):
                yield done.result()
        finally:
            for part in waiting:
                part.cancel()


@cache
def _opened(url: str) -> Database:
    """A process's own database, opened once."""
    gc.freeze()
    gc.set_threshold(100_000)  # What is made here for each receipt has no cycles.
    return Database(url)


def _replayed_apart(url: str, plan: Plan, which: Range) -> Tally:
    return replayed(_opened(url), plan, which)


def _stop_if_alone() -> None:
    """End with whoever asked: nobody would take what is worked out for a command that is gone."""
    parent = parent_process()
    if parent is not None and not parent.is_alive():
        raise SystemExit(1)


def _check(session: Session, book: Rulebook, plan: Plan) -> None:
    """Raise what the change would raise when it is made for good."""
    changed = settings_from_json(book.everywhere(plan.now).settings.as_json() | dict(plan.change))
    known = set(session.scalars(select(Location.slug)))
    for slug in sorted(plan.scope.locations - known):
        raise NotFound(_("There is no location %(slug)s in this programme.", slug=repr(slug)))
    for name in sorted(plan.scope.segments - {each.name for each in changed.segments}):
        raise Invalid(
            _(
                "There is no segment %(name)s: define it in the setting segments first.",
                name=repr(name),
            )
        )


def replayed(database: Database, plan: Plan, which: Range) -> Tally:
    """What a range of accounts comes to."""
    tally = Tally()
    with database.read_all() as session:
        book = whole_rulebook(session, plan.programme_id, plan.now)
        changing = Changing(plan.change, book.currency, book.time_zone, plan.scope)
        wants = _wants(book, changing, plan)
        places = {
            each: slug
            for each, slug in session.execute(
                select(cast(Location.id, Text), Location.slug).where(
                    Location.programme_id == plan.programme_id
                )
            )
        }
        zone = book.everywhere(plan.now).tariff.zone
        choices = _choices(book)
        replay: Replay | None = None
        counted = False
        for holder, past in reading.receipts(session, which, wants, places, zone):
            if replay is None or replay.account_id != holder.id:
                if replay is not None and counted:
                    tally.member(replay.account_id, replay.change)
                counted = False
                _stop_if_alone()
                replay = Replay(
                    holder.id,
                    holder.kind,
                    holder.joined_on,
                    holder.tiers,
                    holder.carried_micro,
                    holder.once,
                    choices,
                    changing,
                    remembers=wants.context != plan.since,
                )
            if past.occurred_at < plan.since:
                replay.remember(past, past.occurred_at.astimezone(zone).date())
                continue
            counted = True
            before, after, spend_minor = replay.receipt(past)
            tally.receipt(past.sale.location or "", spend_minor, before.points, after.points)
            for rule, points in after.rules.items():
                tally.rules[rule] += points
            for thing, count in before.things.items():
                tally.things_before[thing] += count
            for thing, count in after.things.items():
                tally.things_after[thing] += count
        if replay is not None and counted:
            tally.member(replay.account_id, replay.change)
    for named in (tally.top_winners, tally.top_losers):
        named[:] = [(change, str(uuid.UUID(account_id))) for change, account_id in named]
    return tally


def _choices(book: Rulebook) -> Callable[[datetime, str | None], Sequence[Version]]:
    """`Rulebook.choices`, short where there are no pilots."""
    if book.pilots:
        return book.choices
    return lambda moment, location: (book.everywhere(moment),)


def _wants(book: Rulebook, changing: Changing, plan: Plan) -> Wants:
    """What the rules of all versions in question look at."""
    versions = list(book.possible(plan.since))
    versions += [changing.after(each) for each in versions]
    settings = [each.settings for each in versions]
    rules = [rule for each in settings for rule in each.rules]
    days = max((_longest(each) for each in settings), default=0)
    looks_back = any(rule.conditions.a_day is not None for rule in rules)
    context: datetime | None = plan.since
    if any(rule.conditions.first_purchase for rule in rules):
        context = None
    elif any(rule.conditions.streak is not None for rule in rules):
        context = plan.since - timedelta(days=LOOK_BACK_DAYS + 2)
    elif days or looks_back:
        # From the beginning of the day, by any clock.
        context = plan.since - timedelta(days=days + 2)
    tariffs = [each.tariff for each in versions]
    keys = {rule.conditions.once for rule in rules} | {
        bonus.once for each in settings for bonus in each.bonuses
    }
    return Wants(
        programme_id=plan.programme_id,
        since=plan.since,
        context=context,
        now=plan.now,
        lines=any(each.excluded or (each.rules and each.rules.wants_lines) for each in tariffs),
        tiers=any(each.tiers is not None for each in settings),
        carried=any(each.carry_remainder for each in settings),
        once_keys=tuple(sorted(key for key in keys if key)),
    )


def _longest(settings: Settings) -> int:
    return max((each.within_days or 0 for each in settings.segments), default=0)
