"""What a counter shows of a card besides points, and how rewards and coupons are redeemed there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.benefits import service as benefits
from app.benefits.models import Coupon, Tally
from app.benefits.promises import STAMPS
from app.benefits.service import Order, Price
from app.cards.models import Card
from app.errors import Invalid, NotFound
from app.languages import _, ngettext, speaking
from app.ledger import service as ledger
from app.ledger import writing
from app.ledger.postings import Request
from app.ledger.rules import local_day
from app.programmes import worth
from app.programmes.fields import Wrong
from app.programmes.giving import RuledPromises
from app.programmes.mechanics import coupons as coupon_kinds
from app.programmes.mechanics.coupons import CouponKind
from app.programmes.mechanics.multipasses import KIND as ENTRIES
from app.programmes.mechanics.multipasses import Multipass
from app.programmes.mechanics.rewards import Reward
from app.programmes.settings import Settings
from app.programmes.terms import Rulebook, rulebook_of
from app.till import limits, redemptions
from app.till.counter import Counter, card_of, partner_of
from app.till.errors import ScanTheCard
from passes.code import Kind

#: How a tile and a posting name one entry of a prepaid pass.
ENTRY = "entry"


def is_coupon(card: Card) -> bool:
    """Whether a card is the pass of a coupon."""
    return card.kind == Kind.COUPON


def refuse_coupon(card: Card) -> None:
    """Raise `ScanTheCard` for a coupon: whoever has it may not spend what its account has."""
    if is_coupon(card):
        raise ScanTheCard("This is a coupon. Scan the customer's card to redeem points or stamps.")


# --- what is shown ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """What a tile depends on: how many points may be redeemed, the tier, today."""

    book: Rulebook
    settings: Settings
    language: str
    points: int
    tier: str | None
    now: datetime


def page_part(session: Session, card: Card, shown: Shown) -> dict[str, Any]:
    """Stamps, rewards and coupons of a card's account, in the member's language."""
    settings = shown.settings
    stamps: dict[str, int] = {}
    taken: dict[str, int] = {}
    entries: dict[str, Tally] = {}
    if settings.stamps or settings.multipasses:
        found = benefits.tallies(session, card.account_id, now=shown.now)
        stamps = {each.what: each.count for each in found if each.kind == STAMPS}
        entries = {each.what: each for each in found if each.kind == ENTRIES}
    if any(reward.stock is not None for reward in settings.rewards):
        taken = benefits.stock_taken(session)
    held = benefits.coupons(session, card.account_id, now=shown.now)
    with speaking(shown.language):
        rewards = [
            *(_entry_tile(each, entries.get(each.code), shown) for each in settings.multipasses),
            *(_tile(reward, stamps, taken, shown) for reward in settings.rewards),
        ]
    return {
        "stamps": [
            {
                "code": each.code,
                "name": each.name(shown.language),
                "count": max(0, stamps.get(each.code, 0)) % each.size,
                "size": each.size,
                "full": max(0, stamps.get(each.code, 0)) // each.size,
                "owed": max(0, -stamps.get(each.code, 0)),
            }
            for each in settings.stamps
        ],
        "rewards": rewards,
        "coupons": [coupon_shown(coupon, shown) for coupon in held],
        "coupon": None,
    }


def _tile(
    reward: Reward, stamps: Mapping[str, int], taken: Mapping[str, int], shown: Shown
) -> dict[str, Any]:
    left = None if reward.stock is None else max(0, reward.stock - taken.get(reward.code, 0))
    why_not = reward.why_not(local_day(shown.now, shown.book.time_zone), shown.tier)
    price: dict[str, Any] | None = None
    lowest = reward.points if reward.points_from is None else reward.points_from
    missing_stamps = missing_points = 0
    if reward.stamps is not None:
        size = next(each.size for each in shown.settings.stamps if each.code == reward.stamps)
        price = {"code": reward.stamps, "count": size}
        missing_stamps = max(0, size - max(0, stamps.get(reward.stamps, 0)))
        if why_not is None and missing_stamps:
            why_not = ngettext(
                "%(num)s stamp is missing.", "%(num)s stamps are missing.", missing_stamps
            )
    else:
        missing_points = max(0, (lowest or 0) - shown.points)
        if why_not is None and missing_points:
            why_not = _missing(missing_points)
    if left == 0:
        why_not = _("The last one was taken.")
    highest = None
    if reward.points_from is not None:
        most = min(reward.points_to, shown.points)
        steps = max(0, most - reward.points_from) // reward.points_step
        highest = reward.points_from + steps * reward.points_step
    return {
        "code": reward.code,
        "name": reward.name(shown.language),
        "kind": reward.kind,
        "points": reward.points,
        "points_from": reward.points_from,
        "points_step": reward.points_step if reward.is_open_price else None,
        "points_to": highest,
        "stamps": price,
        "left": left,
        "missing_points": missing_points,
        "missing_stamps": missing_stamps,
        "can_take": why_not is None,
        "why_not": why_not,
    }


def _missing(points: int) -> str:
    return ngettext("%(num)s point is missing.", "%(num)s points are missing.", points)


def lacks_points_alone(tile: Mapping[str, Any]) -> bool:
    """Whether nothing but points is missing for a reward; in the language of its tile."""
    return bool(tile.get("missing_points")) and tile["why_not"] == _missing(tile["missing_points"])


def _entry_tile(multipass: Multipass, tally: Tally | None, shown: Shown) -> dict[str, Any]:
    """One entry of a prepaid pass, offered like a reward that costs nothing else."""
    left = max(0, tally.count) if tally else 0
    return {
        "code": multipass.code,
        "name": multipass.entry_name(shown.language),
        "kind": ENTRY,
        "points": None,
        "points_from": None,
        "points_step": None,
        "points_to": None,
        "stamps": None,
        "left": left,
        "can_take": left > 0,
        "why_not": None if left else _("There are no entries left: sell a new pass."),
    }


def coupon_shown(coupon: Coupon, shown: Shown) -> dict[str, Any]:
    """A coupon as a tile: what it is worth, from which amount, until when."""
    kind = coupon_kinds.read_one(coupon.offer)
    currency = shown.book.currency
    return {
        "id": coupon.id,
        "code": coupon.what,
        "name": kind.name(shown.language),
        "kind": kind.kind,
        "status": coupon.status,
        "amount_minor": worth.minor(kind.amount, currency),
        "percent": None if kind.percent is None else f"{kind.percent.normalize():f}",
        "at_least_minor": worth.minor(kind.at_least, currency),
        "valid_from": coupon.valid_from.isoformat(),
        "expires_at": None if coupon.expires_at is None else coupon.expires_at.isoformat(),
        "can_use": coupon.valid_from <= shown.now
        and (coupon.expires_at is None or coupon.expires_at > shown.now),
    }


def shown_by_itself(session: Session, card: Card, *, now: datetime) -> dict[str, Any]:
    """What a counter is shown of a coupon's own code: the coupon, and nothing of its member."""
    coupon = benefits.coupon_by_card(session, card.id)
    if coupon is None:
        raise NotFound("There is no such coupon in this programme.")
    book = rulebook_of(session, card.programme_id, now)
    shown = Shown(book, book.at(now).settings, card.language, 0, None, now)
    return {
        "card": {
            "card_id": card.id,
            "kind": Kind.COUPON.name.lower(),
            "status": card.status,
            "role": card.role,
        },
        "member": None,
        "tier": None,
        "vip": None,
        "standing": None,
        "redeem": None,
        "stamps": [],
        "rewards": [],
        "coupons": [],
        "coupon": coupon_shown(coupon, shown),
    }


