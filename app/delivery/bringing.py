"""Changed passes are taken up, and brought to the wallets that hold them: bounded steps."""

import logging
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

from app.context import Context
from app.delivery import wanted
from app.delivery.apns import ApnsSender
from app.delivery.google.sender import GoogleSender
from app.delivery.lanes import Progress
from app.delivery.models import AppleRegistration, GooglePass
from app.delivery.null import NullSender
from app.delivery.sending import Outcome, Sender
from app.delivery.wallets import Wallets

_log = logging.getLogger(__name__)

Jitter = Callable[[], float]

#: Changed accounts and cards taken up in one transaction.
TAKE_UP = 500


class Senders:
    """The senders of both wallets, with their long-lived connections; owned by one process."""

    def __init__(self, context: Context, wallets: Wallets) -> None:
        self._apns = ApnsSender(context)
        self._google = GoogleSender(context, wallets.google)
        self._no_apple = NullSender(AppleRegistration)
        self._no_google = NullSender(GooglePass)
        self._is_google_wanted = context.config.google_issuer_id is not None

    def apple(self) -> Sender:
        """What brings passes to Apple's devices now: certificates come and expire."""
        obstacle = self._apns.obstacle()
        return self._apns if obstacle is None else self._no_apple.because(obstacle)

    def google(self) -> Sender:
        """What brings passes to Google now."""
        obstacle = self._google.obstacle()
        if obstacle is None:
            return self._google
        return self._no_google.because(obstacle, loudly=self._is_google_wanted)

    def close(self) -> None:
        """Close every connection."""
        self._apns.close()
        self._google.close()


def deliver(
    context: Context,
    senders: Senders,
    *,
    now: datetime,
    limit: int = TAKE_UP,
    jitter: Jitter = random.random,
) -> int:
    """One bounded step for both wallets; 0 when nothing is due or nobody can be reached."""
    steps = [
        bring(context, sender, now=now, limit=limit, jitter=jitter)
        for sender in (senders.apple(), senders.google())
    ]
    return sum(step.done for step in steps if step is not None)


def bring(
    context: Context,
    sender: Sender,
    *,
    now: datetime,
    limit: int = TAKE_UP,
    jitter: Jitter = random.random,
) -> Progress | None:
    """One bounded step for one kind of wallet; None when there was nothing to do."""
    taken = take_up(context, now=now, limit=limit)
    sent = send_due(context, sender, now=now, limit=limit, jitter=jitter)
    if taken is None or sent is None:
        return taken or sent
    return replace(sent, taken_up=taken.taken_up)


def take_up(context: Context, *, now: datetime, limit: int = TAKE_UP) -> Progress | None:
    """Put the wallets of what changed on the list; None when nothing did.

    Safe to run side by side and to be killed at any moment.
    """
    with context.database.read_all() as session:
        if not wanted.is_anything_changed(session):
            return None
    with context.database.write_all() as session:
        found = wanted.take_up(session, now=now, limit=limit)
    return Progress(found.changed, wanted=found.wallets)


def send_due(
    context: Context,
    sender: Sender,
    *,
    now: datetime,
    limit: int = TAKE_UP,
    jitter: Jitter = random.random,
) -> Progress | None:
    """Bring wallets of one kind up to date that are on the list; None when none is due.

    Safe to run side by side and to be killed at any moment. No transaction is open while the
    sender is at work.
    """
    batch = min(sender.batch, limit)
    if not batch:
        return None
    with context.database.read_all() as session:
        if not wanted.is_anything_due(session, sender.wallet, now):
            return None
    with context.database.write_all() as session:
        errands = wanted.claim(session, sender.wallet, now=now, limit=batch)
    if not errands:
        return Progress()
    results = sender.send(errands)
    with context.database.write_all() as session:
        wanted.settle(
            session,
            sender.wallet,
            list(zip(errands, results, strict=True)),
            leased_at=now,
            now=context.clock(),
            jitter=_endless(jitter),
        )
    unsent = [result for result in results if result.outcome == Outcome.UNSENT]
    if unsent:
        _log.warning("%d passes wait: %s", len(unsent), unsent[0].reason)
    return Progress(0, len(errands) - len(unsent), len(unsent))


def _endless(jitter: Jitter) -> Iterator[float]:
    while True:
        yield jitter()
