"""A bench for what a card has besides points: the ledger's, with rules that promise things."""

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

LEDGER = Path(__file__).parent.parent / "ledger"


def _load(folder: Path, name: str, prefix: str) -> ModuleType:
    """Test folders are no packages: a helper beside the tests is loaded by its path."""
    full_name = f"{prefix}_{name}"
    if full_name not in sys.modules:
        spec = importlib.util.spec_from_file_location(full_name, folder / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[full_name] = module
        spec.loader.exec_module(module)
    return sys.modules[full_name]


for each in ("bench", "words", "scenario"):
    _load(LEDGER, each, "counterfoil_tests_ledger")
benefit_bench = _load(Path(__file__).parent, "benefit_bench", "counterfoil_tests_benefits")
benefit_play = _load(Path(__file__).parent, "benefit_play", "counterfoil_tests_benefits")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """One database for all scenarios of a module: each has a programme of its own."""
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
def benefits_bench(shared_database: Database, clock: FixedClock) -> Any:
    """A programme with stamps, rewards and coupons, and short ways to post to it."""
    return benefit_bench.BenefitBench(shared_database, clock)


@pytest.fixture
def play(benefits_bench: Any) -> Callable[[str], None]:
    """Plays a scenario on accounts of its own; see `benefit_play`."""
    return lambda text: benefit_play.play(benefits_bench, text)
