"""Tables, and statements that change rows by their id; each is built once."""

from functools import cache
from typing import Any, cast

from sqlalchemy import Table, bindparam, update
from sqlalchemy.orm import Session

from app.db import Prepared
from app.ledger._book import Row


def table_of(model: Any) -> Table:
    """The table behind a model, with its columns under their names."""
    return cast(Table, model.__table__)


def update_rows(session: Session, model: Any, rows: list[Row]) -> None:
    """Change rows: each says its id as `of_id`, and all the same columns."""
    if rows:
        update_of(table_of(model), tuple(rows[0]))(session, rows)


@cache
def update_of(table: Table, names: tuple[str, ...]) -> Prepared:
    """An UPDATE by `of_id` of what else is named."""
    return Prepared(
        update(table)
        .where(table.c.id == bindparam("of_id"))
        .values({name: bindparam(name) for name in names if name != "of_id"})
    )
