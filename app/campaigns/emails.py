"""The e-mail besides, for those who consented to messages and confirmed the address.

Whether they did is decided by `app.mail` when it is sent, with one click to stop (RFC 8058). The
key names campaign, account and occasion: it is queued once.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.campaigns.models import Campaign
from app.campaigns.plans import Plan
from app.cards.models import Card
from app.cards.news_text import filled, in_language
from app.mail.service import queue
from app.members.models import Member

PURPOSE = "messages"


def queue_email(
    session: Session,
    campaign: Campaign,
    plan: Plan,
    account_id: str,
    occasion: str,
    card_id: str,
    facts: Mapping[str, object],
    now: datetime,
) -> bool:
    """Have the holder of a card written to; False where there is none, or where that was done."""
    row = session.execute(select(Card.member_id, Card.language).where(Card.id == card_id)).first()
    if row is None or row.member_id is None:
        return False
    has_name = session.scalar(
        select(Member.id).where(Member.id == row.member_id, Member.name.is_not(None))
    )
    # The name is filled in as the letter is sent: it is kept with members alone.
    name = "[[name]]" if has_name else None
    spoken, message = in_language(plan.content.message, row.language)
    message = filled(message, facts, spoken, name)
    title, text = message, ""
    if plan.content.article:
        spoken, (title, text) = in_language(plan.content.article, row.language)
        title, text = (filled(each, facts, spoken, name) for each in (title, text))
    parts = [f"{message}", text, "[[card_link]]", "[[unsubscribe_link]]"]
    return queue(
        session,
        member_id=row.member_id,
        subject=_subject(title),
        text="\n\n".join(part for part in parts if part),
        key=f"c/{campaign.id}/{account_id}/{occasion}"[:120],
        now=now,
        unsubscribe=PURPOSE,
        once=True,
        fills={"card_link": card_id},
    )


def _subject(text: str) -> str:
    return text[:200]
