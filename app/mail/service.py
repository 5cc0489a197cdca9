"""Writing letters down, and what has become of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from app.db import new_id, programme_of
from app.errors import Invalid
from app.mail.models import MailStatus, OutgoingMail

LONGEST_SUBJECT = 200
LONGEST_BODY = 200_000
#: How long it is known that a letter was sent.
KEPT = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter to a member, under a *key* that nothing else in the programme has.

    ``[[card_link]]`` in *text* and *html* is replaced by what `fills["card_link"]` (a card's id)
    leads to when it is sent; ``[[confirm_link]]``, ``[[unsubscribe_link]]`` and ``[[name]]`` need
    no entry. *html* is a whole document; what is filled in there is escaped. *unsubscribe* names
    the purpose: sent only to a confirmed address while that consent stands, with one click to
    withdraw it. With *once* an interrupted letter is given up rather than sent a second time.
    """

    member_id: str
    subject: str
    text: str
    key: str
    html: str | None = None
    unsubscribe: str | None = None
    once: bool = False
    fills: Mapping[str, str] = field(default_factory=dict)


def queue(
    session: Session,
    *,
    member_id: str,
    subject: str,
    text: str,
    key: str,
    now: datetime,
    html: str | None = None,
    unsubscribe: str | None = None,
    once: bool = False,
    fills: Mapping[str, str] | None = None,
) -> bool:
    """Have a letter sent, in this transaction; False where that key was queued before."""
    letter = Letter(member_id, subject, text, key, html, unsubscribe, once, fills or {})
    return bool(queue_all(session, [letter], now=now))


def queue_for_staff(
    session: Session,
    *,
    staff_id: str,
    subject: str,
    text: str,
    fills: Mapping[str, str],
    now: datetime,
) -> None:
    """Have a letter sent to somebody of the staff, in this transaction."""
    session.add(
        OutgoingMail(
            key=f"staff/{new_id()}",
            programme_id=programme_of(session),
            staff_id=staff_id,
            subject=" ".join(subject.split())[:LONGEST_SUBJECT],
            text=text,
            fills=dict(fills),
            created_at=now,
            next_at=now,
        )
    )
    session.flush()


def queue_all(session: Session, letters: Sequence[Letter], *, now: datetime) -> int:
    """The same for many in two statements; how many are new.

    Raises `Invalid` for what cannot be a letter.
    """
    wanted = {letter.key: letter for letter in letters}
    for letter in letters:
        _check(letter)
    known = set(session.scalars(select(OutgoingMail.key).where(OutgoingMail.key.in_(list(wanted)))))
    rows = [
        {
            "id": new_id(),
            "programme_id": programme_of(session),
            "key": letter.key,
            "member_id": letter.member_id,
            "subject": " ".join(letter.subject.split()),
            "text": letter.text,
            "html": letter.html,
            "fills": dict(letter.fills),
            "unsubscribe": letter.unsubscribe,
            "once": letter.once,
            "status": str(MailStatus.WAITING),
            "tries": 0,
            "created_at": now,
            "next_at": now,
        }
        for key, letter in wanted.items()
        if key not in known
    ]
    if rows:
        session.execute(insert(OutgoingMail), rows)
    return len(rows)


def _check(letter: Letter) -> None:
    if not 0 < len(letter.key) <= 120:
        raise Invalid("The key of a letter has 1 to 120 characters.")
    if not letter.subject.strip() or len(letter.subject) > LONGEST_SUBJECT:
        raise Invalid(f"A subject has 1 to {LONGEST_SUBJECT} characters.", {"subject": ["length"]})
    for name, body in (("text", letter.text), ("html", letter.html)):
        if body is not None and len(body) > LONGEST_BODY:
            raise Invalid(f"A letter has at most {LONGEST_BODY:,} characters.", {name: ["length"]})


def counts(session: Session) -> dict[str, int]:
    """How many letters there are of each status."""
    rows = session.execute(select(OutgoingMail.status, func.count()).group_by(OutgoingMail.status))
    found = {str(row[0]): int(row[1]) for row in rows}
    return {str(status): found.get(status, 0) for status in MailStatus}


def last_troubles(session: Session, limit: int = 10) -> list[OutgoingMail]:
    """Letters that wait although they were tried, or that came to nothing; the newest first."""
    return list(
        session.scalars(
            select(OutgoingMail)
            .where(OutgoingMail.status != MailStatus.SENT, OutgoingMail.tries > 0)
            .order_by(OutgoingMail.created_at.desc(), OutgoingMail.id)
            .limit(limit)
        )
    )


def forget(session: Session, now: datetime, limit: int) -> int:
    """One bounded step: delete what came to its end long ago; how many letters."""
    old = list(
        session.scalars(
            select(OutgoingMail.id)
            .where(OutgoingMail.created_at < now - KEPT, OutgoingMail.status != MailStatus.WAITING)
            .limit(limit)
        )
    )
    if old:
        session.execute(delete(OutgoingMail).where(OutgoingMail.id.in_(old)))
    return len(old)
