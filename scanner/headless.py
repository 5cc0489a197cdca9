"""One customer at a till without a window: sign in, read, verify, look up, keep, send, show."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

from passes.code import Outcome, Reading
from scanner import show
from scanner.amounts import parse_amount, show_amount
from scanner.camera import require_source, sources_of
from scanner.check import load_keys
from scanner.commands import AtWork, at_work
from scanner.config import Settings, load_till
from scanner.decode import load_decoder
from scanner.errors import ConfigError, ScanError, TryLater
from scanner.freshness import refresh
from scanner.presentation import Presentation
from scanner.sale import Counter, Posted
from scanner.unsent import State
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
    with at_work(settings, pin) as work:
        counter = _counter(settings, work, console)
        counter.check_room()  # said while the customer is still looking for the card
        text = _wait_for_card(settings, sale, console)
        reading = counter.judge(text)
        seen = counter.look_up(text)
        if seen is None:
            show.offline_card(console, counter.last_known(reading), work.clock())
            show.refused_age(console, counter.refused_age)
        else:
            show.customer(console, seen)
            said["standing"] = seen.get("standing")
        said |= {"outcome": Outcome.ACCEPTED, "card_id": reading.card.card_id_hex}
        _post(counter, reading, seen, sale, amount_minor, console, said)
        if counter.online:
            counter.send_waiting()


def reverse_once(
    settings: Settings,
    posting_id: str,
    reason: str | None,
    pin: str,
    console: Console,
    said: dict[str, Any],
) -> None:
    """Take one posting back; `said` is filled with what happened. Raises ScanError."""
    with at_work(settings, pin) as work:
        counter = _counter(settings, work, console)
        done = counter.reverse(posting_id, reason)
        show.posted(console, done, "Reversal", work.queue.count(State.WAITING))
        said |= _as_json(done)


def _counter(settings: Settings, work: AtWork, console: Console) -> Counter:
    """Return the counter with the freshest keys that can be had, and with the right time."""
    if work.cashier is None:
        raise ConfigError("Who is at the till? Give --cashier NAME.")
    ring = None
    if work.cashier.session is not None:
        with suppress(TryLater):
            ring, _ = refresh(settings.data, work.till, work.client, work.queue, work.clock)
    if ring is None:
        ring = load_keys(settings.data, work.till.programme.id)
    if work.clock.trouble is not None:
        show.wrong_clock(console, work.clock.trouble, work.clock.ahead)
    if ring.trouble is not None:
        show.caution(console, ring.trouble)
    return Counter(work.till, work.queue, work.client, ring, work.cashier, clock=work.clock)


def _wait_for_card(settings: Settings, sale: Sale, console: Console) -> str:
    """Return the text of the first presentation; a card of ours goes before any other code."""

    def say(line: str) -> None:
        console.print(Text(line), soft_wrap=True)

    with Watch(
        sources_of(settings.camera), decoder=settings.decoder, fps=sale.fps, on_change=say
    ) as watch:
        for seen in watch:
            if seen.begun:
                return _preferred(seen.begun).text
    raise ScanError("The camera was closed.")


def _preferred(begun: Sequence[Presentation]) -> Presentation:
    cards = [presentation for presentation in begun if presentation.identity.startswith("card ")]
    return (cards or begun)[0]


def _post(
    counter: Counter,
    reading: Reading,
    seen: dict[str, Any] | None,
    sale: Sale,
    amount_minor: int | None,
    console: Console,
    said: dict[str, Any],
) -> None:
    """Redeem and accrue as keyed in; redeeming goes first, so that a refusal changes nothing."""
    if sale.redeem is not None:
        presentation = seen.get("presentation") if seen else None
        token = presentation.get("token") if isinstance(presentation, dict) else None
        done = counter.redeem(reading, sale.redeem, token, sale.receipt)
        show.posted(console, done, "Redemption", 0)
        said |= _as_json(done)
        said["redemption_id"] = said["posting_id"]
    if amount_minor is not None:
        programme = counter.till.programme
        amount = show_amount(amount_minor, programme.currency_exponent, programme.currency)
        done = counter.accrue(reading, amount_minor, sale.receipt)
        show.posted(console, done, amount, counter.queue.count(State.WAITING))
        said |= _as_json(done)


def _as_json(done: Posted) -> dict[str, Any]:
    answer = done.answer or {}
    return {
        "posting_id": answer.get("posting_id", done.posting_id),
        "points": answer.get("points", 0),
        "standing": answer.get("standing"),
        "queued": done.queued,
        "status": answer.get("status", "queued"),
    }
