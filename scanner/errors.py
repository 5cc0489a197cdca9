"""What can go wrong at the till, each with the exit code the program ends with.

    ScanError
    ├── ConfigError        a setting, a file of the state folder or an argument is wrong       2
    ├── CameraError        the camera does not open, or its file ended without a card          2
    ├── DecoderError       the chosen decoder is not installed                                 2
    ├── QueueError         a posting cannot be kept on this disk                               2
    ├── SignInError        the cashier may not work here now                                   1
    ├── NotRedeemed        nothing was redeemed, or it is not certain; says which              1
    ├── NotAllDone         a part of the sale was refused, the rest was done; says which       1
    ├── CardRefused        the card is refused; carries the outcome                            1
    └── ServiceError       the service did not do what was asked
        ├── TryLater       no answer, or none of the service's own: ask again later            1
        ├── Refused        the service answered no, for good                                   1
        ├── SignInAgain    the cashier's session ended                                         1
        └── TillRevoked    the service no longer knows this till                               1

The text of each is for a person and says what to do next.
"""

from __future__ import annotations

from passes.code import Outcome


class ScanError(Exception):
    """Anything that ends a command of the till; its text is for the cashier."""

    exit_code = 1


class ConfigError(ScanError):
    """A setting, an argument or a file of the state folder is wrong."""

    exit_code = 2


class CameraError(ScanError):
    """The camera does not open, or its file ended."""

    exit_code = 2


class DecoderError(ScanError):
    """The chosen decoder cannot be used on this machine."""

    exit_code = 2


class QueueError(ScanError):
    """A posting cannot be kept here: nothing may be promised to the customer."""

    exit_code = 2


class SignInError(ScanError):
    """The cashier may not work at this till now; `code` as the service would word the reason."""

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class NotRedeemed(ScanError):
    """Nothing was redeemed for want of the service; `may_have_been`: that is not certain yet."""

    def __init__(self, message: str, *, tried: bool, may_have_been: bool = False) -> None:
        super().__init__(message)
        self.tried = tried
        self.may_have_been = may_have_been


class NotAllDone(ScanError):
    """Of a sale only a part was done; its cause says why, its text also what was done."""


class CardRefused(ScanError):
    """The card is refused; nothing was posted."""

    def __init__(self, outcome: Outcome, message: str, card_id: str | None = None) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.card_id = card_id


class ServiceError(ScanError):
    """The service did not do what was asked."""


class TryLater(ServiceError):
    """Nothing final: no answer, a fault of the service, or an answer that is not the service's.

    `reached` says whether anything answered at all; `code` is the service's own word, if it
    was the service; `too_often` that it wants fewer tries; `retry_after_seconds` when the next;
    `lost` that the service may have heard it and only its answer is missing, `slow` that it took
    as long as the till waits.
    """

    def __init__(
        self,
        message: str,
        *,
        reached: bool = False,
        code: str | None = None,
        too_often: bool = False,
        retry_after_seconds: int | None = None,
        lost: bool = False,
        slow: bool = False,
    ) -> None:
        super().__init__(message)
        self.lost, self.slow = lost, slow
        self.reached = reached
        self.code = code
        self.too_often = too_often
        self.retry_after_seconds = retry_after_seconds


class Refused(ServiceError):
    """The service answered, and the answer is no: sending the same again changes nothing."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class SignInAgain(ServiceError):
    """The cashier's session has ended, or none was given where one is needed."""


class TillRevoked(ServiceError):
    """The token of this till is no longer good. What waits here is kept."""
