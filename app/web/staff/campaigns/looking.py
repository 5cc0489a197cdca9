"""What the pages of campaigns show: choices, samples, the dry run, progress."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.campaigns import gifts, habits, lists, planning, selecting
from app.campaigns.estimating import Waiting, finishes_at, seconds
from app.campaigns.facts import facts_of
from app.campaigns.models import Campaign, Mute, Recipient, State
from app.campaigns.planning import reason_of
from app.campaigns.plans import Plan
from app.campaigns.segments import NO_TIER, Node
from app.campaigns.selecting import Ground
from app.cards.models import Card
from app.cards.news_text import shown
from app.delivery.google.changes import may_notify
from app.delivery.models import AppleRegistration, GooglePass
from app.languages import ngettext
from app.ledger.models import Account
from app.members import service as members
from app.members.reads import Reader, note_read
from app.programmes.models import Location
from app.programmes.service import version_at
from app.programmes.settings import Settings
from app.web.staff.campaigns import words
from app.web.staff.door import Visit
from passes.card import CardStatus

SAMPLE = 10
#: Accounts whose habits are counted at once when somebody opens the editor of a small programme.
_CATCH_UP = 3000
#: The states that are told in the bar, in this order.
BAR = (State.WAITING, State.SENT, State.PUSHED, State.FETCHED, State.ON_PAGE, State.FAILED)
_REASON = reason_of("")


@dataclass(frozen=True, slots=True)
class Sampled:
    """A member in a sample."""

    account_id: str
    card_id: str
    name: str
    serial: str
    tier: str
    balance: int
    language: str


def choices(session: Session, visit: Visit) -> dict[str, list[tuple[str, Any]]]:
    """What may be chosen in conditions: (value, words) by parameter."""
    settings = version_at(session, visit.programme.id, visit.now).settings
    places = session.execute(select(Location.slug, Location.name).order_by(Location.name)).all()
    return {
        "classes": [(name, said) for name, said in words.CLASSES.items()],
        "tiers": [*tiers(settings, visit.language), (NO_TIER, "–")],
        "locations": [(row.slug, row.name) for row in places],
        "sources": [*((row.slug, row.name) for row in places), ("web", "web"), ("cli", "cli")],
        "languages": [("en", "English"), ("de", "Deutsch"), ("lv", "Latviešu"), ("ru", "Русский")],
        "list": [(each.id, f"{each.name} ({each.found})") for each in lists.lists_of(session)],
    }


def tiers(settings: Settings, language: str) -> list[tuple[str, str]]:
    """The programme's tiers: code and name."""
    if settings.tiers is None:
        return []
    names = settings.tiers.names
    return [
        (each.code, names.get(each.code, {}).get(language) or each.code)
        for each in settings.tiers.scheme.levels
    ]


def things(settings: Settings, language: str) -> list[tuple[str, str]]:
    """What may be given besides points: "kind/code" and name."""
    found: list[tuple[str, str]] = []
    for kind, those in (
        ("coupon", settings.coupons),
        ("gift", settings.rewards),
        ("stamps", settings.stamps),
    ):
        word = words.GIFTS[kind]
        found += [(f"{kind}/{each.code}", f"{word}: {each.name(language)}") for each in those]
    return found


def catch_up(visit: Visit) -> bool:
    """Have the habits counted that a segment needs, of small programmes at once. All of them?"""
    with visit.write() as session:
        row = habits.catch_up(session, visit.programme.id, visit.now, _CATCH_UP)
        return row.is_whole


