"""One-tap mute: an account whose members want no messages gets none, of no campaign."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.campaigns.models import Mute
from app.db import programme_of


def is_muted(session: Session, account_id: str) -> bool:
    """Whether the account wants no messages."""
    return session.scalar(select(Mute.account_id).where(Mute.account_id == account_id)) is not None


def mute(session: Session, account_id: str, *, now: datetime) -> None:
    """Send the account no messages from now on."""
    if not is_muted(session, account_id):
        session.add(Mute(account_id=account_id, programme_id=programme_of(session), muted_at=now))
        session.flush()


def unmute(session: Session, account_id: str) -> None:
    """Send it messages again."""
    session.execute(delete(Mute).where(Mute.account_id == account_id))
