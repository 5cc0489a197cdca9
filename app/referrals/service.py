"""Handing a code on, joining with it, and thanking both sides: the last in steps.

Whether a newcomer has spent enough is read from what counts towards tiers, which returns lower by
themselves. An account is looked at again whenever it changed. What is given are postings whose ids
follow from referral, round and side: given once, taken back once, however often the step runs.
"""

import secrets
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.cards.models import Card
from app.db import enter
from app.errors import NotFound
from app.languages import _
from app.ledger import service as ledger
from app.ledger.errors import PostingIdReused
from app.ledger.models import Account, EarningDay
from app.ledger.postings import (
    Adjust,
    Circumstances,
    Given,
    Operation,
    Present,
    Request,
    Reverse,
)
from app.ledger.rules import ReturnPolicy, local_day
from app.members.models import Member
from app.programmes import giving
from app.programmes.mechanics.referrals import Referral, Thanks
from app.programmes.terms import Rulebook, rulebook_of
from app.programmes.wording import currency_exponent
from app.referrals.models import ReferralCode, ReferralStatus, Referred

#: No vowels, and nothing that looks like something else: a code is read out and makes no words.
_LETTERS = "23456789BCDFGHJKMNPQRSTVWXZ"
CODE_LENGTH = 8
_SPACE = uuid.UUID("b8f6a1de-0f0a-4b83-9a3b-6b1f2f4a7c55")
_OPERATION = "referral"
_YEAR = timedelta(days=365)

Choose = Callable[[str], str]


def code_of(
    session: Session, account_id: str, *, now: datetime, choose: Choose = secrets.choice
) -> str:
    """The code that the account's members hand on; made when it is first asked for."""
    ledger.lock_account(session, account_id)
    found = session.get(ReferralCode, account_id)
    while found is None:
        code = "".join(choose(_LETTERS) for _ in range(CODE_LENGTH))
        if session.scalar(select(ReferralCode.account_id).where(ReferralCode.code == code)):
            continue
        found = ReferralCode(account_id=account_id, code=code, created_at=now)
        session.add(found)
        session.flush()
    return found.code


def refer(session: Session, code: str, referred_id: str, *, now: datetime) -> Referred:
    """Note that a new account came by *code*. Raises `NotFound` for a code that nobody has.

    Whoever brings himself is noted and gets nothing; nobody is told.
    """
    referrer_id = session.scalar(
        select(ReferralCode.account_id).where(ReferralCode.code == code.strip().upper())
    )
    if referrer_id is None:
        raise NotFound(_("Nobody hands this code on. Check it, or join without one."))
    is_own = referrer_id == referred_id or _is_one_person(session, referrer_id, referred_id)
    made = Referred(
        referrer_id=referrer_id,
        referred_id=referred_id,
        status=ReferralStatus.REFUSED if is_own else ReferralStatus.WAITING,
        referred_at=now,
    )
    session.add(made)
    session.flush()
    return made


def _is_one_person(session: Session, one: str, other: str) -> bool:
    """Whether a contact of one account is one of the other's: compared by their keyed hashes."""

    def contacts(account_id: str) -> set[bytes]:
        """The keyed hashes of e-mail addresses and telephone numbers."""
        rows = session.execute(
            select(Member.email_index, Member.phone_index)
            .join(Card, Card.member_id == Member.id)
            .where(Card.account_id == account_id)
        )
        return {bytes(each) for row in rows for each in row if each is not None}

    return not contacts(one).isdisjoint(contacts(other))


def settle(session: Session, now: datetime, limit: int, _terms: object = None) -> int:
    """Look at up to *limit* referrals whose newcomer's account changed; how many there were.

    A step of the background work; the session is open for all programmes, and writes.
    """
    rows = session.execute(
        select(Referred.id, Referred.programme_id, Account.changed_at)
        .join(Account, Account.id == Referred.referred_id)
        .where(
            Referred.status.in_([ReferralStatus.WAITING, ReferralStatus.GIVEN]),
            or_(Referred.checked_at.is_(None), Account.changed_at > Referred.checked_at),
        )
        .order_by(Referred.programme_id, Referred.id)
        .limit(limit)
    ).all()
    if not rows:
        return 0
    # Of one programme at a time: the next step has the others.
    programme_id = rows[0].programme_id
    enter(session, programme_id)
    book = rulebook_of(session, programme_id, now)
    own = [row for row in rows if row.programme_id == programme_id]
    for row in own:
        found = session.scalars(
            select(Referred).where(Referred.id == row.id).with_for_update()
        ).one()
        _settle(session, book, found, now=now)
        found.checked_at = row.changed_at
    session.flush()
    return len(own)


