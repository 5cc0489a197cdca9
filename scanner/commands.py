"""What the commands of the till do around the sale: enrol, keys, send, list."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from scanner import check, sending
from scanner.alarms import Alarms
from scanner.backlog import status
from scanner.cashiers import Cashier, OfflineCashiers
from scanner.client import Client, Patience, service_address
from scanner.clock import TillClock
from scanner.config import Settings, Till, load_till, new_secret, save_till, state_folder
from scanner.errors import ConfigError, ServiceError, TryLater
from scanner.freshness import forget_shop, refresh
from scanner.signing_in import sign_in
from scanner.times import parse_since
from scanner.unsent import Posting, Queue, State


def enrol_till(folder: Path, service: str, code: str, patience: Patience | None = None) -> Till:
    """Exchange an enrolment code for a token and keep it in till.json; fetch the keys.

    What waits in the queue of an earlier enrolment stays, and is sent where it was for the same
    programme; a code of another one is refused, and stays good. Raises ConfigError, ServiceError.
    """
    address = service_address(service)
    state_folder(folder)  # a folder that cannot be written must not cost the code
    with Queue(folder) as queue, Client(address, patience=patience) as client:
        waiting = sorted(queue.waiting_programmes())
        enrolment = client.enrol(code.strip(), waiting[0] if waiting else None)
        if waiting and waiting != [enrolment.programme.id]:
            raise ConfigError(
                "Postings of another programme wait on this till. Enrol it for that one, send or "
                f"resolve them (counterfoil-scan queue), or give the new till a folder of its own; "
                f"now it waits in {folder}."
            )
    before = None
    with suppress(ConfigError):
        before = load_till(folder)
    till = Till(
        service=address,
        id=enrolment.till_id,
        name=enrolment.till_name,
        location=enrolment.location,
        programme=enrolment.programme,
        token=enrolment.token,
        secret=before.secret if before else new_secret(),
    )
    if before is None or before.programme.id != till.programme.id:
        forget_shop(folder)
    save_till(folder, till)
    with suppress(TryLater):
        refresh_keys(folder, till, patience)
    return till


def refresh_keys(folder: Path, till: Till, patience: Patience | None = None) -> check.KeyRing:
    """Fetch the public keys and the refused cards, and keep them; raises ServiceError."""
    with Client(till.service, till.token, patience) as client:
        return fetch_keys(folder, till, client)[0]


def fetch_keys(
    folder: Path, till: Till, client: Client, queue: Queue | None = None
) -> tuple[check.KeyRing, timedelta]:
    """Fetch the public keys and the refused cards over `client` and keep them.

    Returns them and how far this machine's clock is ahead of the service's.
    Raises ServiceError, QueueError.
    """
    if queue is not None:
        return refresh(folder, till, client, queue)
    with Queue(folder) as opened:
        return refresh(folder, till, client, opened)


def keys_if_any(folder: Path) -> check.KeyRing:
    """Return the keys of this till, none where it is not enrolled."""
    if not (folder / "till.json").is_file():
        return check.KeyRing()
    return check.load_keys(folder, load_till(folder).programme.id)


def kept_postings(folder: Path, *, everything: bool) -> list[Posting]:
    """Return what waits or was set aside, oldest first; with `everything` what was sent too."""
    load_till(folder)
    states = tuple(State) if everything else (State.WAITING, State.SET_ASIDE)
    with Queue(folder) as queue:
        return queue.all(*states)


def posting_as_json(posting: Posting) -> dict[str, Any]:
    """Return a kept posting for a program."""
    return {
        "posting_id": posting.id,
        "kind": posting.kind,
        "state": posting.state,
        "kept_at": posting.kept_at.isoformat(),
        "attempts": posting.attempts,
        "reason": posting.reason,
        "card_id": posting.card_id,
        "answer": posting.answer,
    }


@dataclass(slots=True)
class AtWork:
    """An enrolled till with its queue open and a cashier, where one has signed in."""

    till: Till
    queue: Queue
    client: Client
    clock: TillClock
    cashier: Cashier | None


@contextmanager
def at_work(settings: Settings, pin: str | None) -> Iterator[AtWork]:
    """Open this till; sign the cashier of the settings in where there is a PIN, and out again.

    Raises ConfigError, QueueError, SignInError, TillRevoked.
    """
    till = load_till(settings.data)
    patience = Patience.of(settings.timeout_seconds)
    with (
        Queue(settings.data) as queue,
        Client(till.service, till.token, patience) as client,
    ):
        client.on_revoked = lambda: forget_shop(settings.data)
        clock, cashier = TillClock(queue), None
        if pin is not None and settings.cashier is not None:
            offline = OfflineCashiers(settings.data, till.secret)
            cashier = sign_in(client, offline, settings.cashier, pin, clock)
        try:
            yield AtWork(till, queue, client, clock, cashier)
        finally:
            if cashier is not None and cashier.session is not None:
                with suppress(ServiceError):  # it ends by itself
                    client.sign_out(cashier)


def send_kept(
    settings: Settings, pin: str | None, since: str | None, alarms: Alarms
) -> tuple[sending.Report, int]:
    """Send what waits, or with `since` again what was sent; return the report and what waits."""
    with at_work(settings, pin) as work:
        programme_id, clock = work.till.programme.id, work.clock
        with suppress(TryLater):  # first the time: what was made without it gets its moment
            ring, _ = refresh(settings.data, work.till, work.client, work.queue, clock)
            alarms.keys(ring)
        alarms.clock(clock)
        if since is None:
            report = sending.drain(work.queue, work.client, programme_id, work.cashier, clock)
            work.queue.forget_old(clock())
        else:
            moment = parse_since(since, clock())
            report = sending.resend(
                work.queue, work.client, programme_id, work.cashier, clock, moment
            )
        alarms.unresolved(status(work.queue, programme_id))
        return report, work.queue.count(State.WAITING)
