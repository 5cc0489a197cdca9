"""What nearly everything needs, made once by `create_app` or by a command, and handed on."""

from dataclasses import dataclass, field

from flask import current_app

from app.clock import Clock, system_clock
from app.config import Config
from app.db import Database
from app.keys import KeyRing


@dataclass(frozen=True, slots=True)
class Context:
    """The configuration, the database, the keys and the clock of one installation."""

    config: Config
    database: Database
    keys: KeyRing
    clock: Clock = field(default=system_clock)

    @classmethod
    def open(cls, config: Config, *, clock: Clock = system_clock) -> "Context":
        """Open the database and the key ring that *config* names."""
        config.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        database = Database(config.database_url)
        if database.path is not None and not database.path.exists():
            # SQLite would make it readable by everybody; its side files follow it.
            database.path.touch(mode=0o600)
        return cls(config, database, KeyRing.open(config, now=clock), clock)


def current_context() -> Context:
    """The context of the request that is being answered."""
    context: Context = current_app.extensions["counterfoil"]
    return context
