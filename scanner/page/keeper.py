"""What the till does by itself: time passing on the page, sending what waits, locking.

Sending has a connection and a queue of its own, so that a service that is slow to answer never
makes a customer wait. An id decides, so that both may send the same posting.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress

from scanner import sending
from scanner.client import Client, Patience
from scanner.errors import ScanError, TillRevoked, TryLater
from scanner.freshness import forget_shop, refresh
from scanner.page.desk import Desk
from scanner.page.outcomes import Told
from scanner.page.state import Stage
from scanner.pauses import Pauses
from scanner.unsent import Queue, State

_log = logging.getLogger(__name__)

TICK_SECONDS = 0.25
LOCK_AFTER_SECONDS = 300.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0
MOST_AT_ONCE = 50
# A card that was blocked, and a cashier who left, are known here after this at the latest; and the
# shop's page of tills shows one that says nothing for longer as gone.
REFRESH_SECONDS = 60.0


class Keeper:
    """Two threads beside the desk; start them and stop them with it."""

    def __init__(self, desk: Desk, *, lock_after_seconds: float = LOCK_AFTER_SECONDS) -> None:
        self._desk = desk
        self._lock_after = lock_after_seconds
        self._stop = threading.Event()
        self._pauses = Pauses(longest_seconds=LONGEST_PAUSE_SECONDS)
        self._refresh_at = time.monotonic() + REFRESH_SECONDS  # the desk has just done it
        self._threads = [
            threading.Thread(target=self._pass_time, name="time", daemon=True),
            threading.Thread(target=self._send, name="sender", daemon=True),
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; what waits is kept."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=15)

    def _pass_time(self) -> None:
        desk = self._desk
        while not self._stop.wait(TICK_SECONDS):
            desk.showing.change(lambda view: view.after(desk.now()))
            desk.early.show()
            at_work = desk.showing.view.stage is not Stage.LOCKED
            if at_work and not desk.self_service and desk.idle_seconds > self._lock_after:
                desk.later(desk.sign_out)
                desk.touched()

    def _send(self) -> None:
        pause, settings = FIRST_PAUSE_SECONDS, self._desk.settings
        try:
            with (
                Queue(settings.data) as queue,
                Client(
                    self._desk.till.service,
                    self._desk.till.token,
                    Patience.of(settings.timeout_seconds),
                ) as client,
            ):
                client.on_revoked = lambda: forget_shop(settings.data)
                while not self._stop.wait(pause):
                    try:
                        pause = self._round(queue, client)
                    except ScanError:
                        pause = LONGEST_PAUSE_SECONDS
        except ScanError:
            _log.exception("what waits cannot be sent")

    def _round(self, queue: Queue, client: Client) -> float:
        """Bring this till up to date where that is due, then send some of what waits.

        Returns the next pause.
        """
        desk, counter = self._desk, self._desk.counter
        offline = desk.showing.fact("online") is False
        before = queue.count(State.WAITING, desk.till.programme.id)
        due = offline or time.monotonic() >= self._refresh_at
        if not before and not due:
            return FIRST_PAUSE_SECONDS
        cashier = counter.cashier if counter else None
        try:
            if due:  # the time comes first: what was made without it gets its moment
                self._bring_up_to_date(queue, client)
            report = sending.drain(
                queue, client, desk.till.programme.id, cashier, desk.now, most=MOST_AT_ONCE
            )
        except TillRevoked:
            desk.later(lambda: desk.tell(Told.TILL_REVOKED))
            return LONGEST_PAUSE_SECONDS
        except TryLater as later:
            wait = later.retry_after_seconds
            report = sending.Report(stopped=str(later), retry_after_seconds=wait)
        pause = self._pauses.after(report)
        if report.stopped is not None:
            desk.later(desk.went_offline)
            return pause
        with suppress(ScanError):
            queue.forget_old(desk.now())
        desk.later(desk.back_online)
        after = queue.count(State.WAITING, desk.till.programme.id)
        if before and not after:
            desk.showing.state(all_sent_at=time.time())
            self._refresh_at = time.monotonic()  # the service is to know that nothing waits
        return FIRST_PAUSE_SECONDS if not after or after == before else 0.05

    def _bring_up_to_date(self, queue: Queue, client: Client) -> None:
        """Fetch keys, refused cards and who left; raises TryLater and TillRevoked."""
        desk = self._desk
        ring, _ = refresh(desk.settings.data, desk.till, client, queue, desk.clock)
        self._refresh_at = time.monotonic() + REFRESH_SECONDS
        desk.later(lambda: desk.use_keys(ring))
