"""What the tables are made of: ids, moments, and the mixin of what belongs to a programme."""

import os
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    MetaData,
    String,
    TypeDecorator,
    Uuid,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

PROGRAMME = "programme_id"


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime. SQLite has no such type, so it keeps the naive UTC reading there."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a zone was to be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def bind_processor(self, dialect: Dialect) -> Any:
        """The same in one step: every posting binds a dozen of them."""
        return _moment_as_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """The same in one step."""
        if dialect.name == "sqlite":
            return _moment_from_text
        return super().result_processor(dialect, coltype)


@lru_cache(maxsize=512)
def _moment_as_text(value: datetime | None) -> str | None:
    # One posting writes the same few moments into every row.
    if value is None:
        return None
    if value.tzinfo is not UTC:
        if value.tzinfo is None:
            raise ValueError("a moment without a zone was to be stored")
        value = value.astimezone(UTC)
    return value.isoformat(" ", "microseconds")[:26]


def _moment_from_text(value: str | None) -> datetime | None:
    # Read with its zone: giving it one afterwards takes eight times as long.
    return None if value is None else datetime.fromisoformat(f"{value}+00:00")


class _Id(Uuid[str]):
    """A UUID as Python's text; the databases' own way of keeping it is left as it is."""

    cache_ok = True

    def __init__(self, as_uuid: bool = False, native_uuid: bool = True) -> None:
        super().__init__(as_uuid=False, native_uuid=native_uuid)

    def bind_processor(self, dialect: Dialect) -> Any:
        """In a form that needs no call: a posting binds three dozen of them."""
        return _id_as_hex if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Without making a `uuid.UUID` of each: on SQLite that took longer than reading it."""
        if dialect.name == "sqlite":
            return _id_from_hex
        return super().result_processor(dialect, coltype)  # type: ignore[no-untyped-call]


class _IdAsHex:
    """The bind processor; *form* is the same as an expression (see `app.db.driven`)."""

    form = "((v := {}) and v.replace('-', ''))"

    def __call__(self, value: str | None) -> str | None:
        return None if value is None else value.replace("-", "")


_id_as_hex = _IdAsHex()


def _id_from_hex(value: str | None) -> str | None:
    if value is None:
        return None
    return f"{value[:8]}-{value[8:12]}-{value[12:16]}-{value[16:20]}-{value[20:]}"


#: Ids are UUIDs: native on PostgreSQL, text on SQLite, `str` in Python.
Id = _Id()


class Base(DeclarativeBase):
    """Every table's base; constraint names are fixed so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: Moment, str: String}  # noqa: RUF012 - SQLAlchemy's own form


class OfProgramme:
    """Mixin of every table whose rows belong to one programme."""

    @declared_attr
    def programme_id(cls) -> Mapped[str]:
        # No index: there are few programmes, and one more to keep costs every posting.
        return mapped_column(Id, ForeignKey("programmes.id"))


def new_id() -> str:
    """A fresh id: a UUID whose first 48 bits are the time in milliseconds and 74 others random.

    Rows of the same moment stand together in every index, so that a commit writes few pages.
    Source: RFC 9562, section 5.7 (version 7).
    """
    random = _random_bits()
    text = f"{time.time_ns() // 1_000_000:012x}7{random >> 68:03x}{random & _VARIANT | _RFC:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


_VARIANT, _RFC = (1 << 62) - 1, 1 << 63
#: Random numbers of 80 bits that nobody has used: asking for each alone took longer than all the
#: rest. A process that was forked off begins with none, else both would make the same ids.
_unused: list[int] = []
os.register_at_fork(after_in_child=_unused.clear)


def _random_bits() -> int:
    try:
        return _unused.pop()
    except IndexError:
        drawn = os.urandom(10 * 256)
        _unused.extend(
            int.from_bytes(drawn[place : place + 10]) for place in range(10, len(drawn), 10)
        )
        return int.from_bytes(drawn[:10])


def index_of_some(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index of those rows alone for which *where* holds, on both databases."""
    condition = text(where)
    return Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
