"""The shop that most tests begin with: opened by the services once, then put back row by row.

Opening one takes longer than most tests. What the services then wrote is remembered; the next test
gets the same rows, with ids of its own, so that nothing kept in memory of an earlier one fits them.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Insert, Table, insert, select

from app.context import Context
from app.db import Base, new_id
from app.keys import Purpose

Rows = dict[Table, list[dict[str, Any]]]


class Remembered(NamedTuple):
    """What opening a shop added to an installation."""

    ids: list[str]
    inserts: list[tuple[Insert, list[dict[str, Any]]]]
    key: bytes
    #: Of the shop itself: ids of programme and people, tokens.
    told: dict[str, Any]

    def put_back(self, context: Context, key_id: int, programme_id: str) -> dict[str, Any]:
        """The same again under other ids; what was `told`, with these."""
        # In the order that the old ones were made in.
        fresh = sorted(new_id() for _ in self.ids)
        rename = _renaming(dict(zip(self.ids, fresh, strict=True)))
        context.keys.create(
            Purpose.CARD_SIGNING,
            programme_id=rename(programme_id),
            version=key_id,
            material=self.key,
        )
        with context.database.write_all() as session:
            connection = session.connection()
            for into, rows in self.inserts:
                connection.execute(into, rename(rows))
        renamed: dict[str, Any] = rename(self.told)
        return renamed


def everything(context: Context) -> Rows:
    """All rows of all tables, in an order in which they can be inserted."""
    with context.database.read_all() as session:
        connection = session.connection()
        return {
            table: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in Base.metadata.sorted_tables
        }


def remember(
    context: Context, before: Rows, key_id: int, programme_id: str, told: dict[str, Any]
) -> Remembered:
    """What came to the installation since *before*."""
    inserts, ids = [], set()
    for table, rows in everything(context).items():
        added = [row for row in rows if row not in before[table]]
        if added:
            inserts.append((insert(table), added))
            names = [column.name for column in table.primary_key if _is_id(added[0][column.name])]
            ids.update(row[name] for row in added for name in names)
    key = context.keys.get(Purpose.CARD_SIGNING, key_id, programme_id)
    return Remembered(sorted(ids), inserts, key.material, told)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-.{12}", value)  # type: ignore[return-value]


def _renaming(names: Mapping[str, str]) -> Callable[[Any], Any]:
    """Puts *names* in place of others, wherever they stand in a text, a list or a mapping."""
    found = re.compile("|".join(names))

    def rename(value: Any) -> Any:
        match value:
            case str():
                return found.sub(lambda match: names[match[0]], value)
            case dict():
                return {rename(key): rename(each) for key, each in value.items()}
            case list():
                return [rename(each) for each in value]
        return value

    return rename
