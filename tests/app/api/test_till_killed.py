"""A process killed (SIGKILL) before each of the statements of a posting, and before its commit."""

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select

from app import create_app, open_on
from app.context import Context
from app.db import Database
from app.keys import KeyRing
from app.ledger.check import check
from app.ledger.models import Posting

DAY = timedelta(days=1)
#: More statements than any posting has.
MOST_STEPS = 60

Prepared = tuple[str, dict[str, Any]]


def accrual(shop: Any, card: Any) -> Prepared:
    return "/accruals", shop.accrual(card, 100)


def hold(shop: Any, card: Any) -> Prepared:
    return "/holds", shop.posting(code=card.code, points=1)


def capture(shop: Any, card: Any) -> Prepared:
    held = shop.ask("POST", "/holds", shop.posting(code=card.code, points=1)).json
    return f"/holds/{held['posting_id']}/capture", shop.posting()


def reversal(shop: Any, card: Any) -> Prepared:
    return "/reversals", shop.posting(posting_id=shop.accrue(card, 100).json["posting_id"])


def another(shop: Any, prepare: Callable[[Any, Any], Prepared], card: Any) -> tuple[Any, Database]:
    """The same shop with an application of its own, which has no connection yet.

    It knows nothing but its statements, for it has posted before: to put them together anew took
    each of its children most of their time.
    """
    config = shop.context.config
    database = Database(config.database_url)
    context = Context(config, database, KeyRing.open(config), shop.context.clock)
    app = create_app(context)
    other = replace(shop, client=app.test_client())
    assert other.ask("POST", *prepare(shop, card)).status_code == 201
    database.dispose()
    open_on(app, replace(context, keys=KeyRing.open(config)))
    return other, database


def in_a_process_of_its_own(
    shop: Any, database: Database, path: str, body: dict[str, Any], step: int
) -> bool:
    """Send the posting to a process that kills itself before *step*; whether it was killed."""
    for _ in range(3):
        child = os.fork()
        if not child:
            _post_and_die(shop, database, path, body, step)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            assert os.WEXITSTATUS(status) == 0
            return False
        if os.WTERMSIG(status) == signal.SIGKILL:
            return True
        # It was forked while another thread held a lock, and its alarm ended it: nothing was sent.
    raise AssertionError("no process could be forked that works")


def _post_and_die(
    shop: Any, database: Database, path: str, body: dict[str, Any], step: int
) -> None:
    signal.alarm(10)
    try:
        left = [step]

        def count(*_: object) -> None:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(database.engine, "before_cursor_execute", count)
        event.listen(database.engine, "commit", count)
        answer = shop.ask("POST", path, body)
        os._exit(0 if answer.status_code == 201 else 1)
    finally:
        os._exit(2)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("prepare", [accrual, hold, capture, reversal])
def test_a_posting_killed_between_any_two_steps_is_there_once_when_sent_again(
    shop: Any, prepare: Callable[[Any, Any], Prepared]
) -> None:
    card = shop.issue()
    shop.accrue(card, 100_000)
    steps = 0
    other, database = another(shop, prepare, card)
    for step in range(1, MOST_STEPS):
        # A day for each, so that what a static code may redeem in one is never used up.
        shop.context.clock.advance(DAY)
        shop.session = shop.sign_in()
        path, body = prepare(shop, card)
        other.session = shop.session
        killed = in_a_process_of_its_own(other, database, path, body, step)
        again = shop.ask("POST", path, body)
        assert again.status_code == 201, again.json
        assert shop.ask("POST", path, body).json == again.json
        with shop.context.database.read_all() as session:
            count = select(func.count()).where(Posting.id == body["id"])
            assert session.scalar(count) == 1
        if not killed:
            break
        assert "Idempotent-Replay" not in again.headers
        steps += 1
    with shop.context.database.read_all() as session:
        assert list(check(session)) == []  # whatever one of them had left would still be there
    assert steps > 8, "the posting was not killed anywhere"
    assert killed is False
