"""How far a source can be read without missing what is still being written.

Rows are numbered when they are written and seen when their transaction commits, and on PostgreSQL
those are two orders: number 8 may be there while 7 is not yet. Waiting for so many minutes would be
a guess; the database knows. What was the highest number is noted with the id of a transaction that
began to write afterwards: it is younger than every one that had taken a lower number (who posts
locks an account first, and has an id from then on). Once the oldest transaction still at work is no
older than that one, nothing below the number can appear any more.

SQLite has one writer at a time: there, what is seen is all there is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Text, cast, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.insight.models import InsightMark


@dataclass(frozen=True, slots=True)
class Newest:
    """The highest numbers there were before this transaction wrote anything."""

    numbers: Mapping[str, int]
    #: False where the transaction had written already: nothing can be noted by its id.
    is_before: bool


def newest(session: Session, **sequences: Any) -> Newest:
    """The highest number of each source; the first thing that a step asks for."""
    is_before = True
    if _is_postgres(session):
        is_before = session.scalar(select(func.pg_current_xact_id_if_assigned())) is None
    numbers = {
        name: session.scalar(select(func.max(number))) or 0 for name, number in sequences.items()
    }
    return Newest(numbers, is_before)


def take(session: Session, source: str) -> InsightMark | None:
    """The mark of a source, locked until the transaction ends; None where another one has it."""
    wanted = select(InsightMark).where(InsightMark.source == source)
    locked = wanted.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    found = session.scalar(locked)
    if found is not None:
        return found
    if session.scalar(select(InsightMark.source).where(InsightMark.source == source)):
        return None
    try:
        with session.begin_nested():
            session.add(InsightMark(source=source))
    except IntegrityError:
        return None
    return session.scalar(locked)


def settled(session: Session, mark: InsightMark, seen: Newest, name: str) -> int:
    """Up to which number a source has settled; never less than *mark* has got to."""
    number = seen.numbers[name]
    if not _is_postgres(session):
        return number
    own, oldest = session.execute(
        select(
            _as_number(func.pg_current_xact_id()),
            _as_number(func.pg_snapshot_xmin(func.pg_current_snapshot())),
        )
    ).one()
    if mark.seen_in > own:
        # Noted in another cluster, before a backup was brought back: there ids count otherwise.
        mark.seen, mark.seen_in = mark.until, 0
    if mark.seen_in > oldest:
        return mark.until
    found = max(mark.seen, mark.until)
    if number > found and seen.is_before:
        mark.seen, mark.seen_in = number, own
    return found


def _is_postgres(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def _as_number(each: Any) -> Any:
    return cast(cast(each, Text), BigInteger)
