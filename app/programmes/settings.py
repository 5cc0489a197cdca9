"""A programme's settings: one version of them, read and checked. Pure."""

import dataclasses
import json
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from app.errors import Invalid
from app.languages import _
from app.ledger.rules import ReturnPolicy, RoundUp
from app.programmes import fields
from app.programmes.fields import BonusRule, Reader, Tiers, Wrong
from app.programmes.mechanics import (
    clubs,
    coupons,
    discounts,
    multipasses,
    occasions,
    prices,
    referrals,
    rewards,
    stamps,
    volumes,
)
from app.programmes.mechanics.checks import contradictions, unknown_tiers
from app.programmes.mechanics.clubs import Club
from app.programmes.mechanics.coupons import CouponKind
from app.programmes.mechanics.discounts import Discount
from app.programmes.mechanics.multipasses import Multipass
from app.programmes.mechanics.occasions import Occasion
from app.programmes.mechanics.prices import MemberPrice
from app.programmes.mechanics.referrals import Referral
from app.programmes.mechanics.rewards import Reward
from app.programmes.mechanics.stamps import StampCard
from app.programmes.mechanics.volumes import Volume
from app.programmes.rules.model import Rule
from app.programmes.rules.reading import read_rules
from app.programmes.rules.segments import Segment, read_segments

#: A receipt above this is a typing mistake: 1,000,000.00 in most currencies.
HIGHEST_AMOUNT_MINOR = 100_000_000
#: Points for one unit of money; with the highest receipt far below what a database counts to.
HIGHEST_RATE = 1_000_000
#: No month is shorter: what is pending longer than a lot lasts could never be spent.
_SHORTEST_MONTH_DAYS = 28


