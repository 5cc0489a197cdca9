"""Bringing kept postings to the service: each exactly once, oldest first, none blocking another.

Whatever happens here, the id and the body decide: the service answers a repeat with its first
answer. So after a lost answer, a crash or a restore the same bytes are simply sent again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from scanner.cashiers import Cashier
from scanner.client import Client, encode
from scanner.errors import Refused, SignInAgain, TryLater
from scanner.unsent import Posting, Queue, State

# The service is down rather than one posting unlucky: enough for now.
FAILURES_IN_A_ROW = 3
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


def send(
    queue: Queue, client: Client, posting: Posting, cashier: Cashier | None, clock: Clock
) -> dict[str, Any]:
    """Send one kept posting and note the answer; return it.

    Raises TryLater, SignInAgain or TillRevoked (the posting stays as it is) and Refused
    (a waiting one has been set aside).
    """
    queue.attempted(posting.id)
    try:
        answer = _post(queue, client, posting, cashier)
    except Refused as refused:
        queue.set_aside(posting.id, f"{refused} ({refused.code})", clock())
        raise
    queue.sent(posting.id, answer, clock())
    return answer


def _post(
    queue: Queue, client: Client, posting: Posting, cashier: Cashier | None
) -> dict[str, Any]:
    session = cashier.session if cashier and posting.needs_cashier else None
    try:
        return client.post(posting.path, posting.body, session)
    except SignInAgain:
        without = _without_cashier(posting)
        if without is None:
            raise
    # The cashier has gone, and the service does not know the posting yet (it looks there first):
    # it goes as what it has become, a posting brought later. Should the first body arrive after
    # all, the shared id lets only one of the two in.
    if posting.state is State.WAITING:
        queue.replace_body(posting.id, without)
    try:
        return client.post(posting.path, without)
    except Refused as refused:
        if refused.code == "posting_id_reused":
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

    One that is refused is set aside and the next follows. Raises TillRevoked.
    """
    report, failures = Report(), 0
    for posting in queue.all(State.WAITING)[:most]:
        if posting.programme_id != programme_id or waits_for_another(queue, posting):
            continue
        if posting.kind == "hold":
            if clock() - posting.kept_at > HOLD_IN_HAND:
                queue.set_aside(posting.id, ABANDONED, clock())
                report.set_aside.append((posting, ABANDONED))
            continue
        try:
            send(queue, client, posting, cashier, clock)
            report.sent += 1
            failures = 0
        except Refused as refused:
            report.set_aside.append((posting, str(refused)))
            failures = 0
        except SignInAgain:
            continue  # only a cashier may finish it; the rest goes on
        except TryLater as later:
            failures += 1
            if not later.reached or later.code is None or failures >= FAILURES_IN_A_ROW:
                report.stopped = str(later)
                break
    return report


def waits_for_another(queue: Queue, posting: Posting) -> bool:
    """Whether what this posting takes back has not reached the service yet."""
    before = queue.get(posting.after_id) if posting.after_id else None
    return before is not None and before.state is State.WAITING


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
