"""How a card of a programme looks right now: the one place where a CardFace is filled in."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.benefits import service as benefits
from app.benefits.promises import STAMPS
from app.cards import news
from app.cards.models import Card
from app.cards.news import CardNow
from app.keys import KeyRing
from app.ledger import service as ledger
from app.ledger.models import Account, AccountKind
from app.ledger.rules import local_day, start_of_day
from app.members import service as members
from app.programmes import designs
from app.programmes.designs import PLAIN, Design
from app.programmes.memberships import memberships
from app.programmes.models import Programme
from app.programmes.pricelist import DiscountNow, discount_now
from app.programmes.service import programme_by_id
from app.programmes.shown import NO_TIERS as NO_TIERS
from app.programmes.shown import NOTHING_BESIDES as NOTHING_BESIDES
from app.programmes.shown import Besides as Besides
from app.programmes.shown import Company as Company
from app.programmes.shown import CouponShown as CouponShown
from app.programmes.shown import StampsDrawn as StampsDrawn
from app.programmes.shown import TierNames as TierNames
from app.programmes.shown import coupon_shown as coupon_shown
from app.programmes.shown import kept_tiers as kept_tiers
from app.programmes.shown import tiers_of as tiers_of
from app.programmes.terms import rulebook_of
from app.programmes.wallet_extras import NO_EXTRAS, WalletExtras
from app.programmes.wording import currency_exponent
from passes.card import CardFace, CardKind, CardStatus, Colours, Issued, Look
from passes.code import Kind
from passes.kinds import club_card, company_card, coupon, discount_card, points_card, stamp_card
from passes.text import Text, Words, counted, text

#: What a programme's card is to those who hear it read aloud.
_DESCRIPTIONS = {
    "en": "{name} loyalty card",
    "de": "Kundenkarte von {name}",
    "lv": "{name} lojalitātes karte",
    "ru": "Карта лояльности {name}",
}


#: What the holder of a company's card may do.
ROLES = {
    "owner": text({"en": "Manages", "de": "Verwaltet", "lv": "Pārvalda", "ru": "Управляет"}),
    "spender": text(
        {"en": "May redeem", "de": "Darf einlösen", "lv": "Var tērēt", "ru": "Может тратить"}
    ),
    "collector": text({"en": "Collects", "de": "Sammelt", "lv": "Krāj", "ru": "Копит"}),
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


#: Cards of these kinds show what no row of the database says by itself.
WORKED_OUT = (CardKind.DISCOUNT, CardKind.CLUB)
NO_STAMPS: Mapping[str, int] = {}
_MOMENT = timedelta(microseconds=1)


def look_of(
    programme: Programme,
    design: Design = PLAIN,
    tiers: TierNames = NO_TIERS,
    *,
    kind: CardKind | None = None,
) -> Look:
    """What all cards of the programme share (those with a tier: its name in all languages).

    They are of the design's kind, or of *kind*. A stamp card needs stamps in the settings, else
    it shows points.
    """
    name = programme.name
    kind = kind or design.kind
    if kind is CardKind.STAMPS and tiers.stamps is None:
        kind = CardKind.POINTS
    described = {language: words.format(name=name) for language, words in _DESCRIPTIONS.items()}
    return Look(
        kind=kind,
        stamps=tiers.stamps.size if kind is CardKind.STAMPS and tiers.stamps else 0,
        programme_name=_name_of(design.name, name),
        organisation=name,
        description=text(described, "description"),
        colours=Colours(**programme.colours),
        counted=counted(programme.points_names),
        logo=design.logo,
        hero=design.hero,
        poster=design.poster,
        icon=design.icon,
        is_poster=design.poster is not None,
        terms=design.terms,
        contact=design.contact,
        arrangement=design.arrangement,
        links=design.links,
        places=design.places,
        beacons=design.extras.beacons,
        actions=design.extras.actions,
        sharing_prohibited=design.extras.sharing_prohibited,
        store_identifiers=design.extras.store_identifiers,
        app_launch_url=design.extras.app_launch_url,
        vocabulary=(
            *tiers.by_code.values(),
            *(ROLES.values() if kind is CardKind.COMPANY else ()),
        ),
    )


def _name_of(given: Words | None, name: str) -> Words:
    """What a card is called: in languages that the owner left out, as the programme."""
    if isinstance(given, Text):
        return text({"en": name} | dict(given.words))
    return given or name


def besides_of(
    session: Session, programme_id: str, account_id: str, kind: CardKind, *, now: datetime
) -> Besides:
    """What a card of *kind* shows besides what its row says."""
    if kind not in WORKED_OUT:
        return NOTHING_BESIDES
    book = rulebook_of(session, programme_id, now)
    if kind is CardKind.DISCOUNT:
        return Besides(discount_now(session, book, account_id, now=now), book.currency)
    found = memberships(session, book, account_id, now=now)
    return Besides(membership=found[0] if found else None)


def kind_of(
    design: Design, *, is_coupon: bool, company: Company | None, besides: Besides
) -> CardKind:
    """What a card is: what its design says, where there is anything of that to be shown."""
    if is_coupon:
        return CardKind.COUPON
    if design.kind is CardKind.DISCOUNT and besides.discount is not None:
        return CardKind.DISCOUNT
    if design.kind is CardKind.CLUB and besides.membership is not None:
        return CardKind.CLUB
    if design.kind is CardKind.STAMPS:
        return CardKind.STAMPS
    return CardKind.POINTS if company is None else CardKind.COMPANY


def face_of(
    session: Session,
    keys: KeyRing,
    card: Card,
    *,
    now: datetime,
    programme: Programme | None = None,
    design: Design | None = None,
) -> CardFace:
    """The card's face from the ledger, the member's name and the programme's look.

    With a *design* of its own, as it would be if that were the programme's.
    """
    programme = programme or programme_by_id(session, card.programme_id)
    standing = ledger.standing(session, card.account_id, now=now)
    name = members.contact_of(session, keys, card.member_id).name
    tier, version = session.execute(
        select(Account.tier, Account.version).where(Account.id == card.account_id)
    ).one()
    told = news.of_card(
        session, card.id, language=card.language, member_name=name, account_version=version
    )
    tiers = NO_TIERS
    design = design or designs.current(session, programme.id)
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
    besides = besides_of(session, programme.id, card.account_id, design.kind, now=now)
    company = _company_of(session, card)
    kind = kind_of(design, is_coupon=shown is not None, company=company, besides=besides)
    return fill_in(
        look_of(programme, design, tiers, kind=kind),
        card,
        company=company,
        besides=besides,
        told=told,
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


def _company_of(session: Session, card: Card) -> Company | None:
    row = session.execute(
        select(Account.kind, Account.company_name).where(Account.id == card.account_id)
    ).one()
    return company_from(row.kind, row.company_name, card.role, card.redeem_limit)


def company_from(kind: str, name: str | None, role: str, limit: int | None) -> Company | None:
    """The company whose account a card is of; None for other accounts."""
    return Company(name or "", role, limit) if kind == AccountKind.COMPANY else None


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
    company: Company | None = None,
    besides: Besides = NOTHING_BESIDES,
    told: CardNow | None = None,
    page: str | None = None,
) -> CardFace:
    """The face of a card of which all that it shows is known; *page* is its own page's address."""
    issued = Issued(
        serial_number=card.serial_number,
        code=card.code,
        issued_on=card.issued_on,
        status=CardStatus(card.status),
        language=card.language,
        member_name=name,
        valid_until=extras.ends_at(time_zone),
        page=page,
        extras=extras.of_card(serial_number=card.serial_number, code=card.code),
    )
    if told is not None:
        issued = replace(
            issued,
            message=told.shown.message,
            message_id=told.news_id,
            is_news_fresh=told.is_fresh,
            article=told.shown.article,
        )
    if coupon_shown is not None:
        return _coupon_face(look, issued, coupon_shown, time_zone)
    if look.kind is CardKind.STAMPS and drawn is not None:
        return _stamps_face(look, issued, drawn, stamps)
    if look.kind is CardKind.DISCOUNT and besides.discount is not None:
        return _discount_face(look, issued, besides.discount, besides.currency, tier)
    if look.kind is CardKind.CLUB and besides.membership is not None:
        held = besides.membership
        ends_at = start_of_day(held.until + timedelta(days=1), time_zone)
        return club_card(
            look,
            replace(issued, valid_until=ends_at),
            valid_until=held.until,
            tier=tier,
            since=held.since,
            renew_by=held.until,
        )
    if look.kind is CardKind.COMPANY and company is not None:
        return company_card(
            look,
            issued,
            balance=balance,
            company=company.name,
            role=ROLES.get(company.role),
            limit=company.limit,
            tier=tier,
        )
    return points_card(look, issued, balance=balance, pending=pending, tier=tier)


