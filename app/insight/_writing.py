"""Adds to the rows of the sums; those that are not there yet are made."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.db import EVERYWHERE, Prepared
from app.insight.models import (
    InsightAsked,
    InsightCohort,
    InsightDay,
    InsightMembers,
    InsightMove,
    InsightReturn,
)

Row = dict[str, Any]
Model = type[InsightCohort | InsightDay | InsightMembers | InsightMove | InsightReturn]
#: Rows sent in one statement.
_AT_ONCE = 5_000


def add(session: Session, model: Model, rows: Iterable[Row]) -> None:
    """Add to the rows of a table. Every row names all columns, and each key comes once."""
    statement = _adding(model, session.get_bind().dialect.name)
    # In the order of the key: so rows lie beside each other, and two writers cannot cross.
    keys = [column.key for column in model.__table__.primary_key.columns]  # type: ignore[attr-defined]
    found = sorted(rows, key=lambda row: tuple(row[key] for key in keys))
    for start in range(0, len(found), _AT_ONCE):
        statement(session, found[start : start + _AT_ONCE], programme_id=EVERYWHERE)


def note_asked(session: Session, rows: list[Row]) -> None:
    """Note days on which accounts came because they had been asked to."""
    if rows:
        _noting(session.get_bind().dialect.name)(session, rows, programme_id=EVERYWHERE)


@cache
def _adding(model: Model, dialect: str) -> Prepared:
    table: Any = model.__table__
    statement: Any = _insert(dialect, table)
    keys = [column.key for column in table.primary_key.columns]
    sums = {
        column.key: table.c[column.key] + statement.excluded[column.key]
        for column in table.columns
        if column.key not in keys
    }
    return Prepared(statement.on_conflict_do_update(index_elements=keys, set_=sums))


@cache
def _noting(dialect: str) -> Prepared:
    return Prepared(_insert(dialect, InsightAsked.__table__).on_conflict_do_nothing())


def _insert(dialect: str, table: Any) -> Any:
    return (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)


def clear(session: Session) -> None:
    """Delete all sums."""
    for model in (
        InsightAsked,
        InsightCohort,
        InsightDay,
        InsightMembers,
        InsightMove,
        InsightReturn,
    ):
        session.execute(delete(model))
