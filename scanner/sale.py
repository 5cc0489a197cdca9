"""What happens at the counter between the code and the points, step by step.

Each posting is on the till's disk before the service hears of it. Killed between any two steps,
the till has either promised nothing or kept what it promised.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from passes.code import Outcome, Reading
from scanner import sending
from scanner.cashiers import Cashier
from scanner.check import KeyRing, check, refusal_in
from scanner.client import Client, encode
from scanner.clock import TillClock, machine_clock
from scanner.config import Till
from scanner.errors import (
    CardRefused,
    NotRedeemed,
    Refused,
    ScanError,
    SignInAgain,
    TryLater,
)
from scanner.known import KnownCards, LastKnown
from scanner.posting_ids import posting_id
from scanner.unsent import Posting, Queue, State

TRIES = 3
# Older postings that go before a new one; the rest follows it, the customer is waiting.
OLDER_FIRST = 25
SESSION_ENDED = "The cashier's session had ended: it was not done, and was to be done anew."
# How long a till without a network may take its own accruals back.
UNDO_FOR = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Posted:
    """A posting as the cashier sees it. `answer` is None while it is only kept here."""

    posting_id: str
    answer: dict[str, Any] | None

    @property
    def queued(self) -> bool:
        """Whether it is kept here and sent later."""
        return self.answer is None


def now_utc() -> datetime:
    """The clock of this machine."""
    return machine_clock()


class Counter:
    """One cashier at one till, serving one customer after another."""

    def __init__(
        self,
        till: Till,
        queue: Queue,
        client: Client,
        ring: KeyRing,
        cashier: Cashier,
        *,
        clock: sending.Clock = now_utc,
        new_id: Callable[[datetime], str] = posting_id,
        known: KnownCards | None = None,
    ) -> None:
        self.till, self.queue, self.cashier = till, queue, cashier
        self._client, self._ring = client, ring
        self._clock, self._new_id = clock, new_id
        self._known = known or KnownCards(queue.folder)
        self.online = cashier.session is not None

    def use_keys(self, ring: KeyRing) -> None:
        """Judge cards by these keys and refused cards from now on."""
        self._ring = ring

    def judge(self, text: str) -> Reading:
        """Return the reading of a good card; raises CardRefused for everything else."""
        verdict = check(text, self._ring, self._clock())
        if verdict.outcome is Outcome.UNKNOWN_KEY:
            self.look_up(text)  # the service knows whose card it is, and says so
        if verdict.outcome is not Outcome.ACCEPTED or verdict.reading is None:
            raise CardRefused(verdict.outcome, verdict.message, verdict.card_id)
        return verdict.reading

    def look_up(self, text: str) -> dict[str, Any] | None:
        """Ask the service who this is; None where it cannot be reached.

        Raises CardRefused where the service does not accept the card.
        """
        if not self.online:
            return None
        try:
            seen = self._client.present(text, self.cashier)
        except TryLater:
            self.online = False
            return None
        if seen["outcome"] != Outcome.ACCEPTED:
            refusal = refusal_in(seen)
            if refusal.card_id is not None:
                self._known.forget([refusal.card_id])
            raise refusal
        card = seen.get("card")
        if isinstance(card, dict) and isinstance(card.get("card_id"), str):
            self._known.note(card["card_id"], seen, self._clock())
        return seen

    def last_known(self, reading: Reading) -> LastKnown | None:
        """Return what the service last told of this card, None where this till never asked."""
        return self._known.of(reading.card.card_id_hex)

    @property
    def refused_age(self) -> timedelta | None:
        """How old this till's knowledge of refused cards is; None where it has none."""
        at = self._ring.refused_at
        return None if at is None else max(timedelta(), self._clock() - at)

    def check_room(self) -> None:
        """Raise QueueError where nothing more can be kept: before anything is promised."""
        self.queue.check_room()

    def quote(
        self,
        reading: Reading,
        amount_minor: int,
        receipt: str | None,
        lines: list[dict[str, Any]] | None = None,
    ) -> dict[str, Any] | None:
        """Ask what a receipt would give; None where the service cannot say."""
        if not self.online:
            return None
        body = {
            "code": reading.static,
            "amount_minor": amount_minor,
            "currency": self.till.programme.currency,
            "receipt": receipt,
            "lines": lines,
        }
        try:
            return self._client.quote(body, self.cashier)
        except TryLater:
            self.online = False
        except Refused:
            pass  # the posting itself will say why
        return None

    def receipts(self, number: str) -> list[dict[str, Any]]:
        """Return the latest receipts of a number. Raises ServiceError."""
        return self._client.receipts(number, self.cashier)

    def accrue(
        self,
        reading: Reading,
        amount_minor: int,
        receipt: str | None,
        lines: list[dict[str, Any]] | None = None,
    ) -> Posted:
        """Give points for `amount_minor` of the programme's currency; 0 is a visit without money.

        Raises QueueError where the posting cannot be kept, Refused where the service says no.
        """
        self.queue.check_space()
        posting = self._keep(
            "accrual",
            "/accruals",
            {
                "code": reading.static,
                "amount_minor": amount_minor,
                "currency": self.till.programme.currency,
                "offline": not self.online,
                "receipt": receipt,
                "lines": lines,
            },
            needs_cashier=self.online,
            card_id=reading.card.card_id_hex,
        )
        done = self._send_or_leave(posting)
        if done.answer is not None:
            standing = done.answer.get("standing")
            self._known.note_standing(reading.card.card_id_hex, standing, self._clock())
        return done

    def reverse(
        self,
        posting_id: str,
        reason: str | None,
        *,
        amount_minor: int | None = None,
        approval: str | None = None,
    ) -> Posted:
        """Take a posting back, whole or only `amount_minor` of its receipt.

        One that never left this till is taken back after it. Without a network only what this
        till gave within the last minute; asked for twice, it is taken back once. `approval`: the
        session of a manager. Raises ScanError.
        """
        before = self.queue.get(posting_id)
        if before is not None and before.state in (State.SET_ASIDE, State.DROPPED):
            raise ScanError(f"That posting was never made: {before.reason}")
        if not self.online:
            self._check_undo(before)
        begun = self.queue.reversal_of(posting_id)
        if begun is not None and begun.state is State.WAITING and amount_minor is None:
            return self._send_or_leave(begun)
        posting = self._keep(
            "reversal",
            "/reversals",
            {
                "posting_id": posting_id,
                "offline": not self.online,
                "reason": reason,
                "amount_minor": amount_minor,
            },
            needs_cashier=self.online,
            after_id=posting_id,
            card_id=before.card_id if before is not None else None,
        )
        if approval is None:
            return self._send_or_leave(posting)
        try:
            return Posted(posting.id, self._insist(posting, approval))
        except TryLater:
            return Posted(posting.id, None)

    def _check_undo(self, before: Posting | None) -> None:
        if before is None or before.kind != "accrual":
            raise ScanError(
                "Offline: only points that this till gave can be taken back. "
                "Wait for the network, or ask a manager."
            )
        if self._clock() - before.kept_at > UNDO_FOR:
            raise ScanError(
                "Offline, points can be taken back for a minute. That is over: take them back "
                "when the network is there again."
            )

    def redeem(
        self,
        reading: Reading,
        points: int,
        presentation_token: str | None,
        receipt: str | None,
        approval: str | None = None,
    ) -> Posted:
        """Reserve `points`, then take them. `approval`: the session of a manager.

        Needs the service: nothing is redeemed offline. Raises NotRedeemed and Refused.
        """
        if not self.online:
            raise NotRedeemed(
                "Offline: points can be given now, but not redeemed. "
                "Ask the customer to redeem when the network is back.",
                tried=False,
            )
        hold = self._keep(
            "hold",
            "/holds",
            {
                "code": reading.static,
                "points": points,
                "presentation_token": presentation_token,
                "receipt": receipt,
            },
            needs_cashier=True,
        )
        try:
            self._insist(hold, approval)
        except TryLater:
            self.queue.give_up(hold.id, sending.ABANDONED, self._clock())
            raise NotRedeemed(
                "The service does not answer: nothing was redeemed. Do not give the reward. "
                "Points that were reserved come free by themselves.",
                tried=True,
            ) from None
        capture = self._keep("capture", f"/holds/{hold.id}/capture", {}, needs_cashier=True)
        try:
            return Posted(capture.id, self._insist(capture))
        except TryLater:
            raise NotRedeemed(
                "The service stopped answering: the redemption is not confirmed. Do not give the "
                "reward yet. Finish it with: counterfoil-scan send --cashier NAME",
                tried=True,
                may_have_been=True,
            ) from None

    def hand_out(
        self,
        reading: Reading,
        kind: str,
        what: dict[str, Any],
        receipt: str | None,
        amount_minor: int | None,
        approval: str | None = None,
    ) -> Posted:
        """Redeem a reward or a coupon (`kind`), named by the further fields in `what`: once.

        Needs the service. Raises NotRedeemed and Refused.
        """
        if not self.online:
            raise NotRedeemed("Offline: nothing can be redeemed.", tried=False)
        body = {
            "code": reading.static, "receipt": receipt, "amount_minor": amount_minor, **what,
        }  # fmt: skip
        card_id = reading.card.card_id_hex
        path = f"/{kind}-redemptions"
        posting = self._keep(kind, path, body, needs_cashier=True, card_id=card_id)
        try:
            return Posted(posting.id, self._insist(posting, approval))
        except TryLater:
            raise NotRedeemed(
                "The service stopped answering: it is not certain that this was redeemed. "
                "Do not hand it out yet.",
                tried=True,
                may_have_been=True,
            ) from None

    def send_waiting(self, most: int | None = None) -> sending.Report:
        """Send what waits on this till, oldest first."""
        return sending.drain(
            self.queue, self._client, self.till.programme.id, self.cashier, self._clock, most=most
        )

    def _keep(
        self,
        kind: str,
        path: str,
        fields: dict[str, Any],
        *,
        needs_cashier: bool,
        after_id: str | None = None,
        card_id: str | None = None,
    ) -> Posting:
        now = self._clock()
        id_ = self._new_id(now)
        head = {"id": id_, "occurred_at": now.isoformat(), "cashier_id": self.cashier.id}
        posting = Posting(
            id=id_,
            programme_id=self.till.programme.id,
            kind=kind,
            path=path,
            body=encode(head | fields),
            needs_cashier=needs_cashier,
            kept_at=now,
            after_id=after_id,
            card_id=card_id,
            moment=self._clock.moment() if isinstance(self._clock, TillClock) else None,
        )
        self.queue.keep(posting)
        return posting

    def _send_or_leave(self, posting: Posting) -> Posted:
        if not self.online:
            return Posted(posting.id, None)
        if self.send_waiting(OLDER_FIRST).stopped:
            self.online = False
        kept = self.queue.get(posting.id)
        if kept is not None and kept.state is State.SENT:
            return Posted(posting.id, kept.answer)
        if kept is not None and kept.state is State.SET_ASIDE:
            raise Refused(409, "set_aside", kept.reason or "The service refused the posting.")
        if not self.online or (kept and sending.waits_for_another(self.queue, kept)):
            return Posted(posting.id, None)
        try:
            return Posted(
                posting.id,
                sending.send(self.queue, self._client, posting, self.cashier, self._clock),
            )
        except TryLater:
            self.online = False
            return Posted(posting.id, None)

    def _insist(self, posting: Posting, approval: str | None = None) -> dict[str, Any]:
        """Send a posting that the customer waits for, more than once where need be.

        A cashier whose session has ended begins anew: the service does not know the posting (it
        looks there first), and it must not be made later beside the one that is made then.
        """
        for attempt in range(TRIES):
            try:
                return sending.send(
                    self.queue, self._client, posting, self.cashier, self._clock, approval
                )
            except SignInAgain:
                self.queue.give_up(posting.id, SESSION_ENDED, self._clock())
                raise
            except TryLater:
                if attempt + 1 == TRIES:
                    self.online = False
                    raise
        raise AssertionError("unreachable")
