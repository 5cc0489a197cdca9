"""What is refused of benefits.

    CounterfoilError
    ├── NotFound
    │   └── UnknownCoupon
    └── Conflict
        ├── CouponNotOpen       used, withdrawn, expired, or not valid yet
        ├── NotEnough           fewer stamps (or whatever it is paid with) than it costs
        └── OutOfStock          the last one of a reward is gone

A refusal stores nothing: the same posting may be tried again.
"""

from app.errors import Conflict, NotFound


class UnknownCoupon(NotFound):
    """There is no such coupon in this programme."""


class CouponNotOpen(Conflict):
    """The coupon is good no longer, or not yet; `status` says which."""

    code = "coupon_not_open"


class NotEnough(Conflict):
    """Fewer are there than it costs."""

    code = "not_enough"


class OutOfStock(Conflict):
    """The reward's stock is used up."""

    code = "out_of_stock"
