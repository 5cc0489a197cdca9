"""The background work: delivery, and the ledger's steps that come due by themselves."""

import random
import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from app import certs
from app.benefits import service as benefits
from app.campaigns import habits
from app.campaigns import step as campaigning
from app.campaigns.nudges import NUDGES
from app.context import Context
from app.delivery import erasures
from app.delivery.bringing import Jitter, Senders, deliver, send_due, take_up
from app.delivery.google.roots import keep_fresh
from app.delivery.lanes import Lane, Progress, run_lane, thread_of
from app.delivery.letters import COMPOSER
from app.delivery.quiet import Quiet
from app.delivery.reaching import Reaching
from app.delivery.sending import Sender
from app.delivery.wake import bell_of, watch
from app.delivery.wallets import Wallets
from app.figures import adding as figures
from app.insight import folding
from app.ledger import service as ledger
from app.ledger.steps import TermsOf
from app.mail import sending as letters
from app.programmes import designs, occasions, volumes
from app.programmes.drafts import trials
from app.programmes.terms import terms_of as terms_at
from app.referrals import service as referrals
from app.transfer import uploads
from app.webhooks import sending

#: The net below the waking: what a bell did not tell, and what becomes due by time alone.
POLL_SECONDS = 0.5
LEDGER_SECONDS = 5.0
CERTIFICATES_SECONDS = 600.0
OCCASIONS_SECONDS = 60.0
HABITS_SECONDS = 5.0
TRIALS_SECONDS = 1.0
BUILT_PASSES_SECONDS = 600.0
GOOGLE_KEYS_SECONDS = 600.0
WEBHOOKS_KEPT_SECONDS = 600.0
FIGURES_SECONDS = 20.0
INSIGHT_SECONDS = 10.0
LETTERS_SECONDS = 1.0
ERASURES_SECONDS = 30.0
UPLOADS_SECONDS = 1.0
_GATHER_SECONDS = 0.02
#: Settled in one transaction. Fewer cost more each; with more, whoever posts to one waits longer.
_LEDGER_LIMIT = 500
#: How long lanes rest that may have a million accounts to go through (`Lane.rest`). What is due is
#: to be done soon; sums may take twice as long.
_LEDGER_REST = 0.15
_SUMS_REST = 1.0
#: Two lanes to Apple: while one notes its answers, the other one pushes.
_APPLE_LANES = 2


