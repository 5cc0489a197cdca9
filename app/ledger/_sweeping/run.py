"""Settling one batch of accounts: who is free, what becomes of them, and all of it written."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from app.clock import whole_second
from app.db import programme_of
from app.ledger import _store, rules, tiers
from app.ledger._sweeping import sql
from app.ledger._sweeping.classes import Classes, has_classes
from app.ledger._sweeping.fates import Fates
from app.ledger.postings import Terms
from app.ledger.tiers import TierScheme


@dataclass(frozen=True, slots=True)
class Done:
    """How many *accounts* changed, how many of their *lots* expired, and *others* to settle."""

    accounts: int
    lots: int
    others: list[str]


def settle_plain(session: Session, account_ids: Sequence[str], now: datetime, terms: Terms) -> Done:
    """Settle those of the accounts that are free and plain; they stay locked.

    The session is one that writes, on PostgreSQL, narrowed to the accounts' programme. Its commit
    does not wait for the disk: what is lost in a crash is due as before, and whoever is answered
    afterwards has waited for everything before him.
    """
    run = _Run(session, now, terms)
    with _planned_each_time(session.connection()):
        locked = run.lock(account_ids)
        if not locked:
            return Done(0, 0, [])
        fates = run.judge(locked)
        accounts, lots = run.write(fates) if fates.ids else (0, 0)
    return Done(accounts, lots, sorted(set(locked).difference(fates.ids)))


@contextmanager
def _planned_each_time(connection: Connection) -> Iterator[None]:
    """Without statements that the server has prepared; keys are checked by prepared plans still,
    as they would not be with `plan_cache_mode`."""
    driver: Any = connection.connection.driver_connection
    usual, driver.prepare_threshold = driver.prepare_threshold, None
    try:
        yield
    finally:
        driver.prepare_threshold = usual


class _Run:
    """One batch of accounts of one programme."""

    def __init__(self, session: Session, now: datetime, terms: Terms) -> None:
        self._session, self._connection = session, session.connection()
        self._now, self._terms = now, terms
        self._values: dict[str, Any] = {"programme": programme_of(session), "now": now}

    def lock(self, account_ids: Sequence[str]) -> list[str]:
        """Those of the accounts that nobody else has locked."""
        self._connection.execute(text(sql.SETTINGS))
        ids = {"ids": ",".join(sorted(account_ids))}
        return list(self._connection.scalars(text(sql.LOCK), self._values | ids))

    def judge(self, account_ids: Sequence[str]) -> Fates:
        """What becomes of those of the accounts that are plain."""
        fates, scheme, left = Fates(), self._terms.tiers, account_ids
        if scheme is not None and has_classes(scheme):
            classes = Classes(scheme, self._terms.time_zone, self._now)
            values = self._values | classes.values | {"ids": ",".join(account_ids)}
            classes.judge(self._connection.execute(text(classes.statement), values), fates)
            judged = set(fates.ids)
            left = [each for each in account_ids if each not in judged]
        if left:
            ids = {"ids": ",".join(left)}
            plain = list(self._connection.scalars(text(sql.PLAIN), self._values | ids))
            if scheme is not None:
                self._judge_each(plain, scheme, fates)
            elif plain:
                fates.add(plain, None, is_moved=False)
        return fates

    def _judge_each(self, account_ids: Sequence[str], scheme: TierScheme, fates: Fates) -> None:
        terms, now = self._terms, self._now
        accounts = _store.peek_many(self._session, account_ids, terms)
        days = _store.days_of(self._session, accounts.values(), now, terms)
        for account_id, account in accounts.items():
            state, was = account.tier, replace(account.tier)
            changes = tiers.assess(scheme, state, days[account_id], now, terms.time_zone)
            told = [(account_id, change) for change in changes]
            fates.add([account_id], state, state != was, told)

    def write(self, fates: Fates) -> tuple[int, int]:
        """Write it; how many accounts changed, and how many lots expired."""
        zone = self._terms.time_zone
        values = self._values | fates.values() | {"second": whole_second(self._now)}
        moments = list(self._connection.scalars(text(sql.MOMENTS), values))
        values["moments"] = moments
        values["days"] = [rules.local_day(each, zone) for each in moments]
        # Ids in the order of time are put at the end of an index, not all over it.
        version = self._connection.dialect.server_version_info or ()
        statement = sql.WRITE.format(
            new_id="uuidv7()" if version >= (18,) else "gen_random_uuid()",
            tier_changes=sql.TIER_CHANGES if fates.changes else "",
            tier=sql.TIER if self._terms.tiers is not None else "",
        )
        changed, expired = self._connection.execute(text(statement), values).one()
        return int(changed), int(expired)
