"""What can be wrong, and what to do about it. No feature and no HTTP here.

    CounterfoilError
    ├── Invalid             what was asked for makes no sense; `fields` names the places
    ├── Unauthorised        who asks is not known, or no longer
    ├── Forbidden           who asks is known and may not
    ├── NotFound            no such thing, or not in this programme
    ├── Conflict            it makes sense, but not in the present state
    ├── TooMany             too often; `retry_after_seconds` says when again
    ├── Misconfigured       the operator has to put something right
    └── Unavailable         not now; the same request may succeed later

A feature derives its own errors from these and states the fact in the class's name
(`InsufficientPoints`, `CardBlocked`). `code` is for programs, the message is for people: it says
what happened and what to do next.
"""

from collections.abc import Mapping, Sequence


class CounterfoilError(Exception):
    """Base of everything that the service says is wrong."""

    code = "error"
    #: What was written before it was raised is kept: a failed try must be counted.
    keeps_changes = False

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        #: Further facts for programs, shown beside the message.
        self.facts = facts


class Invalid(CounterfoilError):
    """The request makes no sense; *fields* maps each wrong field to what is wrong with it."""

    code = "invalid"

    def __init__(
        self, message: str, fields: Mapping[str, Sequence[str]] | None = None, **facts: object
    ) -> None:
        super().__init__(message, **facts)
        self.fields = {name: list(texts) for name, texts in (fields or {}).items()}


class Unauthorised(CounterfoilError):
    """Who asks is not known, or no longer."""

    code = "unauthorised"


class Forbidden(CounterfoilError):
    """Who asks is known and may not do this."""

    code = "forbidden"


class NotFound(CounterfoilError):
    """No such thing in this programme."""

    code = "not_found"


class Conflict(CounterfoilError):
    """The request makes sense, but not in the present state."""

    code = "conflict"


class TooMany(CounterfoilError):
    """Too many tries; the same again after *retry_after_seconds*."""

    code = "too_many"

    def __init__(self, message: str, retry_after_seconds: int, **facts: object) -> None:
        super().__init__(message, **facts)
        self.retry_after_seconds = retry_after_seconds


class Misconfigured(CounterfoilError):
    """The operator has to put something right; the message names the setting or the file."""

    code = "misconfigured"


class Unavailable(CounterfoilError):
    """Not now; the same request may succeed later."""

    code = "unavailable"
