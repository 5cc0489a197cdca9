"""What can be wrong with a card or its code."""

from app.errors import Conflict
from passes.code import Outcome


class CardRefused(Conflict):
    """The code or the card is not accepted; `outcome` is one of the closed list."""

    code = "card_refused"

    def __init__(self, outcome: Outcome, message: str) -> None:
        super().__init__(message, outcome=str(outcome))
        self.outcome = outcome
