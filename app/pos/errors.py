"""What can be wrong with what a shop system asks.

CounterfoilError
├── Unauthorised
│   └── UnknownKey          no key, a mistyped, a wrong or a revoked one
├── Forbidden
│   ├── ScopeMissing        the key is good, but not for this
│   └── OtherLocation       the key is good for another location
├── Conflict
│   └── SeveralReceipts     the number is not enough to tell which
└── Invalid
    └── IdempotencyKeyMissing
"""

from app.errors import Conflict, Forbidden, Invalid, Unauthorised


class UnknownKey(Unauthorised):
    """The API key is missing, mistyped, wrong or revoked."""

    code = "unknown_key"
    keeps_changes = True


class ScopeMissing(Forbidden):
    """The API key was not made for this."""

    code = "scope_missing"


class OtherLocation(Forbidden):
    """The API key is for another location than the one named."""

    code = "other_location"


class SeveralReceipts(Conflict):
    """Several receipts fit what was said of one."""

    code = "several_receipts"


class IdempotencyKeyMissing(Invalid):
    """A request that changes something carries no id that makes repeating it harmless."""

    code = "idempotency_key_missing"
