"""A draft tried over history in the background, with its progress for whoever watches.

Whoever runs a trial is heard of again and again; if it is not for a while, another one begins the
trial anew: it writes nothing but its own row, so beginning again harms nobody.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from app.clock import Clock
from app.db import Database, programme_of
from app.errors import CounterfoilError, Invalid, NotFound
from app.languages import _
from app.programmes.drafts.models import ProgrammeTrial, TrialState
from app.programmes.simulation import Plan, Scope, simulate

#: After so long without a word whoever ran it is gone.
LOST = timedelta(minutes=2)
#: A trial is asked whether it should stop, and says how far it is, this often.
HEARD_SECONDS = 0.5
#: Trials that are kept of a programme; the oldest ones go.
KEPT = 20


class _Stopped(Exception):
    """Somebody stopped the trial."""


@dataclass(frozen=True, slots=True)
class _Errand:
    id: str
    plan: Plan


def ask(
    session: Session,
    changes: Mapping[str, Any],
    *,
    since: datetime,
    locations: Collection[str] = (),
    segments: Collection[str] = (),
    by: str | None = None,
    now: datetime,
) -> ProgrammeTrial:
    """Ask for a trial of *changes* over the receipts since *since*. Raises `Invalid`."""
    if not changes:
        raise Invalid(_("The draft changes nothing: there is nothing to try."))
    if since >= now:
        raise Invalid(
            _("There are no receipts since then."), {"since": [_("Give an earlier day.")]}
        )
    trial = ProgrammeTrial(
        changes=dict(changes),
        locations=sorted(set(locations)),
        segments=sorted(set(segments)),
        since=since,
        asked_at=now,
        asked_by=by,
    )
    session.add(trial)
    session.flush()
    for old in trials(session)[KEPT:]:
        session.delete(old)
    session.flush()
    return trial


def trials(session: Session) -> list[ProgrammeTrial]:
    """The programme's trials, the newest first."""
    newest = ProgrammeTrial.asked_at.desc(), ProgrammeTrial.id.desc()
    return list(session.scalars(select(ProgrammeTrial).order_by(*newest)))


def by_id(session: Session, trial_id: str) -> ProgrammeTrial:
    """A trial of the session's programme. Raises `NotFound`."""
    found = session.scalar(select(ProgrammeTrial).where(ProgrammeTrial.id == trial_id))
    if found is None:
        raise NotFound(_("There is no such trial; the oldest ones are not kept."))
    return found


def stop(session: Session, trial_id: str, *, now: datetime) -> ProgrammeTrial:
    """Stop a trial; one that is over stays what it is. Raises `NotFound`."""
    found = by_id(session, trial_id)
    if found.state in (TrialState.WAITING, TrialState.RUNNING):
        found.state, found.ended_at = str(TrialState.STOPPED), now
        session.flush()
    return found


def run_one(
    database: Database,
    clock: Clock,
    *,
    processes: int | None = None,
    seconds: Callable[[], float] = time.monotonic,
) -> int:
    """Run the trial that has waited longest; 0 where none waits. For the background work."""
    with database.read_all() as session:
        if session.scalar(select(ProgrammeTrial.id).where(_is_due(clock())).limit(1)) is None:
            return 0
    with database.write_all() as session:
        errand = _claim(session, clock())
    if errand is None:
        return 0
    said_at = seconds()

    def progress(done: int, total: int) -> None:
        nonlocal said_at
        if 0 < done < total and seconds() - said_at < HEARD_SECONDS:
            return
        said_at = seconds()
        if not _say(database, errand.id, heard_at=clock(), done=done, total=total):
            raise _Stopped

    try:
        found = simulate(database, errand.plan, processes=processes, progress=progress)
    except _Stopped:
        return 1
    except CounterfoilError as error:
        said = " ".join([error.message, *_fields(error)])[:400]
        _end(database, errand.id, clock(), TrialState.FAILED, said=said)
        return 1
    _end(database, errand.id, clock(), TrialState.DONE, found=found.as_json())
    return 1


def _fields(error: CounterfoilError) -> list[str]:
    fields: Mapping[str, list[str]] = getattr(error, "fields", {})
    return [text for texts in fields.values() for text in texts]


def _is_due(now: datetime) -> Any:
    lost = (ProgrammeTrial.state == str(TrialState.RUNNING)) & (
        ProgrammeTrial.heard_at < now - LOST
    )
    return or_(ProgrammeTrial.state == str(TrialState.WAITING), lost)


def _claim(session: Session, now: datetime) -> _Errand | None:
    trial = session.scalar(
        select(ProgrammeTrial)
        .where(_is_due(now))
        .order_by(ProgrammeTrial.asked_at, ProgrammeTrial.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if trial is None:
        return None
    trial.state, trial.began_at, trial.heard_at = str(TrialState.RUNNING), now, now
    trial.done = trial.total = 0
    scope = Scope(frozenset(trial.locations), frozenset(trial.segments))
    plan = Plan(trial.programme_id, trial.changes, trial.since, trial.asked_at, scope)
    return _Errand(trial.id, plan)


def _say(database: Database, trial_id: str, **facts: Any) -> bool:
    """Say how far it is; False where it was stopped."""
    with database.write_all() as session:
        running = ProgrammeTrial.state == str(TrialState.RUNNING)
        told = session.execute(
            update(ProgrammeTrial).where(ProgrammeTrial.id == trial_id, running).values(**facts)
        )
        return bool(getattr(told, "rowcount", 0))


def _end(database: Database, trial_id: str, now: datetime, state: TrialState, **facts: Any) -> None:
    _say(database, trial_id, state=str(state), ended_at=now, **facts)


def remaining_seconds(trial: ProgrammeTrial, now: datetime) -> int | None:
    """How long it will still take at the pace so far; None where that cannot be said yet."""
    if trial.state != TrialState.RUNNING or trial.began_at is None or not trial.done:
        return None
    passed = (now - trial.began_at).total_seconds()
    return max(0, round(passed * (trial.total - trial.done) / trial.done))


def latest(session: Session) -> ProgrammeTrial | None:
    """The newest trial of the session's programme, if there is one."""
    programme_of(session)
    return next(iter(trials(session)), None)
