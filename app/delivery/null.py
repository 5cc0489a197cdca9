"""Stands in for a sender while there is no certificate or account: loud once, and sends nothing."""

import logging
from collections.abc import Sequence

from app.delivery.sending import Errand, Outcome, Result, Wallet

_log = logging.getLogger(__name__)


class NullSender:
    """Takes no errands, so that passes stay behind and are brought up to date later."""

    batch = 0

    def __init__(self, wallet: Wallet) -> None:
        self.wallet = wallet
        self._said: str | None = None

    def because(self, reason: str, *, loudly: bool = True) -> "NullSender":
        """Say why nothing is sent; the same reason is said once."""
        if reason != self._said:
            self._said = reason
            if loudly:
                _log.warning("NO PASS IS BROUGHT UP TO DATE: %s", reason)
            else:
                _log.info("off: %s", reason)
        return self

    def send(self, errands: Sequence[Errand]) -> Sequence[Result]:
        """Send nothing."""
        reason = self._said or "There is nothing to send with."
        return [Result(Outcome.UNSENT, reason) for _ in errands]

    def close(self) -> None:
        """There is nothing to close."""
