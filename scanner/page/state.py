"""What the page shows, and what may follow what. Pure: every change returns a new `View`.

    locked ──sign in──> waiting ──a card──> card ──posted──> done ──four seconds──> waiting

A sale (the amount) is there before or after the card; both orders end in the same posting.
Whatever is refused is told over what is shown and changes nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from scanner.page.outcomes import Told

DONE_FOR = timedelta(seconds=4)
TOLD_FOR = timedelta(seconds=8)
UNDO_FOR = timedelta(seconds=60)
#: A card that nobody acts on: the customer has gone, and the name goes from the screen.
CARD_FOR = timedelta(minutes=3)


class Stage(StrEnum):
    """The states of the counter; the page never shows anything between two."""

    LOCKED = "locked"
    WAITING = "waiting"
    CARD = "card"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Sale:
    """What is being paid. `number` rises with each, so that the page knows a new one.

    `by_pos`: the shop's own POS told it; `at_once`: it is given without the cashier's button.
    """

    number: int = 0
    amount_minor: int | None = None
    receipt: str | None = None
    lines: tuple[dict[str, Any], ...] = ()
    by_pos: bool = False
    at_once: bool = False

    @property
    def is_there(self) -> bool:
        """Whether there is an amount."""
        return self.amount_minor is not None


@dataclass(frozen=True, slots=True)
class Card:
    """The card in hand. `seen` is what the service says of it, None while or where it does not.

    `asking`: the service has been asked and has not answered yet. `quote`: what the amount would
    give, as the service works it out.
    """

    number: int
    card_id: str
    shown_at: datetime
    asking: bool = False
    seen: dict[str, Any] | None = None
    last_known: dict[str, Any] | None = None
    quote: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """One outcome told to the cashier; `facts` fill its sentence. `number` rises with each."""

    number: int
    told: Told
    at: datetime
    facts: dict[str, Any] = field(default_factory=dict)
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """A posting that was made or kept, for the green page and for Undo."""

    notice: Notice
    posting_id: str
    kind: str
    undo: bool
    undone: bool = False

    def may_undo(self, now: datetime) -> bool:
        """Whether Undo still stands there."""
        return self.undo and not self.undone and now < self.notice.at + UNDO_FOR


@dataclass(frozen=True, slots=True)
class Approval:
    """What waits for a manager's PIN: the action to be repeated, and why it was refused."""

    number: int
    told: Told
    action: str
    arguments: dict[str, Any]
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class View:
    """The whole of what the page shows at one moment."""

    stage: Stage = Stage.LOCKED
    cashier: dict[str, str] | None = None
    sale: Sale = Sale()
    card: Card | None = None
    done: Done | None = None
    notice: Notice | None = None
    approval: Approval | None = None
    count: int = 0

    # --- who is at the till -----------------------------------------------------------------

    def signed_in(self, cashier: dict[str, str]) -> View:
        """A cashier begins; nothing of the one before is left but the sale that the POS told."""
        kept = self.sale if self.sale.by_pos else Sale(self.sale.number + 1)
        return View(Stage.WAITING, cashier, kept, count=self.count)

    def locked(self) -> View:
        """Nobody is at the till: no name, no balance, no amount stays on the screen."""
        kept = self.sale if self.sale.by_pos else Sale(self.sale.number + 1)
        return View(Stage.LOCKED, None, kept, count=self.count)

    # --- the sale and the card, in either order -----------------------------------------------

    def keyed(self, amount_minor: int | None, receipt: str | None) -> View:
        """The cashier keyed an amount in, or cleared it."""
        sale = replace(self.sale, amount_minor=amount_minor, receipt=receipt)
        if self.sale.by_pos and amount_minor != self.sale.amount_minor:
            sale = replace(sale, by_pos=False, at_once=False, lines=())
        card = self.card and replace(self.card, quote=None)
        return replace(self, sale=sale, card=card)

    def told_by_pos(
        self,
        amount_minor: int,
        receipt: str | None,
        lines: tuple[dict[str, Any], ...],
        *,
        at_once: bool,
    ) -> View:
        """The shop's own POS told an amount, before or after the scan."""
        number = self.sale.number + 1
        sale = Sale(number, amount_minor, receipt, lines, True, at_once)
        card = self.card and replace(self.card, quote=None)
        return replace(self, sale=sale, card=card)

    def withdrawn(self) -> View:
        """The sale was cancelled."""
        return replace(self, sale=Sale(self.sale.number + 1))

    def shown(self, card_id: str, now: datetime, *, asking: bool) -> View:
        """A good card is held up: it takes the place of whatever was there."""
        if self.stage is Stage.LOCKED:
            return self
        card = Card(self.count + 1, card_id, now, asking)
        return replace(
            self, stage=Stage.CARD, card=card, notice=None, approval=None, count=self.count + 1
        )

    def seen(
        self,
        number: int,
        seen: dict[str, Any] | None,
        last_known: dict[str, Any] | None = None,
    ) -> View:
        """The service answered about the card, or did not (None)."""
        if self.card is None or self.card.number != number:
            return self
        card = replace(self.card, asking=False, seen=seen, last_known=last_known)
        return replace(self, card=card)

    def quoted(self, number: int, amount_minor: int, quote: dict[str, Any] | None) -> View:
        """What the amount would give; a late answer about another amount changes nothing."""
        if self.card is None or self.card.number != number:
            return self
        if self.sale.amount_minor != amount_minor:
            return self
        return replace(self, card=replace(self.card, quote=quote))

    def put_away(self) -> View:
        """The card leaves the screen and nothing is done; the amount stays."""
        if self.stage not in (Stage.CARD, Stage.DONE):
            return self
        return replace(self, stage=Stage.WAITING, card=None, approval=None, notice=None)

    # --- what came of it ----------------------------------------------------------------------

    def posted(
        self,
        told: Told,
        now: datetime,
        *,
        posting_id: str,
        kind: str,
        undo: bool,
        facts: dict[str, Any],
        left: dict[str, Any] | None = None,
    ) -> View:
        """A posting was made or kept: the green page. The card and the sale are over.

        Not so after redeeming: the sale is still to be paid, and to be given points for. `left`
        is then what the service said of the card, without what was redeemed.
        """
        if self.stage is Stage.LOCKED:
            return self
        notice = Notice(self.count + 1, told, now, facts)
        return replace(
            self,
            stage=Stage.DONE,
            sale=Sale(self.sale.number + 1) if left is None else self.sale,
            card=None if left is None or self.card is None else replace(self.card, seen=left),
            done=Done(notice, posting_id, kind, undo),
            notice=None,
            approval=None,
            count=self.count + 1,
        )

    def taken_back(self, told: Told, now: datetime, facts: dict[str, Any]) -> View:
        """Undo went through: the same page says so, and cannot be undone again."""
        if self.done is None:
            return self
        notice = Notice(self.count + 1, told, now, facts)
        done = replace(self.done, notice=notice, undone=True)
        return replace(
            self,
            stage=Stage.DONE,
            card=None,
            done=done,
            notice=None,
            approval=None,
            count=self.count + 1,
        )

    def told(
        self,
        told: Told,
        now: datetime,
        facts: dict[str, Any] | None = None,
        detail: str | None = None,
    ) -> View:
        """Something was refused, or could not be: told over what is shown."""
        notice = Notice(self.count + 1, told, now, facts or {}, detail)
        return replace(self, notice=notice, count=self.count + 1)

    def asked_approval(
        self, told: Told, action: str, arguments: dict[str, Any], detail: str | None
    ) -> View:
        """The service wants a manager for this; the card stays in hand."""
        approval = Approval(self.count + 1, told, action, arguments, detail)
        return replace(self, approval=approval, notice=None, count=self.count + 1)

    def without_approval(self) -> View:
        """No manager came."""
        return replace(self, approval=None)

    def understood(self) -> View:
        """The cashier has read what was told, or goes on from the green page."""
        stage = self._after_done() if self.stage is Stage.DONE else self.stage
        return replace(self, stage=stage, notice=None)

    def _after_done(self) -> Stage:
        return Stage.WAITING if self.card is None else Stage.CARD

    def after(self, now: datetime) -> View:
        """What time alone changes; the same object where it changes nothing."""
        view = self
        if view.stage is Stage.DONE and view.done and now >= view.done.notice.at + DONE_FOR:
            view = replace(view, stage=view._after_done())
        if view.notice is not None and now >= view.notice.at + TOLD_FOR:
            view = replace(view, notice=None)
        old = view.card is not None and now >= view.card.shown_at + CARD_FOR
        if view.stage is Stage.CARD and old and view.approval is None:
            view = view.put_away()
        if view.done is not None and view.stage is not Stage.DONE and view.done.undo:
            if now >= view.done.notice.at + UNDO_FOR:
                view = replace(view, done=replace(view.done, undo=False))
        return view
