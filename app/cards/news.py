"""The news that a card shows: written once for many cards, and which card shows which."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from app.cards.models import Card, CardMessage, CardNews
from app.cards.news_text import Shown, shown
from app.db import Prepared, new_id, programme_of
from app.ledger import service as ledger

_messages: Any = CardMessage.__table__
_cards: Any = Card.__table__
_ids: Any = bindparam("ids", expanding=True)
_forget = Prepared(delete(_messages).where(_messages.c.card_id.in_(_ids)))
_tell = Prepared(insert(_messages))
_touch = Prepared(update(_cards).where(_cards.c.id.in_(_ids)).values(version=_cards.c.version + 1))


class Told(NamedTuple):
    """A card that is to show news; *facts* are what is filled into them."""

    card_id: str
    account_id: str
    facts: Mapping[str, Any]


def publish(session: Session, content: Mapping[str, Any], *, now: datetime) -> str:
    """Write news (see `news_text`) that cards may show; their id."""
    news_id = new_id()
    session.add(
        CardNews(id=news_id, programme_id=programme_of(session), content=dict(content), made_at=now)
    )
    session.flush()
    return news_id


def tell_cards(session: Session, news_id: str, told: Sequence[Told], *, now: datetime) -> None:
    """Let these cards of the session's programme show the news; delivery brings them to wallets.

    The cards are locked already. While nothing changes the account, the news are what the lock
    screen tells.
    """
    if not told:
        return
    ids = [each.card_id for each in told]
    _touch(session, {"ids": ids})
    versions = ledger.mark_many_changed(session, {each.account_id for each in told}, now=now)
    _forget(session, {"ids": ids})
    programme_id = programme_of(session)
    _tell(
        session,
        [
            {
                "card_id": each.card_id,
                "programme_id": programme_id,
                "news_id": news_id,
                "facts": json.dumps(dict(each.facts)),
                "account_version": versions[each.account_id],
                "told_at": now,
            }
            for each in told
        ],
    )


def forget(session: Session, card_ids: Sequence[str]) -> None:
    """Take the news off these cards; whoever does so has something else to tell of them."""
    _forget(session, {"ids": list(card_ids)})


class CardNow(NamedTuple):
    """The news on a card, and whether they are the newest that there is to tell of it."""

    news_id: str
    shown: Shown
    is_fresh: bool


def of_card(
    session: Session, card_id: str, *, language: str, member_name: str | None, account_version: int
) -> CardNow | None:
    """The news that a card shows; None where it shows none."""
    row = session.execute(
        select(
            CardMessage.news_id, CardMessage.facts, CardMessage.account_version, CardNews.content
        )
        .join(CardNews, CardNews.id == CardMessage.news_id)
        .where(CardMessage.card_id == card_id)
    ).first()
    if row is None:
        return None
    return now_on(
        row.news_id,
        json.dumps(row.content),
        row.facts,
        is_fresh=row.account_version == account_version,
        language=language,
        member_name=member_name,
    )


def now_on(
    news_id: str,
    content: str,
    facts: str,
    *,
    is_fresh: bool,
    language: str,
    member_name: str | None,
) -> CardNow:
    """The same from what is kept: *content* and *facts* are JSON."""
    said = shown(content, json.loads(facts), language=language, member_name=member_name)
    return CardNow(news_id, said, is_fresh)
