"""Whatever is typed or set, a command ends in plain words and never in a traceback."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest

from app.cli import HOMES, cli

ODD = [
    "",
    " ",
    "-1",
    "0",
    "9" * 30,
    "../../etc/passwd",
    "%s'; DROP TABLE cards",
    "\udcff",
    "ā" * 500,
]


#: Commands are asked for outside of any.
NOTHING = click.Context(cli)


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name in group.list_commands(NOTHING):
        command = group.get_command(NOTHING, name)
        assert command is not None
        if isinstance(command, click.Group):
            found += commands(command, (*path, name))
        else:
            found.append((*path, name))
    return found


def command_at(path: tuple[str, ...]) -> click.Command:
    command: click.Command = cli
    for name in path:
        assert isinstance(command, click.Group)
        command = command.get_command(NOTHING, name)  # type: ignore[assignment]
    return command


#: These two run until they are stopped, and the demo is a test of its own.
TYPED = [path for path in commands(cli) if path[0] not in {"serve", "work", "demo"}]


def test_every_command_of_the_readme_is_there() -> None:
    assert {" ".join(path) for path in commands(cli)} >= {
        "serve", "work", "demo", "db upgrade", "programme add", "programme list",
        "location add", "staff add", "till add", "till code", "till revoke",
        "card issue", "card block", "card unblock", "card replace", "pass inspect",
        "certs dev", "certs install", "certs check", "keys list", "keys rotate", "keys retire",
        "delivery run", "delivery status", "ledger check", "ledger waiting", "ledger approve",
        "backup", "restore",
    }  # fmt: skip


def test_every_command_is_at_home_where_it_is_looked_for() -> None:
    for home in set(HOMES.values()):
        made = {each.name for each in import_module(f"app.cli.{home}").COMMANDS}
        assert made == {name for name, where in HOMES.items() if where == home}


def test_who_asks_for_the_version_waits_for_no_other_command() -> None:
    asked = "import sys; from app.cli import cli; cli(['--version'], standalone_mode=False); "
    asked += "sys.exit('sqlalchemy' in sys.modules)"
    subprocess.run([sys.executable, "-c", asked], check=True, timeout=60)


@pytest.mark.parametrize("path", TYPED, ids=" ".join)
def test_odd_arguments_end_in_words(
    fresh: Any, tmp_path: Path, path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    if path == ("certs", "dev"):
        return  # it takes no argument, and its options have a test of their own
    # What takes a name for a file or a folder may well write one of these.
    monkeypatch.chdir(tmp_path)
    fresh.run("programme", "add", "kaffa", "Kaffa")
    wanted = [each for each in command_at(path).params if isinstance(each, click.Argument)]
    options = [each for each in command_at(path).params if isinstance(each, click.Option)]
    for odd in ODD:
        given = [str(tmp_path / "file") if path[0] == "backup" else odd for _ in wanted]
        typed = [[*given]] + [
            [option.opts[0], odd, "--", *given] for option in options if not option.is_flag
        ]
        for words in typed:
            result = fresh.type(*path, *words)  # raises what is not put into words
            assert result.exit_code in {0, 1, 2}
            assert "Traceback" not in result.output


@pytest.mark.parametrize("path", commands(cli), ids=" ".join)
def test_every_command_explains_itself(fresh: Any, path: tuple[str, ...]) -> None:
    said = fresh.run(*path, "--help")
    assert len(said.splitlines()) >= 5


class TestSettings:
    def test_an_unknown_setting_is_named_with_the_nearest(self, fresh: Any) -> None:
        fresh.settings["COUNTERFOIL_DATABSE_URL"] = "x"
        for words in (("programme", "list"), ("serve",), ("work",), ("backup", "x")):
            said = fresh.refused(*words)
            assert said == (
                "COUNTERFOIL_DATABSE_URL is not a setting of Counterfoil; "
                "did you mean COUNTERFOIL_DATABASE_URL?"
            )

    def test_the_till_s_settings_are_none_of_ours(self, fresh: Any) -> None:
        fresh.settings["COUNTERFOIL_SCAN_ANYTHING"] = "x"
        assert fresh.run("programme", "list") == ""

    @pytest.mark.parametrize(
        "url",
        [
            "postgresql://host:port/name",
            "postgresql://",
            "postgresql://127.0.0.1:1/nothing",
            "sqlite:////nowhere/at/all.sqlite",
        ],
    )
    def test_a_database_that_cannot_be_reached_is_told_in_a_line(
        self, fresh: Any, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PGHOST", "127.0.0.1")  # where there is no PostgreSQL
        monkeypatch.setenv("PGPORT", "1")
        fresh.settings["COUNTERFOIL_DATABASE_URL"] = url
        assert fresh.refused("programme", "list")

    def test_a_password_in_the_address_is_never_shown(self, fresh: Any) -> None:
        fresh.settings["COUNTERFOIL_DATABASE_URL"] = "postgresql://me:s3cret@127.0.0.1:1/x"
        assert "s3cret" not in fresh.refused("programme", "list")


class TestDisk:
    def test_data_that_is_a_file_is_named(self, fresh: Any, tmp_path: Path) -> None:
        fresh.data = tmp_path / "file"
        fresh.data.write_text("")
        assert str(fresh.data) in fresh.refused("programme", "list")

    def test_a_file_that_is_no_database_is_told_so(self, fresh: Any) -> None:
        (fresh.data / "counterfoil.sqlite").write_text("hello" * 1000)
        said = fresh.refused("programme", "list")
        assert said == "The database refused, and nothing was saved: file is not a database."

    def test_a_locked_database_is_told_and_nothing_is_half_made(
        self, fresh: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Nobody waits five seconds in a test.
        monkeypatch.setattr("app.db.Database.__init__.__kwdefaults__", {"busy_ms": 50})
        with closing(sqlite3.connect(fresh.data / "counterfoil.sqlite")) as other:
            other.execute("BEGIN IMMEDIATE")
            said = fresh.refused("programme", "add", "kaffa", "Kaffa")
        assert said == "The database refused, and nothing was saved: database is locked."
        assert fresh.run("programme", "list") == ""

    def test_a_full_disk_is_told_and_nothing_is_half_made(self, fresh: Any) -> None:
        # A process that may make no file longer than this: SQLite's journal has to be.
        size = (fresh.data / "counterfoil.sqlite").stat().st_size
        limited = (
            "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
            "from app.cli import main; "
            f"resource.setrlimit(resource.RLIMIT_FSIZE, ({size // 64}, {size // 64})); "
            "main()"
        )
        words = ("programme", "add", "kaffa", "Kaffa")
        done = subprocess.run(
            # -B: the limit would cut the compiled modules short, too.
            [sys.executable, "-B", "-c", limited, *words],
            env={"COUNTERFOIL_DATA": str(fresh.data)},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 1, done
        assert "Traceback" not in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert fresh.run("programme", "list") == ""
