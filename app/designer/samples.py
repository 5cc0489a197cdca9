"""Faces of every kind with made-up data, as a draft's cards would look. Pure.

With the name and the balance of somebody real a card shows how long names and large numbers fit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from app.programmes.faces import ROLES, StampsDrawn
from passes.card import CardFace, CardKind, CardStatus, Issued, Look
from passes.kinds import club_card, company_card, coupon, discount_card, points_card, stamp_card
from passes.text import Text, Words, text

#: A code as long as real ones, of no key: no till takes it.
CODE = "TEST-CARD-NO-POINTS-NO-REWARDS-GOOD-FOR-LOOKING-AT-ONLY-".ljust(120, "0")
SERIAL = "0000000000000000"
REWARD = text(
    {"en": "Free coffee", "de": "Gratis-Kaffee", "lv": "Bezmaksas kafija", "ru": "Кофе бесплатно"}
)
GOLD = text({"en": "Gold", "de": "Gold", "lv": "Zelts", "ru": "Золото"})
STAMPS = StampsDrawn("sample", 10, REWARD)


@dataclass(frozen=True, slots=True)
class Person:
    """Whose card is shown: everything may be somebody real's."""

    name: str | None = "Ada Kalniņa"
    balance: int = 1284
    serial_number: str = SERIAL
    code: str = CODE
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What the programme's rules put on cards: a tier, its stamp card, its currency and zone."""

    tier: Words | None = GOLD
    drawn: StampsDrawn = STAMPS
    reward: Text | None = REWARD
    currency: str = "EUR"
    time_zone: str = "UTC"


def face_of(look: Look, person: Person, shown: Shown, issued: Issued, today: date) -> CardFace:
    """A card of the look's kind; what the person does not say is made up.

    *issued* has what cards of the draft have of their own (links, times); its serial number, code
    and name are the person's.
    """
    issued = replace(
        issued,
        serial_number=person.serial_number,
        code=person.code,
        member_name=person.name,
        message=person.message,
        status=CardStatus.ACTIVE,
    )
    until = date(today.year + 1, today.month, 1)
    last_moment = datetime.combine(until + timedelta(days=1), time(), ZoneInfo(shown.time_zone))
    match look.kind:
        case CardKind.STAMPS:
            count = person.balance % look.stamps
            return stamp_card(look, issued, stamps=count, reward=shown.drawn.reward)
        case CardKind.DISCOUNT:
            return discount_card(
                look,
                issued,
                share=Decimal("0.075"),
                currency=shown.currency,
                tier=shown.tier,
                spent=Decimal(person.balance),
                until_next=Decimal("65.5"),
                next_share=Decimal("0.1"),
            )
        case CardKind.CLUB:
            since = date(today.year - 1, 5, 17)
            issued = replace(issued, valid_until=last_moment)
            return club_card(
                look, issued, valid_until=until, tier=shown.tier, since=since, renew_by=until
            )
        case CardKind.COUPON:
            issued = replace(issued, valid_until=last_moment)
            return coupon(look, issued, offer=shown.reward or REWARD, valid_until=until)
        case CardKind.COMPANY:
            return company_card(
                look,
                issued,
                balance=person.balance,
                company="Ozols & Partner GmbH",
                role=ROLES["spender"],
                limit=500,
                tier=shown.tier,
            )
    return points_card(look, issued, balance=person.balance, pending=36, tier=shown.tier)
