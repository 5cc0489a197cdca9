"""A bench for ledger tests, and the language in which scenarios are told."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

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
scenario = _load("scenario")


@pytest.fixture
def ledger(database: Database, clock: FixedClock) -> Any:
    """A programme in an empty database, and short ways to post to its ledger."""
    return bench.Bench(database, clock)


@pytest.fixture
def bench_on() -> Callable[[Database, FixedClock], Any]:
    """The same on a database of the test's own."""
    return bench.Bench  # type: ignore[no-any-return]


@pytest.fixture
def play(ledger: Any) -> Callable[[str], None]:
    """Plays a scenario on an account of its own; see `scenario`."""
    return lambda text: scenario.play(ledger, text)


@pytest.fixture
def statement() -> ModuleType:
    """The scenario language itself."""
    return scenario