# --- redeeming --------------------------------------------------------------------------------


def redeem_reward(
    session: Session, counter: Counter, request: Request, body: dict[str, Any], *, now: datetime
) -> dict[str, Any]:
    """Redeem a reward for points or a full stamp card: one posting, once.

    Raises `Invalid` where it cannot be had, `ApprovalNeeded`, `LimitReached`, `CardOnlyCollects`
    as a hold does, and what `benefits.redeem` raises.
    """
    card = card_of(session, counter, body["code"], now, now=now)
    refuse_coupon(card)
    has_pin = redemptions.has_right_pin(session, counter, card, body.get("member_pin"), now=now)
    book = rulebook_of(session, counter.till.programme_id, now)
    settings = book.at(now).settings
    for multipass in settings.multipasses:
        if multipass.code == body["reward"]:
            return _enter(session, counter, request, card, multipass, book, body, now)
    reward = next((each for each in settings.rewards if each.code == body["reward"]), None)
    if reward is None:
        raise NotFound("There is no such reward in this programme. Look the card up again.")
    terms = book.terms(now)
    limits.lock(session, card)
    tier = ledger.look(session, card.account_id, now=now, terms=terms).account.tier.tier
    if why_not := reward.why_not(local_day(now, book.time_zone), tier):
        text = f"“{reward.name('en')}” cannot be had now. {why_not}"
        raise Invalid(text, {"reward": [text]})
    try:
        points = reward.costs(body.get("points"))
    except Wrong as wrong:
        raise Invalid(str(wrong), {"points": [str(wrong)]}) from wrong
    limits.check(session, card, points, now=now, time_zone=book.time_zone)
    if points and not has_pin and not counter.has_fresh_code:
        redemptions.check_strength(
            session,
            counter,
            card,
            {**body, "points": points},
            settings.static_redeem_limit,
            terms,
            now=now,
        )
    price = None
    if reward.stamps is not None:
        size = next(each.size for each in settings.stamps if each.code == reward.stamps)
        price = Price(STAMPS, reward.stamps, size)
    order = Order(
        kind="reward",
        what=reward.code,
        name=reward.name(card.language),
        worth=worth.of_reward(settings, reward, points, body.get("amount_minor"), book.currency),
        points=points,
        price=price,
        stock=reward.stock,
        receipt_number=body.get("receipt"),
    )
    return _redeem(session, counter, request, card, order, book, body, now)


