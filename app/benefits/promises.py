"""What this package asks of whoever knows the programme's rules. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from app.ledger.rules import ReturnPolicy

#: The kinds of things that have a meaning here. Of any other only the number is kept.
STAMPS = "stamps"
COUPON = "coupon"
GIFT = "gift"


@dataclass(frozen=True, slots=True)
class Offer:
    """What a coupon promises, to be kept with it as it is now.

    *terms* is JSON: names by language, and what it is worth. *expires_at* is exclusive.
    """

    what: str
    terms: Mapping[str, Any]
    valid_from: datetime
    expires_at: datetime | None = None


class Promises(Protocol):
    """A programme's rules, as far as they are asked here.

    A moment is when the receipt happened: what was promised then holds.
    """

    @property
    def return_policy(self) -> ReturnPolicy:
        """What a return may do about what was used already."""

    @property
    def grace_days(self) -> int:
        """For how many days a coupon comes back whose last day is over."""

    @property
    def time_zone(self) -> str:
        """The programme's zone."""

    def name(self, kind: str, what: str, language: str) -> str:
        """What a thing is called."""

    def size(self, what: str) -> int | None:
        """How many stamps fill a card; None where there is no such card now."""

    def offer(self, what: str, at: datetime) -> Offer:
        """The coupon of that code, to be issued at that moment."""

    def lasts_until(self, kind: str, what: str, at: datetime) -> datetime | None:
        """Until when all of an account's *what* last once some were given at *at*."""
