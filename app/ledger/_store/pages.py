"""Loads the pages of accounts: the lots, holds and days that a posting has to know."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import Session

from app.db import Prepared, Question, programme_of
from app.ledger import tiers
from app.ledger._book import AccountState, Book, HoldState
from app.ledger._store._statements import table_of
from app.ledger._store.accounts import locks_asked
from app.ledger.models import Account, EarningDay, Entry, Hold, HoldLot, HoldStatus, Lot
from app.ledger.postings import Terms
from app.ledger.rules import LotState
from app.ledger.tiers import Count

_accounts, _lots, _holds, _hold_lots = (table_of(model) for model in (Account, Lot, Hold, HoldLot))
_entries, _days = table_of(Entry), table_of(EarningDay)
_ids: Any = bindparam("ids", expanding=True)
_LOT = tuple(
    _lots.c[name]
    for name in (
        "account_id",
        "id",
        "entry_id",
        "sequence",
        "points",
        "remaining",
        "held",
        "pending",
        "available_from",
        "expires_at",
        "issuing_partner_id",
        "rolling",
        "counts_on",
    )
)
_OPEN = (
    select(*_LOT)
    .where(_lots.c.account_id.in_(_ids), _lots.c.remaining > 0)
    .order_by(_lots.c.account_id, _lots.c.sequence)
)
_open_lots = Prepared(_OPEN)
_stirring_lots = Prepared(
    _OPEN.where(or_(_lots.c.pending, _lots.c.expires_at <= bindparam("now"), _lots.c.held > 0))
)
_further_lots = Prepared(
    select(*_LOT)
    .where(or_(_lots.c.id.in_(_ids), _lots.c.entry_id.in_(bindparam("entries", expanding=True))))
    .order_by(_lots.c.sequence)
)
_open_holds = Prepared(
    select(
        _holds.c.account_id,
        _holds.c.id,
        _holds.c.points,
        _holds.c.expires_at,
        _hold_lots.c.lot_id,
        _hold_lots.c.points.label("reserved"),
    )
    .select_from(_holds.join(_hold_lots, _hold_lots.c.hold_id == _holds.c.id))
    .where(_holds.c.account_id.in_(_ids), _holds.c.status == HoldStatus.OPEN)
    .order_by(_holds.c.expires_at, _holds.c.id)
)
_recent_days = Prepared(
    select(_days.c.account_id, _days.c.day, _days.c.points, _days.c.spend_minor).where(
        _days.c.account_id.in_(_ids), _days.c.day >= bindparam("earliest")
    )
)
#: Whose an entry is now: its account's, or the one's that this was merged into.
_owner = func.coalesce(_accounts.c.merged_into_id, _accounts.c.id)
_bonuses_had = Prepared(
    select(_owner, _entries.c.once_key)
    .select_from(_accounts.join(_entries, _entries.c.account_id == _accounts.c.id))
    .where(
        or_(_accounts.c.id.in_(_ids), _accounts.c.merged_into_id.in_(_ids)),
        _entries.c.once_key.in_(bindparam("keys", expanding=True)),
    )
    .group_by(_owner, _entries.c.once_key)
    .having(func.sum(_entries.c.points) > 0)
)


def load(
    session: Session,
    accounts: Iterable[AccountState],
    now: Any,
    *,
    whole: bool,
    terms: Terms,
    once_keys: Collection[str] = (),
) -> dict[str, Book]:
    """The pages of *accounts*, as they were last written, by account.

    Not *whole* leaves out lots to which nothing can happen: available, not due, not held. That is
    enough for a credit, unless there is debt that such a lot might repay.
    """
    books = {
        account.id: Book(account=account, lots={}, holds={}, now=now, terms=terms)
        for account in accounts
    }
    if not books:
        return {}
    ids = list(books)
    if whole or any(_wants_all(book.account, now) for book in books.values()):
        lots = _open_lots(session, {"ids": ids})
    else:
        lots = _stirring_lots(session, {"ids": ids, "now": now})
    for account_id, *rest in lots:
        _put(books[account_id], rest)
    holding = [account_id for account_id, book in books.items() if book.account.held]
    if holding:
        _load_holds(session, books, holding)
    if terms.tiers is not None:
        _load_days(session, books, now, as_lately=not whole)
    if once_keys:
        for account_id, key in _bonuses_had(session, {"ids": ids, "keys": sorted(once_keys)}):
            if account_id in books:
                books[account_id].once_keys |= {key}
    return books


#: From which day on days were loaded lately, by programme and day: the accounts of a shop have
#: their reviews at the same few moments.
_earliest: dict[tuple[str, date], date] = {}
_MOST_EARLIEST = 1024


def pages_asked(
    programme_id: str, account_ids: Collection[str], now: datetime, terms: Terms
) -> Iterator[Question]:
    """What `lock` and then `load` most likely ask, for `app.db.asked_ahead`."""
    ids = sorted(account_ids)
    yield locks_asked(programme_id, ids)
    yield Question(_stirring_lots, {"ids": ids, "now": now}, programme_id)
    earliest = _earliest.get((programme_id, now.date()))
    if terms.tiers is not None and earliest is not None:
        yield Question(_recent_days, {"ids": ids, "earliest": earliest}, programme_id)


def _wants_all(account: AccountState, now: Any) -> bool:
    rolling = account.rolling_expires_at
    return account.debt > 0 or (rolling is not None and rolling <= now)


def _put(book: Book, row: Sequence[Any]) -> None:
    lot = LotState(*row)
    if lot.rolling:
        lot.expires_at = book.account.rolling_expires_at
    book.lots.setdefault(lot.id, lot)


def _load_holds(session: Session, books: dict[str, Book], account_ids: list[str]) -> None:
    for account_id, hold_id, points, expires_at, lot_id, reserved in _open_holds(
        session, {"ids": account_ids}
    ):
        holds = books[account_id].holds
        hold = holds.setdefault(hold_id, HoldState(hold_id, points, expires_at))
        hold.lots[lot_id] = reserved


def _load_days(session: Session, books: dict[str, Book], now: Any, *, as_lately: bool) -> None:
    terms = next(iter(books.values())).terms
    accounts = [book.account for book in books.values()]
    for account_id, day, count in _counts(session, accounts, now, terms, as_lately=as_lately):
        books[account_id].days[day] = count


def days_of(
    session: Session, accounts: Iterable[AccountState], now: Any, terms: Terms
) -> dict[str, dict[date, Count]]:
    """What the local days of *accounts* count, as far as their tiers may need it, by account."""
    accounts = list(accounts)
    days: dict[str, dict[date, Count]] = {account.id: {} for account in accounts}
    for account_id, day, count in _counts(session, accounts, now, terms):
        days[account_id][day] = count
    return days


def _counts(
    session: Session,
    accounts: Sequence[AccountState],
    now: Any,
    terms: Terms,
    *,
    as_lately: bool = False,
) -> Iterator[tuple[str, date, Count]]:
    scheme, zone = terms.tiers, terms.time_zone
    if scheme is None or not accounts:
        return
    earliest = min(tiers.earliest_day(scheme, each.tier, now, zone) for each in accounts)
    if as_lately:
        # More days than are needed do no harm, and those of the last time may have been fetched.
        key = (programme_of(session), now.date())
        if key not in _earliest or earliest < _earliest[key]:
            if len(_earliest) >= _MOST_EARLIEST:
                _earliest.clear()
            _earliest[key] = earliest
        earliest = _earliest[key]
    ids = [account.id for account in accounts]
    for account_id, day, points, spend_minor in _recent_days(
        session, {"ids": ids, "earliest": earliest}
    ):
        yield account_id, day, Count(points, spend_minor)


def load_lots(
    session: Session, book: Book, *, ids: Collection[str] = (), entry_ids: Collection[str] = ()
) -> None:
    """Add further lots to a page, empty ones too: by id, or by the entries that made them.

    Those of an account that was merged into this one are put `elsewhere`: their points moved on.
    """
    for account_id, *rest in _further_lots(
        session, {"ids": sorted(ids), "entries": sorted(entry_ids)}
    ):
        _put(book, rest)
        lot = book.lots[rest[0]]
        if account_id != book.account.id:
            lot.remaining, lot.held, lot.pending = 0, 0, False
            book.elsewhere.add(lot.id)
