"""Bringing kept postings to the service: each exactly once, oldest first, none blocking another.

Whatever happens here, the id and the body decide: the service answers a repeat with its first
answer. So after a lost answer, a crash or a restore the same bytes are simply sent again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from scanner.cashiers import Cashier
from scanner.client import Client, encode
from scanner.clock import TillClock
from scanner.errors import QueueError, Refused, SignInAgain, TillRevoked, TryLater
from scanner.lanes import Luck, send_all
from scanner.unsent import Posting, Queue, State

# How many are noted with one write to the disk; and, of a backlog that would take long one by one,
# how many are on their way at once: those of one card still in their order.
WINDOW = 64
LANES = 8
LONG_BACKLOG = 256
# How often a posting is tried in one round of sending, where only its answer was lost.
TRIES = 3
# A posting that must not be made once the cashier has gone: its reservation ends by itself.
ABANDONED = "The redemption was not finished; the reserved points come free by themselves."
# How long an unanswered hold may belong to a cashier who is still at it.
HOLD_IN_HAND = timedelta(minutes=5)

Clock = Callable[[], datetime]


@dataclass(slots=True)
class Report:
    """What a round of sending did. `stopped` says why it ended early, None where it did not."""

    sent: int = 0
    set_aside: list[tuple[Posting, str]] = field(default_factory=list)
    stopped: str | None = None
    retry_after_seconds: int | None = None


def send(
    queue: Queue,
    client: Client,
    posting: Posting,
    cashier: Cashier | None,
    clock: Clock,
    approval: str | None = None,
) -> dict[str, Any]:
    """Send one kept posting and note the answer; return it. `approval`: a manager's session.

    Raises TryLater, SignInAgain or TillRevoked (the posting stays as it is) and Refused
    (a waiting one has been set aside).
    """
    queue.attempted(posting.id)
    try:
        answer = _post(queue, client, posting, cashier, approval)
    except Refused as refused:
        queue.set_aside(posting.id, _reason(refused), clock())
        raise
    with suppress(QueueError):  # the disk filled up just now; sent again, it changes nothing
        queue.sent(posting.id, answer, clock())
    return answer


def _reason(refused: Refused) -> str:
    return f"{refused} ({refused.code})"


def _post(
    queue: Queue,
    client: Client,
    posting: Posting,
    cashier: Cashier | None,
    approval: str | None = None,
) -> dict[str, Any]:
    session = cashier.session if cashier and posting.needs_cashier else None
    may_be_there = posting.attempts > 0
    try:
        try:
            return client.post(posting.path, posting.body, session, approval)
        except SignInAgain:
            may_be_there = True
            without = _without_cashier(posting)
            if without is None:
                raise
        # The cashier has gone, and the service does not know the posting yet (it looks there
        # first): it goes as what it has become, a posting brought later. Should the first body
        # arrive after all, the shared id lets only one of the two in.
        if posting.state is State.WAITING:
            queue.replace_body(posting.id, without)
        return client.post(posting.path, without)
    except Refused as refused:
        # Nobody else makes our ids: an earlier body of this very posting is there, sent with its
        # cashier, or by this till before it was enrolled anew.
        if refused.code == "posting_id_reused" and may_be_there:
            return {"posting_id": posting.id, "kind": posting.kind, "status": "posted"}
        raise


def _without_cashier(posting: Posting) -> bytes | None:
    """Return the body that needs no cashier's session, None where there is no such thing."""
    body = json.loads(posting.body)
    if body.get("offline") is not False:
        return None
    body["offline"] = True
    return encode(body)


def drain(
    queue: Queue,
    client: Client,
    programme_id: str,
    cashier: Cashier | None,
    clock: Clock,
    *,
    most: int | None = None,
) -> Report:
    """Send what waits, oldest first, at most `most` postings.

    One that is refused is set aside and the others follow; so do they after one whose answer was
    lost. Raises TillRevoked.
    """
    report, luck, tried = Report(), Luck(), Counter[str]()
    lanes = LANES if queue.count(State.WAITING, programme_id) > LONG_BACKLOG else 1
    with ThreadPoolExecutor(lanes, "sending") as pool:
        for window in _windows(queue, programme_id, tried, clock, most):
            queue.attempted(*(posting.id for posting in window))
            done = send_all(
                window, lambda posting: _post(queue, client, posting, cashier), luck, pool
            )
            refusals = {each: _reason(refused) for each, refused in done.refused.items()}
            queue.settle(done.answers, refusals, clock())
            report.sent += len(done.answers)
            report.set_aside += [
                (posting, str(done.refused[posting.id]))
                for posting in window
                if posting.id in done.refused
            ]
            _count_tries(tried, done.failed)
            # What the service stumbles over may be these postings, and not the service.
            if luck.stumbled and _is_well(queue, client, programme_id, cashier, clock, tried):
                report.sent += 1
                luck = Luck()
            if luck.stopped is not None:
                break
    if isinstance(luck.stopped, TillRevoked):
        raise luck.stopped
    if isinstance(luck.stopped, TryLater):
        report.stopped = str(luck.stopped)
        report.retry_after_seconds = luck.stopped.retry_after_seconds
    return report


