"""Members of the past with their habits, for figures of segments and campaigns."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from app.campaigns import habits
from app.context import Context
from app.demo.cafe import make_cafe
from benchmarks import _history
from benchmarks._apns import installation
from benchmarks._cluster import cluster
from benchmarks._history import History
from passes.code import Kind


@contextmanager
def with_members(folder: Path, members: int) -> Iterator[tuple[Context, str]]:
    """A PostgreSQL with a programme of so many members who earned until yesterday."""
    with cluster(folder) as make, installation(folder, make("counterfoil")) as context:
        programme_id = make_cafe(context).programme_id
        now = datetime.now(UTC)
        until = (now - timedelta(days=1)).date()
        history = History(programme_id, members, until, now + timedelta(days=20))
        _history.make(context.database, history)
        with context.database.write_apart() as connection:
            connection.execute(text(f"UPDATE cards SET kind = {int(Kind.MEMBER)}"))  # noqa: S608
            _tiers(connection)
        keep_habits(context, programme_id)
        context.database.analyse(["accounts", "cards", "account_habits"])
        yield context, programme_id


def _tiers(connection: object) -> None:
    connection.execute(  # type: ignore[attr-defined]
        text("UPDATE accounts SET tier = 'gold' WHERE balance % 10 = 0")
    )


def keep_habits(context: Context, programme_id: str) -> None:
    """Count everybody's habits in one statement, as the background work would in a day's pages;
    and the bounds of their classes as it does."""
    now = context.clock()
    with context.database.write_all() as session:
        session.connection().execute(
            text(
                "INSERT INTO account_habits (account_id, programme_id, last_visit_on, visits, "
                "spend_minor, hour) SELECT account_id, programme_id, max(day), count(*), "
                "sum(counted_minor), 8 + (min(sequence) % 12) FROM entries "
                "WHERE kind = 'accrual' GROUP BY account_id, programme_id"
            )
        )
        row = habits.begin(session, programme_id, now=now)
        row.after = "ffffffff-ffff-ffff-ffff-ffffffffffff"
    with context.database.write(programme_id) as session:
        habits.catch_up(session, programme_id, now, 1000)