class Worker:
    """Runs the steps until told to stop, in threads of its own: a wallet that is down, or slow,
    keeps nothing else waiting."""

    def __init__(
        self,
        context: Context,
        wallets: Wallets,
        *,
        senders: Senders | None = None,
        jitter: Jitter = random.random,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._poll_seconds = poll_seconds
        self._context = context
        self._apple = wallets.apple
        self._senders = senders or Senders(context, wallets)
        self._jitter = jitter
        self._webhooks = sending.Sender(context)
        self._reaching = Reaching()
        self._quiet = Quiet()
        #: Rung when wallets were put on the list.
        self._sending: list[threading.Event] = []

    def run_once(self) -> int:
        """Do everything that is due now, and stop; how much it was."""
        done = 0
        self._mind_certificates()
        try:
            while True:
                now = self._context.clock()
                step = self._ledger_steps(now)
                step += deliver(self._context, self._senders, now=now, jitter=self._jitter)
                others = (
                    self._tell,
                    self._celebrate,
                    self._add_up,
                    self._write,
                    self._erase,
                    self._import,
                    self._campaign,
                )
                step += sum(other.done for each in others if (other := each()))
                if not step:
                    return done
                done += step
        finally:
            self._senders.close()

    def run(self, stop: threading.Event) -> None:
        """Work until *stop* is set. An error in one step is logged and never ends the others."""
        changes = Lane("changes", self._take_up, self._poll_seconds, _GATHER_SECONDS)
        senders = [Lane("google", lambda: self._send(self._senders.google()), self._poll_seconds)]
        senders += [
            Lane(f"apple-{number}", lambda: self._send(self._senders.apple()), self._poll_seconds)
            for number in range(_APPLE_LANES)
        ]
        self._sending = [lane.wake for lane in senders]
        lanes = [
            changes,
            *senders,
            # Points, certificates and keys end by time, and shop systems have it: a commit is
            # nothing to their steps.
            Lane("ledger", self._keep_ledger, LEDGER_SECONDS, rest=_LEDGER_REST),
            Lane("certificates", self._mind_certificates, CERTIFICATES_SECONDS),
            Lane("built passes", self._forget_passes, BUILT_PASSES_SECONDS),
            Lane("google keys", lambda: keep_fresh(self._context), GOOGLE_KEYS_SECONDS),
            Lane("occasions", self._celebrate, OCCASIONS_SECONDS),
            Lane("trials", self._try_changes, TRIALS_SECONDS),
            Lane("webhooks", self._tell, self._poll_seconds),
            Lane("old webhooks", self._forget_told, WEBHOOKS_KEPT_SECONDS),
            Lane("figures", self._add_up, FIGURES_SECONDS, rest=_SUMS_REST),
            Lane("campaigns", self._campaign, self._poll_seconds),
            Lane("habits", self._keep_habits, HABITS_SECONDS),
            Lane("insight", self._fold, INSIGHT_SECONDS, _GATHER_SECONDS, rest=_SUMS_REST),
            Lane("letters", self._write, LETTERS_SECONDS),
            Lane("erasures", self._erase, ERASURES_SECONDS),
            Lane("uploads", self._import, UPLOADS_SECONDS),
        ]
        threads = [thread_of(lane.name, run_lane, lane, stop) for lane in lanes]
        bell = bell_of(self._context.database)
        bell.add(changes.wake.set)
        bell.add(self._quiet.note)
        watching = (self._context.database, changes.wake.set, stop)
        threads.append(thread_of("watch", watch, *watching))
        try:
            stop.wait()
        finally:
            stop.set()
            bell.remove(changes.wake.set)
            bell.remove(self._quiet.note)
            for lane in lanes:
                lane.wake.set()
            for thread in threads:
                thread.join()
            self._senders.close()

    def _take_up(self) -> Progress | None:
        progress = take_up(self._context, now=self._context.clock())
        if progress is not None and progress.wanted:
            for wake in self._sending:
                wake.set()
        return progress

    def _send(self, sender: Sender) -> Progress | None:
        return send_due(self._context, sender, now=self._context.clock(), jitter=self._jitter)

    def _mind_certificates(self) -> None:
        """Tell the owner of certificates that end soon."""
        context = self._context
        certs.tell(context.config, context.database, now=context.clock())

    def _forget_passes(self) -> None:
        """Purge passes that were built on this machine and changed, or erased, on another."""
        with self._context.database.read_all() as session:
            self._apple.forget_changed(session)

    def _tell(self) -> Progress | None:
        """Tell shop systems what happened."""
        context = self._context
        done = sending.step(context, self._webhooks, now=context.clock(), jitter=self._jitter)
        return None if done is None else Progress(settled=done)

    def _forget_told(self) -> None:
        """Delete what shop systems were told, and what letters were sent, long ago."""
        sending.clear(self._context, now=self._context.clock())
        letters.clear(self._context, now=self._context.clock())

    def _add_up(self) -> Progress | None:
        """Add up what happened, for the pages that show figures."""
        with self._context.database.write_all() as session:
            done = figures.step(session, self._context.clock())
        return Progress(settled=done) if done else None

    def _fold(self) -> Progress | None:
        """Keep the sums of the insight pages up with the ledger."""
        database = self._context.database
        if database.is_sqlite and not self._quiet.is_now():
            return None
        # Where there is one writer at a time, tills wait for it.
        limit = folding.LIMIT // 10 if database.is_sqlite else folding.LIMIT
        with database.write_all() as session:
            done = folding.step(session, self._context.clock(), limit, NUDGES)
        return Progress(settled=done) if done else None

    def _write(self) -> Progress | None:
        """Send letters to members."""
        context = self._context
        sent = letters.step(context, COMPOSER, now=context.clock(), jitter=self._jitter)
        return None if sent is None else Progress(settled=sent.done, unsent=sent.unsent)

    def _erase(self) -> Progress | None:
        """Forget members who asked for it a day ago."""
        done = erasures.step(self._context, now=self._context.clock())
        return Progress(settled=done) if done else None

    def _import(self) -> Progress | None:
        """Look through, or import, a file that staff uploaded."""
        done = uploads.step(self._context, now=self._context.clock())
        return Progress(settled=done) if done else None

    def _keep_ledger(self) -> Progress | None:
        done = self._ledger_steps(self._context.clock())
        return Progress(settled=done) if done else None

    def _ledger_steps(self, now: datetime) -> int:
        """Let lots expire, points become available, forgotten holds go, and new designs out."""
        # At a period's end tiers are looked at first, then points expire.
        steps: tuple[Callable[[Session, datetime, int, TermsOf], int], ...] = (
            ledger.review_tiers,
            ledger.release_pending,
            ledger.expire_lots,
            ledger.release_lapsed_holds,
            benefits.lapse,
            designs.spread,
            referrals.settle,
        )
        done = 0
        for step in steps:
            with self._context.database.write_all() as session:
                terms = partial(terms_at, session, now=now)
                done += step(session, now, _LEDGER_LIMIT, terms)
        return done

    def _try_changes(self) -> Progress | None:
        """Replay real receipts under a change that somebody is preparing; they watch."""
        done = trials.run_one(self._context.database, self._context.clock)
        return Progress(settled=done) if done else None

    def _campaign(self) -> Progress | None:
        """Plan campaigns, let their messages go, and note what became of them."""
        done = campaigning.step(self._context, self._reaching, now=self._context.clock())
        return Progress(settled=done) if done else None

    def _keep_habits(self) -> Progress | None:
        """Count who comes when, where programmes have campaigns."""
        now = self._context.clock()
        with self._context.database.read_all() as session:
            if not habits.is_anything_due(session, now):
                return None
        with self._context.database.write_all() as session:
            done = habits.step(session, now, _LEDGER_LIMIT)
        return Progress(settled=done) if done else None

    def _celebrate(self) -> Progress | None:
        """Give presents for birthdays and days of joining, and bonuses for volume."""
        context = self._context
        with context.database.write_all() as session:
            done = occasions.give(session, context.clock(), _LEDGER_LIMIT, context.keys)
        with context.database.write_all() as session:
            done += volumes.give(session, context.clock(), _LEDGER_LIMIT)
        return Progress(settled=done) if done else None
