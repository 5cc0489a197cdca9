"""What a reward or a coupon is worth on a receipt, as a till is told. Pure.

Amounts are minor units of the programme's currency; nothing is worth more than the receipt. A
percentage is rounded down.
"""

from decimal import Decimal
from typing import Any

from app.programmes.mechanics.coupons import CouponKind
from app.programmes.mechanics.rewards import Reward
from app.programmes.settings import Settings
from app.programmes.wording import currency_exponent


def minor(amount: Decimal | None, currency: str) -> int | None:
    """Major units in minor ones, rounded down."""
    return None if amount is None else int(amount.scaleb(currency_exponent(currency)))


def of_reward(
    settings: Settings, reward: Reward, points: int, amount_minor: int | None, currency: str
) -> dict[str, Any]:
    """What a reward takes off or hands over; where points are chosen, what so many are worth."""
    amount = reward.amount
    if reward.is_open_price:
        amount = points * settings.point_value
    return _worth(reward.kind, amount, reward.percent, amount_minor, currency)


def of_coupon(kind: CouponKind, amount_minor: int | None, currency: str) -> dict[str, Any]:
    """What a coupon takes off or hands over."""
    return _worth(kind.kind, kind.amount, kind.percent, amount_minor, currency)


def _worth(
    kind: str,
    amount: Decimal | None,
    percent: Decimal | None,
    amount_minor: int | None,
    currency: str,
) -> dict[str, Any]:
    off: int | None = minor(amount, currency)
    if percent is not None and amount_minor is not None:
        off = int(amount_minor * percent // 100)
    if off is not None and amount_minor is not None:
        off = min(off, amount_minor)
    return {
        "gives": kind,
        "amount_minor": off,
        "currency": currency if off is not None else None,
        "percent": None if percent is None else f"{percent.normalize():f}",
    }
