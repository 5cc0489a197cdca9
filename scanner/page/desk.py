"""What the cashier asks is done here: one pair of hands, so that nothing overtakes anything.

The page, the shop's POS and the camera ask from threads of their own; all of it is done one
after another in one thread, which owns the queue and the connection to the service. Every
refusal ends as one `Told` in the view.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

from scanner.amounts import LARGEST_MINOR
from scanner.backlog import forget_refused
from scanner.cashiers import Cashier, OfflineCashiers
from scanner.check import KeyRing, load_keys
from scanner.client import Client, Patience
from scanner.clock import TillClock
from scanner.config import Settings, Till, load_till
from scanner.errors import (
    CardRefused,
    QueueError,
    ScanError,
    SignInError,
    TryLater,
)
from scanner.freshness import forget_shop, refresh
from scanner.page import people, selling, visits
from scanner.page.early import Early
from scanner.page.guard import BadRequest
from scanner.page.outcomes import Told, told_of_scan
from scanner.page.showing import Showing
from scanner.page.state import Stage, View
from scanner.page.telling import told_of_error, told_of_sign_in
from scanner.sale import Counter, Posted
from scanner.signing_in import sign_in
from scanner.unsent import Queue, State

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

ANSWER_SECONDS = 60.0
Facts = dict[str, Any]


class Desk:
    """The till behind the page. Start it, ask it from any thread, stop it."""

    def __init__(
        self,
        settings: Settings,
        till: Till,
        *,
        self_service: bool = False,
        visit_minutes: int = 60,
    ) -> None:
        self.settings, self.till, self.self_service = settings, till, self_service
        self.visit_interval = visits.interval_of(visit_minutes)
        self.showing = Showing()
        self._hands = ThreadPoolExecutor(1, thread_name_prefix="desk")
        self._acted_at = time.monotonic()
        self.reading: Any = None
        self.counter: Counter | None = None
        self.early = Early(self.showing)
        self._ring = KeyRing()

    # --- beginning and end --------------------------------------------------------------------

    def start(self) -> None:
        """Open the queue and load the keys; raises QueueError and ConfigError."""
        self._hands.submit(self._open).result()

    def _open(self) -> None:
        self.queue = Queue(self.settings.data)
        patience = Patience.of(self.settings.timeout_seconds)
        self.client = Client(self.till.service, self.till.token, patience)
        self.client.on_revoked = lambda: forget_shop(self.settings.data)
        self.clock = TillClock(self.queue)
        self.people = people.People(self.settings.data)
        self._ring = load_keys(self.settings.data, self.till.programme.id)
        self.showing.state(
            online=True,
            names=self.people.names,
            managers=self.people.managers,
            waiting=0,
            aside=0,
            self_service=self.self_service,
        )
        self._show_programme()
        self.count()

    def stop(self) -> None:
        """Sign the cashier out and close everything; what waits is kept."""
        with suppress(Exception):
            self._hands.submit(self._close).result(ANSWER_SECONDS)
        self._hands.shutdown(wait=False, cancel_futures=True)
        self.showing.close()

    def _close(self) -> None:
        self._leave()
        self.client.__exit__(None, None, None)
        self.queue.__exit__(None, None, None)

    def now(self) -> datetime:
        """The service's time as far as this till knows it."""
        return self.clock()

    # --- the pair of hands --------------------------------------------------------------------

    def ask(self, work: Callable[[], _T]) -> _T | None:
        """Do `work` next and wait for it; every refusal is told in the view."""
        return self.later(work).result(ANSWER_SECONDS)

    def later(self, work: Callable[[], _T]) -> Future[_T | None]:
        """Do `work` next, without waiting."""
        return self._hands.submit(self._safely, work)

    def touched(self) -> None:
        """Somebody is at the till: it does not lock by itself for a while."""
        self._acted_at = time.monotonic()

    @property
    def idle_seconds(self) -> float:
        """How long nobody has touched the till."""
        return time.monotonic() - self._acted_at

    def _safely(self, work: Callable[[], _T]) -> _T | None:
        try:
            return work()
        except ScanError as error:
            self.tell_error(error)
        except BadRequest:
            raise
        except Exception:
            _log.exception("the till could not do what was asked")
            self.tell(Told.REFUSED)
        finally:
            self.count()
        return None

    def tell(self, told: Told, facts: Facts | None = None, detail: str | None = None) -> None:
        """Tell the cashier one outcome over what is shown."""
        self.showing.change(lambda view: view.told(told, self.now(), facts, detail))
        self.showing.tell("refused", {"outcome": told, **(facts or {})})

    def tell_error(self, error: ScanError) -> None:
        """Tell an error as the outcome that it is."""
        told = told_of_error(error)
        self.tell(told, detail=str(error) if told is Told.REFUSED else None)
        in_hand = self.reading
        if told in (Told.SIGN_IN_AGAIN, Told.TILL_REVOKED):
            self._leave(keep_notice=True)
        if told is Told.SIGN_IN_AGAIN and in_hand is not None:
            self.early.keep(in_hand.static)  # its customer is still there

    def count(self) -> None:
        """Show how many postings wait and were set aside, and whether there is a network."""
        with suppress(QueueError):
            self.showing.state(
                waiting=self.queue.count(State.WAITING), aside=self.queue.count(State.SET_ASIDE)
            )
        trouble, ahead = self.clock.trouble, self.clock.ahead
        minutes = round(ahead.total_seconds() / 60)
        self.showing.state(
            clock={"trouble": trouble, "minutes": abs(minutes)} if trouble else None,
        )
        counter = self.counter
        if counter is None:
            self.showing.state(needs_pin=False)
        elif counter.cashier.session is not None:
            self.showing.state(online=counter.online, needs_pin=False)

    # --- the cashier --------------------------------------------------------------------------

    def sign_in(self, name: str, pin: str) -> None:
        """Sign a cashier in, online or off; the one before is signed out.

        A card that was held up meanwhile, and is still there, is the first to be served.
        """
        waits = self.early.waits
        self._leave()
        offline = OfflineCashiers(self.settings.data, self.till.secret)
        try:
            cashier = sign_in(self.client, offline, name, pin, self.now)
        except SignInError as error:
            self.tell(told_of_sign_in(error), detail=str(error))
            return
        self._refresh(cashier)
        self.counter = Counter(
            self.till, self.queue, self.client, self._ring, cashier, clock=self.clock
        )
        self.remember(cashier)
        who = {"id": cashier.id, "name": cashier.name, "role": cashier.role}
        self.showing.change(lambda view: view.signed_in(who))
        self.showing.tell("cashier", {"name": cashier.name})
        text = self.early.take()
        if waits and text is not None and not self.self_service:
            self.code(text)

    def remember(self, person: Cashier) -> None:
        """Offer this name to be touched from now on; raises ConfigError."""
        self.people.remember(person.name, person.role)
        self.showing.state(names=self.people.names, managers=self.people.managers)

    def sign_out(self) -> None:
        """Lock the till, or end a shift."""
        self._leave()

    def _leave(self, *, keep_notice: bool = False) -> None:
        counter, self.counter, self.reading = self.counter, None, None
        notice = self.showing.view.notice if keep_notice else None

        def lock(view: View) -> View:
            locked = view.locked()
            if notice is None:
                return locked
            return locked.told(notice.told, notice.at, notice.facts, notice.detail)

        self.showing.change(lock)
        if counter is not None and counter.cashier.session is not None and counter.online:
            with suppress(ScanError):  # it ends by itself
                self.client.sign_out(counter.cashier)

    def _refresh(self, cashier: Cashier) -> None:
        """Fetch keys and the service's time, where it can be reached."""
        if cashier.session is None:
            return
        with suppress(TryLater):
            self._ring, _ = refresh(
                self.settings.data, self.till, self.client, self.queue, self.clock
            )
            self.till = load_till(self.settings.data)
            self._show_programme()

    def use_keys(self, ring: KeyRing) -> None:
        """Judge cards by these from now on: they have just been fetched."""
        self._ring = ring
        if self.counter is not None:
            self.counter.use_keys(ring)

    def _show_programme(self) -> None:
        programme = self.till.programme
        self.showing.state(
            programme={
                "name": programme.name,
                "currency": programme.currency,
                "currency_exponent": programme.currency_exponent,
                "highest_minor": LARGEST_MINOR,
                "points_names": programme.spoken_names,
            }
        )

    # --- the card -----------------------------------------------------------------------------

    def code(self, text: str) -> None:
        """Take a code in: scanned by the camera, typed by a hand scanner, or pasted."""
        counter = self.counter
        if counter is None:
            self.early.offer(text, self._ring, self.now())
            return
        try:
            reading = counter.judge(text)
        except CardRefused as refused:
            self.tell(told_of_scan(refused.outcome))
            return
        card_id = reading.card.card_id_hex
        view = self.showing.change(
            lambda view: view.shown(card_id, self.now(), asking=counter.online)
        )
        if view.card is None:
            return
        number, self.reading = view.card.number, reading
        try:
            seen = counter.look_up(text)
        except CardRefused as refused:
            self.reading = None
            self.showing.change(View.put_away)
            self.tell(told_of_scan(refused.outcome))
            return
        last = counter.last_known(reading) if seen is None else None
        known = None
        if last is not None:
            known = {
                "name": last.name,
                "tier": last.tier,
                "balance": last.balance,
                "stamps": last.stamps,
                "at": last.seen_at.isoformat(),
            }
        self.showing.change(lambda view: view.seen(number, seen, known))
        self.showing.tell("card", _for_pos(card_id, seen))
        if view.sale.at_once and view.sale.is_there:
            selling.give(self, number)
        else:
            selling.quote(self)

    def put_away(self) -> None:
        """The customer goes: nothing is done."""
        self.reading = None
        self.showing.change(View.put_away)

    def held_up(self, text: str) -> None:
        """The camera read a code: it is dealt with as soon as the hands are free."""
        if self.counter is not None:
            self.touched()
        self.later(lambda: self.scanned(text))

    def scanned(self, text: str) -> None:
        """A code is in front of the till: a cashier's customer, or one who serves himself."""
        if self.self_service:
            visits.held_up(self, text)
        else:
            self.code(text)

    # --- the network --------------------------------------------------------------------------

    def went_offline(self) -> None:
        """The service does not answer: the page says so until it does."""
        if self.counter is not None:
            self.counter.online = False
        self.showing.state(online=False)

    def back_online(self) -> None:
        """The service answers again. Who signed in without it goes on without a session."""
        if self.counter is not None:
            self.counter.online = self.counter.cashier.session is not None
        signed_in_offline = self.counter is not None and self.counter.cashier.session is None
        self.showing.state(online=True, needs_pin=signed_in_offline)

    # --- what came of it ---------------------------------------------------------------------

    def ask_manager(self, told: Told, action: str, arguments: Facts) -> None:
        """Have the page ask for a manager's PIN; with it the same is done again."""
        self.showing.change(lambda view: view.asked_approval(told, action, arguments, None))

    def forget_refused(self, since: datetime) -> None:
        """What was refused in front of the cashier was told and is not kept to be resolved."""
        if self.counter is not None:
            forget_refused(self.queue, since, who=self.counter.cashier.name, now=self.now())

    def no_approval(self) -> None:
        """No manager came: nothing is done."""
        self.showing.change(View.without_approval)

    def understood(self) -> None:
        """The cashier has read it."""
        self.showing.change(View.understood)

    def with_card(self, number: int) -> tuple[Counter | None, View]:
        """The counter and the view, where this very card is still in hand."""
        view = self.showing.view
        if self.counter is None or view.stage is Stage.LOCKED:
            self.tell(Told.SIGN_IN_AGAIN)
            return None, view
        if view.card is None or view.card.number != number or self.reading is None:
            self.tell(Told.CARD_GONE)
            return None, view
        return self.counter, view

    def posted(
        self,
        told: Told,
        done: Posted,
        kind: str,
        facts: Facts,
        *,
        receipt: str | None,
        undo: bool,
        left: Facts | None = None,
    ) -> None:
        """A posting was made or kept: show it, and tell the POS. `left`: of the card in hand."""
        if left is None:
            self.reading = None
        self.showing.change(
            lambda view: view.posted(
                told,
                self.now(),
                posting_id=done.posting_id,
                kind=kind,
                undo=undo,
                facts=facts,
                left=left,
            )
        )
        data = {"posting_id": done.posting_id, "kind": kind, "outcome": told, "receipt": receipt}
        self.showing.tell("posted", data | facts | {"queued": done.queued})


def _for_pos(card_id: str, seen: dict[str, Any] | None) -> dict[str, Any]:
    """What the shop's POS learns of a card: no name."""
    standing = (seen or {}).get("standing") or {}
    tier = (seen or {}).get("tier")
    balance = standing.get("balance")
    return {"card_id": card_id, "tier": tier, "balance": balance, "online": seen is not None}
