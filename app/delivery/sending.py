"""What delivery and a wallet's sender say to each other. A wallet is one renderer, one sender."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from app.delivery.models import AppleRegistration, GooglePass

Wallet = type[AppleRegistration] | type[GooglePass]


class Outcome(StrEnum):
    """What became of one errand."""

    #: The wallet was told.
    DELIVERED = "delivered"
    #: The wallet is no longer there.
    GONE = "gone"
    #: Not this time, or no answer: to be sent again after a back-off.
    RETRY = "retry"
    #: It will be refused again until somebody puts something right.
    REFUSED = "refused"
    #: The other side knows no such wallet: most likely it never will, a mistake of ours apart.
    UNKNOWN = "unknown"
    #: It never left: the other side cannot be reached at all.
    UNSENT = "unsent"


@dataclass(frozen=True, slots=True)
class Errand:
    """One wallet that is behind: it is to be brought to *version* or a later one.

    *address* is the device's push token, or the object's id at Google.
    """

    wallet_id: int
    card_id: str
    address: str
    version: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an errand: *reason* in words, and *version* where it is a later one."""

    outcome: Outcome
    reason: str = ""
    retry_after_seconds: float | None = None
    version: int | None = None


#: What Apple says of a push token that is none, or of its other environment.
UNKNOWN_DEVICE = "BadDeviceToken"
DELIVERED = Result(Outcome.DELIVERED)


class Sender(Protocol):
    """Brings passes to one kind of wallet."""

    @property
    def wallet(self) -> Wallet:
        """The table of its wallets."""

    @property
    def batch(self) -> int:
        """How many wallets it takes at once; none when it cannot send, and they stay behind."""

    def send(self, errands: Sequence[Errand]) -> Sequence[Result]:
        """Run *errands*, all at once; a result for each, in their order. Outside any database
        transaction, in less time than a lease lasts."""

    def close(self) -> None:
        """Close its connections."""
