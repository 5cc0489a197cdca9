"""How a card of a programme looks right now: the one place where a CardFace is filled in."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.benefits import service as benefits
from app.benefits.promises import STAMPS
from app.cards.models import Card
from app.keys import KeyRing
from app.ledger import service as ledger
from app.ledger.models import Account
from app.ledger.rules import local_day
from app.members import service as members
from app.programmes import designs
from app.programmes.designs import PLAIN, Design
from app.programmes.mechanics.coupons import read_one as read_coupon
from app.programmes.models import Programme, ProgrammeVersion
from app.programmes.service import programme_by_id
from app.programmes.settings import Settings, settings_from_json
from app.programmes.terms import rulebook_of
from app.programmes.wallet_extras import NO_EXTRAS, WalletExtras
from passes.card import CardFace, CardKind, CardStatus, Colours, Issued, Look
from passes.code import Kind
from passes.kinds import coupon, points_card, stamp_card
from passes.text import Text, Words, counted, text

#: What a programme's card is to those who hear it read aloud.
_DESCRIPTIONS = {
    "en": "{name} loyalty card",
    "de": "Kundenkarte von {name}",
    "lv": "{name} lojalitātes karte",
    "ru": "Карта лояльности {name}",
}


class Printed(Protocol):
    """What is printed on a card, whoever holds it: a `Card`, or a row with its columns."""

    @property
    def serial_number(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def issued_on(self) -> date: ...
    @property
    def status(self) -> str: ...
    @property
    def language(self) -> str: ...


@dataclass(frozen=True, slots=True)
class StampsDrawn:
    """The first stamp card of a programme: how many fill it, and what a full one is worth."""

    code: str
    size: int
    reward: Text | None


@dataclass(frozen=True, slots=True)
class CouponShown:
    """What the pass of a coupon shows: its offer, and its last day."""

    offer: Text
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, eq=False)
class TierNames:
    """What the tiers are called, by their codes, under one version of the rules; and the stamp
    card that is drawn, where the programme has any."""

    by_code: dict[str, Text] = field(default_factory=dict)
    stamps: StampsDrawn | None = None


NO_TIERS = TierNames()
NO_STAMPS: Mapping[str, int] = {}
_MOMENT = timedelta(microseconds=1)
#: By the id of the version of the rules, which never changes.
_tiers: dict[str, TierNames] = {}
_MOST_TIERS = 256


def kept_tiers(version_id: str | None) -> TierNames | None:
    """What tiers are called under that version of the rules, if in memory; nothing for no id."""
    return NO_TIERS if version_id is None else _tiers.get(version_id)


def tiers_of(session: Session, version_id: str | None) -> TierNames:
    """The same, read where it is not in memory."""
    found = kept_tiers(version_id)
    if found is None and version_id is not None:
        kept = session.scalars(
            select(ProgrammeVersion.settings).where(ProgrammeVersion.id == version_id)
        ).one()
        if len(_tiers) >= _MOST_TIERS:
            _tiers.clear()
        found = _tiers[version_id] = _named(settings_from_json(kept))
    return found or NO_TIERS


def _named(settings: Settings) -> TierNames:
    # In a language without a name a tier is called as in English, or else by its code.
    names = settings.tiers.names if settings.tiers else {}
    by_code = {code: text({"en": code} | dict(each)) for code, each in names.items()}
    drawn = None
    for card in settings.stamps[:1]:
        rewards = [each for each in settings.rewards if each.stamps == card.code]
        reward = _all_languages(rewards[0].names) if rewards else None
        drawn = StampsDrawn(card.code, card.size, reward)
    return TierNames(by_code, drawn) if by_code or drawn else NO_TIERS


def _all_languages(names: Mapping[str, str]) -> Text:
    """Names as a pass has them: English, or else the first language, for those without one."""
    return text({"en": next(iter(names.values()))} | dict(names))


def coupon_shown(offer: Mapping[str, Any], expires_at: datetime | None) -> CouponShown:
    """What the pass of a coupon shows, from what was promised with it."""
    return CouponShown(_all_languages(read_coupon(offer).names), expires_at)


def look_of(
    programme: Programme,
    design: Design = PLAIN,
    tiers: TierNames = NO_TIERS,
    *,
    is_coupon: bool = False,
) -> Look:
    """What all cards of the programme share (those with a tier: its name in all languages).

    A stamp card needs stamps in the settings, else it shows points. A coupon is always one.
    """
    name = programme.name
    kind = CardKind.COUPON if is_coupon else design.kind
    if kind is CardKind.STAMPS and tiers.stamps is None:
        kind = CardKind.POINTS
    described = {language: words.format(name=name) for language, words in _DESCRIPTIONS.items()}
    return Look(
        kind=kind,
        stamps=tiers.stamps.size if kind is CardKind.STAMPS and tiers.stamps else 0,
        programme_name=name,
        organisation=name,
        description=text(described, "description"),
        colours=Colours(**programme.colours),
        counted=counted(programme.points_names),
        logo=design.logo,
        hero=design.hero,
        poster=design.poster,
        is_poster=design.poster is not None,
        terms=design.terms,
        links=design.links,
        places=design.places,
        beacons=design.extras.beacons,
        actions=design.extras.actions,
        sharing_prohibited=design.extras.sharing_prohibited,
        store_identifiers=design.extras.store_identifiers,
        app_launch_url=design.extras.app_launch_url,
        vocabulary=tuple(tiers.by_code.values()),
    )


def face_of(
    session: Session,
    keys: KeyRing,
    card: Card,
    *,
    now: datetime,
    programme: Programme | None = None,
) -> CardFace:
    """The card's face from the ledger, the member's name and the programme's look."""
    programme = programme or programme_by_id(session, card.programme_id)
    standing = ledger.standing(session, card.account_id, now=now)
    name = members.contact_of(session, keys, card.member_id).name
    tier = session.scalar(select(Account.tier).where(Account.id == card.account_id))
    tiers = NO_TIERS
    design = designs.current(session, programme.id)
    if tier is not None or design.kind is CardKind.STAMPS:
        tiers = tiers_of(session, rulebook_of(session, programme.id, now).versions[0].id)
    shown = None
    if card.kind == Kind.COUPON and (found := benefits.coupon_by_card(session, card.id)):
        shown = coupon_shown(found.offer, found.expires_at)
    stamps = {}
    if design.kind is CardKind.STAMPS:
        stamps = {
            each.what: each.count
            for each in benefits.tallies(session, card.account_id, now=now)
            if each.kind == STAMPS
        }
    return fill_in(
        look_of(programme, design, tiers, is_coupon=shown is not None),
        card,
        stamps=stamps,
        drawn=tiers.stamps,
        coupon_shown=shown,
        extras=design.extras,
        time_zone=programme.time_zone,
        name=name,
        balance=standing.balance,
        pending=standing.pending,
        tier=None if tier is None else tiers.by_code.get(tier, tier),
    )