@dataclass(frozen=True, slots=True)
class Settings:
    """One version of a programme's settings. Decimals are exact; money is in major units.

    **Earning.** A receipt earns *points* for each *per_amount* of money, rounded down once; with
    *carry_remainder* the money that was too little for a point counts with the next receipt.
    *earn_on* gross or net of tax; goods of *excluded_categories* earn nothing. *bonuses* are for
    receipts that earn on enough. *tiers* may earn more (a multiplier each).

    **Rules.** The rate above is the base rule called "base"; with 0 *points* there is none. *rules*
    are others beside it (`app.programmes.rules`): of the base rules the best one counts, and of
    the promotions, the bonuses among them, "all" or the "best", as *stacking* says. *segments* are
    named kinds of members that rules are for.

    **Pending.** Points can be spent *pending_days* times 24 hours after the receipt, or, with
    *pending_until_confirmed*, when somebody confirms them.

    **Expiry.** ``fixed``: points last *expires_after_months* (0: for ever) to the end of the last
    local day, then to the end of what *expires_round_up* names. ``inactivity``: all points of an
    account last *inactivity_months* after its last accrual or redemption.

    **Redemption.** At least *redeem_minimum* points in steps of *redeem_step*, for at most
    *redeem_maximum_share* percent of the receipt; more than *static_redeem_limit* needs a rotating
    code or a manager. A point is worth *point_value*.

    **Returns.** *return_policy* says what happens when returned points are spent already:
    only_pending, within_balance or allow_debt (down to *debt_floor* points of debt). Redeemed
    points that have expired meanwhile come back for *grace_days*.

    **By hand.** Fewer than *adjust_alone_below* points may one person alone give or take.

    **Besides points.** *stamps*, *rewards*, *coupons*, *multipasses* and *clubs*: see
    `app.programmes.mechanics`.

    **Referral.** *referral* is what members and those whom they bring get.

    **Joining.** *welcome_points* are given once to who joins and confirms an e-mail address.

    **Occasions.** *occasions* are birthdays and days of joining, with what they give.

    **Prices.** *discounts*, *prices* (those for members) and *volumes* (bonuses): see
    `app.programmes.mechanics`.

    **Accounts.** Of the points issued the share *expected_redemption* is expected to be redeemed.
    """

    points: Decimal
    per_amount: Decimal
    expires_after_months: int = 0
    expires_round_up: str = "none"
    expiry_mode: str = "fixed"
    inactivity_months: int = 0
    pending_days: int = 0
    pending_until_confirmed: bool = False
    carry_remainder: bool = False
    earn_on: str = "gross"
    excluded_categories: tuple[str, ...] = ()
    bonuses: tuple[BonusRule, ...] = ()
    tiers: Tiers | None = None
    rules: tuple[Rule, ...] = ()
    stacking: str = "all"
    segments: tuple[Segment, ...] = ()
    point_value: Decimal = Decimal("0.01")
    redeem_minimum: int = 1
    redeem_step: int = 1
    redeem_maximum_share: int = 100
    static_redeem_limit: int = 50
    return_policy: str = "allow_debt"
    debt_floor: int = 1_000_000
    grace_days: int = 30
    expected_redemption: Decimal = Decimal("0.9")
    adjust_alone_below: int = 1_000
    stamps: tuple[StampCard, ...] = ()
    rewards: tuple[Reward, ...] = ()
    coupons: tuple[CouponKind, ...] = ()
    discounts: tuple[Discount, ...] = ()
    prices: tuple[MemberPrice, ...] = ()
    multipasses: tuple[Multipass, ...] = ()
    clubs: tuple[Club, ...] = ()
    occasions: tuple[Occasion, ...] = ()
    referral: Referral | None = None
    welcome_points: int = 0
    volumes: tuple[Volume, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The settings as they are kept; decimals as text, so that nothing is rounded."""
        kept = {name: _kept(getattr(self, name)) for name in self.__slots__}
        kept["segments"] = {each.name: each.as_json() for each in self.segments}
        return kept


def _kept(value: Any) -> Any:
    match value:
        case Decimal():
            return str(value)
        case tuple():
            return [_kept(each) for each in value]
        case BonusRule() | Tiers() | Rule() | Segment() | StampCard() | Reward() | CouponKind():
            return value.as_json()
        case Discount() | MemberPrice() | Occasion() | Multipass() | Club() | Referral() | Volume():
            return value.as_json()
    return value


_RATE = fields.decimal(Decimal("999999.999999"))
_READERS: dict[str, Reader] = {
    "points": fields.decimal(Decimal("999999.999999"), zero=True),
    "per_amount": _RATE,
    "expires_after_months": fields.whole(0, 1200),
    "expires_round_up": fields.choice("none", *(str(period) for period in RoundUp)),
    "expiry_mode": fields.choice("fixed", "inactivity"),
    "inactivity_months": fields.whole(0, 1200),
    "pending_days": fields.whole(0, 366),
    "pending_until_confirmed": fields.yes_or_no,
    "carry_remainder": fields.yes_or_no,
    "earn_on": fields.choice("gross", "net"),
    "excluded_categories": fields.categories,
    "bonuses": fields.bonuses,
    "tiers": fields.tiers,
    "rules": read_rules,
    "stacking": fields.choice("all", "best"),
    "segments": read_segments,
    "point_value": _RATE,
    "redeem_minimum": fields.whole(1),
    "redeem_step": fields.whole(1),
    "redeem_maximum_share": fields.whole(1, 100),
    "static_redeem_limit": fields.whole(0),
    "return_policy": fields.choice(*(str(policy) for policy in ReturnPolicy)),
    "debt_floor": fields.whole(0),
    "grace_days": fields.whole(0, 3650),
    "expected_redemption": fields.decimal(1),
    "adjust_alone_below": fields.whole(0),
    "stamps": stamps.read,
    "rewards": rewards.read,
    "coupons": coupons.read,
    "discounts": discounts.read,
    "prices": prices.read,
    "multipasses": multipasses.read,
    "clubs": clubs.read,
    "occasions": occasions.read,
    "referral": referrals.read,
    "welcome_points": fields.whole(0, 1_000_000),
    "volumes": volumes.read,
}


def settings_from_json(data: Mapping[str, Any]) -> Settings:
    """Read settings; what is not named is as it is by default. Raises `Invalid` that names each
    wrong field and says what to write instead."""
    values: dict[str, Any] = {}
    wrong: dict[str, list[str]] = {}
    for name, value in data.items():
        if name not in _READERS:
            wrong[name] = [_("There is no such setting.")]
            continue
        try:
            values[name] = _READERS[name](value)
        except Wrong as error:
            wrong[name] = [str(error)]
    for name in {"points", "per_amount"} - data.keys():
        wrong[name] = [_("This setting is missing.")]
    if not wrong:
        wrong = _contradictions(Settings(**values))
    if wrong:
        raise Invalid(_("The programme's settings do not make sense."), wrong)
    return Settings(**values)


def _contradictions(settings: Settings) -> dict[str, list[str]]:
    """What makes no sense together, by the field to change."""
    wrong = {}
    if settings.points > HIGHEST_RATE * settings.per_amount:
        wrong["points"] = [f"Give at most {HIGHEST_RATE:,} points for one unit of money."]
    rolling = settings.expiry_mode == "inactivity"
    if rolling and not settings.inactivity_months:
        wrong["inactivity_months"] = ["Say after how many months without a visit points expire."]
    if settings.pending_days and settings.pending_until_confirmed:
        wrong["pending_days"] = ["Points are pending for days or until confirmed, not both: set 0."]
    months = settings.inactivity_months if rolling else settings.expires_after_months
    if months and settings.pending_days >= months * _SHORTEST_MONTH_DAYS:
        wrong["pending_days"] = ["The points would expire before they can be spent: give fewer."]
    levels = [level.code for level in settings.tiers.scheme.levels] if settings.tiers else []
    wrong |= contradictions(settings.stamps, settings.rewards, settings.coupons, levels)
    groups = [*levels, *(club.code for club in settings.clubs)]
    wrong |= unknown_tiers({"discounts": settings.discounts, "prices": settings.prices}, groups)
    wrong |= unknown_tiers({"occasions": settings.occasions}, levels)
    return wrong | _dangling(settings)


def _dangling(settings: Settings) -> dict[str, list[str]]:
    """What rules name and nobody has defined."""
    segments = {each.name for each in settings.segments}
    levels = settings.tiers.scheme.levels if settings.tiers else ()
    tiers = {level.code for level in levels}
    wrong: dict[str, list[str]] = {}
    for rule in settings.rules:
        said = []
        for name in set(rule.conditions.segments) - segments:
            said.append(f"Rule {rule.name!r}: there is no segment {name!r}: add it to segments.")
        for code in set(rule.conditions.tiers) - tiers:
            said.append(f"Rule {rule.name!r}: there is no tier {code!r}: add it to tiers.")
        if any(rule.name == bonus.name for bonus in settings.bonuses):
            said.append(f"Rule {rule.name!r}: a bonus has this name: give each its own.")
        if rule.points and rule.per_amount and rule.points > HIGHEST_RATE * rule.per_amount:
            said.append(f"Rule {rule.name!r}: give at most {HIGHEST_RATE:,} points for one unit.")
        if said:
            wrong.setdefault("rules", []).extend(sorted(said))
    for segment in settings.segments:
        for code in sorted(set(segment.tiers) - tiers):
            text = f"Segment {segment.name!r}: there is no tier {code!r}: add it to tiers."
            wrong.setdefault("segments", []).append(text)
    return wrong


def setting_names() -> list[str]:
    """All settings, in the order in which they are shown."""
    return list(_READERS)


def setting_from_text(name: str, text: str) -> Any:
    """A setting as somebody typed it, ready for `settings_from_json` (which says what is wrong).

    Lists and tiers are JSON; categories may stand between commas, and yes and no for truth.
    """
    if name not in _READERS or name in _TEXTS:
        return text
    if name == "excluded_categories" and not text.lstrip().startswith("["):
        return [each.strip() for each in text.split(",") if each.strip()]
    if text.lower() in {"yes", "no"}:
        return text.lower() == "yes"
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


_TEXTS = {each.name for each in dataclasses.fields(Settings) if each.type in (Decimal, str)}


@cache
def _zones() -> frozenset[str]:
    """Found by walking through folders: once is enough."""
    return frozenset(zoneinfo.available_timezones())


def check_time_zone(name: str) -> None:
    """Raise `Invalid` unless *name* is an IANA zone."""
    if name not in _zones():
        raise Invalid(
            _("There is no time zone %(name)s; write one such as Europe/Riga.", name=repr(name))
        )
