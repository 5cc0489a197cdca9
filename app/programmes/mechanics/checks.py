"""What makes no sense between the things that a programme has besides points. Pure."""

from collections.abc import Collection, Mapping, Sequence

from app.programmes.mechanics.coupons import CouponKind
from app.programmes.mechanics.discounts import Discount
from app.programmes.mechanics.occasions import Occasion
from app.programmes.mechanics.prices import MemberPrice
from app.programmes.mechanics.rewards import Reward
from app.programmes.mechanics.stamps import StampCard


def contradictions(
    stamps: Sequence[StampCard],
    rewards: Sequence[Reward],
    coupons: Sequence[CouponKind],
    tiers: Collection[str],
) -> dict[str, list[str]]:
    """What is wrong, by the setting to change."""
    wrong: dict[str, list[str]] = {}
    cards = {card.code for card in stamps}
    for reward in rewards:
        if reward.stamps is not None and reward.stamps not in cards:
            wrong.setdefault("rewards", []).append(
                f"{reward.code}: there is no stamp card {reward.stamps!r}; add it to stamps."
            )
    for name, things in (("rewards", rewards), ("coupons", coupons)):
        for thing in things:
            if unknown := [tier for tier in thing.tiers if tier not in tiers]:
                wrong.setdefault(name, []).append(
                    f"{thing.code}: there is no tier {unknown[0]!r}; name one of the programme's."
                )
    return wrong


def unknown_tiers(
    priced: Mapping[str, Sequence[Discount | MemberPrice | Occasion]], tiers: Collection[str]
) -> dict[str, list[str]]:
    """Tiers that prices are for and that the programme has not got, by the setting to change."""
    return {
        name: [f"There is no tier {min(unknown)!r}; name one of the programme's."]
        for name, things in priced.items()
        if (unknown := {tier for thing in things for tier in thing.tiers} - set(tiers))
    }
