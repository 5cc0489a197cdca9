"""What the tables are made of: ids, moments, and the mixin of what belongs to a programme."""

import uuid
from datetime import UTC, datetime

from sqlalchemy import DateTime, Dialect, ForeignKey, MetaData, String, TypeDecorator, Uuid
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


#: Ids are UUIDs: native on PostgreSQL, text on SQLite, `str` in Python.
Id = Uuid(as_uuid=False)


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
    """A fresh id, random."""
    return str(uuid.uuid4())
