"""What a receipt is worth, rounded once. Pure, and in whole numbers from beginning to end.

Money is counted in millionths of the programme's minor unit ("micro"), as a fraction where it has
to be: a converted amount or a tax in proportion is not rounded before the points are.

    counted  = (amount - excluded goods - coupons - points spent at their value), net of tax or not
    weighted = counted × the tier's multiplier (+ what was carried over)
    points   = weighted × points ÷ per_amount, rounded down
    carried  = weighted - points × (per_amount ÷ points)

So what is carried over has been multiplied already: money of a silver day does not earn gold
points tomorrow. It is kept in whole micro; its exact fraction is found again (`_exact_carry`)
wherever a point's price has less than a million parts, else less than one micro a receipt is lost.
"""

from app.programmes.earning.counting import Earning, Exchange, Sale, earning_of, earns, marked
from app.programmes.earning.tariff import Tariff, tariff_of
from app.programmes.earning.valuing import value_of

__all__ = [
    "Earning",
    "Exchange",
    "Sale",
    "Tariff",
    "earning_of",
    "earns",
    "marked",
    "tariff_of",
    "value_of",
]
