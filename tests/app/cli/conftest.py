"""An installation, and a hand that types `counterfoil …` at it."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app import create_app
from app.cli import cli
from app.config import from_environment
from app.context import Context


@dataclass
class Installation:
    """A data folder, and the commands typed in its environment."""

    data: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str | None]:
        """Ours alone, whatever the tests were started with."""
        others = {name: None for name in os.environ if name.startswith("COUNTERFOIL_")}
        return others | {"COUNTERFOIL_DATA": str(self.data)} | self.settings

    def type(self, *words: str, typed: str | None = None) -> Result:
        """Run a command. An error that it does not put into words fails the test."""
        return CliRunner().invoke(
            cli, words, env=self.environment, input=typed, catch_exceptions=False
        )

    def run(self, *words: str) -> str:
        """Run a command that succeeds; what it prints."""
        result = self.type(*words)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *words: str) -> Any:
        """The same with --json."""
        return json.loads(self.run(*words, "--json"))

    def refused(self, *words: str, typed: str | None = None) -> str:
        """Run a command that fails; the plain line that it leaves on standard error."""
        result = self.type(*words, typed=typed)
        assert result.exit_code == 1, result.output
        assert result.stdout == ""
        [line] = result.stderr.splitlines()
        return line

    @contextmanager
    def open(self) -> Iterator[Context]:
        """The installation from inside."""
        given = {name: value for name, value in self.environment.items() if value is not None}
        context = Context.open(from_environment(given))
        yield context
        context.database.dispose()

    def get(self, url: str) -> Any:
        """What the service answers at that address."""
        with self.open() as context:
            return create_app(context).test_client().get(url.removeprefix(context.config.url))


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a café made by commands: made once, copied for each test."""
    made = Installation(tmp_path_factory.mktemp("cli") / "data")
    made.run("programme", "add", "kaffa", "Kaffa Roasters", "--point", "bean", "--points", "beans")
    made.run("location", "add", "old-town", "Old Town")
    made.run("staff", "add", "Anna", "--pin", "274913")
    made.run("staff", "add", "Marta", "--role", "manager", "--pin", "860257")
    made.run("till", "add", "Counter 1", "--location", "old-town")
    made.run("certs", "dev")
    return made.data


@pytest.fixture
def cafe(template: Path, tmp_path: Path) -> Installation:
    return Installation(Path(shutil.copytree(template, tmp_path / "cafe")))


@pytest.fixture
def fresh(sqlite_template: Path, tmp_path: Path) -> Installation:
    """Nothing but an empty database."""
    installation = Installation(tmp_path / "fresh")
    installation.data.mkdir(mode=0o700)
    shutil.copy(sqlite_template, installation.data / "counterfoil.sqlite")
    return installation


@pytest.fixture
def elsewhere(tmp_path: Path) -> Callable[[], Installation]:
    """Makes installations where there is nothing at all yet."""
    numbers = iter(range(100))
    return lambda: Installation(tmp_path / f"elsewhere-{next(numbers)}" / "data")
