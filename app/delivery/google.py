"""Brings Google's objects up to date: a PATCH each, with a notice where Google allows it."""

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from app.context import Context
from app.delivery.google_api import Answer, GoogleSilent, GoogleUnreachable
from app.delivery.google_passes import GoogleCard, GooglePasses
from app.delivery.models import GooglePass
from app.delivery.sending import Errand, Outcome, Result, Wallet
from app.errors import CounterfoilError
from passes.errors import PassError
from passes.google.loyalty import changes

_log = logging.getLogger(__name__)

_THREADS = 8
#: After this long no further request of a batch is begun: its lease must not run out.
_BEGIN_WITHIN_SECONDS = 15.0


class GoogleSender:
    """Patches objects, several at once, at the pace that Google allows."""

    wallet: Wallet = GooglePass
    batch = 2 * _THREADS

    def __init__(self, context: Context, passes: GooglePasses) -> None:
        self._context = context
        self._passes = passes
        self._threads: ThreadPoolExecutor | None = None

    def obstacle(self) -> str | None:
        """Why nothing can be sent now, in words; None where all is well."""
        return self._passes.obstacle()

    def send(self, errands: Sequence[Errand]) -> Sequence[Result]:
        """Bring the objects of *errands* up to date. Once Google is found to be down, the rest of
        them is not tried."""
        cards = self._read(errands)
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="google")
        down = threading.Event()
        until = time.monotonic() + _BEGIN_WITHIN_SECONDS

        def run(pair: tuple[Errand, GoogleCard | Result]) -> Result:
            errand, card = pair
            if isinstance(card, Result):
                return card
            if down.is_set() or time.monotonic() > until:
                return Result(Outcome.UNSENT, "Google did not answer the passes before this one.")
            try:
                return self._bring(errand.address, card)
            except GoogleUnreachable as error:
                down.set()
                return Result(Outcome.UNSENT, str(error))
            except GoogleSilent as error:
                down.set()
                return Result(Outcome.RETRY, str(error))

        return list(self._threads.map(run, zip(errands, cards, strict=True)))

    def close(self) -> None:
        """End the threads."""
        if self._threads is not None:
            self._threads.shutdown()
            self._threads = None

    def _read(self, errands: Sequence[Errand]) -> list[GoogleCard | Result]:
        now = self._context.clock()
        read: list[GoogleCard | Result] = []
        with self._context.database.read_all() as session:
            for errand in errands:
                try:
                    read.append(self._passes.read(session, errand.card_id, now=now))
                except (CounterfoilError, PassError, ValueError) as error:
                    # One card that cannot be drawn must not keep the others from their updates.
                    _log.exception("card %s cannot be shown at Google", errand.card_id)
                    read.append(Result(Outcome.REFUSED, f"The card cannot be shown: {error}"))
        return read

    def _bring(self, object_id: str, card: GoogleCard) -> Result:
        api, path = self._passes.service().api, f"loyaltyObject/{object_id}"
        answer = api.request("PATCH", path, changes(card.face))
        if answer.status == 403 and answer.reason == "quotaExceeded":
            # Three notices a pass in 24 hours: the points still change, without one.
            answer = api.request("PATCH", path, changes(card.face, notify=False))
        if answer.status == 404:
            answer = self._passes.insert(card)
        return _result(answer, card.version)


def _result(answer: Answer, version: int) -> Result:
    if answer.is_good:
        return Result(Outcome.DELIVERED, version=version)
    # 409: somebody else inserted it between our two requests; the next PATCH finds it.
    if answer.is_for_later or answer.status == 409 or answer.reason == "quotaExceeded":
        return Result(Outcome.RETRY, str(answer), answer.retry_after_seconds)
    return Result(Outcome.REFUSED, str(answer))
