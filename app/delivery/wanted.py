"""What is behind: taken up, leased, and noted when it was brought up to date.

A change raises the version of an account or a card, within its own transaction, and that is all.
`take_up` finds such accounts and cards (partial indexes hold just these) and puts their wallets
on the list: wanted_version, next_attempt_at. From there each wallet goes its own way: `claim`
leases what is due, the sender sends outside any transaction, `settle` notes what became of it. A
worker that is killed between any two of these leaves the change where the next one finds it: at
the account, on the list, or on the list with a lease that ends.

Accounts and cards that somebody has locked are passed over, since they are about to change again;
wallets are locked in the order of their ids. So no two workers ever wait for each other in a ring.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    bindparam,
    case,
    delete,
    func,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from app.cards.models import Card
from app.db import EVERYWHERE, Prepared
from app.delivery.models import AppleRegistration, GooglePass
from app.delivery.rules import wait_after_refusal, wait_after_unknown, wait_before_retry
from app.delivery.sending import Errand, Outcome, Result, Wallet
from app.ledger.models import Account

#: A worker has this long to send what it leased; a sender gives up well before.
LEASE = timedelta(seconds=60)
WALLETS: tuple[Wallet, ...] = (AppleRegistration, GooglePass)
_LONGEST_ERROR = 300

_cards = cast(Table, Card.__table__)
_accounts = cast(Table, Account.__table__)
#: The version of a wallet: whatever changes raises one of the two, and neither ever falls. A card
#: that is moved to another account has to rise by at least what the sum would fall.
VERSION: ColumnElement[int] = _cards.c.version + _accounts.c.version


def table_of(wallet: Wallet) -> Table:
    """The table of one kind of wallet."""
    return cast(Table, wallet.__table__)


def _is_behind(table: Table) -> ColumnElement[bool]:
    return table.c.wanted_version > table.c.delivered_version


def _with_version(table: Table, *columns: Any) -> Select[Any]:
    """The columns of wallets, with the present version of each; one statement, so one snapshot."""
    joined = table.join(_cards, _cards.c.id == table.c.card_id).join(
        _accounts, _accounts.c.id == _cards.c.account_id
    )
    return select(*columns, VERSION.label("version")).select_from(joined)


def present_version(session: Session, card_id: str, *, locked: bool = False) -> int | None:
    """The version of a card's passes now; None for an unknown card.

    *locked*: nothing changes it until the transaction ends, and nobody else adds a wallet. One that
    is added without this could be missed: the change taken up before it is there, and after it has
    read the version.
    """
    found = (
        select(VERSION)
        .select_from(_cards.join(_accounts, _accounts.c.id == _cards.c.account_id))
        .where(_cards.c.id == card_id)
    )
    version: int | None = session.connection().scalar(
        found.with_for_update(key_share=True) if locked else found
    )
    return version


def is_anything_changed(session: Session) -> bool:
    """Whether there is something to take up. Reads the first row of two partial indexes."""
    return bool(_any_changed(session, {}, programme_id=EVERYWHERE).scalar_one())


def is_anything_due(session: Session, wallet: Wallet, now: datetime) -> bool:
    """Whether a wallet of that kind is to be brought up to date. Reads one row of an index."""
    due = _statements(wallet).any_due
    return bool(due(session, {"now": now}, programme_id=EVERYWHERE).scalar_one())


def _is_any(*found: Select[Any]) -> Prepared:
    # Not EXISTS: PostgreSQL takes every third row to be behind, expects to meet one at once, and
    # reads the whole table where there is none. In the index's order it reads the index.
    first = [each.limit(1).scalar_subquery().is_not(None) for each in found]
    return Prepared(select(or_(*first).label("is_any")))


_ids: Any = bindparam("ids", expanding=True)
_now: Any = bindparam("now")
_any_changed = _is_any(
    *(
        select(table.c.id).where(table.c.version > table.c.delivered_version).order_by(table.c.id)
        for table in (_accounts, _cards)
    )
)
_changed = {
    table: Prepared(
        select(table.c.id)
        .where(table.c.version > table.c.delivered_version)
        .order_by(table.c.id)
        .limit(bindparam("limit"))
        .with_for_update(skip_locked=True, key_share=True)
    )
    for table in (_accounts, _cards)
}
#: They are locked: their versions are what they were when their wallets were looked up.
_taken_up = {
    table: Prepared(
        update(table).where(table.c.id.in_(_ids)).values(delivered_version=table.c.version)
    )
    for table in (_accounts, _cards)
}


class _Statements:
    """What is asked and noted of one kind of wallet at each look."""

    def __init__(self, table: Table) -> None:
        self.any_due = _is_any(
            select(table.c.id)
            .where(_is_behind(table), table.c.next_attempt_at <= _now)
            .order_by(table.c.next_attempt_at)
        )
        found = _with_version(table, table.c.id)
        self.of_accounts = Prepared(found.where(_cards.c.account_id.in_(_ids)))
        self.of_cards = Prepared(found.where(_cards.c.id.in_(_ids)))


@cache
def _statements(wallet: Wallet) -> _Statements:
    return _Statements(table_of(wallet))


class TakenUp(NamedTuple):
    """How many accounts and cards had *changed*, and how many *wallets* they have."""

    changed: int
    wallets: int


def take_up(session: Session, *, now: datetime, limit: int) -> TakenUp:
    """Put the wallets of changed accounts and cards on the list."""
    changed = {
        table: [row.id for row in find(session, {"limit": limit}, programme_id=EVERYWHERE)]
        for table, find in _changed.items()
    }
    count = wallets = 0
    for wallet in WALLETS:
        statements = _statements(wallet)
        wanted: dict[int, int] = {}
        for find, table in ((statements.of_accounts, _accounts), (statements.of_cards, _cards)):
            if changed[table]:
                rows = find(session, {"ids": changed[table]}, programme_id=EVERYWHERE)
                wanted |= {row.id: row.version for row in rows}
        _want(session, table_of(wallet), wanted, now)
        wallets += len(wanted)
    for table, ids in changed.items():
        if ids:
            _taken_up[table](session, {"ids": ids}, programme_id=EVERYWHERE)
        count += len(ids)
    return TakenUp(count, wallets)


def _want(session: Session, table: Table, wanted: dict[int, int], now: datetime) -> None:
    if not wanted:
        return
    _lock(session, table, wanted)
    # A lease or a back-off stays as it is: whoever has it sees afterwards that more is wanted.
    _execute_many(
        session,
        update(table)
        .where(table.c.id == bindparam("row"), table.c.wanted_version < bindparam("wanted"))
        .values(
            wanted_version=bindparam("wanted"),
            next_attempt_at=func.coalesce(table.c.next_attempt_at, now),
            behind_since=func.coalesce(table.c.behind_since, now),
        ),
        [{"row": row, "wanted": version} for row, version in wanted.items()],
    )


def claim(session: Session, wallet: Wallet, *, now: datetime, limit: int) -> list[Errand]:
    """Lease up to *limit* wallets that are behind and due, the longest due first."""
    table = table_of(wallet)
    address = table.c.push_token if wallet is AppleRegistration else table.c.object_id
    rows = (
        session.connection()
        .execute(
            _with_version(table, table.c.id, table.c.card_id, address, table.c.attempts)
            .where(_is_behind(table), table.c.next_attempt_at <= now)
            .order_by(table.c.next_attempt_at)
            .limit(limit)
            .with_for_update(of=table, skip_locked=True)
        )
        .all()
    )
    if rows:
        session.connection().execute(
            update(table)
            .where(table.c.id.in_([row.id for row in rows]))
            .values(next_attempt_at=now + LEASE)
        )
    return [Errand(row[0], row[1], row[2], row.version, row[3]) for row in rows]


def settle(
    session: Session,
    wallet: Wallet,
    done: Sequence[tuple[Errand, Result]],
    *,
    leased_at: datetime,
    now: datetime,
    jitter: Iterable[float],
) -> None:
    """Note what became of errands that were claimed at *leased_at*.

    A wallet that registered anew meanwhile has another address and is left alone, and so is a
    failure of one whose lease somebody else has by now.
    """
    table = table_of(wallet)
    _lock(session, table, [errand.wallet_id for errand, _ in done])
    address = table.c.push_token if wallet is AppleRegistration else table.c.object_id
    mine = (table.c.id == bindparam("row"), address == bindparam("address"))
    told, gone, failed = [], [], []
    for (errand, result), spread in zip(done, jitter, strict=False):
        row: dict[str, Any] = {"row": errand.wallet_id, "address": errand.address}
        match result.outcome:
            case Outcome.DELIVERED:
                told.append(row | {"version": max(errand.version, result.version or 0)})
            case Outcome.GONE:
                gone.append(row)
            case _:
                failed.append(row | _failure(errand, result, now, spread))
    _execute_many(session, update(table).where(*mine).values(_told(table, now)), told)
    _execute_many(session, delete(table).where(*mine), gone)
    _execute_many(
        session,
        update(table)
        .where(*mine, table.c.next_attempt_at == leased_at + LEASE)
        .values(
            attempts=bindparam("tries"),
            last_error=bindparam("error"),
            next_attempt_at=bindparam("again_at", type_=table.c.next_attempt_at.type),
        ),
        failed,
    )


def _told(table: Table, now: datetime) -> dict[str, Any]:
    version = bindparam("version", type_=table.c.delivered_version.type)
    return {
        "delivered_version": case(
            (table.c.delivered_version < version, version), else_=table.c.delivered_version
        ),
        "delivered_at": now,
        "attempts": 0,
        "last_error": None,
        # More may have been wanted while this was on its way.
        "next_attempt_at": case((table.c.wanted_version > version, now), else_=null()),
        "behind_since": case((table.c.wanted_version > version, now), else_=null()),
    }


def _failure(errand: Errand, result: Result, now: datetime, jitter: float) -> dict[str, Any]:
    tries = errand.attempts + 1
    if result.outcome == Outcome.UNSENT:
        # Not this wallet's fault: it is due as before, the worker itself waits.
        tries, wait = errand.attempts, timedelta(0)
    elif result.outcome == Outcome.REFUSED:
        wait = wait_after_refusal(jitter=jitter)
    elif result.outcome == Outcome.UNKNOWN:
        wait = wait_after_unknown(tries, jitter=jitter)
    else:
        wait = wait_before_retry(
            tries, jitter=jitter, retry_after_seconds=result.retry_after_seconds
        )
    return {"tries": tries, "error": result.reason[:_LONGEST_ERROR], "again_at": now + wait}


def _lock(session: Session, table: Table, ids: Iterable[int]) -> None:
    """Lock wallets in the order of their ids: two workers then never wait for each other."""
    session.connection().execute(
        select(table.c.id).where(table.c.id.in_(list(ids))).order_by(table.c.id).with_for_update()
    )


def _execute_many(session: Session, statement: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        session.connection().execute(statement, rows)
