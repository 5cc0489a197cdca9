"""The background step of letters: take some, hand each to the mail server, note how it went.

Bounded, safe to run side by side and to be killed at any moment. No transaction is open while a
letter is sent. Each is noted as begun before and as sent after: between the two lies the one
moment in which SMTP can say to nobody whether it was taken. A letter found there goes again, under
the same Message-ID, unless it is to come at most once: then it stays and says so.
"""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.context import Context
from app.mail import tokens
from app.mail.letters import Envelope, NotAnAddress, filled, mailbox, places, written
from app.mail.models import MailStatus, OutgoingMail
from app.mail.posting import Answer, Post, Result, Unreachable
from app.mail.service import forget
from app.members import service as members
from app.members.models import Member
from app.staff.addresses import address_of
from app.staff.models import Staff

_log = logging.getLogger(__name__)

AT_ONCE = 20
LEASE = timedelta(minutes=30)
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=4)
#: RFC 5321, 4.5.4.1: give up after at least four or five days.
PATIENCE = timedelta(days=5)
_FORGET_AT_ONCE = 1000

#: Makes what stands in a place of a text: from the letter and what its `fills` name.
Filler = Callable[[Session, Context, OutgoingMail, str, datetime], str]
#: How the sender of a programme's letters is called, and where answers go (or None).
SenderOf = Callable[[Session, str], tuple[str, str | None]]


@dataclass(frozen=True, slots=True)
class Sent:
    """What one step did: letters that came to an end, and those that have to wait."""

    done: int = 0
    unsent: int = 0


@dataclass(frozen=True, slots=True)
class Composer:
    """What those above know of letters: who sends them, and what stands in their places."""

    sender_of: SenderOf
    fillers: Mapping[str, Filler]


def pause_after(tries: int, jitter: float) -> timedelta:
    """How long a letter waits after so many tries: threefold each, *jitter* 0 to 1."""
    longest: timedelta = min(FIRST_PAUSE * 3 ** min(tries - 1, 20), LONGEST_PAUSE)
    return longest * (0.5 + jitter / 2)


def step(
    context: Context,
    composer: Composer,
    *,
    now: datetime,
    limit: int = AT_ONCE,
    connect: Callable[[], Post] | None = None,
    jitter: Callable[[], float] = random.random,
) -> Sent | None:
    """One bounded step; None when no letter is due, or there is no mail server to hand it to."""
    if context.config.smtp_server is None:
        return None
    with context.database.read_all() as session:
        if session.scalar(_due(now).limit(1)) is None:
            return None
    try:
        post = connect() if connect else Post(context.config)
    except Unreachable as error:
        _complain(str(error))
        return Sent(unsent=1)
    _complaints.clear()
    try:
        with context.database.write_all() as session:
            claimed = _claim(session, now, limit)
        return _send_all(context, composer, post, claimed, jitter)
    finally:
        post.close()


_complaints: list[str] = []


def _complain(trouble: str) -> None:
    """Say in the log what is in the way; the same thing once, however often it is tried."""
    if _complaints[-1:] != [trouble]:
        _complaints[:] = [trouble]
        _log.warning("letters wait: the mail server cannot be used: %s", trouble)


def clear(context: Context, *, now: datetime) -> int:
    """One bounded step of forgetting letters of long ago."""
    with context.database.write_all() as session:
        return forget(session, now, _FORGET_AT_ONCE)


def _due(now: datetime) -> Select[str]:
    return select(OutgoingMail.id).where(
        OutgoingMail.status == MailStatus.WAITING,
        OutgoingMail.next_at <= now,
        (OutgoingMail.leased_until.is_(None)) | (OutgoingMail.leased_until <= now),
    )


