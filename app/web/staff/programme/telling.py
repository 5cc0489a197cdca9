"""What a mechanic means, in sentences with the programme's own numbers."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal

from app.languages import _, ngettext
from app.ledger.rules import RoundUp, expiry, local_day
from app.programmes.drafts.consequences import point_costs
from app.programmes.mechanics import scales
from app.programmes.mechanics.clubs import membership
from app.programmes.mechanics.rewards import Reward
from app.programmes.settings import Settings
from app.web.formats import day as day_words
from app.web.formats import money, number
from app.web.staff.door import Visit
from app.web.staff.programme.baskets import points_words
from app.web.staff.programme.forms.kernel import Around

_Teller = Callable[[Visit, Settings, Around], list[str]]


def sentences(
    section: str, visit: Visit, settings: Settings, around: Around, margin: Decimal | None = None
) -> list[str]:
    """What the section's settings mean; *margin* is percent of a sale, where the owner said it."""
    teller = _TELLERS.get(section)
    try:
        told = teller(visit, settings, around) if teller else []
        if section in ("earning", "redeeming", "rules") and settings.points:
            told.append(_give_back(settings, around, margin))
    except (ArithmeticError, OverflowError):
        return [_("These numbers are too large to reckon with.")]
    return told


def _hundred(around: Around) -> int:
    return int(100 * 10**around.exponent * (1 if around.exponent >= 2 else 100))


