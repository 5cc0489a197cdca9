"""A shop with a long history and everybody's names, and its staff pages without a network."""

import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from app import create_app
from app.cards.models import Card
from app.clock import FixedClock
from app.config import Config, from_environment
from app.context import Context
from app.demo.cafe import make_cafe, make_certificates
from app.figures import adding
from app.insight import folding
from app.members.service import Contact, NewMember, add_members
from app.migrations import upgrade
from app.staff import sessions
from app.staff.service import add_staff
from app.web.staff.door import COOKIE
from benchmarks import _history

FIRST = (
    "Anna Līga Ilze Kristīne Inese Marija Inga Elīna Laura Daiga Jānis Andris Juris Edgars Māris "
    "Mārtiņš Aivars Artūrs Valdis Kārlis Ольга Иван Елена Сергей Hans Greta Emma Liam Zoë Noah"
).split()
_SYLLABLES = "ka lē ni ro vi sā to mē bē dzi au ku pē li ra zo ve šķi nī mu ba ja te gri".split()
_CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class Office:
    """The service with its history, and somebody signed in to it."""

    context: Context
    programme_id: str
    client: Any
    slug: str

    def get(self, path: str) -> Any:
        """A staff page; *path* is below the programme's."""
        return self.client.get(f"/staff/{self.slug}/{path}")

    def cards(self, count: int, seed: int) -> list[str]:
        """The ids of some cards, anywhere in the history."""
        with self.context.database.read(self.programme_id) as session:
            start = f"{random.Random(seed).randrange(16**8):08x}"
            found = select(Card.id).where(Card.id >= start).order_by(Card.id).limit(count)
            return list(session.scalars(found))


def names(number: int) -> Contact:
    """What the member of that number told us: some names are many people's, some few's."""
    draw = random.Random(number)
    first = FIRST[min(int(draw.expovariate(0.15)), len(FIRST) - 1)]
    last = "".join(draw.choice(_SYLLABLES) for _ in range(3)).capitalize() + draw.choice("sa")
    return Contact(
        f"{first} {last}", f"person{number}@example.com", f"+3712{number:07d}", birthday="05-17"
    )


def build(data: Path, database_url: str, members: int) -> Office:
    """Make the history, tell everybody's names, add all of it up, and sign an owner in."""
    settings = {"COUNTERFOIL_DATA": str(data), "COUNTERFOIL_DATABASE_URL": database_url}
    config = from_environment(settings)
    until = date(datetime.now(UTC).year - 1, 12, 31)
    clock = FixedClock(datetime(until.year, 12, 31, 15, 7, tzinfo=UTC))
    context = Context.open(config, clock=clock)
    upgrade(context.database)
    make_certificates(context)
    cafe = make_cafe(context)
    lasts = clock() + timedelta(days=730)
    _history.make(context.database, _history.History(cafe.programme_id, members, until, lasts))
    _name_everybody(context, config, cafe.programme_id, members)
    _connect(context, members)
    _add_up(context)
    with context.database.write_all() as session:
        session.info["programme_id"] = cafe.programme_id
        owner = add_staff(
            session, cafe.programme_id, name="Olga", role="owner", pin="472910", now=clock()
        )
        token = sessions.start(session, owner, second_factor=True, now=clock())
    client = create_app(context).test_client()
    client.set_cookie(COOKIE, token, path="/staff/kaffa")
    return Office(context, cafe.programme_id, client, "kaffa")


def _name_everybody(context: Context, config: Config, programme_id: str, members: int) -> None:
    context.keys.blind_indexer(), context.keys.sealer()  # Made once, before two processes do.
    context.database.engine.dispose()
    starts = range(1, members + 1, _CHUNK)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        chunks = [
            (config, programme_id, start, min(start + _CHUNK, members + 1)) for start in starts
        ]
        list(pool.map(_add_some, chunks))


def _add_some(chunk: tuple[Config, str, int, int]) -> None:
    config, programme_id, start, end = chunk
    context = _opened.setdefault(config.database_url, Context.open(config))
    joined = datetime(2020, 1, 1, tzinfo=UTC)
    with context.database.write(programme_id) as session:
        people = [NewMember(names(number), "lv", joined) for number in range(start, end)]
        add_members(session, context.keys, programme_id, people)


_opened: dict[str, Context] = {}


def _connect(context: Context, members: int) -> None:
    """Give each card a member, a day of its own, a wallet that has it, and a reading."""
    statements = [
        "CREATE TEMPORARY TABLE pairs ON COMMIT DROP AS SELECT k.id AS card_id, m.id AS member_id, "
        "m.n FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM members) m "
        "JOIN (SELECT id, row_number() OVER (ORDER BY issued_at, id) AS n FROM cards) k "
        "ON k.n = m.n",
        "UPDATE cards SET member_id = p.member_id, issued_at = cards.issued_at + "
        "(p.n * 999.0 / :members) * interval '1 day' FROM pairs p WHERE p.card_id = cards.id",
        "INSERT INTO apple_registrations (card_id, device_id, push_token, registered_at, "
        "programme_id, wanted_version, delivered_version, attempts) "
        "SELECT id, 'd' || id, 't' || id, issued_at, programme_id, 12, 12, 0 FROM cards",
        "INSERT INTO card_scans (programme_id, card_id, till_id, location_id, day, scanned_at) "
        "SELECT c.programme_id, c.id, t.id, t.location_id, e.day, e.occurred_at FROM entries e "
        "JOIN cards c ON c.account_id = e.account_id, tills t "
        "WHERE e.kind = 'accrual' AND e.sequence % 7 = 0",
    ]
    with context.database.write_apart() as connection:
        connection.execute(text("SET LOCAL synchronous_commit = off"))
        connection.execute(text("SET LOCAL work_mem = '256MB'"))
        for statement in statements:
            given = {"members": members} if ":members" in statement else {}
            connection.execute(text(statement), given)
    with context.database.engine.connect() as connection:
        plain = connection.execution_options(isolation_level="AUTOCOMMIT")
        plain.execute(text("VACUUM (ANALYZE)"))


def _add_up(context: Context) -> None:
    """What the background work would have done by now."""
    for step in (adding.step, folding.step):
        while True:
            with context.database.write_all() as session:
                if not step(session, context.clock(), 100_000):
                    break
    with context.database.engine.connect() as connection:
        plain = connection.execution_options(isolation_level="AUTOCOMMIT")
        plain.execute(text("VACUUM (ANALYZE)"))
