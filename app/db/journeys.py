"""Several statements in one journey to a PostgreSQL server.

A journey costs both sides more than most statements do: each waits for the other and is woken.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from app.db.driven import Driven, in_one_journey, run
from app.db.prepared import ASKED_AHEAD, Prepared, ready_together
from app.db.wall import EVERYWHERE, WallBreached, connection_of, programme_of


class Question(NamedTuple):
    """What a prepared SELECT is going to be asked."""

    prepared: Prepared
    values: dict[str, Any]
    programme_id: str


#: A statement that was planned while its table was empty reads the whole of it, however large it
#: has become, until the server counts its rows.
_BY_KEYS = "SET LOCAL enable_seqscan = off"


@contextmanager
def asked_ahead(
    session: Session, questions: Iterable[Question], *, by_keys: bool = False
) -> Iterator[None]:
    """Ask a PostgreSQL server all of it in one journey, for whoever asks just that in the block.

    They are asked in their order; whoever asks something else has it looked up as ever. SQLite
    is part of the process: there nothing is asked ahead, and not even *questions* is gone through.
    Each programme is one that the session is open for. *by_keys*: the rest of the transaction looks
    everything up by keys.
    """
    connection = connection_of(session)
    if connection.dialect.name != "postgresql":
        yield
        return
    asked = []
    open_for = programme_of(session)
    for question in questions:
        prepared, values, programme = question
        if open_for not in (EVERYWHERE, programme):
            raise WallBreached("a session for one programme was to run for another")
        walled = prepared._check(session, programme, [values])
        asked.append((question, *prepared._ready(connection, programme, values, [values], walled)))
    before: list[tuple[Driven | str, dict[str, Any]]] = [(_BY_KEYS, {})] if by_keys else []
    journey = before + [(driven, given) for _, driven, given in asked]
    answers = in_one_journey(connection, journey)[len(before) :]
    session.info[ASKED_AHEAD] = {
        (question.prepared, question.programme_id): (question.values, rows)
        for (question, _, _), rows in zip(asked, answers, strict=True)
    }
    try:
        yield
    finally:
        del session.info[ASKED_AHEAD]


_SAVEPOINT = "SAVEPOINT written"
_BACK = "ROLLBACK TO SAVEPOINT written"


def write_all_if_new(
    session: Session,
    first: tuple[Prepared, list[dict[str, Any]]],
    writes: Sequence[tuple[Prepared, list[dict[str, Any]]]],
) -> bool:
    """On PostgreSQL: write *first* and, if it gives back a row for each of its rows, *writes* too.

    *first* is an INSERT that leaves out what is there already. False where it left any out: then
    nothing at all was written. Also on SQLite, always: there it would save nothing.
    """
    connection = connection_of(session)
    if connection.dialect.name != "postgresql" or not writes:
        return False
    prepared, rows = first
    programme = programme_of(session)
    walled = prepared._check(session, programme, rows)
    [_, new, _] = in_one_journey(
        connection,
        [
            (_SAVEPOINT, {}),
            prepared._ready(connection, programme, rows, rows, walled),
            ready_together(session, connection, writes),
        ],
    )
    if len(new) == len(rows):
        return True
    run(connection, _BACK)
    return False
