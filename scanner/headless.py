"""One customer at a till without a window: sign in, read, verify, look up, keep, send, show."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Console

from passes.code import Outcome, Reading
from scanner import show
from scanner.alarms import Alarm, Alarms, alarm_of
from scanner.amounts import parse_amount, show_amount
from scanner.backlog import forget_refused, status
from scanner.camera import require_source, sources_of
from scanner.check import load_keys
from scanner.commands import AtWork, at_work
from scanner.config import Settings, load_till
from scanner.decode import load_decoder
from scanner.errors import (
    ConfigError,
    NotAllDone,
    NotRedeemed,
    QueueError,
    Refused,
    ScanError,
    SignInAgain,
    TillRevoked,
    TryLater,
)
from scanner.freshness import refresh
from scanner.page.outcomes import Told
from scanner.page.telling import told_of_error
from scanner.presentation import Presentation
from scanner.sale import Counter, Posted
from scanner.sending import Clock
from scanner.unsent import Posting, State
from scanner.watch import Watch

LONGEST_RECEIPT = 64


@dataclass(frozen=True, slots=True)
class Sale:
    """What the cashier keyed in. `fps` is the rate at which a recording plays."""

    amount: str | None = None
    redeem: int | None = None
    receipt: str | None = None
    fps: float | None = None


def scan_once(
    settings: Settings, sale: Sale, pin: str, console: Console, said: dict[str, Any]
) -> None:
    """Serve one customer; `said` is filled with what happened, for a program, as it happens.

    Raises ScanError: CameraError, CardRefused, Refused, SignInError, TillRevoked, QueueError.
    """
    programme = load_till(settings.data).programme
    amount_minor = None
    if sale.amount is not None:
        amount_minor = parse_amount(sale.amount, programme.currency_exponent, programme.currency)
    if sale.receipt is not None and not 0 < len(sale.receipt) <= LONGEST_RECEIPT:
        raise ConfigError(f"A receipt number has 1 to {LONGEST_RECEIPT} characters.")
    for source in sources_of(settings.camera):
        require_source(source)
    load_decoder(settings.decoder)  # one that is not installed is said before anybody waits
    alarms = Alarms(lambda line: show.caution(console, line), said.setdefault("alarms", []))
    with at_work(settings, pin) as work:
        counter = _counter(settings, work, alarms)
        counter.check_room()  # said while the customer is still looking for the card
        text = _wait_for_card(settings, sale, alarms)
        reading = counter.judge(text)
        seen = counter.look_up(text)
        if seen is None:
            show.offline_card(console, counter.last_known(reading), work.clock())
            alarms.blocked_cards(counter.refused_age)
        else:
            show.customer(console, seen)
            said["standing"] = seen.get("standing")
        said |= {"outcome": Outcome.ACCEPTED, "card_id": reading.card.card_id_hex}
        try:
            _post(_Hand(counter, reading, seen, work.clock, console, said), sale, amount_minor)
        except (QueueError, TillRevoked):
            raise  # there is nothing more to be sent, and it says why itself
        except ScanError:
            _send_rest(work, counter, alarms)
            raise
        _send_rest(work, counter, alarms)


def _send_rest(work: AtWork, counter: Counter, alarms: Alarms) -> None:
    """Send what waits, and say what is left: nobody looks at this till's queue between customers.

    What the sale ended in is not to be hidden by what this meets.
    """
    report = None
    try:
        if counter.online:
            report = counter.send_waiting()
        alarms.queue(status(work.queue, work.till.programme.id), report, work.clock())
    except (QueueError, TillRevoked) as error:
        alarm = alarm_of(error)
        if alarm is not None:
            alarms.sound(alarm, str(error))


def reverse_once(
    settings: Settings,
    posting_id: str,
    reason: str | None,
    pin: str,
    console: Console,
    said: dict[str, Any],
) -> None:
    """Take one posting back; `said` is filled with what happened. Raises ScanError."""
    alarms = Alarms(lambda line: show.caution(console, line), said.setdefault("alarms", []))
    with at_work(settings, pin) as work:
        counter = _counter(settings, work, alarms)
        done = counter.reverse(posting_id, reason)
        show.posted(console, done, "Reversal")
        said |= _as_json(done)
        _send_rest(work, counter, alarms)


def _counter(settings: Settings, work: AtWork, alarms: Alarms) -> Counter:
    """Return the counter with the freshest keys that can be had, and with the right time."""
    if work.cashier is None:
        raise ConfigError("Who is at the till? Give --cashier NAME.")
    ring = None
    if work.cashier.session is not None:
        with suppress(TryLater):
            ring, _ = refresh(settings.data, work.till, work.client, work.queue, work.clock)
    if ring is None:
        ring = load_keys(settings.data, work.till.programme.id)
    alarms.clock(work.clock)
    alarms.keys(ring)
    return Counter(work.till, work.queue, work.client, ring, work.cashier, clock=work.clock)


def _wait_for_card(settings: Settings, sale: Sale, alarms: Alarms) -> str:
    """Return the text of the first presentation; a card of ours goes before any other code."""
    with Watch(
        sources_of(settings.camera),
        decoder=settings.decoder,
        fps=sale.fps,
        on_change=lambda line: alarms.sound(Alarm.CAMERA, line),
    ) as watch:
        for seen in watch:
            if seen.begun:
                return _preferred(seen.begun).text
    raise ScanError("The camera was closed.")


def _preferred(begun: Sequence[Presentation]) -> Presentation:
    cards = [presentation for presentation in begun if presentation.identity.startswith("card ")]
    return (cards or begun)[0]


@dataclass(frozen=True, slots=True)
class _Hand:
    """The card in hand, and where is told what comes of it."""

    counter: Counter
    reading: Reading
    seen: dict[str, Any] | None
    now: Clock
    console: Console
    said: dict[str, Any]


def _post(hand: _Hand, sale: Sale, amount_minor: int | None) -> None:
    """Redeem and accrue as keyed in. Redeeming goes first; where it is refused, the customer pays
    everything and gets the points for everything. Raises ScanError, after all that can be done."""
    refused = None
    if sale.redeem is not None:
        try:
            _redeem(hand, sale.redeem, sale.receipt)
        except (NotRedeemed, Refused, SignInAgain) as error:
            refused = error
    if amount_minor is None:
        if refused is not None:
            raise refused
        return
    given = _accrue(hand, amount_minor, sale.receipt)
    if refused is not None:
        raise NotAllDone(_partly(refused, given, hand.said["posting_id"])) from refused


def _partly(refused: ScanError, given: str, posting_id: str) -> str:
    """Say what was not done, what was, and what to do now."""
    if not isinstance(refused, Refused):
        return f"{refused} {given} Do not run this again for this sale."
    # What the service advises is to try again, and the sale is posted already.
    why, _, _ = str(refused).partition(". ")
    return (
        f"Not redeemed: {why.rstrip('.')}. The customer pays the whole amount. {given} To redeem "
        f"after all, first take the sale back: counterfoil-scan reverse {posting_id}"
    )


def _redeem(hand: _Hand, points: int, receipt: str | None) -> None:
    counter, said, began = hand.counter, hand.said, hand.now()
    presentation = hand.seen.get("presentation") if hand.seen else None
    token = presentation.get("token") if isinstance(presentation, dict) else None
    try:
        done = counter.redeem(hand.reading, points, token, receipt)
    except (NotRedeemed, Refused, SignInAgain) as error:
        # It is told here and now; nobody has to look into a posting that was set aside.
        forget_refused(counter.queue, began, who=counter.cashier.name, now=hand.now())
        may_have_been = isinstance(error, NotRedeemed) and error.may_have_been
        how = "not_confirmed" if may_have_been else "refused"
        said["redemption"] = {"status": how, "told": told_of_error(error), "message": str(error)}
        raise
    show.posted(hand.console, done, "Redemption")
    said |= _as_json(done)
    said["redemption_id"] = said["posting_id"]
    said["redemption"] = {"status": "redeemed", "told": Told.REDEEMED, "message": None}


def _accrue(hand: _Hand, amount_minor: int, receipt: str | None) -> str:
    """Give the points of the sale, and say so in a sentence."""
    counter, said = hand.counter, hand.said
    programme = counter.till.programme
    amount = show_amount(amount_minor, programme.currency_exponent, programme.currency)
    began = hand.now()
    try:
        done = counter.accrue(hand.reading, amount_minor, receipt)
    except (Refused, TillRevoked) as error:
        kept = _kept_since(counter, began)
        if kept is None:
            raise
        queued = kept.state is State.WAITING
        said |= {"posting_id": kept.id, "queued": queued, "status": str(kept.state)}
        if queued:
            raise
        raise Refused(
            409,
            "set_aside",
            f"{error} The sale of {amount} is kept on this till and gave no points yet: look with "
            "counterfoil-scan queue, then send it again, hand it over to a manager, or drop it.",
        ) from error
    show.posted(hand.console, done, amount)
    said |= _as_json(done)
    if done.queued:
        return f"The points for {amount} are kept here and sent later."
    return f"The points for {amount} are given."


def _kept_since(counter: Counter, began: datetime) -> Posting | None:
    """The accrual that was made just now, whatever has become of it."""
    kept = [
        each
        for each in counter.queue.all(State.WAITING, State.SET_ASIDE)
        if each.kind == "accrual" and each.kept_at >= began
    ]
    return kept[-1] if kept else None


def _as_json(done: Posted) -> dict[str, Any]:
    answer = done.answer or {}
    return {
        "posting_id": answer.get("posting_id", done.posting_id),
        "points": answer.get("points", 0),
        "standing": answer.get("standing"),
        "queued": done.queued,
        "status": answer.get("status", "queued"),
    }
