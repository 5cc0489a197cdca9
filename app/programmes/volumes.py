"""Gives volume bonuses when a period is over: a bounded step of the background work.

As with `occasions` each is a posting whose id follows from account, bonus and period: given once.
"""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.cards.models import Card
from app.db import enter
from app.ledger import service as ledger
from app.ledger.models import Account, EarningDay
from app.ledger.postings import Adjust, Circumstances, Request
from app.ledger.rules import local_day
from app.programmes import giving
from app.programmes.mechanics.volumes import Volume
from app.programmes.models import OccasionDay, Programme
from app.programmes.terms import Rulebook, rulebook_of
from app.programmes.wording import currency_exponent

_SPACE = uuid.UUID("0f4e8f4b-4a49-4a3b-8df8-4c2a0f8a2f10")
_OPERATION = "volume"
_FIRST = "00000000-0000-0000-0000-000000000000"


def give(session: Session, now: datetime, limit: int) -> int:
    """Give up to *limit* accounts what a period that is over is worth; how many were looked at.

    The session is open for all programmes, and writes.
    """
    for programme_id in session.scalars(select(Programme.id).order_by(Programme.id)).all():
        enter(session, programme_id)
        book = rulebook_of(session, programme_id, now)
        for volume in book.at(now).settings.volumes:
            at = _open_period(session, book, volume, now)
            if at is not None:
                return _give_period(session, book, volume, at, now=now, limit=limit)
    return 0


def _open_period(
    session: Session, book: Rulebook, volume: Volume, now: datetime
) -> OccasionDay | None:
    """The earliest period that is over and of which not everybody has been looked at."""
    today = local_day(now, book.time_zone)
    name = f"volume:{volume.code}"[:40]
    found = session.scalars(
        select(OccasionDay)
        .where(OccasionDay.occasion == name, OccasionDay.programme_id == book.programme_id)
        .with_for_update()
    ).one_or_none()
    if found is None:
        # A bonus that is new begins with the period in which it was agreed.
        first, _ = volume.period_of(today)
        found = OccasionDay(programme_id=book.programme_id, occasion=name, day=first, after=_FIRST)
        session.add(found)
        session.flush()
    _, end = volume.period_of(found.day)
    return found if end + timedelta(days=volume.after_days) <= today else None


def _give_period(
    session: Session,
    book: Rulebook,
    volume: Volume,
    at: OccasionDay,
    *,
    now: datetime,
    limit: int,
) -> int:
    first, end = volume.period_of(at.day)
    ids = session.scalars(
        select(Account.id)
        .where(
            Account.programme_id == book.programme_id,
            Account.id > at.after,
            Account.kind.in_(volume.accounts),
            Account.merged_into_id.is_(None),
        )
        .order_by(Account.id)
        .limit(limit)
    ).all()
    spent = session.execute(
        select(EarningDay.account_id, func.sum(EarningDay.spend_minor))
        .where(EarningDay.account_id.in_(ids), EarningDay.day >= first, EarningDay.day < end)
        .group_by(EarningDay.account_id)
        .order_by(EarningDay.account_id)
    )
    settings, exponent = book.at(now).settings, currency_exponent(book.currency)
    for account_id, minor in spent:
        points = volume.points(int(minor), settings.point_value, exponent)
        if points:
            _post(session, book, volume, account_id, f"{first:%Y-%m}", points, now=now)
    if len(ids) < limit:
        at.day, at.after = end, _FIRST
    else:
        at.after = ids[-1]
    session.flush()
    # Even where nobody was left something is no longer to be done: the period.
    return len(ids) or 1


def _post(
    session: Session,
    book: Rulebook,
    volume: Volume,
    account_id: str,
    period: str,
    points: int,
    *,
    now: datetime,
) -> None:
    name = f"{book.programme_id}/{account_id}/{volume.code}/{period}"
    mark = ledger.fingerprint(book.programme_id, None, _OPERATION, {"name": name})
    request = Request(str(uuid.uuid5(_SPACE, name)), _OPERATION, mark)
    language = session.scalar(
        select(Card.language).where(Card.account_id == account_id).order_by(Card.issued_at).limit(1)
    )
    adjust = Adjust(
        account_id, points, f"{volume.name(language or 'en')} {period}", available_from=now
    )
    where = Circumstances(now, language=language or "en")
    giving.post_apart(session, book, request, adjust, where, now=now)
