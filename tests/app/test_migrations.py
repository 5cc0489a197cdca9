"""The schema that migrations make is the schema that the models describe."""

import logging
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.audit import AuditEntry
from app.benefits.models import Grant
from app.db import Database, new_id
from app.draws.models import PrizeDraw, PrizeDrawHolder, PrizeDrawWinner
from app.errors import Misconfigured
from app.ledger.models import Account, Draw, Entry, TierChange
from app.members.models import MemberRead
from app.migrations import at_head, head, is_empty, revision, upgrade
from app.migrations.__main__ import BEGIN, END, FIRST, render
from app.programmes.models import Programme
from app.schema import metadata

IMMUTABLE = import_module("app.migrations.versions.0001_first_release").IMMUTABLE
NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """A database without a table."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'bare.sqlite'}")
    else:
        address: str = request.getfixturevalue("postgres")
        with psycopg.connect(address % "postgres", autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS bare WITH (FORCE)")
            connection.execute("CREATE DATABASE bare")
        url = (address % "bare").replace("postgresql://", "postgresql+psycopg://", 1)
        database = Database(url)
    request.addfinalizer(database.dispose)
    return database


def described(connection: Connection) -> set[str]:
    """Everything the database says about its tables, indexes and constraints, as text."""
    if connection.dialect.name == "sqlite":
        found = connection.scalars(
            text(
                "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND type != 'trigger' "
                "AND tbl_name != 'alembic_version'"
            )
        )
        # The order of columns and constraints is the models'; the order of lines may differ.
        return {"\n".join(sorted(re.split(r",? *\n\s*", sql))) for sql in found}
    found = connection.scalars(
        text(
            "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' "
            "AND tablename != 'alembic_version' "
            "UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || "
            "pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE connamespace = 'public'::regnamespace "
            "AND conrelid::regclass::text != 'alembic_version' "
            "UNION ALL SELECT table_name || '.' || column_name || ' ' || udt_name || ' ' || "
            "is_nullable || coalesce(' ' || character_maximum_length, '') || "
            "coalesce(' ' || numeric_precision || '/' || numeric_scale, '') || "
            "coalesce(' ' || column_default, '') FROM information_schema.columns "
            "WHERE table_schema = 'public' AND table_name != 'alembic_version'"
        )
    )
    return set(found)


def test_alembic_finds_no_difference_between_models_and_migrated_schema(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_migrated_schema_is_what_the_models_would_make(
    bare: Database, database_urls: Callable[[str], str]
) -> None:
    metadata.create_all(bare.engine)
    database = Database(database_urls("sqlite" if bare.is_sqlite else "postgresql"))
    with database.engine.connect() as migrated, bare.engine.connect() as modelled:
        assert described(migrated) == described(modelled)
    database.dispose()


def test_the_first_revision_is_written_as_the_models_ask() -> None:
    def squeezed(code: str) -> str:
        return re.sub(r"[\s'\"]|,(?=\s*[)\]])", "", code)

    written = FIRST.read_text().split(BEGIN)[1].split(END)[0]
    assert squeezed(written) == squeezed(render())


def test_upgrading_twice_changes_nothing_the_second_time(bare: Database) -> None:
    assert (revision(bare), at_head(bare), is_empty(bare)) == (None, False, True)
    upgrade(bare)
    upgrade(bare)
    assert (revision(bare), at_head(bare), is_empty(bare)) == (head(), True, True)


def test_a_database_with_a_row_is_not_empty(database: Database) -> None:
    assert is_empty(database)
    with database.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO attempts VALUES ('1', 'enrolment', 'x', '2026-06-01 09:00:00')")
        )
    assert not is_empty(database)


def test_a_database_with_tables_of_others_is_not_empty(bare: Database) -> None:
    with bare.engine.begin() as connection:
        connection.execute(text("CREATE TABLE theirs (id INTEGER)"))
    assert not is_empty(bare)


def test_a_database_of_a_newer_release_is_refused_by_name(bare: Database) -> None:
    upgrade(bare)
    with bare.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Misconfigured, match=r"revision 9999.*newer release"):
        upgrade(bare)
    assert not at_head(bare)


def test_processes_that_start_at_once_migrate_once(bare: Database) -> None:
    program = "import sys; from app.db import Database; from app.migrations import upgrade; "
    program += "upgrade(Database(sys.argv[1]))"
    starting = [sys.executable, "-c", program, bare.url]
    started = [
        subprocess.Popen(starting, stderr=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(3)
    ]
    for process in started:
        assert (*process.communicate(timeout=60), process.returncode) == (b"", b"", 0)
    assert at_head(bare)


@pytest.mark.parametrize("table", IMMUTABLE)
@pytest.mark.parametrize("change", ["UPDATE {} SET programme_id = programme_id", "DELETE FROM {}"])
def test_the_ledger_refuses_to_be_changed(database: Database, table: str, change: str) -> None:
    fill_ledger(database)
    with (
        pytest.raises(DBAPIError, match=f"the rows of {table} are never changed or deleted"),
        database.engine.begin() as connection,
    ):
        connection.execute(text(change.format(table)))


@pytest.mark.parametrize("table", IMMUTABLE)
def test_the_ledger_refuses_to_be_truncated(
    database_urls: Callable[[str], str], table: str
) -> None:
    database = Database(database_urls("postgresql"))
    with (
        pytest.raises(DBAPIError, match="never changed or deleted"),
        database.engine.begin() as connection,
    ):
        connection.execute(text(f"TRUNCATE {table} CASCADE"))
    database.dispose()


def test_migrating_says_nothing_and_leaves_logging_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = (logging.root.level, list(logging.root.handlers))
    database = Database(f"sqlite:///{tmp_path / 'quiet.sqlite'}")
    upgrade(database)
    database.dispose()
    assert capfd.readouterr() == ("", "")
    assert (logging.root.level, list(logging.root.handlers)) == before
    assert not logging.getLogger("alembic").disabled


def fill_points(session: Session, of_account: dict[str, str]) -> None:
    """An entry with its draw, and a change of the tier."""
    entry = Entry(
        **of_account,
        kind="adjustment",
        points=-5,
        occurred_at=NOW,
        recorded_at=NOW,
        day=NOW.date(),
        actor_kind="system",
    )
    session.add(entry)
    session.flush()
    session.add(
        Draw(
            **of_account,
            entry_id=entry.id,
            points=5,
            recorded_at=NOW,
        )
    )
    session.add(
        TierChange(
            **of_account,
            to_tier="gold",
            reason="earned",
            counted=5,
            effective_from=NOW,
            recorded_at=NOW,
            actor_kind="system",
        )
    )


def fill_records(session: Session, of_account: dict[str, str]) -> None:
    """What is on record beside points."""
    session.add(
        MemberRead(
            programme_id=of_account["programme_id"],
            member_id=of_account["account_id"],
            reader_kind="cli",
            reader="root",
            purpose="show",
            read_at=NOW,
        )
    )
    session.add(
        AuditEntry(
            programme_id=of_account["programme_id"],
            at=NOW,
            actor_kind="cli",
            actor="root",
            action="till.add",
            subject="Counter 1",
            detail={},
        )
    )
    session.add(
        Grant(
            **of_account,
            kind="stamps",
            what="coffee",
            count=1,
            due=1,
            posting_id=new_id(),
            rule="visit",
            occurred_at=NOW,
            recorded_at=NOW,
        )
    )


def fill_ledger(database: Database) -> None:
    """One row in each of the immutable tables."""
    with database.write_all() as session:
        programme = Programme(
            slug="corner",
            name="Corner",
            benefit="Every tenth coffee",
            points_names={},
            colours={},
            time_zone="Europe/Riga",
            currency="EUR",
            created_at=NOW,
        )
        session.add(programme)
        session.flush()
        account = Account(programme_id=programme.id, changed_at=NOW, created_at=NOW)
        session.add(account)
        session.flush()
        of_account = {"programme_id": programme.id, "account_id": account.id}
        fill_points(session, of_account)
        fill_records(session, of_account)
        draw = PrizeDraw(programme_id=programme.id, code="spring", terms={}, created_at=NOW)
        session.add(draw)
        session.flush()
        session.add(PrizeDrawHolder(**of_account, draw_id=draw.id, pseudonym="a", tickets=1))
        session.add(
            PrizeDrawWinner(**of_account, draw_id=draw.id, place=1, prize="bag", pseudonym="a")
        )
