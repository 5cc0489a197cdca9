"""Backups: one file with everything but the master key, the same for either kind of database.

A backup of a shop on SQLite restores into PostgreSQL and the other way round: this is also how a
shop moves. `backup` works while the service runs.
"""

from app.backup.format import Progress, Summary
from app.backup.reading import restore
from app.backup.writing import backup

__all__ = ["Progress", "Summary", "backup", "restore"]
