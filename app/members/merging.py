"""Two members who turn out to be one person."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.members.models import Consent


def keep_stricter_consents(session: Session, member_ids: Collection[str], *, now: datetime) -> int:
    """End every consent to a purpose that not all of these members gave; how many there were.

    They stay ended, also if the two turn out to be two after all: only a person consents.
    """
    given: dict[str, set[str]] = {member_id: set() for member_id in member_ids}
    standing = session.execute(
        select(Consent.id, Consent.member_id, Consent.purpose)
        .where(Consent.member_id.in_(given), Consent.withdrawn_at.is_(None))
        .order_by(Consent.id)
        .with_for_update()
    ).all()
    for row in standing:
        given[row.member_id].add(row.purpose)
    common = set.intersection(*given.values()) if given else set()
    ended = [row.id for row in standing if row.purpose not in common]
    if ended:
        session.execute(update(Consent).where(Consent.id.in_(ended)).values(withdrawn_at=now))
    return len(ended)
