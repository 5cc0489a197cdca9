"""Lets recipients' cards show the news, as fast as delivery takes them and no faster.

One call is one transaction: the campaign's row is locked, so pressing stop waits for at most one
call, and nothing is sent after it. Only so many are on their way at a time (`WINDOW` a lane): what
has been given to delivery cannot be called back. Gifts are postings whose ids follow from campaign
and account; a call that is cut off leaves nothing, one that is repeated gives nothing twice.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from app.campaigns import emails, gifts
from app.campaigns.facts import facts_of
from app.campaigns.models import Campaign, CampaignState, Recipient, State
from app.campaigns.planning import CAPPED, LANES, MUTED, ON_PAGE, capped, muted, reason_of, tally
from app.campaigns.plans import Plan, read_plan
from app.campaigns.service import end
from app.campaigns.timing import is_quiet
from app.cards import news
from app.cards.models import Card
from app.cards.news_text import AGAIN
from app.db import Prepared
from app.ledger.models import Account
from app.programmes.models import Programme
from passes.card import CardStatus
from passes.code import Kind

#: Recipients of a lane that may be on their way to the wallets at once: about a second of pushes.
WINDOW: Mapping[str, int] = {"apple": 1000, "google": 300, "page": 5000}
#: Released in one transaction; of those who get a gift fewer, since each is a posting.
PAGE, GIFTS_PAGE = 500, 50
#: Nobody is told faster than this after a rest: a minute never holds more than its number.
_LONGEST_CREDIT = timedelta(seconds=1)
#: Whoever is told has it within this time, or fewer are told at once.
_ARRIVES_WITHIN = timedelta(milliseconds=600)
_FIRST_ROOM, _LEAST_ROOM = 200, 50
NO_CARD, NO_BUDGET = "no_card", "budget"

_recipients: Any = Recipient.__table__
_cards: Any = Card.__table__
_accounts: Any = Account.__table__
_ids: Any = bindparam("ids", expanding=True)


def _new(name: str, column: str) -> Any:
    return bindparam(name, type_=_recipients.c[column].type)


_due = Prepared(
    select(
        _recipients.c.account_id,
        _recipients.c.occasion,
        _recipients.c.held_out,
    )
    .where(
        _recipients.c.campaign_id == bindparam("campaign"),
        _recipients.c.lane == bindparam("lane"),
        _recipients.c.state == State.WAITING,
        _recipients.c.due_at <= bindparam("now"),
    )
    .order_by(_recipients.c.due_at, _recipients.c.draw)
    .limit(bindparam("limit"))
)
_on_the_way = Prepared(
    select(
        _recipients.c.lane,
        func.count().label("number"),
        func.min(_recipients.c.sent_at).label("oldest"),
    )
    .where(_recipients.c.campaign_id == bindparam("campaign"), _recipients.c.state == State.SENT)
    .group_by(_recipients.c.lane)
)
#: Those who are locked by somebody are told the next time.
_free_cards = Prepared(
    select(
        _cards.c.id, _cards.c.account_id, _cards.c.version, _cards.c.language, _cards.c.issued_at
    )
    .where(
        _cards.c.account_id.in_(_ids),
        _cards.c.status == CardStatus.ACTIVE,
        _cards.c.kind == int(Kind.MEMBER),
    )
    .order_by(_cards.c.id)
    .with_for_update()
)
_states = Prepared(select(_accounts.c.id, _accounts.c.version).where(_accounts.c.id.in_(_ids)))
_note = Prepared(
    update(_recipients)
    .where(
        _recipients.c.campaign_id == bindparam("of_campaign"),
        _recipients.c.account_id == bindparam("of_account"),
        _recipients.c.occasion == bindparam("of_occasion"),
    )
    .values(
        state=_new("new_state", "state"),
        sent_at=_new("new_sent_at", "sent_at"),
        looked_at=_new("new_looked_at", "looked_at"),
        card_id=_new("new_card_id", "card_id"),
        version=_new("new_version", "version"),
        reason=_new("new_reason", "reason"),
        cost_minor=_new("new_cost", "cost_minor"),
    )
)


@dataclass(frozen=True, slots=True)
class Turn:
    """A recipient whose turn it is."""

    account_id: str
    occasion: str
    held_out: bool


def release(
    session: Session,
    campaign: Campaign,
    *,
    now: datetime,
    windows: Mapping[str, int] = WINDOW,
) -> int:
    """Send what is due of a campaign that is locked and running; how many recipients' turns came.

    Nothing in quiet hours, nothing beyond the pace, the windows and the budget.
    """
    plan = read_plan(campaign.plan)
    zone = session.scalar(select(Programme.time_zone).where(Programme.id == campaign.programme_id))
    if is_quiet(now, plan.limits.quiet, str(zone)):
        return 0
    budget = _within_budget(campaign, plan)
    if budget is not None and budget <= 0:
        return _end_for_budget(session, campaign, now)
    credit = _credit(campaign, plan, now)
    on_the_way, oldest = {}, {}
    for row in _on_the_way(session, {"campaign": campaign.id}):
        on_the_way[row.lane], oldest[row.lane] = row.number, row.oldest
    windows = _windows(campaign, windows, on_the_way, oldest, now)
    page = GIFTS_PAGE if gifts.gives(plan) else PAGE
    done = 0
    for lane in LANES:
        room = min(windows[lane] - on_the_way.get(lane, 0), page - done, credit)
        room = room if budget is None else min(room, budget)
        if room <= 0:
            continue
        asked = {"campaign": campaign.id, "lane": lane, "now": now, "limit": room}
        turns = [Turn(*row) for row in _due(session, asked)]
        if turns:
            sent = _let_go(session, campaign, plan, turns, now=now)
            done += len(turns)
            credit -= sent
            budget = None if budget is None else budget - sent
    return done


def _windows(
    campaign: Campaign,
    most: Mapping[str, int],
    on_the_way: Mapping[str, int],
    oldest: Mapping[str, datetime],
    now: datetime,
) -> dict[str, int]:
    """How many of each lane may be on their way: as many as arrive within `_ARRIVES_WITHIN`.

    Fewer after somebody waited longer than that, more while all of them arrive in time: so that
    little is left to be pushed when somebody presses stop, however slow the wallets are.
    """
    rooms = dict(campaign.cursor.get("rooms", {}))
    for lane in most:
        room = int(rooms.get(lane, _FIRST_ROOM))
        if lane in oldest and now - oldest[lane] > _ARRIVES_WITHIN:
            room = max(_LEAST_ROOM, room * 6 // 10)
        elif on_the_way.get(lane, 0) * 2 >= room:
            room = min(most[lane], room * 13 // 10)
        if lane != ON_PAGE:
            rooms[lane] = room
    if rooms != campaign.cursor.get("rooms", {}):
        campaign.cursor = {**campaign.cursor, "rooms": rooms}
    return {lane: min(number, rooms.get(lane, number)) for lane, number in most.items()}


def _credit(campaign: Campaign, plan: Plan, now: datetime) -> int:
    """How many may be told now, by the pace."""
    if not plan.limits.per_minute:
        return max(PAGE, 1) * len(LANES)
    gap = timedelta(minutes=1) / plan.limits.per_minute
    earliest = now - min(_LONGEST_CREDIT, gap * plan.limits.per_minute)
    free = max(campaign.next_free_at or now, earliest)
    return 0 if free > now else int((now - free) / gap) + 1


def _pay(campaign: Campaign, plan: Plan, sent: int, now: datetime) -> None:
    if plan.limits.per_minute and sent:
        gap = timedelta(minutes=1) / plan.limits.per_minute
        earliest = now - min(_LONGEST_CREDIT, gap * plan.limits.per_minute)
        campaign.next_free_at = max(campaign.next_free_at or now, earliest) + gap * sent


def _within_budget(campaign: Campaign, plan: Plan) -> int | None:
    """How many more the budget allows; None: any number."""
    most = plan.limits.budget_minor
    cost = int(campaign.cursor.get("cost_each", 0))
    if most is None or not cost:
        return None
    return (most - campaign.spent_minor) // cost


def _end_for_budget(session: Session, campaign: Campaign, now: datetime) -> int:
    end(campaign, CampaignState.DONE, now=now, reason=NO_BUDGET)
    session.flush()
    return 1


def _let_go(
    session: Session,
    campaign: Campaign,
    plan: Plan,
    turns: Sequence[Turn],
    *,
    now: datetime,
) -> int:
    """Tell those whose turn it is, and note it; how many were told."""
    assert campaign.news_id is not None  # noqa: S101 - an approved campaign has its news
    reached = [each for each in turns if not each.held_out]
    ids = [each.account_id for each in reached]
    silent, tired = muted(session, ids), capped(session, ids, plan.limits.per_week, now)
    held = _cards_of(session, ids)
    notes: list[dict[str, Any]] = []
    told: list[Turn] = []
    for turn in turns:
        if turn.held_out:
            notes.append(_noted(campaign, turn, State.HELD_OUT, now))
        elif turn.account_id in silent or turn.account_id in tired:
            reason = MUTED if turn.account_id in silent else CAPPED
            notes.append(_noted(campaign, turn, State.SKIPPED, now, reason=reason))
        elif turn.account_id not in held:
            notes.append(_noted(campaign, turn, State.SKIPPED, now, reason=NO_CARD))
        else:
            told.append(turn)
    for turn in told:
        language = held[turn.account_id][0].language
        gifts.give(session, campaign, plan, turn.account_id, turn.occasion, language, now=now)
    facts = _facts(session, campaign, plan, [each.account_id for each in told], now)
    cards = [
        news.Told(card.id, turn.account_id, facts[turn.account_id])
        for turn in told
        for card in held[turn.account_id]
    ]
    news.tell_cards(session, campaign.news_id, cards, now=now)
    versions = _versions(session, [each.account_id for each in told])
    cost = int(campaign.cursor.get("cost_each", 0))
    for turn in told:
        card = held[turn.account_id][0]
        # What was read of the card was before it was told.
        version = card.version + 1 + versions[turn.account_id]
        notes.append(
            _noted(campaign, turn, State.SENT, now, card=card.id, version=version, cost=cost)
        )
        if plan.content.email:
            own = facts[turn.account_id]
            emails.queue_email(
                session, campaign, plan, turn.account_id, turn.occasion, card.id, own, now
            )
    _note(session, notes)
    campaign.spent_minor += cost * len(told)
    _pay(campaign, plan, len(told), now)
    states = Counter(str(each["new_state"]) for each in notes)
    gone = Counter({str(State.WAITING): -len(turns)})
    held_out = sum(each.held_out for each in turns)
    states.update(gone)
    states.update(reason_of(each["new_reason"]) for each in notes if each["new_reason"])
    tally(campaign, states, held=-held_out)
    session.flush()
    return len(told)


def _noted(
    campaign: Campaign,
    turn: Turn,
    state: State,
    now: datetime,
    *,
    reason: str | None = None,
    card: str | None = None,
    version: int | None = None,
    cost: int = 0,
) -> dict[str, Any]:
    return {
        "of_campaign": campaign.id,
        "of_account": turn.account_id,
        "of_occasion": turn.occasion,
        "new_state": str(state),
        "new_sent_at": None if state == State.SKIPPED else now,
        "new_looked_at": now,
        "new_card_id": card,
        "new_version": version,
        "new_reason": reason,
        "new_cost": cost,
    }


def _cards_of(session: Session, account_ids: Sequence[str]) -> dict[str, list[Any]]:
    """The cards that work of each account, locked, the newest first."""
    found: dict[str, list[Any]] = {}
    if account_ids:
        for card in _free_cards(session, {"ids": sorted(account_ids)}):
            found.setdefault(card.account_id, []).append(card)
    for cards in found.values():
        cards.sort(key=lambda each: (each.issued_at, each.id), reverse=True)
    return found


def _versions(session: Session, account_ids: Sequence[str]) -> dict[str, int]:
    if not account_ids:
        return {}
    rows = _states(session, {"ids": list(account_ids)})
    return {row.id: row.version for row in rows}


def _facts(
    session: Session, campaign: Campaign, plan: Plan, account_ids: Collection[str], now: datetime
) -> dict[str, dict[str, Any]]:
    """What is filled into the text of each: read once their gifts are theirs."""
    zone = session.scalar(select(Programme.time_zone).where(Programme.id == campaign.programme_id))
    found = facts_of(session, plan, account_ids, time_zone=str(zone), now=now)
    if campaign.turn % 2:
        for facts in found.values():
            facts[AGAIN] = 1
    return found
