"""A bench for ledger tests, and the language in which scenarios are told."""

import importlib.util
import shutil
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import pytest

from app.clock import FixedClock
from app.db import Database


def _load(name: str) -> ModuleType:
    """Test folders are no packages: a helper beside the tests is loaded by its path."""
    full_name = f"counterfoil_tests_ledger_{name}"
    if full_name not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            full_name, Path(__file__).parent / f"{name}.py"
        )
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[full_name] = module
        spec.loader.exec_module(module)
    return sys.modules[full_name]


bench = _load("bench")
words = _load("words")  # What `scenario` imports has to be there before it.
scenario = _load("scenario")
tier_story = _load("tier_story")
shadow = _load("shadow")  # For the machine of all operations.


@pytest.fixture
def ledger(database: Database, clock: FixedClock) -> Any:
    """A programme in an empty database, and short ways to post to its ledger."""
    return bench.Bench(database, clock)


@pytest.fixture
def make_bench() -> Callable[[Database, FixedClock], Any]:
    """The same in any database: each one made is a programme of its own."""
    return lambda database, clock: bench.Bench(database, clock)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """One database for all tests of a module that keep to accounts of their own."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("shared") / "shared.sqlite"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        database = Database(f"sqlite:///{path}")
    else:
        address: str = request.getfixturevalue("postgres")
        name = f"shared_{uuid.uuid4().hex}"
        with psycopg.connect(address % "postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template_migrated")
        database = Database((address % name).replace("postgresql://", "postgresql+psycopg://", 1))
    yield database
    database.dispose()


@pytest.fixture
def shared_ledger(shared_database: Database, clock: FixedClock) -> Any:
    """The same as `ledger`, in a database that other tests have used."""
    return bench.Bench(shared_database, clock)


@pytest.fixture
def play(shared_ledger: Any) -> Callable[[str], None]:
    """Plays a scenario on an account of its own; see `scenario`."""
    return lambda text: scenario.play(shared_ledger, text)


@pytest.fixture
def naive() -> ModuleType:
    """A ledger so plain that it can be believed."""
    return _load("naive")


@pytest.fixture
def tell() -> Callable[..., Any]:
    """Begins the story of an account's tier; see `tier_story`."""
    return lambda *args: tier_story.Story(*args)
