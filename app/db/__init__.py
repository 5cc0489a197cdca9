"""The database: one model, two engines, and the wall between programmes.

SQLite is the embedded default, PostgreSQL serves many workers. A session is opened either for one
programme or, by name, for all of them; a session for one programme neither sees nor writes rows
of another. That is enforced here, once, and not by the callers' memory.
"""

from app.db.columns import Base, Id, Moment, OfProgramme, index_of_some, new_id
from app.db.engine import SQLITE_BUSY_MS, Database
from app.db.journeys import Question, asked_ahead, write_all_if_new
from app.db.prepared import Prepared, write_all
from app.db.wall import EVERYWHERE, WallBreached, enter, programme_of, within

__all__ = [
    "EVERYWHERE",
    "SQLITE_BUSY_MS",
    "Base",
    "Database",
    "Id",
    "Moment",
    "OfProgramme",
    "Prepared",
    "Question",
    "WallBreached",
    "asked_ahead",
    "enter",
    "index_of_some",
    "new_id",
    "programme_of",
    "within",
    "write_all",
    "write_all_if_new",
]
