"""Gives presents on birthdays and on the days of joining: a bounded step of the background work.

Each present is a posting whose id follows from programme, account, occasion and year: so it is
given once, however often the step runs, wherever it was interrupted. A service that was away for
some days makes up for them.
"""

import uuid
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.cards.models import Card
from app.db import enter
from app.keys import KeyRing
from app.ledger import rules as ledger_rules
from app.ledger import service as ledger
from app.ledger.models import Account
from app.ledger.postings import Adjust, Circumstances, Given, Operation, Present, Request
from app.ledger.rules import local_day, start_of_day
from app.members import service as members
from app.programmes import giving
from app.programmes.mechanics.occasions import BIRTHDAY, Occasion, days_of
from app.programmes.models import OccasionDay, Programme
from app.programmes.terms import Rulebook, rulebook_of
from passes.card import CardStatus

#: So many days are made up for.
CATCH_UP_DAYS = 7
_SPACE = uuid.UUID("5a0a0f0e-6b8f-4f0e-9c53-3c6d0e9f6f11")
_OPERATION = "occasion"
_FIRST = "00000000-0000-0000-0000-000000000000"


def give(session: Session, now: datetime, limit: int, keys: KeyRing) -> int:
    """Give up to *limit* accounts what is due to them today; how many were looked at.

    The session is open for all programmes, and writes.
    """
    for programme_id in session.scalars(select(Programme.id).order_by(Programme.id)).all():
        enter(session, programme_id)
        book = rulebook_of(session, programme_id, now)
        for occasion in book.at(now).settings.occasions:
            at = _open_day(session, book, occasion, now)
            if at is not None:
                return _give_day(session, book, occasion, at, keys, now=now, limit=limit)
    return 0


def _open_day(
    session: Session, book: Rulebook, occasion: Occasion, now: datetime
) -> OccasionDay | None:
    """The earliest day on which not everybody has been looked at; None: all have."""
    today = local_day(now, book.time_zone)
    newest = session.scalars(
        select(OccasionDay)
        .where(OccasionDay.occasion == occasion.code, OccasionDay.programme_id == book.programme_id)
        .with_for_update()
    ).one_or_none()
    if newest is None:
        # An occasion that is new begins today.
        newest = OccasionDay(
            programme_id=book.programme_id, occasion=occasion.code, day=today, after=_FIRST
        )
        session.add(newest)
        session.flush()
    if newest.day < today - timedelta(days=CATCH_UP_DAYS):
        newest.day, newest.after = today - timedelta(days=CATCH_UP_DAYS), _FIRST
    return newest if newest.day <= today else None


def _give_day(
    session: Session,
    book: Rulebook,
    occasion: Occasion,
    at: OccasionDay,
    keys: KeyRing,
    *,
    now: datetime,
    limit: int,
) -> int:
    celebrated = occasion.celebrated(at.day)
    found = _born_on if occasion.on == BIRTHDAY else _joined_on
    ids = found(session, book, celebrated, at.after, keys, limit)
    wanted = [account_id for account_id, _ in ids if account_id]
    accounts = session.scalars(select(Account).where(Account.id.in_(wanted)))
    for account in sorted(accounts, key=lambda each: each.id):
        if _is_due(account, occasion, celebrated, book.time_zone):
            _post(session, book, account.id, occasion, celebrated, now=now)
    if len(ids) < limit:
        at.day, at.after = at.day + timedelta(days=1), _FIRST
    else:
        at.after = ids[-1][1]
    session.flush()
    # Even where nobody had a birthday something is no longer to be done: the day.
    return len(ids) or 1


def _is_due(account: Account, occasion: Occasion, day: date, time_zone: str) -> bool:
    joined = local_day(account.created_at, time_zone)
    in_month_of_joining = (joined.year, joined.month) == (day.year, day.month)
    is_for = not occasion.tiers or account.tier in occasion.tiers
    return not in_month_of_joining and is_for and account.merged_into_id is None


#: Accounts, each with what the next look begins after.
Found = Sequence[tuple[str, str]]


def _born_on(
    session: Session, book: Rulebook, day: date, after: str, keys: KeyRing, limit: int
) -> Found:
    people = members.members_by_birthday(
        session, keys, book.programme_id, days_of(day), after=after, limit=limit
    )
    rows = session.execute(
        select(Card.member_id, Card.account_id)
        .where(Card.member_id.in_(people), Card.status == CardStatus.ACTIVE)
        .order_by(Card.member_id, Card.issued_at)
    )
    # Who has several cards has one birthday: that of the first account.
    first: dict[str, str] = {}
    for member_id, account_id in rows:
        first.setdefault(str(member_id), account_id)
    # Whoever has no card that works keeps the place, so that the next look goes on after it.
    return [(first.get(member_id, ""), member_id) for member_id in people]


def _joined_on(
    session: Session, book: Rulebook, day: date, after: str, keys: KeyRing, limit: int
) -> Found:
    opened = session.scalar(select(Programme.created_at).where(Programme.id == book.programme_id))
    first_year = min(day.year, opened.year if opened else day.year) - 20
    spans = []
    for year in range(first_year, day.year):
        for text in days_of(day):
            month, number = int(text[:2]), int(text[3:])
            if (month, number) == (2, 29) and not _is_leap(year):
                continue
            begins = date(year, month, number)
            spans.append(
                Account.created_at.between(
                    start_of_day(begins, book.time_zone),
                    start_of_day(begins + timedelta(days=1), book.time_zone)
                    - timedelta(microseconds=1),
                )
            )
    ids = session.scalars(
        select(Account.id)
        .where(Account.programme_id == book.programme_id, Account.id > after, or_(*spans))
        .order_by(Account.id)
        .limit(limit)
    ).all()
    return [(account_id, account_id) for account_id in ids]


def _is_leap(year: int) -> bool:
    return (date(year, 3, 1) - timedelta(days=1)).day == 29


def _post(
    session: Session,
    book: Rulebook,
    account_id: str,
    occasion: Occasion,
    day: date,
    *,
    now: datetime,
) -> None:
    """Give one account what the occasion gives, once a year."""
    name = f"{book.programme_id}/{account_id}/{occasion.code}/{day.year}"
    language = session.scalar(
        select(Card.language).where(Card.account_id == account_id).order_by(Card.issued_at).limit(1)
    )
    said = occasion.name(language or "en")
    operations: dict[str, Operation] = {}
    if occasion.points:
        expires_at = None
        if occasion.lasts_days:
            expires_at = ledger_rules.expiry(
                now, time_zone=book.time_zone, days=occasion.lasts_days
            )
        operations["points"] = Adjust(
            account_id, occasion.points, said, available_from=now, expires_at=expires_at
        )
    if occasion.gives:
        given = tuple(
            Given(kind, what, count, occasion.code) for kind, what, count in occasion.gives
        )
        operations["things"] = Present(account_id, given, said)
    for what, operation in operations.items():
        mark = ledger.fingerprint(book.programme_id, None, _OPERATION, {"name": name, "what": what})
        request = Request(str(uuid.uuid5(_SPACE, f"{name}/{what}")), _OPERATION, mark)
        where = Circumstances(now, language=language or "en")
        giving.post_apart(session, book, request, operation, where, now=now)
