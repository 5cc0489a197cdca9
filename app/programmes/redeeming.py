"""How many points may be redeemed: minimum, step and the largest share of a receipt. Pure."""

from decimal import Decimal

from app.errors import Invalid
from app.ledger import writing
from app.programmes.settings import Settings
from app.programmes.wording import currency_exponent


def most_redeemable(
    settings: Settings, available: int, amount_minor: int | None, currency: str
) -> int:
    """The most points that may be redeemed of *available* ones; 0 where it is too few for any.

    *amount_minor* is the receipt's, in the programme's *currency*; without it the share of the
    receipt is left out of account.
    """
    most = available
    if amount_minor is not None and settings.redeem_maximum_share < 100:
        most = min(most, _within_share(settings, amount_minor, currency))
    most -= most % settings.redeem_step
    return most if most >= settings.redeem_minimum else 0


def check_points(settings: Settings, points: int, amount_minor: int | None, currency: str) -> None:
    """Raise `Invalid` that says how many points may be redeemed on a receipt of *amount_minor*.

    Whether the account has so many is the ledger's to say. A programme that limits the share of a
    receipt needs its amount.
    """
    text = None
    share = settings.redeem_maximum_share
    if points < settings.redeem_minimum or points % settings.redeem_step:
        text = (
            f"Redeem at least {settings.redeem_minimum} points, in steps of {settings.redeem_step}."
        )
    elif share < 100 and amount_minor is None:
        text = f"Send the receipt's amount: at most {share} % of it can be paid with points."
        raise Invalid(text, {"amount_minor": [text]})
    elif share < 100 and points > _within_share(settings, amount_minor or 0, currency):
        most = most_redeemable(settings, points, amount_minor, currency)
        paid = writing.money(amount_minor or 0, currency, "en")
        text = f"At most {share} % of {paid} can be paid with points: redeem at most {most}."
    if text:
        raise Invalid(text, {"points": [text]})


def _within_share(settings: Settings, amount_minor: int, currency: str) -> int:
    """Points whose value is at most the share of the amount; exact, rounded down."""
    share = Decimal(amount_minor * settings.redeem_maximum_share)
    return int(share // (settings.point_value.scaleb(currency_exponent(currency)) * 100))
