"""How a card of a programme looks right now: the one place where a CardFace is filled in."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards.models import Card
from app.keys import KeyRing
from app.ledger import service as ledger
from app.ledger.models import Account
from app.members import service as members
from app.programmes import designs
from app.programmes.designs import PLAIN, Design
from app.programmes.models import Programme, ProgrammeVersion
from app.programmes.service import programme_by_id
from app.programmes.settings import Settings, settings_from_json
from app.programmes.terms import rulebook_of
from app.programmes.wallet_extras import NO_EXTRAS, WalletExtras
from passes.card import CardFace, CardStatus, Colours, Issued, Look
from passes.kinds import points_card
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


@dataclass(frozen=True, slots=True, eq=False)
class TierNames:
    """What the tiers are called, by their codes, under one version of the rules."""

    by_code: dict[str, Text] = field(default_factory=dict)


NO_TIERS = TierNames()
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
    if settings.tiers is None:
        return NO_TIERS
    # In a language without a name a tier is called as in English, or else by its code.
    return TierNames(
        {code: text({"en": code} | dict(names)) for code, names in settings.tiers.names.items()}
    )


def look_of(programme: Programme, design: Design = PLAIN, tiers: TierNames = NO_TIERS) -> Look:
    """What all cards of the programme share (those with a tier: its name in all languages)."""
    name = programme.name
    described = {language: words.format(name=name) for language, words in _DESCRIPTIONS.items()}
    return Look(
        kind=design.kind,
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
    if tier is not None:
        tiers = tiers_of(session, rulebook_of(session, programme.id, now).versions[0].id)
    design = designs.current(session, programme.id)
    return fill_in(
        look_of(programme, design, tiers),
        card,
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
    return points_card(look, issued, balance=balance, pending=pending, tier=tier)
