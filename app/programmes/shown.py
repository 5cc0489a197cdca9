"""What a card shows besides its points: tiers and stamps by their names, a coupon, a company."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.programmes.mechanics.clubs import Membership
from app.programmes.mechanics.coupons import read_one as read_coupon
from app.programmes.models import ProgrammeVersion
from app.programmes.pricelist import DiscountNow
from app.programmes.settings import Settings, settings_from_json
from passes.text import Text, text


@dataclass(frozen=True, slots=True)
class StampsDrawn:
    """The first stamp card of a programme: how many fill it, and what a full one is worth.

    *others* are its further cards: code, name, and how many fill each.
    """

    code: str
    size: int
    reward: Text | None
    others: tuple[tuple[str, Text, int], ...] = ()


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


@dataclass(frozen=True, slots=True)
class Company:
    """What a card of a company's account shows: the company, and what its holder may do."""

    name: str
    role: str
    limit: int | None


@dataclass(frozen=True, slots=True)
class Besides:
    """What a discount card or a club's card shows instead of points."""

    discount: DiscountNow | None = None
    currency: str = ""
    membership: Membership | None = None


NO_TIERS = TierNames()
NOTHING_BESIDES = Besides()
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
        others = tuple(
            (each.code, _all_languages(each.names), each.size) for each in settings.stamps[1:]
        )
        drawn = StampsDrawn(card.code, card.size, reward, others)
    return TierNames(by_code, drawn) if by_code or drawn else NO_TIERS


def _all_languages(names: Mapping[str, str]) -> Text:
    """Names as a pass has them: English, or else the first language, for those without one."""
    return text({"en": next(iter(names.values()))} | dict(names))


def coupon_shown(offer: Mapping[str, Any], expires_at: datetime | None) -> CouponShown:
    """What the pass of a coupon shows, from what was promised with it."""
    return CouponShown(_all_languages(read_coupon(offer).names), expires_at)