def fill_in(
    look: Look,
    card: Printed,
    *,
    name: str | None,
    balance: int,
    pending: int,
    tier: Words | None = None,
    extras: WalletExtras = NO_EXTRAS,
    time_zone: str = "UTC",
    stamps: Mapping[str, int] = NO_STAMPS,
    drawn: StampsDrawn | None = None,
    coupon_shown: CouponShown | None = None,
) -> CardFace:
    """The face of a card of which all that it shows is known."""
    issued = Issued(
        serial_number=card.serial_number,
        code=card.code,
        issued_on=card.issued_on,
        status=CardStatus(card.status),
        language=card.language,
        member_name=name,
        valid_until=extras.ends_at(time_zone),
        extras=extras.of_card(serial_number=card.serial_number, code=card.code),
    )
    if coupon_shown is not None:
        ends_at = coupon_shown.expires_at
        last = None if ends_at is None else local_day(ends_at - _MOMENT, time_zone)
        return coupon(
            look, replace(issued, valid_until=ends_at), offer=coupon_shown.offer, valid_until=last
        )
    if look.kind is CardKind.STAMPS and drawn is not None:
        count = max(0, stamps.get(drawn.code, 0))
        return stamp_card(
            look,
            issued,
            stamps=count % drawn.size,
            reward=drawn.reward,
            rewards_ready=count // drawn.size,
        )
    return points_card(look, issued, balance=balance, pending=pending, tier=tier)