def _discount_face(
    look: Look, issued: Issued, found: DiscountNow, currency: str, tier: Words | None
) -> CardFace:
    def major(minor: int) -> Decimal:
        return Decimal(minor).scaleb(-currency_exponent(currency))

    missing, following = found.missing_minor, found.next_percent
    return discount_card(
        look,
        issued,
        share=found.percent / 100,
        currency=currency,
        tier=tier,
        spent=major(found.spent_minor) if found.discount.scale else None,
        until_next=None if missing is None else major(missing),
        next_share=None if following is None else following / 100,
    )


def _coupon_face(look: Look, issued: Issued, shown: CouponShown, time_zone: str) -> CardFace:
    ends_at = shown.expires_at
    last = None if ends_at is None else local_day(ends_at - _MOMENT, time_zone)
    issued = replace(issued, valid_until=ends_at)
    return coupon(look, issued, offer=shown.offer, valid_until=last)


def _stamps_face(
    look: Look, issued: Issued, drawn: StampsDrawn, stamps: Mapping[str, int]
) -> CardFace:
    count = max(0, stamps.get(drawn.code, 0))
    return stamp_card(
        look,
        issued,
        stamps=count % drawn.size,
        reward=drawn.reward,
        rewards_ready=count // drawn.size,
        others=[
            (name, max(0, stamps.get(code, 0)) % size, size) for code, name, size in drawn.others
        ],
    )