def _count_tries(tried: Counter[str], failed: Mapping[str, Exception]) -> None:
    """Count what was tried in vain; only a lost answer is worth another try right away."""
    for posting_id, error in failed.items():
        again = isinstance(error, TryLater) and error.lost and not error.slow
        tried[posting_id] += 1 if again else TRIES


def _is_well(
    queue: Queue,
    client: Client,
    programme_id: str,
    cashier: Cashier | None,
    clock: Clock,
    tried: Counter[str],
) -> bool:
    """Whether the service takes the newest accrual that waits and was not tried yet."""
    posting = queue.newest_accrual(programme_id)
    if posting is None or posting.id in tried:
        return False
    tried[posting.id] += TRIES
    try:
        send(queue, client, posting, cashier, clock)
    except (Refused, SignInAgain, TryLater):
        return False
    return True


def _windows(
    queue: Queue, programme_id: str, tried: Counter[str], clock: Clock, most: int | None
) -> Iterator[list[Posting]]:
    """Yield the oldest that wait, some at a time, until each was tried often enough."""
    left = most
    reached = 0  # everything up to this number was tried often enough
    while left is None or left > 0:
        window: list[Posting] = []
        size = WINDOW if left is None else min(WINDOW, left)
        after, through = reached, True
        while len(window) < size:
            page = queue.next_waiting(programme_id, WINDOW, after=after)
            for posting in page:
                if len(window) == size:
                    break
                if tried[posting.id] < TRIES and _is_due(queue, posting, window, clock):
                    window.append(posting)
                    through = False
                if through:
                    reached = posting.number
            if len(page) < WINDOW:
                break
            after = page[-1].number
        if not window:
            return
        yield window
        left = None if left is None else left - len(window)


def _is_due(queue: Queue, posting: Posting, window: list[Posting], clock: Clock) -> bool:
    """Whether it may go: with or after what it takes back, and never a forgotten hold."""
    if posting.kind == "hold":
        if clock() - posting.kept_at > HOLD_IN_HAND:
            queue.give_up(posting.id, ABANDONED, clock())
        return False
    with_it = any(other.id == posting.after_id for other in window)
    return with_it or not waits_for_another(queue, posting)


def waits_for_another(queue: Queue, posting: Posting) -> bool:
    """Whether what this posting takes back has not reached the service yet."""
    before = queue.get(posting.after_id) if posting.after_id else None
    return before is not None and before.state in (State.WAITING, State.SET_ASIDE)


def redate(queue: Queue, programme_id: str, clock: TillClock) -> int:
    """Give postings that were made while the time was not certain the moment they were made at.

    Only those that no service has seen; return how many were off by more than a minute.
    """
    changed: dict[str, tuple[bytes, datetime]] = {}
    off = 0
    for posting in queue.all(State.WAITING):
        if posting.programme_id != programme_id or posting.attempts or posting.moment is None:
            continue
        at = clock.at(posting.moment)
        if at is None:
            continue  # from before a restart: the machine's clock is all there is
        body = json.loads(posting.body) | {"occurred_at": at.isoformat()}
        changed[posting.id] = (encode(body), at)
        off += abs(at - posting.kept_at) > timedelta(minutes=1)
    if changed:
        queue.redate(changed)
    return off


def resend(
    queue: Queue,
    client: Client,
    programme_id: str,
    cashier: Cashier | None,
    clock: Clock,
    since: datetime,
) -> Report:
    """Send again what was kept since then and already answered, with the same id and body.

    Raises TillRevoked. A posting the service now refuses is reported and stays noted as sent.
    """
    report = Report()
    for posting in queue.sent_since(since):
        if posting.programme_id != programme_id:
            continue
        try:
            send(queue, client, posting, cashier, clock)
            report.sent += 1
        except Refused as refused:
            report.set_aside.append((posting, str(refused)))
        except SignInAgain as again:
            report.set_aside.append((posting, f"{again} Give --cashier."))
        except TryLater as later:
            report.stopped = str(later)
            break
    return report
