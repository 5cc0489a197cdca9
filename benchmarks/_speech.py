"""How either database says what a history is made of, and how many rows go into it quickly."""

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import Connection, text

from app.db import Database

#: Where a row stands in time: numbers count a member's rows by their last digit, and all members'
#: first rows were written before all second ones.
_PLACE = "(({number}) % 10 * 100000000 + ({number}) / 10)"


#: Tills make random ids.
MADE_BY_TILLS = {"posting", "hold posting"}


class Speech:
    """What the two databases say differently; {until} and the like are put in at the end."""

    series = ""
    fingerprint = ""
    expires = "{expires}"
    expires_later = "{later}"

    def id(self, kind: str, number: str) -> str:
        """An id that follows from its number. Those that the service makes (`app.db.new_id`)
        begin with when that was, here with the row's place in the history."""
        raise NotImplementedError

    def hex(self, kind: str, number: str, letters: int) -> str:
        """The same as letters."""
        raise NotImplementedError

    def given_id(self, value: str) -> str:
        """An id that is known."""
        raise NotImplementedError

    def moment(self, days_ago: str) -> str:
        """About noon of a day before the last one."""
        raise NotImplementedError

    def day(self, days_ago: str) -> str:
        """That day."""
        raise NotImplementedError

    def fixed(self, moment: datetime) -> str:
        """A moment that is known."""
        raise NotImplementedError


class PostgreSql(Speech):
    series = (
        "WITH members AS (SELECT a FROM generate_series(1, {members}) AS s(a)), "
        "entries AS (SELECT k FROM generate_series(1, {entries}) AS s(k))"
    )
    fingerprint = "sha256(CAST(CAST(a AS text) AS bytea))"

    def id(self, kind: str, number: str) -> str:
        if kind in MADE_BY_TILLS:
            return f"CAST(md5('{kind} ' || {number}) AS uuid)"
        begins = f"lpad(to_hex(CAST({_PLACE.format(number=number)} AS bigint)), 12, '0')"
        return f"CAST({begins} || substr(md5('{kind} ' || {number}), 13) AS uuid)"

    def hex(self, kind: str, number: str, letters: int) -> str:
        return f"left(md5('{kind} ' || {number}), {letters})"

    def given_id(self, value: str) -> str:
        return f"CAST('{value}' AS uuid)"

    def moment(self, days_ago: str) -> str:
        return f"CAST('{{until}}+00' AS timestamptz) - ({days_ago}) * interval '1 day'"

    def day(self, days_ago: str) -> str:
        return f"CAST('{{until}}' AS date) - ({days_ago})"

    def fixed(self, moment: datetime) -> str:
        return f"CAST('{moment.astimezone(UTC).isoformat()}' AS timestamptz)"


class Sqlite(Speech):
    series = (
        "WITH RECURSIVE members(a) AS "
        "(SELECT 1 UNION ALL SELECT a + 1 FROM members WHERE a < {members}), "
        "entries(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM entries WHERE k < {entries})"
    )
    fingerprint = "randomblob(32)"

    def id(self, kind: str, number: str) -> str:
        if kind in MADE_BY_TILLS:
            return f"md5('{kind} ' || {number})"
        begins = f"printf('%012x', {_PLACE.format(number=number)})"
        return f"({begins} || substr(md5('{kind} ' || {number}), 13))"

    def hex(self, kind: str, number: str, letters: int) -> str:
        return f"substr(md5('{kind} ' || {number}), 1, {letters})"

    def given_id(self, value: str) -> str:
        return f"'{value.replace('-', '')}'"

    def moment(self, days_ago: str) -> str:
        return f"datetime('{{until}}', (-({days_ago})) || ' days') || '.000000'"

    def day(self, days_ago: str) -> str:
        return f"date('{{until}}', (-({days_ago})) || ' days')"

    def fixed(self, moment: datetime) -> str:
        return f"'{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}'"


# --- many rows at once ----------------------------------------------------------------------------


def digest(name: str) -> str:
    """What an id is made of, as both databases work it out."""
    return hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()


def id_of(kind: str, number: int) -> str:
    """The id that `Speech.id` gives to that number."""
    if kind in MADE_BY_TILLS:
        return str(uuid.UUID(digest(f"{kind} {number}")))
    place = number % 10 * 100_000_000 + number // 10
    return str(uuid.UUID(f"{place:012x}{digest(f'{kind} {number}')[12:]}"))


@contextmanager
def bare(database: Database, tables: list[str]) -> Iterator[None]:
    """Without the indexes of *tables*, for the block; on PostgreSQL without their keys too.

    An index that is built of sorted rows takes a tenth of the time. Keys are proven when they come
    back: a foreign key that names nothing fails.
    """
    with database.write_apart() as connection:
        again = _strip_sqlite(connection) if database.is_sqlite else _strip(connection, tables)
    yield
    for statement in again:
        with database.write_apart() as connection:
            if not database.is_sqlite:
                connection.execute(text("SET LOCAL maintenance_work_mem = '1GB'"))
            connection.execute(text(statement))


def _strip_sqlite(connection: Connection) -> list[str]:
    rows = connection.execute(
        text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
    ).all()
    for name, _ in rows:
        connection.execute(text(f"DROP INDEX {name}"))
    return [sql for _, sql in rows]


def _strip(connection: Connection, tables: list[str]) -> list[str]:
    named = {"tables": tables}
    keys = connection.execute(
        text(
            "SELECT conrelid::regclass AS owner, conname, pg_get_constraintdef(oid) AS definition "
            "FROM pg_constraint WHERE contype IN ('p', 'u', 'f') "
            "AND (conrelid::regclass::text = ANY(:tables) "
            "OR (contype = 'f' AND confrelid::regclass::text = ANY(:tables))) "
            "ORDER BY contype = 'f' DESC, contype = 'u' DESC"
        ),
        named,
    ).all()
    for owner, name, _ in keys:
        connection.execute(text(f"ALTER TABLE {owner} DROP CONSTRAINT {name}"))
    indexes = connection.execute(
        text("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(:tables)"), named
    ).all()
    for name, _ in indexes:
        connection.execute(text(f"DROP INDEX {name}"))
    again = [f"ALTER TABLE {owner} ADD CONSTRAINT {name} {key}" for owner, name, key in keys]
    return [definition for _, definition in indexes] + again[::-1]
