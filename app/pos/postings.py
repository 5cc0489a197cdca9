"""What a shop system posts: the very services of the till, under the key's name.

A posting that was made before gets its first answer, whatever has changed since; so nothing is
checked before that.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.attempts import note_attempt, refuse_if_too_many
from app.cards import service as cards
from app.errors import Invalid
from app.keys import KeyRing
from app.ledger import service as ledger
from app.ledger.postings import Request, fingerprint
from app.pos.keys import Holder
from app.pos.places import SoldOn, place_of, posting_of
from app.programmes.service import programme_by_id
from app.programmes.terms import rulebook_of
from app.staff import service as staff
from app.staff.errors import PinLocked, WrongPin
from app.staff.models import Staff
from app.till import access, benefits, redemptions, service
from app.till.answers import spoken
from app.till.counter import Counter
from app.till.errors import ApprovalNeeded
from app.till.rules import is_believable
from passes.code import STATIC_LENGTH

#: Of so few digits a hash keeps no secret: they are no part of a posting's fingerprint.
PINS = ("member_pin", "manager")
_CARD_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A posting as it was asked for: *body* as it was checked, *sent* as it came.

    *about* is the hold that the address names.
    """

    posting_id: str
    operation: str
    body: Mapping[str, Any]
    sent: Mapping[str, Any]
    about: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer; *repeated*: it was given before."""

    answer: dict[str, Any]
    repeated: bool


#: What the till's own services do; see `app.api.till.postings.Work`.
TillWork = Callable[..., dict[str, Any]]
Work = Callable[[Session, KeyRing, Counter, Request, dict[str, Any], datetime], dict[str, Any]]


def post(
    session: Session, keys: KeyRing, holder: Holder, asked: Asked, *, now: datetime
) -> Answered:
    """Post once, in a session of the key's programme."""
    path = asked.operation if asked.about is None else f"{asked.operation}/{asked.about}"
    sent = {name: value for name, value in asked.sent.items() if name not in PINS}
    request = Request(
        id=asked.posting_id,
        operation=asked.operation,
        fingerprint=fingerprint(holder.programme_id, holder.id, path, sent),
    )
    programme = programme_by_id(session, holder.programme_id)
    settings = rulebook_of(session, holder.programme_id, now).at(now).settings
    first = ledger.replayed(session, request)
    if first is not None:
        return Answered(spoken(first, programme, settings), repeated=True)
    body = dict(asked.body)
    body["occurred_at"] = occurred_at(body, now)
    place = place_of(session, holder, body.get("location"))
    approver = _approver(session, holder, body.get("manager"), now)
    counter = Counter(place, None, None, offline=False, approver=approver, api_key_id=holder.id)
    if asked.about is not None:
        body["hold_id"] = asked.about
    answer = _WORK[asked.operation](session, keys, counter, request, body, now)
    return Answered(spoken(answer, programme, settings), repeated=False)


def occurred_at(body: Mapping[str, Any], now: datetime) -> datetime:
    """When it happened: as the shop system says, or now. Raises `Invalid` for another fortnight."""
    said: datetime = body.get("occurred_at") or now
    if not is_believable(said, now):
        text = "Send a moment of the last 14 days, or leave it out for now."
        raise Invalid(
            "The shop system's clock is wrong, or this is too old.", {"occurred_at": [text]}
        )
    return said


def code_of(session: Session, named: str) -> str:
    """The static code of the card that was scanned, or named by its id. Raises `NotFound`."""
    if _CARD_ID.fullmatch(named):
        return cards.card_by_id(session, named).code
    return named[:STATIC_LENGTH]


def _fresh(
    session: Session, keys: KeyRing, counter: Counter, body: dict[str, Any], now: datetime
) -> Counter:
    """Take in what was scanned: a one-time value is used up, and makes the code a fresh one."""
    if len(body["card"]) > STATIC_LENGTH:
        _, reading = cards.card_by_code(session, body["card"], now=now)
        is_fresh = cards.use_step(session, keys, reading, now=now)
        counter = replace(counter, has_fresh_code=is_fresh)
    body["code"] = code_of(session, body["card"])
    return counter


def _scanned(work: TillWork) -> Work:
    """Work of the till, once what was scanned has been taken in."""

    def done(
        session: Session,
        keys: KeyRing,
        counter: Counter,
        request: Request,
        body: dict[str, Any],
        now: datetime,
    ) -> dict[str, Any]:
        counter = _fresh(session, keys, counter, body, now)
        return work(session, counter, request, body, now=now)

    return done


def _named(work: TillWork) -> Work:
    """Work of the till for which it is enough to know the card, if it names one."""

    def done(
        session: Session,
        _keys: KeyRing,
        counter: Counter,
        request: Request,
        body: dict[str, Any],
        now: datetime,
    ) -> dict[str, Any]:
        if "card" in body:
            body["code"] = code_of(session, body["card"])
        return work(session, counter, request, body, now=now)

    return done


def _return(
    session: Session,
    keys: KeyRing,
    counter: Counter,
    request: Request,
    body: dict[str, Any],
    now: datetime,
) -> dict[str, Any]:
    if not body.get("posting_id"):
        place = access.Place(counter.till.programme_id, counter.till.location_id)
        zone = rulebook_of(session, place.programme_id, now).time_zone
        sold = SoldOn(body["receipt"], body.get("day"))
        body["posting_id"] = posting_of(session, place, sold, zone)
    return service.reverse(session, counter, request, body, now=now)


_WORK: dict[str, Work] = {
    "accrual": _named(service.accrue),
    "hold": _scanned(redemptions.hold),
    "capture": _named(redemptions.capture),
    "release": _named(redemptions.release),
    "reward": _scanned(benefits.redeem_reward),
    "coupon": _scanned(benefits.redeem_coupon),
    "reversal": _return,
}


def _approver(
    session: Session, holder: Holder, manager: Mapping[str, str] | None, now: datetime
) -> Staff | None:
    """The manager who typed a PIN into the shop system. Raises `WrongPin`, `PinLocked`."""
    if manager is None:
        return None
    refuse_if_too_many(
        session,
        "pin",
        holder.id,
        now=now,
        limit=access.WRONG_PINS,
        window=access.WRONG_PIN_WINDOW,
    )
    try:
        person = staff.check_pin(session, manager["name"], manager["pin"], now=now)
    except (WrongPin, PinLocked):
        note_attempt(session, "pin", holder.id, now=now)
        raise
    if not access.is_manager(person):
        raise ApprovalNeeded("Only a manager or the owner can approve this.")
    return person
