"""The self-service till: customers hold their own phone up and get their visit, nothing else.

A visit is a posting without money: it gives what the programme gives for coming (a stamp card per
visit, a rule for a visit), and the shop's figures count it among visits, not among receipts. A card
gets one visit in an interval. What this till gave is in its queue, so a restart forgets nothing;
with several such tills the programme's own limit (visits a day) is the one that counts.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from passes.code import Reading
from scanner.errors import CardRefused, Refused
from scanner.page.outcomes import Told, told_of_scan
from scanner.page.selling import facts_of
from scanner.sale import Posted
from scanner.unsent import Posting, State

if TYPE_CHECKING:
    from scanner.page.desk import Desk

#: Somebody came, and bought nothing here. A cashier's sale is never of nothing.
VISIT_MINOR = 0


def held_up(desk: Desk, text: str) -> None:
    """A phone was held up: give its visit, or say from when on the next one counts."""
    counter = desk.counter
    if counter is None:
        return
    began = desk.now()
    try:
        reading = counter.judge(text)
        until = next_visit(desk, reading)
        if until is not None:
            desk.showing.change(
                lambda view: view.told(
                    Told.VISIT_TOO_SOON, desk.now(), {"until": until.isoformat()}
                )
            )
            return
        # The service knows of blocked cards first; and a code that changes is used up.
        counter.look_up(text)
    except CardRefused as refused:
        desk.tell(told_of_scan(refused.outcome))
        return
    try:
        done = counter.accrue(reading, VISIT_MINOR, None)
    except Refused:
        desk.forget_refused(began)  # the customer hears of it now, and can come again
        raise
    facts = facts_of(done) | {"given": _stamps(done)}
    told = Told.KEPT_VISIT if done.queued else Told.VISIT
    desk.posted(told, done, "visit", facts, receipt=None, undo=False)


def next_visit(desk: Desk, reading: Reading) -> datetime | None:
    """From when on the card gets its next visit; None: now."""
    interval = desk.visit_interval
    now = desk.now()
    since = now - interval
    card_id = reading.card.card_id_hex
    kept = [*desk.queue.sent_since(since), *desk.queue.all(State.WAITING)]
    last = max(
        (
            each.kept_at
            for each in kept
            if each.card_id == card_id and each.kept_at > since and _is_visit(each)
        ),
        default=None,
    )
    return None if last is None else last + interval


def _is_visit(posting: Posting) -> bool:
    """Whether this is a visit, not a receipt that somebody paid."""
    if posting.kind != "accrual":
        return False
    return bool(json.loads(posting.body).get("amount_minor") == VISIT_MINOR)


def _stamps(done: Posted) -> int:
    """How many stamps the visit gave."""
    given = (done.answer or {}).get("given")
    counts = [
        each.get("count")
        for each in (given if isinstance(given, list) else [])
        if isinstance(each, dict) and each.get("kind") == "stamps"
    ]
    return sum(count for count in counts if isinstance(count, int))


def interval_of(minutes: int) -> timedelta:
    """The time between two visits of one card that count."""
    return timedelta(minutes=minutes)