def sampled(session: Session, visit: Visit, ids: list[str], purpose: str) -> list[Sampled]:
    """Members by their accounts; that their names are read is recorded."""
    rows = session.execute(
        select(
            Account.id,
            Account.tier,
            Account.balance,
            Card.id.label("card_id"),
            Card.serial_number,
            Card.member_id,
            Card.language,
        )
        .join(Card, Card.account_id == Account.id)
        .where(Account.id.in_(ids), Card.status == CardStatus.ACTIVE)
        .order_by(Account.id, Card.issued_at.desc())
    ).all()
    found: dict[str, Sampled] = {}
    for row in rows:
        if row.id in found:
            continue
        name = ""
        if row.member_id is not None:
            name = members.contact_of(session, visit.context.keys, row.member_id).name or ""
            reader = Reader("staff", visit.person.name)
            note_read(session, row.member_id, reader, purpose, now=visit.now)
        found[row.id] = Sampled(
            row.id,
            row.card_id,
            name,
            f"…{row.serial_number[-6:]}",
            row.tier or "–",
            row.balance,
            row.language,
        )
    return [found[each] for each in ids if each in found]


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a campaign would do now."""

    members: int
    muted: int
    capped: int
    held_out: int
    told: int
    waiting: Waiting
    #: What presents for everybody cost, and what they cost within the budget.
    cost_minor: int
    most_minor: int
    #: What each of the gifts costs for one recipient, beside its name.
    costs: list[tuple[str, gifts.Cost]]
    within_budget: int | None
    seconds: float
    ends_at: datetime | None
    seen: list[tuple[Sampled, Any]]


def dry_run(session: Session, visit: Visit, plan: Plan) -> DryRun:
    """Count a campaign without sending anything, and draw it for three real members."""
    ground = Ground.of(session, visit.context.keys, visit.programme.id, visit.now)
    settings = version_at(session, visit.programme.id, visit.now).settings
    count = selecting.count(ground, plan.segment)
    silent = selecting.count_of(ground, plan.segment, select(Mute.account_id))
    tired = 0
    if plan.limits.per_week:
        lately = (
            select(Recipient.account_id)
            .where(
                Recipient.sent_at > visit.now - planning.WEEK,
                Recipient.state.not_in([State.HELD_OUT, State.SKIPPED]),
                Recipient.account_id.not_in(select(Mute.account_id)),
            )
            .group_by(Recipient.account_id)
            .having(func.count() >= plan.limits.per_week)
        )
        tired = selecting.count_of(ground, plan.segment, lately)
    eligible = count - silent - tired
    held_out = round(eligible * plan.limits.hold_out_percent / 100)
    told = eligible - held_out
    waiting = _by_lane(session, ground, plan.segment, told, max(count, 1), visit.now)
    costs = gifts.costs(plan, settings, visit.programme.currency)
    cost = sum(each.minor for each in costs)
    budget = plan.limits.budget_minor
    within = budget // cost if budget is not None and cost else None
    work = seconds(waiting, per_minute=plan.limits.per_minute)
    ids = selecting.sample(ground, plan.segment, 3)
    seen = _seen(session, visit, plan, sampled(session, visit, ids, "preview"))
    return DryRun(
        members=count,
        muted=silent,
        capped=tired,
        held_out=held_out,
        told=told,
        waiting=waiting,
        cost_minor=cost * told,
        most_minor=cost * (told if within is None else min(told, within)),
        costs=[(_called(each, plan, settings, visit.language), each) for each in costs],
        within_budget=within,
        seconds=work,
        ends_at=finishes_at(
            max(visit.now, plan.when.at or visit.now),
            work,
            quiet=plan.limits.quiet,
            time_zone=visit.programme.time_zone,
        ),
        seen=seen,
    )


def _by_lane(
    session: Session, ground: Ground, node: Node, told: int, members: int, now: datetime
) -> Waiting:
    """How many of those who are told each wallet holds, the hold-out taken off in proportion."""
    apple_ids = select(Card.account_id).join(
        AppleRegistration, AppleRegistration.card_id == Card.id
    )
    google_ids = select(Card.account_id).join(GooglePass, GooglePass.card_id == Card.id)
    apple = selecting.count_of(ground, node, apple_ids)
    google = selecting.count_of(ground, node, google_ids.where(Card.account_id.not_in(apple_ids)))
    notices = session.execute(select(GooglePass.notices).where(GooglePass.notices.is_not(None)))
    used_up = sum(not may_notify(row.notices, now) for row in notices)
    share = told / members
    return Waiting(
        apple=round(apple * share),
        google=round(google * share),
        on_page=max(told - round(apple * share) - round(google * share), 0),
        google_without_notice=min(used_up, google),
    )


def _called(cost: gifts.Cost, plan: Plan, settings: Settings, language: str) -> str:
    """A gift as one reads it: how many, of what."""
    if cost.kind == gifts.POINTS:
        return ngettext("%(num)d point", "%(num)d points", plan.content.points)
    names = dict(things(settings, language))
    return f"{cost.count} × {names.get(f'{cost.kind}/{cost.what}', cost.what)}"


def _seen(
    session: Session, visit: Visit, plan: Plan, members: list[Sampled]
) -> list[tuple[Sampled, Any]]:
    """What each of them would read, with the present that would be theirs by then."""
    zone, now = visit.programme.time_zone, visit.now
    ids = [each.account_id for each in members]
    facts = facts_of(session, plan, ids, time_zone=zone, now=now)
    content = json.dumps(plan.content.news())
    seen = []
    for each in members:
        own = facts[each.account_id]
        if "points" in own:
            own["points"] += plan.content.points
        drawn = shown(content, own, language=each.language, member_name=each.name or None)
        seen.append((each, drawn))
    return seen


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a campaign is."""

    counts: dict[str, int]
    parts: list[tuple[str, int, float, float]]
    told: int
    reasons: list[tuple[str, int]]
    waiting: Waiting
    seconds: float
    ends_at: datetime | None


