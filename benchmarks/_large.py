"""A programme of a million members with ten million entries, built once for everything of one run
that is measured on it: `make bench ONLY="ledger_check_seconds sweep_seconds accrual_growth"`.

They are measured in this order: the check reads what was built, the sweep ends the year for
everybody in it, and accruals are posted to what it left. LARGE_MEMBERS makes it smaller.
"""

import atexit
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import select, text

from app.cards.service import issue_card
from app.config import from_environment
from app.context import Context
from app.db import Database
from app.demo.cafe import Cafe, make_cafe
from app.ledger.models import Account, Lot
from app.ledger.rules import start_of_day
from app.migrations import upgrade
from app.programmes.service import change_settings
from benchmarks import _history
from benchmarks._added_up import note_added_up
from benchmarks._cluster import cluster
from benchmarks._counter import count
from benchmarks._history import LEVELS, History

MEMBERS = count("LARGE_MEMBERS", 1_000_000)
#: What is measured on it, in this order.
MEASURED = ("ledger_check_seconds", "sweep_seconds", "accrual_growth")
SWEEP = "sweep_seconds"
_ZONE = "Europe/Riga"


@dataclass
class Large:
    """Where it is: *folder* of the installation, its database and its café.

    *is_due*: at the end of its last year nobody looked, so that everybody's points and tier wait
    for the sweep. *make* makes further databases on the same cluster.
    """

    folder: Path
    database_url: str
    cafe: Cafe
    members: int
    is_due: bool
    make: Callable[[str], str]

    @property
    def settings(self) -> dict[str, str]:
        """What a command is told."""
        return _settings(self.folder, self.database_url)

    def tidy(self) -> None:
        """What autovacuum does in the minutes after a sweep."""
        context = Context.open(from_environment(self.settings))
        _alone(context, "VACUUM (ANALYZE)")
        context.database.dispose()


class _Shared:
    """The one of this run."""

    def __init__(self) -> None:
        self.stack, self.large = ExitStack(), None
        self.is_due = False
        atexit.register(self.close)

    large: Large | None

    def close(self) -> None:
        self.large = None
        self.stack.close()


_shared = _Shared()


def in_order(wanted: Sequence[str]) -> list[str]:
    """The same, with what is measured on the large programme together and in its order."""
    mine = [name for name in MEASURED if name in wanted]
    _shared.is_due = SWEEP in mine
    if not mine:
        return list(wanted)
    first = min(wanted.index(name) for name in mine)
    others = [name for name in wanted if name not in mine]
    place = sum(name not in mine for name in wanted[:first])
    return [*others[:place], *mine, *others[place:]]


def let_go(still_wanted: Sequence[str]) -> None:
    """Delete it, once nothing of what is still to be measured needs it."""
    if not set(MEASURED) & set(still_wanted):
        _shared.close()


def large(*, is_due: bool = False) -> Large:
    """The large programme of this run, built by whoever asks first."""
    if _shared.large is None:
        folder = Path(_shared.stack.enter_context(tempfile.TemporaryDirectory()))
        make = _shared.stack.enter_context(cluster(folder))
        due = _shared.is_due or is_due
        begun = time.perf_counter()
        _shared.large = build(folder / "large", make, "large", MEMBERS, is_due=due)
        print(f"built {MEMBERS:,} members in {time.perf_counter() - begun:.0f} s", flush=True)
    return _shared.large


def build(
    folder: Path, make: Callable[[str], str], name: str, members: int, *, is_due: bool
) -> Large:
    """Make a programme of that many members in a new database."""
    url = make(name)
    context = Context.open(from_environment(_settings(folder, url)))
    upgrade(context.database)
    cafe = make_cafe(context)
    now = datetime.now(UTC)
    history = _history.of_last_year(cafe.programme_id, members, now)
    if is_due:
        history = _ended(context, cafe, members, now)
    _history.make(context.database, history)
    note_added_up(context, cafe.programme_id)
    # As on a server that has been running for long, the files of its log are there.
    _alone(context, "CHECKPOINT")
    context.database.dispose()
    return Large(folder, url, cafe, members, is_due, make)


def _ended(context: Context, cafe: Cafe, members: int, now: datetime) -> History:
    """A programme with tiers, at the end of whose last year nobody looked."""
    levels = [{"code": code, "at_least": least} for code, least in LEVELS.items()]
    with context.database.write_all() as session:
        change_settings(session, cafe.programme_id, {"tiers": {"levels": levels}}, valid_from=now)
    ended = start_of_day(date(now.year, 1, 1), _ZONE)
    until = date(now.year - 1, 12, 31)
    return History(cafe.programme_id, members, until, ended, ended, _ZONE)


def _alone(context: Context, statement: str) -> None:
    with context.database.engine.connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text(statement))


def _settings(folder: Path, database_url: str) -> dict[str, str]:
    return {"COUNTERFOIL_DATA": str(folder / "data"), "COUNTERFOIL_DATABASE_URL": database_url}


def some_cards(context: Context, programme_id: str, members: int, count: int) -> list[str]:
    """The codes of new cards of *count* members of a history, chosen by chance."""
    chosen = random.Random(7).sample(range(1, members + 1), count)
    with context.database.write(programme_id) as session:
        return [
            issue_card(
                session,
                context.keys,
                programme_id,
                account_id=_history.account_id(number),
                now=datetime.now(UTC),
            ).code
            for number in chosen
        ]


def until_swept(database: Database, begun: float) -> float:
    """Seconds since *begun* when nothing is due any more."""
    while True:
        now = datetime.now(UTC)
        review_at, expires_at = Account.tier_review_at, Lot.expires_at
        due = (
            select(Account.id).where(review_at <= now).order_by(review_at).limit(1),
            select(Lot.id)
            .where(expires_at <= now, Lot.remaining > Lot.held)
            .order_by(expires_at)
            .limit(1),
        )
        with database.read_all() as session:
            if not any(session.scalar(each) for each in due):
                return time.perf_counter() - begun
        time.sleep(0.5)