def _rate_points(settings: Settings, minor: int, around: Around) -> int:
    return int(Decimal(minor).scaleb(-around.exponent) * settings.points // settings.per_amount)


def give_back(settings: Settings) -> Decimal:
    """What the rate gives back of a sale, in percent."""
    return settings.points / settings.per_amount * settings.point_value * 100


def _give_back(settings: Settings, around: Around, margin: Decimal | None) -> str:
    share = give_back(settings)
    told = number(share.quantize(Decimal("0.01")))
    if margin:
        return _(
            "The rate gives %(share)s %% of a sale back; of your margin of %(margin)s %% that "
            "takes %(part)s %%.",
            share=told,
            margin=number(margin),
            part=number((share * 100 / margin).quantize(Decimal("0.1"))),
        )
    return _("The rate gives %(share)s %% of a sale back.", share=told)


def _earning(visit: Visit, settings: Settings, around: Around) -> list[str]:
    if not settings.points:
        return [_("Money earns no points by itself: only rules give them.")]
    minor = _hundred(around)
    points = _rate_points(settings, minor, around)
    told = [
        _(
            "%(amount)s earn %(points)s, worth %(value)s.",
            amount=money(minor, around.currency),
            points=points_words(visit, points),
            value=money(int(point_costs(settings, around.currency, points)), around.currency),
        )
    ]
    if settings.pending_days:
        day = local_day(visit.now, around.time_zone) + timedelta(days=settings.pending_days)
        told.append(_("Points of today can be spent from %(day)s on.", day=day_words(day)))
    return told


def _expiry(visit: Visit, settings: Settings, around: Around) -> list[str]:
    if settings.expiry_mode == "inactivity":
        months = settings.inactivity_months
        return [
            ngettext(
                "Whoever does not come for %(num)d month loses all points.",
                "Whoever does not come for %(num)d months loses all points.",
                months,
            )
        ]
    if not settings.expires_after_months:
        return [_("Points last for ever; what is owed for them grows with every one of them.")]
    round_up = None
    if settings.expires_round_up != "none":
        round_up = RoundUp(settings.expires_round_up)
    end = expiry(
        visit.now,
        months=settings.expires_after_months,
        time_zone=around.time_zone,
        round_up=round_up,
    )
    last = local_day(end - timedelta(seconds=1), around.time_zone)
    return [_("Points of today can be spent up to %(day)s.", day=day_words(last))]


def _redeeming(visit: Visit, settings: Settings, around: Around) -> list[str]:
    told = []
    for points in (settings.redeem_minimum, 100):
        if points >= settings.redeem_minimum:
            worth = int(point_costs(settings, around.currency, points))
            told.append(
                ngettext(
                    "%(points)s takes %(value)s off.",
                    "%(points)s take %(value)s off.",
                    points,
                    points=points_words(visit, points),
                    value=money(worth, around.currency),
                )
            )
    if settings.redeem_maximum_share < 100:
        minor = _hundred(around)
        most = minor * settings.redeem_maximum_share // 100
        told.append(
            _(
                "Of a receipt of %(amount)s at most %(most)s can be paid with points.",
                amount=money(minor, around.currency),
                most=money(most, around.currency),
            )
        )
    return list(dict.fromkeys(told))


def _tiers(visit: Visit, settings: Settings, around: Around) -> list[str]:
    if settings.tiers is None:
        return [_("There are no tiers: everybody earns the same.")]
    told = []
    scheme = settings.tiers.scheme
    small = _hundred(around) // 8
    for level in scheme.levels:
        factor = settings.tiers.multipliers[level.code]
        points = int(_exact(settings, small, around) * factor)
        asks = points_words(visit, level.at_least)
        if scheme.measure == "spend":
            asks = money(level.at_least, around.currency)
        told.append(
            _(
                "%(tier)s: from %(asks)s on; a %(amount)s basket earns %(points)s.",
                tier=around.tiers.get(level.code, level.code),
                asks=asks,
                amount=money(small, around.currency),
                points=points_words(visit, points),
            )
        )
    return told


def _exact(settings: Settings, minor: int, around: Around) -> Decimal:
    return Decimal(minor).scaleb(-around.exponent) * settings.points / settings.per_amount


def _stamps(visit: Visit, settings: Settings, around: Around) -> list[str]:
    told = []
    for card in settings.stamps:
        gets = [each.name(around.language) for each in settings.rewards if each.stamps == card.code]
        if gets:
            told.append(
                _(
                    "%(card)s: after %(count)s stamps: %(reward)s.",
                    card=card.name(around.language),
                    count=number(card.size),
                    reward=", ".join(gets),
                )
            )
        else:
            told.append(
                _(
                    "%(card)s: a full card is good for nothing yet. Add a reward that costs it.",
                    card=card.name(around.language),
                )
            )
    return told


def _rewards(visit: Visit, settings: Settings, around: Around) -> list[str]:
    return [
        each for reward in settings.rewards if (each := _reward(visit, settings, reward, around))
    ]


def _reward(visit: Visit, settings: Settings, reward: Reward, around: Around) -> str:
    points = reward.points or reward.points_from
    if not points:
        return ""
    name = reward.name(around.language)
    if not settings.points:
        return _("%(name)s costs %(points)s.", name=name, points=points_words(visit, points))
    spend = points * settings.per_amount / settings.points
    return _(
        "%(name)s costs %(points)s: shopping for %(money)s.",
        name=name,
        points=points_words(visit, points),
        money=money(int(spend.scaleb(around.exponent)), around.currency),
    )


def _coupons(visit: Visit, settings: Settings, around: Around) -> list[str]:
    today = local_day(visit.now, around.time_zone)
    told = []
    for each in settings.coupons:
        days = [today + timedelta(days=each.valid_days)] if each.valid_days is not None else []
        days += [each.valid_to] if each.valid_to else []
        name = each.name(around.language)
        if days:
            day = day_words(min(days))
            told.append(_("%(name)s, given today, is good up to %(day)s.", name=name, day=day))
        else:
            told.append(_("%(name)s, given today, is good for ever.", name=name))
    return told


def _discounts(visit: Visit, settings: Settings, around: Around) -> list[str]:
    told = []
    minor = _hundred(around)
    for each in settings.discounts:
        steps = [step.at_least for step in each.scale] or [Decimal(0)]
        for least in steps:
            spent = int(least.scaleb(around.exponent))
            off = scales.worth_minor(each.parts(spent, minor, around.exponent))
            told.append(
                _(
                    "%(name)s: whoever has spent %(spent)s pays %(paid)s for %(amount)s.",
                    name=each.name(around.language),
                    spent=money(spent, around.currency),
                    paid=money(minor - off, around.currency),
                    amount=money(minor, around.currency),
                )
            )
    return told


def _volumes(visit: Visit, settings: Settings, around: Around) -> list[str]:
    told = []
    for each in settings.volumes:
        for step in each.scale:
            spent = int(step.at_least.scaleb(around.exponent)) or _hundred(around)
            points = each.points(spent * 2, settings.point_value, around.exponent)
            told.append(
                _(
                    "%(name)s: whoever bought for %(spent)s gets %(points)s.",
                    name=each.name(around.language),
                    spent=money(spent * 2, around.currency),
                    points=points_words(visit, points),
                )
            )
    return told


def _clubs(visit: Visit, settings: Settings, around: Around) -> list[str]:
    today: date = local_day(visit.now, around.time_zone)
    told = []
    for each in settings.clubs:
        held = membership(each, [(today, 1)])
        if held is not None:
            told.append(
                _(
                    "%(name)s, bought today, lasts up to %(day)s; from %(renew)s on it can be "
                    "renewed.",
                    name=each.name(around.language),
                    day=day_words(held.until),
                    renew=day_words(held.renew_from),
                )
            )
    return told


def _referral(visit: Visit, settings: Settings, around: Around) -> list[str]:
    referral = settings.referral
    if referral is None:
        return [_("Nobody gets anything for bringing somebody.")]
    each = [referral.referrers_points(earlier) for earlier in range(3)]
    first = ", ".join(number(points) for points in each if points is not None)
    told = []
    if referral.referrer.points:
        told.append(_("The first friends of a year bring %(points)s points.", points=first))
    told.append(
        _(
            "It counts once the friend has spent %(money)s.",
            money=money(int(referral.at_least.scaleb(around.exponent)), around.currency),
        )
    )
    return told


def _occasions(visit: Visit, settings: Settings, around: Around) -> list[str]:
    today = local_day(visit.now, around.time_zone)
    return [
        _(
            "%(name)s: today it is given to whoever has the day on %(day)s.",
            name=each.name(around.language),
            day=day_words(each.celebrated(today)),
        )
        for each in settings.occasions
    ]


def _returns(visit: Visit, settings: Settings, around: Around) -> list[str]:
    balance, due = 5, 12
    if settings.return_policy == "only_pending":
        left = balance
    elif settings.return_policy == "within_balance":
        left = 0
    else:
        left = max(balance - due, -settings.debt_floor)
    return [
        _(
            "Whoever has %(balance)s left and brings back goods that earned %(due)s then has "
            "%(left)s.",
            balance=points_words(visit, balance),
            due=number(due),
            left=number(left),
        )
    ]


_TELLERS: Mapping[str, _Teller] = {
    "earning": _earning,
    "expiry": _expiry,
    "redeeming": _redeeming,
    "returns": _returns,
    "tiers": _tiers,
    "stamps": _stamps,
    "rewards": _rewards,
    "coupons": _coupons,
    "discounts": _discounts,
    "volumes": _volumes,
    "clubs": _clubs,
    "referral": _referral,
    "occasions": _occasions,
}
