"""What the ledger refuses.

    CounterfoilError
    ├── Invalid
    │   └── ReturnTooLarge      more comes back than was sold, or than is left of it
    ├── NotFound
    │   ├── UnknownAccount
    │   ├── UnknownPosting      no such posting, or another account's
    │   └── UnknownHold
    └── Conflict
        ├── InsufficientPoints
        ├── AlreadyReversed     to undo a reversal, name the reversal
        ├── NotReversible       a hold or a release: there is nothing to reverse
        ├── HoldNotOpen         captured, released or lapsed
        ├── NotMergeable        accounts that cannot become one, or two again, as they are
        └── PostingIdReused     the same id with another body

A refusal stores nothing: the same posting may be tried again.
"""

from app.errors import Conflict, Invalid, NotFound


class UnknownAccount(NotFound):
    """There is no such account in this programme."""


class UnknownPosting(NotFound):
    """There is no such posting in this programme, or it is another account's."""


class UnknownHold(NotFound):
    """There is no such hold in this programme."""


class InsufficientPoints(Conflict):
    """Fewer points are available than were asked for."""

    code = "insufficient_points"

    def __init__(self, points: int, available: int) -> None:
        #: What can be spent; never below zero.
        self.available = max(0, available)
        super().__init__(
            f"Only {self.available} points can be spent, not {points}. "
            "Choose fewer points and try again.",
            points=points,
            available=available,
        )


class AlreadyReversed(Conflict):
    """The posting was reversed before; only its reversal can still be reversed."""

    code = "already_reversed"


class NotReversible(Conflict):
    """The posting moved no points."""

    code = "not_reversible"


class HoldNotOpen(Conflict):
    """The hold was captured or released, or it lapsed."""

    code = "hold_not_open"


class NotMergeable(Conflict):
    """The two accounts cannot be merged, or their merge undone, as they are; says what to do."""

    code = "not_mergeable"


class PostingIdReused(Conflict):
    """The id was used before, for something else."""

    code = "posting_id_reused"


class ReturnTooLarge(Invalid):
    """More would have come back than was sold."""

    code = "return_too_large"
