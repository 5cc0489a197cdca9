"""Holding a draw: its terms, the commitment, the closing of the list, the draw itself.

Each step is made once, in this order, and what it published stays. Tickets are grants of the kind
"tickets" (`app.benefits`): rules give them with receipts, returns take them back until the list is
closed.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, insert, select
from sqlalchemy.orm import Session

from app.benefits.models import Grant
from app.cards.models import Card
from app.db import programme_of
from app.draws import rules
from app.draws.models import PrizeDraw, PrizeDrawHolder, PrizeDrawWinner
from app.draws.rules import Holder
from app.draws.terms import Terms, hashed, read_terms
from app.errors import Conflict, Invalid, NotFound
from app.keys import KeyRing
from passes.card import CardStatus

KIND = "tickets"
RandomBytes = Callable[[int], bytes]
_AT_ONCE = 1000


def add(session: Session, terms: Mapping[str, Any], *, now: datetime) -> PrizeDraw:
    """Write a draw down; its terms can be changed by adding it again until it is published.

    Raises `Invalid`, and `Conflict` where it was published.
    """
    read = read_terms(terms)
    if read.closes_at <= now:
        raise Invalid("closes_at: give a moment that is still to come.")
    draw = _lock(session, read.code)
    if draw is not None and draw.published_at is not None:
        raise Conflict(f"The draw {read.code!r} was published: its terms stay. Give another code.")
    if draw is None:
        draw = PrizeDraw(code=read.code, created_at=now, terms=read.as_json())
        session.add(draw)
    draw.terms = read.as_json()
    session.flush()
    return draw


def publish(
    session: Session,
    keys: KeyRing,
    code: str,
    *,
    now: datetime,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> PrizeDraw:
    """Make the seed and commit to it. Raises `Conflict` once there are tickets: it is too late."""
    draw = _found(_lock(session, code), code)
    if draw.published_at is not None:
        return draw
    given = select(Grant.sequence).where(Grant.kind == KIND, Grant.what == code).limit(1)
    if session.scalar(given) is not None:
        raise Conflict(
            f"Tickets of {code!r} were given already: a seed that comes after them proves nothing. "
            "Add a draw with another code, and let the rules give tickets of that."
        )
    if terms_of(draw).closes_at <= now:
        raise Conflict("The list would be closed already: add the draw again with a later moment.")
    seed = random_bytes(rules.SEED_BYTES)
    draw.seed = keys.seal(seed, context=_context(draw, "seed"))
    draw.seed_sha256 = rules.commitment(seed)
    draw.published_at = now
    session.flush()
    return draw


def close(
    session: Session,
    keys: KeyRing,
    code: str,
    *,
    now: datetime,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> PrizeDraw:
    """Write down who has how many tickets, and commit to it. Raises `Conflict`."""
    draw = _found(_lock(session, code), code)
    if draw.published_at is None:
        raise Conflict(f"Publish it first: counterfoil draw publish {code}")
    if draw.closed_at is not None:
        return draw
    closes_at = terms_of(draw).closes_at
    if now < closes_at:
        raise Conflict(f"Tickets are given until {closes_at:%Y-%m-%d %H:%M} UTC, as was published.")
    list_key = random_bytes(rules.SEED_BYTES)
    holders = []
    rows = []
    for account_id, tickets in _tickets(session, code, closes_at):
        name = rules.pseudonym(list_key, account_id)
        holders.append(Holder(name, tickets))
        rows.append(
            {
                "programme_id": programme_of(session),
                "draw_id": draw.id,
                "account_id": account_id,
                "pseudonym": name,
                "tickets": tickets,
            }
        )
    for start in range(0, len(rows), _AT_ONCE):
        session.execute(insert(PrizeDrawHolder), rows[start : start + _AT_ONCE])
    draw.list_key = keys.seal(list_key, context=_context(draw, "list_key"))
    draw.list_sha256 = rules.digest(rules.list_text(holders))
    draw.holders, draw.tickets = len(holders), sum(each.tickets for each in holders)
    draw.closed_at = now
    session.flush()
    return draw


def _tickets(session: Session, code: str, closes_at: datetime) -> Sequence[tuple[str, int]]:
    """Accounts with tickets of receipts before the closing, and a card that somebody still has."""
    has_card = exists().where(
        Card.account_id == Grant.account_id, Card.status != str(CardStatus.ERASED)
    )
    total = func.sum(Grant.count)
    found = session.execute(
        select(Grant.account_id, total)
        .where(Grant.kind == KIND, Grant.what == code, Grant.occurred_at < closes_at, has_card)
        .group_by(Grant.account_id)
        .having(total > 0)
        .order_by(Grant.account_id)
    )
    return [(account_id, int(tickets)) for account_id, tickets in found]


def hold(
    session: Session, keys: KeyRing, code: str, public_value: str, *, now: datetime
) -> PrizeDraw:
    """Draw the winners with the public value, once, and reveal the seed. Raises `Conflict`."""
    draw = _found(_lock(session, code), code)
    value = rules.plain_value(public_value)
    if not value or len(value) > 400:
        raise Invalid("Give the public value as it was published, in 1 to 400 characters.")
    if draw.drawn_at is not None:
        if value != draw.public_value:
            raise Conflict("The draw was held already, with another value.")
        return draw
    if draw.closed_at is None or draw.seed is None or draw.list_sha256 is None:
        raise Conflict(f"Close the list first: counterfoil draw close {code}")
    terms = terms_of(draw)
    if now < terms.value_from:
        raise Conflict(
            f"Nobody can know the value before {terms.value_from:%Y-%m-%d %H:%M} UTC, as was "
            f"published: {terms.value_named}."
        )
    seed = keys.open_sealed(draw.seed, context=_context(draw, "seed"))
    key = rules.draw_key(seed, draw.list_sha256, value)
    accounts = {}
    holders = []
    for row in holders_of(session, draw):
        accounts[row.pseudonym] = row.account_id
        holders.append(Holder(row.pseudonym, row.tickets))
    for winner in rules.choose(holders, terms.prizes, key, one_each=terms.one_each):
        session.add(
            PrizeDrawWinner(
                draw_id=draw.id,
                place=winner.place,
                prize=winner.prize,
                account_id=accounts[winner.pseudonym],
                pseudonym=winner.pseudonym,
                programme_id=draw.programme_id,
            )
        )
    draw.public_value, draw.revealed_seed, draw.drawn_at = value, seed.hex(), now
    session.flush()
    return draw


# --- looking --------------------------------------------------------------------------------------


def by_code(session: Session, code: str) -> PrizeDraw:
    """The draw of that code. Raises `NotFound`."""
    return _found(session.scalar(select(PrizeDraw).where(PrizeDraw.code == code)), code)


def _found(draw: PrizeDraw | None, code: str) -> PrizeDraw:
    if draw is None:
        raise NotFound(f"There is no draw {code[:40]!r}. Make it: counterfoil draw add")
    return draw


def _lock(session: Session, code: str) -> PrizeDraw | None:
    """The draw, until the transaction ends: each step is made once."""
    return session.scalar(
        select(PrizeDraw)
        .where(PrizeDraw.code == code)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def draws(session: Session) -> list[PrizeDraw]:
    """All draws of the programme, the newest first."""
    return list(session.scalars(select(PrizeDraw).order_by(PrizeDraw.created_at.desc())))


def terms_of(draw: PrizeDraw) -> Terms:
    """What a draw promises."""
    return read_terms(draw.terms)


def holders_of(session: Session, draw: PrizeDraw) -> list[PrizeDrawHolder]:
    """The closed list, in its order."""
    found = select(PrizeDrawHolder).where(PrizeDrawHolder.draw_id == draw.id)
    return list(session.scalars(found.order_by(PrizeDrawHolder.pseudonym)))


def winners_of(session: Session, draw: PrizeDraw) -> list[PrizeDrawWinner]:
    """The winners, in the order in which they were drawn."""
    found = select(PrizeDrawWinner).where(PrizeDrawWinner.draw_id == draw.id)
    return list(session.scalars(found.order_by(PrizeDrawWinner.place)))


def winning_cards(session: Session, draw: PrizeDraw) -> list[tuple[PrizeDrawWinner, str | None]]:
    """The winners, each with a card that is in use, if there is one."""
    found = []
    for winner in winners_of(session, draw):
        card = (
            select(Card.id)
            .where(Card.account_id == winner.account_id, Card.status == str(CardStatus.ACTIVE))
            .order_by(Card.issued_at, Card.id)
            .limit(1)
        )
        found.append((winner, session.scalar(card)))
    return found


def document(session: Session, draw: PrizeDraw) -> dict[str, Any]:
    """What is published of a draw so far. Raises `Conflict` where nothing is."""
    if draw.published_at is None:
        raise Conflict(f"Nothing was published yet: counterfoil draw publish {draw.code}")
    told: dict[str, Any] = {
        "format": rules.VERSION,
        "draw_id": draw.id,
        "terms": draw.terms,
        "terms_sha256": hashed(draw.terms),
        "seed_sha256": draw.seed_sha256,
        "published_at": draw.published_at.isoformat(),
    }
    if draw.closed_at is not None:
        holders = [Holder(row.pseudonym, row.tickets) for row in holders_of(session, draw)]
        told["closed"] = {
            "closed_at": draw.closed_at.isoformat(),
            "holders": draw.holders,
            "tickets": draw.tickets,
            "list_sha256": draw.list_sha256,
            "list": rules.list_text(holders),
        }
    if draw.drawn_at is not None:
        told["drawn"] = {
            "drawn_at": draw.drawn_at.isoformat(),
            "public_value": draw.public_value,
            "seed": draw.revealed_seed,
            "winners": [
                {"place": row.place, "prize": row.prize, "pseudonym": row.pseudonym}
                for row in winners_of(session, draw)
            ],
        }
    return told


def _context(draw: PrizeDraw, field: str) -> bytes:
    return f"prize_draws/{draw.id}/{field}".encode()