def progress(session: Session, visit: Visit, campaign: Campaign, plan: Plan) -> Progress:
    """The counts as they are kept, why some failed or were left alone, and how long it takes."""
    counts = dict(campaign.counts)
    to_hold_out = counts.pop("to_hold_out", 0)
    shown_counts = {each: counts.get(each, 0) for each in BAR}
    shown_counts[State.WAITING] -= min(to_hold_out, shown_counts[State.WAITING])
    whole = max(sum(shown_counts.values()), 1)
    parts, at = [], 0.0
    for name, number in shown_counts.items():
        width = 100 * number / whole
        parts.append((str(name), number, round(at, 3), round(width, 3)))
        at += width
    why = {
        name.removeprefix(_REASON): number
        for name, number in counts.items()
        if name.startswith(_REASON)
    }
    waiting = _lanes_waiting(session, campaign) if shown_counts[State.WAITING] else Waiting()
    work = seconds(waiting, per_minute=plan.limits.per_minute)
    return Progress(
        counts=counts,
        parts=parts,
        told=sum(shown_counts.values()) - shown_counts[State.WAITING],
        reasons=sorted(why.items(), key=lambda each: -each[1]),
        waiting=waiting,
        seconds=work,
        ends_at=finishes_at(
            visit.now,
            work,
            quiet=plan.limits.quiet,
            time_zone=visit.programme.time_zone,
        )
        if shown_counts[State.WAITING]
        else None,
    )


#: Beyond so many the lanes are not counted anew for each look: the share is close enough.
_COUNT_EXACTLY = 50_000


def _lanes_waiting(session: Session, campaign: Campaign) -> Waiting:
    waiting = int(campaign.counts.get(State.WAITING, 0))
    chosen = select(Recipient.lane, Recipient.held_out).where(
        Recipient.campaign_id == campaign.id, Recipient.state == State.WAITING
    )
    limited = chosen.limit(_COUNT_EXACTLY).subquery()
    rows = session.execute(
        select(limited.c.lane, func.count())
        .where(limited.c.held_out.is_(False))
        .group_by(limited.c.lane)
    ).all()
    found = {row[0]: row[1] for row in rows}
    scale = max(waiting / _COUNT_EXACTLY, 1.0)
    return Waiting(
        apple=round(found.get("apple", 0) * scale),
        google=round(found.get("google", 0) * scale),
        on_page=round(found.get("page", 0) * scale),
    )