def _claim(session: Session, now: datetime, limit: int) -> list[tuple[str, str]]:
    """Take letters into hand for a while; (programme, letter) of each."""
    found = session.scalars(
        select(OutgoingMail)
        .where(OutgoingMail.id.in_(_due(now)))
        .order_by(OutgoingMail.next_at, OutgoingMail.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    claimed = []
    for mail in found:
        if mail.begun_at is not None and mail.once:
            _finish(mail, MailStatus.UNKNOWN, "interrupted at the very end", now)
            continue
        mail.begun_at, mail.leased_until = None, now + LEASE
        claimed.append((mail.programme_id, mail.id))
    return claimed


def _send_all(
    context: Context,
    composer: Composer,
    post: Post,
    claimed: Sequence[tuple[str, str]],
    jitter: Callable[[], float],
) -> Sent:
    done = unsent = 0
    for number, (programme_id, mail_id) in enumerate(claimed):
        with context.database.write(programme_id) as session:
            ready = _begin(session, context, composer, mail_id, post.sender)
        if ready is None:
            done += 1
            continue
        answer = post.send(*ready)
        with context.database.write(programme_id) as session:
            mail = _locked(session, mail_id)
            # Erased meanwhile: the letter went with its member.
            if mail is not None and _settle(mail, answer, context.clock(), jitter()):
                done += 1
            else:
                unsent += 1
        if answer.is_cut:
            rest = claimed[number + 1 :]
            _hand_back(context, rest)
            return Sent(done, unsent + len(rest))
    return Sent(done, unsent)


def _begin(
    session: Session, context: Context, composer: Composer, mail_id: str, sender: str
) -> tuple[str, bytes] | None:
    """Note that a letter is on its way; recipient and bytes, or None where it need not go."""
    now = context.clock()
    mail = _locked(session, mail_id)
    if mail is None or mail.status != MailStatus.WAITING:
        return None
    name, email = _addressee(session, context, mail)
    if email is None:
        _finish(mail, MailStatus.DROPPED, "the member has no address", now)
        return None
    if not _may_write(session, mail):
        _finish(mail, MailStatus.DROPPED, "no consent, or no confirmed address", now)
        return None
    try:
        to = mailbox(email)
        envelope = _envelope(session, context, composer, mail, name, to, sender, now)
        letter = written(envelope, now=now)
    except NotAnAddress:
        _finish(mail, MailStatus.REFUSED, "the address cannot be written on a letter", now)
        return None
    mail.begun_at = now
    mail.tries += 1
    session.flush()
    return to, letter


def _envelope(
    session: Session,
    context: Context,
    composer: Composer,
    mail: OutgoingMail,
    name: str | None,
    to: str,
    sender: str,
    now: datetime,
) -> Envelope:
    values = {"name": name or ""}
    unsubscribe_url = None
    if mail.unsubscribe is not None and mail.member_id is not None:
        token = tokens.make(context.keys, f"unsubscribe {mail.unsubscribe}", mail.member_id)
        unsubscribe_url = f"{context.config.url}/unsubscribe/{mail.unsubscribe}/{token}"
        values["unsubscribe_link"] = unsubscribe_url
    for place in sorted(places(mail.text, mail.html) & composer.fillers.keys()):
        filler = composer.fillers[place]
        values[place] = filler(session, context, mail, mail.fills.get(place, ""), now)
    from_name, reply_to = composer.sender_of(session, mail.programme_id)
    return Envelope(
        id=mail.id,
        from_name=from_name,
        from_address=sender,
        to=to,
        subject=filled(mail.subject or "", {"name": values["name"]}),
        text=filled(mail.text or "", values),
        html=None if mail.html is None else filled(mail.html, values, as_html=True),
        reply_to=reply_to,
        unsubscribe_url=unsubscribe_url,
    )


def _addressee(
    session: Session, context: Context, mail: OutgoingMail
) -> tuple[str | None, str | None]:
    """Name and address of whom a letter is for."""
    if mail.staff_id is not None:
        person = session.get_one(Staff, mail.staff_id)
        return person.name, address_of(session, context.keys, person)
    contact = members.contact_of(session, context.keys, mail.member_id)
    return contact.name, contact.email


def _may_write(session: Session, mail: OutgoingMail) -> bool:
    """Whether the member wants such letters, where they have to be wanted."""
    if mail.unsubscribe is None or mail.member_id is None:
        return True
    confirmed = session.scalar(
        select(Member.id).where(Member.id == mail.member_id, Member.email_confirmed_at.is_not(None))
    )
    return confirmed is not None and members.has_consented(
        session, mail.member_id, mail.unsubscribe
    )


def _locked(session: Session, mail_id: str) -> OutgoingMail | None:
    return session.scalar(select(OutgoingMail).where(OutgoingMail.id == mail_id).with_for_update())


def _settle(mail: OutgoingMail, answer: Answer, now: datetime, jitter: float) -> bool:
    """Note what came of a letter; whether nothing more is to be done."""
    if answer.result is Result.TAKEN:
        _finish(mail, MailStatus.SENT, answer.text, now)
    elif answer.result is Result.REFUSED:
        _finish(mail, MailStatus.REFUSED, answer.text, now)
    elif answer.result is Result.UNHEARD and mail.once:
        _finish(mail, MailStatus.UNKNOWN, answer.text, now)
    elif now - mail.created_at >= PATIENCE:
        _finish(mail, MailStatus.FAILED, answer.text, now)
    else:
        mail.answer = answer.text
        mail.begun_at = mail.leased_until = None
        mail.next_at = now + pause_after(mail.tries, jitter)
        return False
    return True


def _finish(mail: OutgoingMail, status: MailStatus, answer: str, now: datetime) -> None:
    mail.status = status
    mail.answer = answer[:300]
    mail.finished_at = now
    mail.begun_at = mail.leased_until = None
    # Nobody needs its words any more, and they may say something of somebody.
    mail.subject = mail.text = mail.html = None
    mail.fills = {}


def _hand_back(context: Context, claimed: Sequence[tuple[str, str]]) -> None:
    with context.database.write_all() as session:
        for mail in session.scalars(
            select(OutgoingMail)
            .where(OutgoingMail.id.in_([mail_id for _, mail_id in claimed]))
            .order_by(OutgoingMail.id)
            .with_for_update()
        ):
            mail.leased_until = None
