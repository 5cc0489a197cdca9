"""What is read of the ledger and the coupons, many accounts at a time."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from app.benefits.models import Coupon
from app.db import EVERYWHERE, Prepared
from app.insight.rules import NOWHERE, Part, Visit, in_own_money, is_kept
from app.ledger.models import Account, AccountMerge, Entry, EntryKind, Receipt
from app.programmes.wording import currency_exponent

#: Who was asked to come, and when: of these accounts, from a moment on.
Nudges: TypeAlias = Callable[[Session, Sequence[str], datetime], Iterable[tuple[str, datetime]]]

_entries: Any = Entry.__table__
_accounts: Any = Account.__table__
_merges: Any = AccountMerge.__table__
_receipts: Any = Receipt.__table__
_coupons: Any = Coupon.__table__
_ids: Any = bindparam("ids", expanding=True)
_other = _entries.alias("other")

#: An amount stands in entries about receipts alone: the sale, and what came back of its money.
_PARTS = select(
    _entries.c.receipt_id,
    _entries.c.sequence,
    _entries.c.kind,
    _entries.c.amount_minor,
    _entries.c.whole_reversal,
    _entries.c.programme_id,
    _entries.c.account_id,
    _entries.c.day,
    _entries.c.occurred_at,
    _entries.c.location_id,
    _entries.c.currency,
).where(
    _entries.c.sequence <= bindparam("until"),
    _entries.c.amount_minor.is_not(None),
    _entries.c.receipt_id.is_not(None),
)
_of_accounts = Prepared(_PARTS.where(_entries.c.account_id.in_(_ids)))
_of_receipts = Prepared(_PARTS.where(_entries.c.receipt_id.in_(_ids)))
_once_merged = Prepared(
    select(_merges.c.from_account_id).where(_merges.c.from_account_id.in_(_ids))
)
_stirred = Prepared(
    select(_other.c.account_id)
    .select_from(_entries.join(_other, _other.c.receipt_id == _entries.c.receipt_id))
    .where(
        _entries.c.sequence > bindparam("after"),
        _entries.c.sequence <= bindparam("until"),
        _entries.c.amount_minor.is_not(None),
        _entries.c.receipt_id.is_not(None),
        _other.c.kind == EntryKind.ACCRUAL,
    )
    .distinct()
)
_page = Prepared(
    select(_accounts.c.id)
    .where(_accounts.c.id > bindparam("after"))
    .order_by(_accounts.c.id)
    .limit(bindparam("limit"))
)
_rates = Prepared(select(_receipts.c.id, _receipts.c.exchange_rate).where(_receipts.c.id.in_(_ids)))
_coupons_of = Prepared(
    select(_coupons.c.account_id, _coupons.c.issued_at).where(
        _coupons.c.account_id.in_(_ids), _coupons.c.issued_at >= bindparam("since")
    )
)


def stirred(session: Session, after: int, until: int) -> list[str]:
    """The accounts of whose receipts these entries say something."""
    rows = _stirred(session, {"after": after, "until": until}, programme_id=EVERYWHERE)
    return [row[0] for row in rows]


def next_accounts(session: Session, after: str, limit: int) -> list[str]:
    """The ids of the next accounts, of whatever programme."""
    rows = _page(session, {"after": after, "limit": limit}, programme_id=EVERYWHERE)
    return [row[0] for row in rows]


class Receipts:
    """What accounts bought: receipts with all that was ever said of their money, up to a number."""

    def __init__(
        self, session: Session, account_ids: Sequence[str], until: int, currencies: dict[str, str]
    ) -> None:
        self._currencies = currencies
        self._parts: dict[str, list[Part]] = defaultdict(list)
        #: The sale of each receipt.
        self._sales: dict[str, Any] = {}
        self.of_account: dict[str, list[str]] = {each: [] for each in account_ids}
        self.programme_of: dict[str, str] = {}
        self._read(_of_accounts(session, {"ids": list(account_ids), "until": until},
                                programme_id=EVERYWHERE))  # fmt: skip
        self._read_elsewhere(session, account_ids, until)
        self._rates = self._foreign(session)

    def _read(self, rows: Iterable[Any]) -> None:
        for row in rows:
            is_sale = row[2] == EntryKind.ACCRUAL
            self._parts[row[0]].append(Part(row[1], is_sale, row[3], bool(row[4])))
            if is_sale and row[6] in self.of_account:
                self._sales[row[0]] = row
                self.of_account[row[6]].append(row[0])
                self.programme_of[row[6]] = row[5]

    def _read_elsewhere(self, session: Session, account_ids: Sequence[str], until: int) -> None:
        """What was brought back after a merge stands in the entries of the other account."""
        rows = _once_merged(session, {"ids": list(account_ids)}, programme_id=EVERYWHERE)
        merged = {row[0] for row in rows}
        receipts = [each for account_id in merged for each in self.of_account[account_id]]
        if not receipts:
            return
        for receipt_id in receipts:
            del self._parts[receipt_id]
        for account_id in merged:
            self.of_account[account_id] = []
        self._read(
            _of_receipts(session, {"ids": receipts, "until": until}, programme_id=EVERYWHERE)
        )

    def _foreign(self, session: Session) -> dict[str, str | None]:
        foreign = [
            receipt_id
            for receipt_id, sale in self._sales.items()
            if sale[10] != self._currencies[sale[5]]
        ]
        if not foreign:
            return {}
        rows = _rates(session, {"ids": foreign}, programme_id=EVERYWHERE)
        return {row[0]: row[1] for row in rows}

    def visits(self, account_id: str, until: int) -> list[Visit]:
        """The receipts of which something was kept, as the entries up to *until* have it."""
        found = []
        for receipt_id in self.of_account[account_id]:
            parts = [part for part in self._parts[receipt_id] if part.sequence <= until]
            if not is_kept(parts):
                continue
            sale = self._sales[receipt_id]
            minor = sum(part.amount_minor for part in parts)
            found.append(
                Visit(
                    sale[7], sale[8], sale[9] or NOWHERE, self._own_money(receipt_id, sale, minor)
                )
            )
        return found

    def _own_money(self, receipt_id: str, sale: Any, minor: int) -> int:
        own = self._currencies[sale[5]]
        if sale[10] == own:
            return minor
        rate = self._rates.get(receipt_id)
        return in_own_money(minor, rate, currency_exponent(sale[10]), currency_exponent(own))


def coupon_nudges(
    session: Session, account_ids: Sequence[str], since: datetime
) -> Iterator[tuple[str, datetime]]:
    """Coupons: whoever has been given one has been asked to come."""
    values = {"ids": list(account_ids), "since": since}
    yield from _coupons_of(session, values, programme_id=EVERYWHERE)


def moved_points(session: Session, after: int, until: int) -> Iterator[tuple[Any, ...]]:
    """Programme, day, location, kind and sum of the points that these entries moved.

    A reversal counts as what it goes back to, at the location of that.
    """
    within = (Entry.sequence > after, Entry.sequence <= until, Entry.points != 0)
    grouped = (Entry.programme_id, Entry.day, Entry.location_id, Entry.kind)
    for *keys, points in session.execute(
        select(*grouped, func.sum(Entry.points))
        .where(*within, Entry.kind != EntryKind.REVERSAL)
        .group_by(*grouped)
    ):
        yield *keys, int(points)
    reversals = session.execute(
        select(Entry.programme_id, Entry.day, Entry.reverses_id, Entry.points).where(
            *within, Entry.kind == EntryKind.REVERSAL
        )
    ).all()
    roots = _roots(session, {str(row.reverses_id) for row in reversals})
    for programme_id, day, reverses_id, points in reversals:
        kind, location_id = roots[str(reverses_id)]
        yield programme_id, day, location_id, kind, points


def _roots(session: Session, ids: Collection[str]) -> dict[str, tuple[str, str | None]]:
    """Of each entry, kind and location of what it goes back to through all that it reverses."""
    found: dict[str, tuple[str, str | None]] = {}
    later: dict[str, str] = {}
    wanted = set(ids)
    while wanted:
        above = set()
        for row in _named(session, {"ids": sorted(wanted)}, programme_id=EVERYWHERE):
            if row[1] == EntryKind.REVERSAL:
                later[row[0]] = row[3]
                above.add(row[3])
            else:
                found[row[0]] = (row[1], row[2])
        wanted = above - found.keys() - later.keys()
    for each in later:
        root = each
        while root in later:
            root = later[root]
        found[each] = found[root]
    return found


_named = Prepared(
    select(_entries.c.id, _entries.c.kind, _entries.c.location_id, _entries.c.reverses_id).where(
        _entries.c.id.in_(_ids)
    )
)
