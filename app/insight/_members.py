"""Who joined and who left, by day: counted, for accounts have no numbers that only rise.

An import brings members who joined years ago, and nothing says so but their number. So the newest
days are counted again and again, which is little, and all of them when there are more accounts, or
more of them gone, than were counted.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session, aliased

from app.cards.models import Card
from app.insight import _writing
from app.insight.models import InsightMark, InsightMembers
from app.insight.rules import NOWHERE
from app.ledger.models import Account, AccountMerge
from app.ledger.rules import local_day, start_of_day
from app.programmes.models import Location, Programme
from passes.card import CardStatus
from passes.code import Kind

#: How often all are compared with what was counted, and how often the newest days are counted.
COMPARED_EVERY = timedelta(minutes=10)
COUNTED_EVERY = timedelta(minutes=1)
#: So many of the newest days.
_NEWEST_DAYS = 2
#: Cards that somebody has; the others are coupons, and tests of how a card looks.
_CARDS = (int(Kind.MEMBER), int(Kind.PRINTED))
#: Rows of a stream that are held at a time.
_PAGE = 5_000


def count(session: Session, mark: InsightMark, programmes: list[Programme], now: datetime) -> int:
    """Bring the members' rows up to date; 1 if all were counted anew, else 0."""
    compared = datetime.fromisoformat(mark.told) if mark.told else None
    if compared is None or now - compared >= COMPARED_EVERY:
        mark.told = now.isoformat()
        differing = [
            each
            for each in programmes
            if _counted(session, each.id) != _there_are(session, each.id)
        ]
        for programme in differing:
            _recount(session, programme, None)
        if differing:
            mark.current_at = now
            return 1
    if mark.current_at is None or now - mark.current_at >= COUNTED_EVERY:
        mark.current_at = now
        for programme in programmes:
            today = local_day(now, programme.time_zone)
            _recount(session, programme, today - timedelta(days=_NEWEST_DAYS - 1))
    return 0


def _there_are(session: Session, programme_id: str) -> tuple[int, int]:
    accounts = select(func.count()).select_from(Account)
    joined = session.scalar(accounts.where(Account.programme_id == programme_id))
    gone = session.scalar(select(func.count()).select_from(departures(programme_id).subquery()))
    return joined or 0, gone or 0


def _counted(session: Session, programme_id: str) -> tuple[int, int]:
    row = session.execute(
        select(func.sum(InsightMembers.joined), func.sum(InsightMembers.departed)).where(
            InsightMembers.programme_id == programme_id
        )
    ).one()
    return int(row[0] or 0), int(row[1] or 0)


def departures(programme_id: str) -> Select[Any]:
    """Accounts that are nobody's any more, and since when: merged into another, or erased.

    An account is erased when each of its cards is, but for those that another card replaced.
    """
    merged = select(
        AccountMerge.from_account_id.label("account_id"),
        func.max(AccountMerge.merged_at).label("gone_at"),
    ).where(AccountMerge.programme_id == programme_id, AccountMerge.undone_at.is_(None))
    other = aliased(Card)
    alive = (
        select(other.id)
        .where(
            other.account_id == Card.account_id,
            other.kind.in_(_CARDS),
            other.status.not_in([CardStatus.ERASED, CardStatus.REPLACED]),
        )
        .exists()
    )
    erased = (
        select(
            Card.account_id.label("account_id"), func.max(Card.status_changed_at).label("gone_at")
        )
        .join(Account, Account.id == Card.account_id)
        .where(
            Card.programme_id == programme_id,
            # As the index of refused cards has it.
            Card.status != CardStatus.ACTIVE,
            Card.status == CardStatus.ERASED,
            Card.kind.in_(_CARDS),
            Account.merged_into_id.is_(None),
            ~alive,
        )
        .group_by(Card.account_id)
    )
    return merged.group_by(AccountMerge.from_account_id).union_all(erased)  # type: ignore[return-value]


def _recount(session: Session, programme: Programme, first: date | None) -> None:
    """Count the days from *first* on anew, or all of them."""
    found: dict[tuple[date, str], list[int]] = {}
    places = session.execute(
        select(Location.slug, Location.id).where(Location.programme_id == programme.id)
    )
    locations = {place.slug: place.id for place in places}

    def note(moment: datetime, source: str | None, place: int) -> None:
        key = local_day(moment, programme.time_zone), locations.get(source or "", NOWHERE)
        found.setdefault(key, [0, 0])[place] += 1

    since = None if first is None else start_of_day(first, programme.time_zone)
    for created_at, source in _joined(session, programme.id, since):
        note(created_at, source, 0)
    gone = departures(programme.id).subquery()
    statement = select(gone.c.gone_at, _source_of(gone.c.account_id))
    if since is not None:
        statement = statement.where(gone.c.gone_at >= since)
    for gone_at, source in session.execute(statement.execution_options(yield_per=_PAGE)):
        note(gone_at, source, 1)
    mine = InsightMembers.programme_id == programme.id
    if first is not None:
        mine &= InsightMembers.day >= first
    known = {
        (row.day, row.location_id): [row.joined, row.departed]
        for row in session.execute(
            select(
                InsightMembers.day,
                InsightMembers.location_id,
                InsightMembers.joined,
                InsightMembers.departed,
            ).where(mine)
        )
    }
    if known == found:
        return
    session.execute(delete(InsightMembers).where(mine))
    rows = (
        {
            "programme_id": programme.id,
            "day": day,
            "location_id": location_id,
            "joined": joined,
            "departed": departed,
        }
        for (day, location_id), (joined, departed) in found.items()
    )
    _writing.add(session, InsightMembers, rows)


def _joined(
    session: Session, programme_id: str, since: datetime | None
) -> Iterator[tuple[datetime, str | None]]:
    statement = select(Account.created_at, _source_of(Account.id).label("source")).where(
        Account.programme_id == programme_id
    )
    if since is not None:
        statement = statement.where(Account.created_at >= since)
    rows = session.execute(statement.execution_options(yield_per=_PAGE))
    yield from ((row.created_at, row.source) for row in rows)


def _source_of(account_id: Any) -> Any:
    """What brought an account: the source of its first card."""
    card = aliased(Card)
    return (
        select(card.source)
        .where(card.account_id == account_id, card.kind.in_(_CARDS))
        .order_by(card.issued_at, card.id)
        .limit(1)
        .scalar_subquery()
    )
