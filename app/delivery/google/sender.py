"""Brings Google's objects up to date: only what changed, many in one request, at Google's pace."""

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from sqlalchemy.orm import Session

from app.context import Context
from app.delivery.google.api import Answer, GoogleSilent, GoogleUnreachable
from app.delivery.google.estimate import PARTS
from app.delivery.google.job import Call, Job, note_answers, note_intents
from app.delivery.google.passes import GoogleCard, GooglePasses
from app.delivery.models import GooglePass
from app.delivery.sending import Errand, Outcome, Result, Wallet
from app.errors import CounterfoilError
from passes.errors import PassError

_log = logging.getLogger(__name__)

#: So few are sent as they are, side by side; more go in a batch.
_THREADS = 4
_FEWEST_PARTS = 10
_FIRST_PARTS = 100
#: Google takes 1,000; with fewer, a customer's own tap does not wait long behind them, and all of
#: it is done well before the lease ends.
_MOST_PARTS = PARTS
#: After this long nothing further is begun: the lease must not run out.
_BEGIN_WITHIN_SECONDS = 15.0
#: A job is done in one request; the notice, the object or the class may each need one more.
_ROUNDS = 5

_Answers = list[Answer | GoogleSilent | GoogleUnreachable]


class GoogleSender:
    """Patches objects at the pace that Google allows. A batch counts as one request; where Google
    answers that parts of it were too many, the next ones are smaller."""

    wallet: Wallet = GooglePass

    def __init__(self, context: Context, passes: GooglePasses) -> None:
        self._context = context
        self._passes = passes
        self._threads: ThreadPoolExecutor | None = None
        self._parts = _FIRST_PARTS

    @property
    def batch(self) -> int:
        """How many passes are brought in one go."""
        return self._parts

    def obstacle(self) -> str | None:
        """Why nothing can be sent now, in words; None where all is well."""
        return self._passes.obstacle()

    def send(self, errands: Sequence[Errand]) -> Sequence[Result]:
        """Bring the objects of *errands* up to date. Once Google is found to be down, the rest of
        them is not tried."""
        now = self._context.clock()
        until = time.monotonic() + _BEGIN_WITHIN_SECONDS
        jobs = self._read(errands, now)
        self._see_to_classes(jobs)
        note_intents(self._context.database, [job for job in jobs if job.call is not None])
        for _ in range(_ROUNDS):
            at_hand = [job for job in jobs if job.call is not None]
            if not at_hand:
                break
            answers = self._ask([job.call for job in at_hand if job.call], until)
            for job, answer in zip(at_hand, answers, strict=True):
                job.take(answer, now)
                if job.misses_class:
                    self._insert_class(job)
        note_answers(self._context.database, jobs)
        return [job.result for job in jobs]

    def close(self) -> None:
        """End the threads."""
        if self._threads is not None:
            self._threads.shutdown()
            self._threads = None

    def _read(self, errands: Sequence[Errand], now: datetime) -> list[Job]:
        jobs = {errand.card_id: Job(errand, None) for errand in errands}
        for programme_id, card_ids in self._passes.programmes_of(jobs).items():
            with self._context.database.read(programme_id) as session:
                for card_id in card_ids:
                    self._plan(jobs[card_id], session, now)
        return [jobs[errand.card_id] for errand in errands]

    def _plan(self, job: Job, session: Session, now: datetime) -> None:
        try:
            job.card = card = self._passes.read(session, job.errand.card_id, now=now)
        except (CounterfoilError, PassError, ValueError) as error:
            # One card that cannot be drawn must not keep the others from their updates.
            _log.exception("card %s cannot be shown at Google", job.errand.card_id)
            job.finish(Result(Outcome.REFUSED, f"The card cannot be shown: {error}"))
            return
        job.plan(self._passes.change(card), now)
        if job.call is None:
            job.finish(Result(Outcome.DELIVERED, version=card.version))

    def _see_to_classes(self, jobs: Sequence[Job]) -> None:
        """Bring each class up to date before its objects."""
        seen: dict[str, Result | None] = {}
        for job in jobs:
            if job.card is None or (job.call is None and job.card.class_id in seen):
                continue
            if job.card.class_id not in seen:
                seen[job.card.class_id] = self._class_result(job.card)
            wrong = seen[job.card.class_id]
            if wrong is not None and job.call is not None:
                job.finish(wrong)

    def _class_result(self, card: GoogleCard) -> Result | None:
        try:
            refused = self._passes.ensure_class(card, patience_seconds=_BEGIN_WITHIN_SECONDS)
        except CounterfoilError as error:
            return Result(Outcome.REFUSED, error.message)
        except GoogleUnreachable as error:
            return Result(Outcome.UNSENT, str(error))
        except GoogleSilent as error:
            return Result(Outcome.RETRY, str(error))
        if refused is None:
            return None
        outcome = Outcome.RETRY if refused.is_for_later else Outcome.REFUSED
        return Result(outcome, str(refused), refused.retry_after_seconds)

    def _insert_class(self, job: Job) -> None:
        assert job.card is not None  # noqa: S101 - for the type checker
        self._passes.forget_class(job.card)
        wrong = self._class_result(job.card)
        if wrong is not None:
            job.finish(wrong)

    # -- asking ---------------------------------------------------------------------------------

    def _ask(self, calls: Sequence[Call], until: float) -> _Answers:
        if len(calls) <= _THREADS:
            return self._ask_each(calls, until)
        answers: _Answers = []
        got: _Answers
        while len(answers) < len(calls):
            chunk = calls[len(answers) : len(answers) + self._parts]
            patience = until - time.monotonic()
            got = self._ask_together(chunk, patience) if patience > 0 else [_too_late()]
            if isinstance(got[-1], GoogleUnreachable | GoogleSilent) and len(got) == 1:
                rest = len(calls) - len(answers) - len(chunk)
                answers += got * len(chunk) + [_not_tried()] * rest
                break
            answers += got
        return answers

    def _ask_each(self, calls: Sequence[Call], until: float) -> _Answers:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="google")
        down = threading.Event()
        api = self._passes.service().api

        def ask(call: Call) -> Answer | GoogleSilent | GoogleUnreachable:
            if down.is_set():
                return _not_tried()
            if time.monotonic() > until:
                return _too_late()
            try:
                return api.request(*call, patience_seconds=max(until - time.monotonic(), 0.0))
            except (GoogleUnreachable, GoogleSilent) as error:
                down.set()
                return error

        return list(self._threads.map(ask, calls))

    def _ask_together(self, calls: Sequence[Call], patience_seconds: float) -> _Answers:
        """An answer for each call; a single error where there was no answer at all."""
        try:
            found = self._passes.service().api.batch(calls, patience_seconds=patience_seconds)
        except (GoogleUnreachable, GoogleSilent) as error:
            return [error]
        if any(answer is not None and answer.is_limited for answer in found):
            self._parts = max(_FEWEST_PARTS, len(calls) // 2)
        elif len(calls) == self._parts:
            self._parts = min(_MOST_PARTS, self._parts * 2)
        broken = GoogleSilent("Google's answer broke off before it came to this pass.")
        return [broken if answer is None else answer for answer in found]


def _too_late() -> GoogleUnreachable:
    return GoogleUnreachable("Google took long over the passes before this one.")


def _not_tried() -> GoogleUnreachable:
    return GoogleUnreachable("Google did not answer the passes before this one.")