def _settle(session: Session, book: Rulebook, found: Referred, *, now: datetime) -> None:
    rule = book.at(now).settings.referral
    if rule is None:
        return
    enough = int(rule.at_least.scaleb(currency_exponent(book.currency)))
    ends_at = found.referred_at + timedelta(days=rule.within_days)
    is_enough = _spent(session, book, found, ends_at) >= enough
    if found.status == ReferralStatus.GIVEN and not is_enough:
        _take_back(session, book, found, now=now)
    elif found.status == ReferralStatus.WAITING and is_enough:
        _give(session, book, rule, found, now=now)
    elif found.status == ReferralStatus.WAITING:
        if now > ends_at:
            found.status = ReferralStatus.LAPSED


def _spent(session: Session, book: Rulebook, found: Referred, ends_at: datetime) -> int:
    """What the newcomer spent in time, without what came back."""
    return int(
        session.scalar(
            select(func.coalesce(func.sum(EarningDay.spend_minor), 0)).where(
                EarningDay.account_id == found.referred_id,
                EarningDay.day >= local_day(found.referred_at, book.time_zone),
                EarningDay.day <= local_day(ends_at, book.time_zone),
            )
        )
        or 0
    )


def _give(
    session: Session, book: Rulebook, rule: Referral, found: Referred, *, now: datetime
) -> None:
    earlier = session.scalar(
        select(func.count())
        .select_from(Referred)
        .where(
            Referred.referrer_id == found.referrer_id,
            Referred.status == ReferralStatus.GIVEN,
            Referred.given_at > now - _YEAR,
        )
    )
    points = rule.referrers_points(int(earlier or 0))
    sides = {"referred": (found.referred_id, rule.referred)}
    if points is not None:
        sides["referrer"] = (found.referrer_id, Thanks(points, rule.referrer.gives))
    # Accounts are locked in one order, whoever brought whom.
    for side, (account_id, thanks) in sorted(sides.items(), key=lambda each: each[1][0]):
        for what, operation in _operations(account_id, thanks, rule, now).items():
            _post(session, book, found, f"{side}/{what}", operation, now=now)
    found.status, found.given_at = ReferralStatus.GIVEN, now


def _operations(
    account_id: str, thanks: Thanks, rule: Referral, now: datetime
) -> dict[str, Operation]:
    operations: dict[str, Operation] = {}
    if thanks.points:
        operations["points"] = Adjust(
            account_id, thanks.points, rule.name("en"), available_from=now
        )
    if thanks.gives:
        given = tuple(Given(kind, what, count, "referral") for kind, what, count in thanks.gives)
        operations["things"] = Present(account_id, given, rule.name("en"))
    return operations


def _take_back(session: Session, book: Rulebook, found: Referred, *, now: datetime) -> None:
    """Reverse what was given in this round, as far as the programme's return policy lets it."""
    settings = book.at(now).settings
    for side in ("referred", "referrer"):
        for what in ("points", "things"):
            given = _request(book, found, f"{side}/{what}", "give")
            if not _was_given(session, given):
                continue
            reversal = Reverse(
                given.id,
                return_policy=ReturnPolicy(settings.return_policy),
                debt_floor=settings.debt_floor,
                reason="referral",
                grace_days=settings.grace_days,
                time_zone=book.time_zone,
            )
            # Where somebody took it back by hand, there is nothing left to take.
            _post(session, book, found, f"{side}/{what}", reversal, now=now, act="take")
    found.status, found.given_at = ReferralStatus.WAITING, None
    found.round += 1


def _was_given(session: Session, request: Request) -> bool:
    try:
        return ledger.replayed(session, request) is not None
    except PostingIdReused:
        return False  # The id was taken by something else: nothing was given under it.


def _request(book: Rulebook, found: Referred, what: str, act: str) -> Request:
    name = f"{found.id}/{found.round}/{what}/{act}"
    mark = ledger.fingerprint(book.programme_id, None, _OPERATION, {"name": name})
    return Request(str(uuid.uuid5(_SPACE, name)), _OPERATION, mark)


def _post(
    session: Session,
    book: Rulebook,
    found: Referred,
    what: str,
    operation: Operation,
    *,
    now: datetime,
    act: str = "give",
) -> None:
    account_id = found.referred_id if what.startswith("referred") else found.referrer_id
    language = session.scalar(
        select(Card.language).where(Card.account_id == account_id).order_by(Card.issued_at).limit(1)
    )
    where = Circumstances(now, language=language or "en")
    request = _request(book, found, what, act)
    giving.post_apart(session, book, request, operation, where, now=now)
