"""The schema's history: brings a database to what the models of this release expect.

Alembic runs from inside the installed package: there is no alembic.ini, nothing is printed and no
logging is configured. Two processes that start at once migrate once: the second one waits for the
first and finds nothing to do.
"""

from functools import cache

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, exists, inspect, select, text

from app.db import Database
from app.errors import Misconfigured
from app.schema import metadata

__all__ = ["at_head", "head", "is_empty", "knows", "revision", "upgrade"]

#: Whoever migrates a PostgreSQL database holds this advisory lock.
_LOCK = 0x43_46_4D_49_47


def upgrade(database: Database, to: str = "head") -> None:
    """Bring *database* to the newest revision (or to one before it), in one go or not at all.

    Raises `Misconfigured` when a newer release has already migrated it further.
    """
    config = _config()
    with database.engine.begin() as connection:
        # On SQLite the connection began with BEGIN IMMEDIATE: it is alone already.
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, to)
        except CommandError as error:
            raise Misconfigured(
                f"The database is at revision {_revision(connection)}, which this release does "
                "not know: a newer release of Counterfoil made it. Install that release again, "
                "or restore a backup that was made with this one."
            ) from error


@cache
def head() -> str:
    """The newest revision that this release knows; looked up once, for its file is long."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    if newest is None:
        raise Misconfigured("The installation is incomplete: its migrations are missing.")
    return newest


def knows(revision: str) -> bool:
    """Whether a database of that revision can be brought up to date by this release."""
    script = ScriptDirectory.from_config(_config())
    return any(step.revision == revision for step in script.walk_revisions())


def revision(database: Database) -> str | None:
    """The revision that *database* is at; None where nothing was ever migrated."""
    with database.engine.connect() as connection:
        return _revision(connection)


def at_head(database: Database) -> bool:
    """Whether *database* has exactly the schema of this release."""
    return revision(database) == head()


def is_empty(database: Database) -> bool:
    """Whether *database* holds nothing: no tables at all, or only our own and no row in them."""
    with database.engine.connect() as connection:
        present = set(inspect(connection).get_table_names())
        if not present:
            return True
        if "alembic_version" not in present:
            return False
        ours = (table for table in metadata.sorted_tables if table.name in present)
        return not any(connection.scalar(select(exists(select(table)))) for table in ours)


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config() -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", "app:migrations")
    return config
