"""What stands in a column, on either kind of database and in the backup.

The tables are taken as they are in the database, not as the models describe them: so a database
of an older release can be backed up, and restored, and only then be migrated.
"""

import base64
import binascii
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CHAR,
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    Uuid,
    cast,
    inspect,
)
from sqlalchemy.types import TypeEngine, UserDefinedType

from app.db import Id, Moment
from app.errors import Invalid

#: Alembic's own table is no data: the manifest says the revision.
NOT_DATA = {"alembic_version"}
_INTEGERS = range(-(2**63), 2**63)


class Kind(StrEnum):
    """What a column holds."""

    INTEGER = "integer"
    BOOLEAN = "boolean"
    TEXT = "text"
    BYTES = "bytes"
    UUID = "uuid"
    MOMENT = "moment"
    DATE = "date"
    JSON = "json"
    DECIMAL = "decimal"


class _AsGiven(UserDefinedType[str]):
    """Text that the database itself reads as what its column holds (JSON, numeric)."""

    cache_ok = True


#: How SQLAlchemy reads and binds each kind; JSON and decimals go through as text, unchanged:
#: a JSON null stays one, the order of keys stays, and no number becomes a float on the way.
_TYPES: dict[Kind, TypeEngine[Any]] = {
    Kind.INTEGER: BigInteger(),
    Kind.BOOLEAN: Boolean(),
    Kind.TEXT: String(),
    Kind.BYTES: LargeBinary(),
    Kind.UUID: Id,
    Kind.MOMENT: Moment(),
    Kind.DATE: Date(),
    Kind.JSON: _AsGiven(),
    Kind.DECIMAL: _AsGiven(),
}


def tables(connection: Connection) -> dict[str, dict[str, Kind]]:
    """Every table of the database, with its columns in their order."""
    inspector = inspect(connection)
    return {
        name: {
            column["name"]: _kind(f"{name}.{column['name']}", column["type"])
            for column in inspector.get_columns(name)
        }
        for name in sorted(inspector.get_table_names())
        if name not in NOT_DATA
    }


def table(name: str, columns: dict[str, Kind]) -> Table:
    """A table to insert into and read from."""
    return Table(name, MetaData(), *(Column(each, _TYPES[kind]) for each, kind in columns.items()))


def readable(table: Table, columns: dict[str, Kind], dialect: str) -> list[ColumnElement[Any]]:
    """The columns to select, so that `encoder` understands what comes."""
    as_text = {Kind.JSON, Kind.DECIMAL} if dialect == "postgresql" else set()
    return [
        cast(table.c[name], Text) if kind in as_text else table.c[name]
        for name, kind in columns.items()
    ]


def primary_key(connection: Connection, name: str) -> list[str]:
    """The names of a table's primary key columns."""
    return inspect(connection).get_pk_constraint(name)["constrained_columns"]


def encode(kind: Kind, value: Any) -> object:
    """A value as it stands in the backup."""
    if value is None:
        return None
    if kind is Kind.BYTES:
        return base64.b64encode(value).decode()
    if kind in {Kind.MOMENT, Kind.DATE}:
        return value.isoformat()
    if kind in {Kind.JSON, Kind.DECIMAL}:
        return str(value)
    return value


def decode(kind: Kind, value: object) -> Any:
    """Undo `encode`. Raises ValueError for anything that `encode` cannot have written."""
    if value is None:
        return None
    if kind is Kind.BOOLEAN:
        if type(value) is bool:
            return value
    elif kind is Kind.INTEGER:
        if type(value) is int and value in _INTEGERS:
            return value
    elif type(value) is str:
        return _TEXTS[kind](value)
    raise ValueError(f"no {kind}: {str(value)[:60]}")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    return moment.astimezone(UTC)


def _decimal(text: str) -> str:
    try:
        finite = Decimal(text).is_finite()
    except InvalidOperation as error:
        raise ValueError("not a number") from error
    if not finite:
        raise ValueError("not a number")
    return text


_TEXTS: dict[Kind, Callable[[str], Any]] = {
    Kind.TEXT: str,
    Kind.JSON: str,
    Kind.BYTES: _bytes,
    Kind.UUID: lambda text: str(UUID(text)),
    Kind.MOMENT: _moment,
    Kind.DATE: date.fromisoformat,
    Kind.DECIMAL: _decimal,
}


def _kind(where: str, type_: TypeEngine[Any]) -> Kind:
    """The kind of a column by the type that the database reports."""
    # SQLite has no UUIDs: they are the only CHAR(32) there.
    if isinstance(type_, Uuid) or (isinstance(type_, CHAR) and type_.length == 32):
        return Kind.UUID
    for kind, candidates in _KINDS:
        if isinstance(type_, candidates) and not isinstance(type_, Float):
            return kind
    raise Invalid(f"The backup does not know what {where} holds: {type_!r}")


_KINDS: tuple[tuple[Kind, type[TypeEngine[Any]]], ...] = (
    (Kind.MOMENT, DateTime),
    (Kind.DATE, Date),
    (Kind.BOOLEAN, Boolean),
    (Kind.JSON, JSON),
    (Kind.BYTES, LargeBinary),
    (Kind.INTEGER, Integer),
    (Kind.DECIMAL, Numeric),
    (Kind.TEXT, String),
)


def in_batches(rows: Iterator[Any], size: int) -> Iterator[list[Any]]:
    """*rows* in lists of at most *size*."""
    batch: list[Any] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
