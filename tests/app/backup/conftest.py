"""Databases with rows in every table, and data folders with keys and certificates."""

import random
import uuid
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Date,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Uuid,
    insert,
    null,
    select,
)

from app.certs import PASS, ROOT
from app.config import Config
from app.db import Database, Moment
from app.keys import KeyRing, Purpose
from app.schema import metadata

NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
KINDS = ["sqlite", "postgresql"]
ROWS = 4
#: What the models' own conditions ask for beyond types and references.
SPECIAL: dict[str, dict[str, Callable[[int], Any]]] = {
    "lots": {"points": lambda _: 10, "remaining": lambda _: 7, "held": lambda _: 3},
}


def value_for(
    column: Any, number: int, chance: random.Random, parents: dict[str, list[Any]]
) -> Any:
    """A value of the column's type, at the edges of what it can hold."""
    if column.table.name in SPECIAL and column.name in SPECIAL[column.table.name]:
        return SPECIAL[column.table.name][column.name](number)
    if column.nullable and number % 2:
        return null()
    if column.foreign_keys:
        [key] = column.foreign_keys
        return parents[str(key.column)][number] if str(key.column) in parents else null()
    of = column.type
    if isinstance(of, Moment):
        return NOW + timedelta(days=number, microseconds=chance.randrange(10**6))
    if isinstance(of, Uuid):
        return str(uuid.UUID(int=chance.getrandbits(128)))
    if isinstance(of, JSON):
        return [{"ä": [1, 2.5, None], "z": 1, "a": '\u2028"'}, [], "text", None][number]
    if isinstance(of, LargeBinary):
        return chance.randbytes(of.length or 40)
    if isinstance(of, Boolean):
        return number % 3 == 0
    if isinstance(of, Date):
        return date(2026, 1, 1 + number)
    if isinstance(of, Numeric):
        return chance.randrange(10**6)
    if isinstance(of, Integer):
        largest = 2**63 - 1 if "BIGINT" in str(of) else 2**31 - 1
        return number + 1 if column.primary_key else largest - number
    return (str(number) + 'žš漢\n\t"' * 60)[: of.length or 500]


def fill(database: Database, seed: int = 1) -> None:
    """Rows in every table there is, so that a table added later is covered too."""
    chance = random.Random(seed)
    parents: dict[str, list[Any]] = {}
    with database.engine.begin() as connection:
        for table in metadata.sorted_tables:
            rows = [
                {c.name: value_for(c, number, chance, parents) for c in table.columns}
                for number in range(ROWS)
            ]
            for row in rows:
                connection.execute(insert(table).values(row))
            for column in table.columns:
                parents[f"{table.name}.{column.name}"] = [row[column.name] for row in rows]


def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row as the models read it."""
    with database.engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(in_order(table))]
            for table in metadata.sorted_tables
        }


def in_order(table: Table) -> Any:
    return select(table).order_by(*table.primary_key.columns)


Make = Callable[[str], Database]


@pytest.fixture
def make(reused: Callable[..., Database]) -> Iterator[Make]:
    """Gives empty databases, as many as a test likes: their engines know the statements about
    every table from the tests before, which to put together takes longer than what is tested."""
    made: list[Database] = []

    def one(kind: str) -> Database:
        made.append(reused(kind, len(made)))
        return made[-1]

    yield one
    for database in made:
        if database.is_sqlite:
            database.dispose()


def config_in(folder: Path) -> Config:
    return Config(data=folder, database_url="", url="http://127.0.0.1:8000")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return data_folder(tmp_path / "data")


def data_folder(folder: Path) -> Config:
    """A data folder with keys and certificates."""
    config = config_in(folder)
    ring = KeyRing.open(config)
    ring.current(Purpose.FIELD)
    ring.rotate(Purpose.FIELD)
    ring.create(Purpose.CARD_SIGNING, programme_id=str(uuid.uuid4()), version=9, material=b"s" * 32)
    config.certs_dir.mkdir()
    (config.certs_dir / ROOT).write_text("a certificate")
    (config.certs_dir / PASS).write_text("another")
    return config


@pytest.fixture
def target(tmp_path: Path) -> Config:
    return config_in(tmp_path / "restored")


def contents(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        names = set(archive.namelist()) - {"manifest.json"}
        return {name: archive.read(name) for name in names}


def attempt(number: int) -> dict[str, Any]:
    subject = f"{number:08d}" * 12
    return {"id": str(uuid.uuid4()), "scope": "enrolment", "subject": subject, "tried_at": NOW}