def _enter(
    session: Session,
    counter: Counter,
    request: Request,
    card: Card,
    multipass: Multipass,
    book: Rulebook,
    body: dict[str, Any],
    now: datetime,
) -> dict[str, Any]:
    """Use one entry of a prepaid pass."""
    if body.get("points"):
        text = "An entry costs no points: send none."
        raise Invalid(text, {"points": [text]})
    limits.lock(session, card)
    limits.check(session, card, 0, now=now, time_zone=book.time_zone)
    order = Order(
        kind=ENTRY,
        what=multipass.code,
        name=multipass.entry_name(card.language),
        worth={"gives": "goods", "amount_minor": None, "currency": None, "percent": None},
        price=Price(ENTRIES, multipass.code, 1),
        receipt_number=body.get("receipt"),
    )
    return _redeem(session, counter, request, card, order, book, body, now)


def redeem_coupon(
    session: Session, counter: Counter, request: Request, body: dict[str, Any], *, now: datetime
) -> dict[str, Any]:
    """Redeem a coupon: by its own code, or by its id on the member's card. Once.

    Raises `NotFound`, `Invalid` where the receipt is too small, `CouponNotOpen`.
    """
    card = card_of(session, counter, body["code"], now, now=now)
    book = rulebook_of(session, counter.till.programme_id, now)
    coupon = _coupon_meant(session, card, body.get("coupon_id"))
    if not is_coupon(card):
        limits.check(session, card, 0, now=now, time_zone=book.time_zone)
    kind = coupon_kinds.read_one(coupon.offer)
    _check_amount(kind, body.get("amount_minor"), book.currency)
    order = Order(
        kind="coupon",
        what=coupon.what,
        name=kind.name(card.language),
        worth=worth.of_coupon(kind, body.get("amount_minor"), book.currency),
        coupon_id=coupon.id,
        receipt_number=body.get("receipt"),
    )
    return _redeem(session, counter, request, card, order, book, body, now)


def _coupon_meant(session: Session, card: Card, coupon_id: str | None) -> Coupon:
    if is_coupon(card):
        coupon = benefits.coupon_by_card(session, card.id)
        if coupon is None or coupon_id not in (None, coupon.id):
            raise NotFound("There is no such coupon in this programme.")
        return coupon
    if coupon_id is None:
        text = "Say which coupon: scan its own code, or send its coupon_id."
        raise Invalid(text, {"coupon_id": [text]})
    coupon = benefits.coupon_by_id(session, coupon_id)
    if coupon.account_id != card.account_id:
        raise NotFound("This customer has no such coupon. Look the card up again.")
    return coupon


def _check_amount(kind: CouponKind, amount_minor: int | None, currency: str) -> None:
    least = worth.minor(kind.at_least, currency)
    if least is None:
        return
    least_text = writing.money(least, currency, "en")
    if amount_minor is None:
        text = f"Send the receipt's amount: this coupon is for {least_text} or more."
    elif amount_minor < least:
        text = f"This coupon is for receipts of {least_text} or more."
    else:
        return
    raise Invalid(text, {"amount_minor": [text]})


def _redeem(
    session: Session,
    counter: Counter,
    request: Request,
    card: Card,
    order: Order,
    book: Rulebook,
    body: Mapping[str, Any],
    now: datetime,
) -> dict[str, Any]:
    return benefits.redeem(
        session,
        request,
        card.account_id,
        order,
        counter.circumstances(body["occurred_at"], card.id, now=now, language=card.language),
        RuledPromises(book, now),
        now=now,
        terms=book.terms(now),
        partner_id=partner_of(session, counter),
    ).answer
