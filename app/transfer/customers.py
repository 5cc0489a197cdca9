"""Customers with what they have, in the form that `counterfoil import members` reads again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from app.benefits.models import Tally
from app.benefits.promises import STAMPS
from app.cards.models import Card
from app.keys import KeyRing
from app.ledger.models import Account, Lot
from app.ledger.rules import local_day, start_of_day
from app.members import service as members
from app.members.models import Consent, Member
from app.members.service import Contact
from app.programmes.models import Programme
from app.programmes.terms import rulebook_of

COLUMNS = tuple(
    (
        "number name email phone birthday language joined tier tier_until points lots debt "
        "stamps consent_messages consent_partners account_id"
    ).split()
)
WORDS = (
    "An account a line, with the person of its first card: to be imported elsewhere with "
    "`counterfoil import members`. The number is the one that the customer was imported with, else "
    "the card's, else the account's. Points are those that have not expired, pending and held ones "
    "among them; debt is what is owed. Lots are points:end, an end being the last day that they "
    "can be used on, a moment in UTC (the first without) or never. Stamps are told where the "
    "programme has one stamp card. A consent that stands is told by the local day on which it was "
    "given."
)


@dataclass(frozen=True, slots=True)
class Line:
    """A customer of the export."""

    member_id: str | None
    contact: Contact
    number: str
    language: str
    joined: str
    tier: str | None
    tier_until: str
    lots: str
    points: int
    debt: int
    stamps: int | None
    consents: tuple[str, str]
    account_id: str

    def cells(self) -> list[Any]:
        """In the order of `COLUMNS`."""
        told = self.contact
        return [
            self.number,
            told.name,
            told.email,
            told.phone,
            told.birthday,
            self.language,
            self.joined,
            self.tier,
            self.tier_until,
            self.points,
            self.lots,
            self.debt or None,
            self.stamps or None,
            *self.consents,
            self.account_id,
        ]


def customers(
    session: Session, keys: KeyRing, programme: Programme, now: datetime
) -> Iterator[Line]:
    """Every account that has its points itself, in the order of the accounts' ids."""
    lots = _Lots(session, programme.time_zone, now)
    cards = rulebook_of(session, programme.id, now).at(now).settings.stamps
    stamps = (
        Tally.kind == STAMPS,
        Tally.what == (cards[0].code if len(cards) == 1 else None),
        or_(Tally.expires_at.is_(None), Tally.expires_at > now),
    )
    first = (
        select(Card.account_id, func.min(Card.id).label("card_id"))
        .where(Card.replaced_by_id.is_(None))
        .group_by(Card.account_id)
        .subquery()
    )
    rows = session.execute(
        select(
            Account.id,
            Account.created_at,
            Account.tier,
            Account.tier_override,
            Account.tier_override_until,
            Account.rolling_expires_at,
            Account.debt,
            _given("messages"),
            _given("partners"),
            Tally.count.label("stamps"),
            Card.id.label("card_id"),
            Card.language,
            Member.id.label("member_id"),
            *(getattr(Member, field) for field in members.FIELDS),
        )
        .outerjoin(first, first.c.account_id == Account.id)
        .outerjoin(Card, Card.id == first.c.card_id)
        .outerjoin(Member, Member.id == Card.member_id)
        .outerjoin(Tally, and_(Tally.account_id == Account.id, *stamps))
        .where(Account.merged_into_id.is_(None))
        .order_by(Account.id),
        execution_options={"yield_per": 1000},
    )
    for row in rows:
        contact = (
            Contact() if row.member_id is None else members.open_contact(keys, row.member_id, row)
        )
        points, told = lots.of(row.id, row.rolling_expires_at)
        lifted = row.tier is not None and row.tier == row.tier_override
        # Nobody may have looked at the account since.
        is_over = lifted and row.tier_override_until <= now
        until = row.tier_override_until if lifted and not is_over else None
        yield Line(
            member_id=row.member_id,
            contact=contact,
            number=contact.number or row.card_id or row.id,
            language=row.language or "",
            joined=local_day(row.created_at, programme.time_zone).isoformat(),
            tier=None if is_over else row.tier,
            tier_until=_end(until, programme.time_zone),
            lots=told,
            points=points,
            debt=row.debt,
            stamps=row.stamps,
            consents=(
                _day(row.consent_messages, programme.time_zone),
                _day(row.consent_partners, programme.time_zone),
            ),
            account_id=row.id,
        )


def _given(purpose: str) -> Any:
    """When the member gave a consent that stands."""
    return (
        select(func.min(Consent.given_at))
        .where(
            Consent.member_id == Member.id,
            Consent.purpose == purpose,
            Consent.withdrawn_at.is_(None),
        )
        .correlate(Member)
        .scalar_subquery()
        .label(f"consent_{purpose}")
    )


def _day(moment: datetime | None, time_zone: str) -> str:
    return "" if moment is None else local_day(moment, time_zone).isoformat()


class _Lots:
    """The open lots of all accounts, read beside the accounts in the same order."""

    def __init__(self, session: Session, time_zone: str, now: datetime) -> None:
        rows = session.execute(
            select(Lot.account_id, Lot.remaining, Lot.expires_at, Lot.rolling)
            .where(Lot.remaining > 0)
            .order_by(Lot.account_id, Lot.sequence),
            execution_options={"yield_per": 1000},
        )
        self._groups = groupby(rows, key=lambda row: str(row.account_id))
        self._zone, self._now = time_zone, now
        self._next: tuple[str, list[Any]] | None = None
        self._step()

    def _step(self) -> None:
        group = next(self._groups, None)
        self._next = None if group is None else (group[0], list(group[1]))

    def of(self, account_id: str, rolling_until: datetime | None) -> tuple[int, str]:
        """All points of an account that have not expired, and its lots as text."""
        while self._next is not None and self._next[0] < account_id:
            self._step()
        if self._next is None or self._next[0] != account_id:
            return 0, ""
        points, told = 0, []
        for row in self._next[1]:
            end = rolling_until if row.rolling else row.expires_at
            if end is None or end > self._now:
                points += row.remaining
                told.append(f"{row.remaining}:{_end(end, self._zone) or 'never'}")
        return points, " ".join(told)


def _end(moment: datetime | None, time_zone: str) -> str:
    """The last day that something can be used on; the very moment where that is none."""
    if moment is None:
        return ""
    last = local_day(moment, time_zone) - timedelta(days=1)
    if start_of_day(last + timedelta(days=1), time_zone) == moment:
        return last.isoformat()
    return moment.isoformat()
