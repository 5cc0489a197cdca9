"""What the commands of the till do around the sale: enrol, keys, send, list."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from scanner import check, sending
from scanner.cashiers import Cashier, OfflineCashiers
from scanner.client import Client, service_address
from scanner.config import Settings, Till, load_till, new_secret, save_till, state_folder
from scanner.errors import ConfigError, ServiceError, TryLater
from scanner.sale import now_utc, sign_in
from scanner.times import parse_since
from scanner.unsent import Posting, Queue, State


def enrol_till(folder: Path, service: str, code: str) -> Till:
    """Exchange an enrolment code for a token and keep it in till.json; fetch the keys.

    What waits in the queue of an earlier enrolment stays. Raises ConfigError, ServiceError.
    """
    address = service_address(service)
    state_folder(folder)  # a folder that cannot be written must not cost the code
    with Client(address) as client:
        enrolment = client.enrol(code.strip())
    till = Till(
        service=address,
        id=enrolment.till_id,
        name=enrolment.till_name,
        location=enrolment.location,
        programme=enrolment.programme,
        token=enrolment.token,
        secret=_secret(folder),
    )
    save_till(folder, till)
    with suppress(TryLater):
        refresh_keys(folder, till)
    return till


def _secret(folder: Path) -> str:
    """Return this till's secret, a new one where there is none."""
    with suppress(ConfigError):
        return load_till(folder).secret
    return new_secret()


def refresh_keys(folder: Path, till: Till) -> check.KeyRing:
    """Fetch the public keys and keep them; raises ServiceError."""
    with Client(till.service, till.token) as client:
        return fetch_keys(folder, till, client)[0]


def fetch_keys(folder: Path, till: Till, client: Client) -> tuple[check.KeyRing, timedelta]:
    """Fetch the public keys over `client` and keep them.

    Returns them and how far this machine's clock is ahead of the service's.
    Raises ServiceError, ConfigError.
    """
    answer = client.keys()
    now = now_utc()
    try:
        ahead = now - check.moment(answer.get("now"))
        return check.save_keys(folder, till.programme.id, answer, now - ahead), ahead
    except (KeyError, ValueError) as error:
        raise TryLater(f"The service's keys make no sense: {error}.", reached=True) from None


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
        "answer": posting.answer,
    }


@dataclass(slots=True)
class AtWork:
    """An enrolled till with its queue open and a cashier, where one has signed in."""

    till: Till
    queue: Queue
    client: Client
    cashier: Cashier | None


@contextmanager
def at_work(settings: Settings, pin: str | None) -> Iterator[AtWork]:
    """Open this till; sign the cashier of the settings in where there is a PIN, and out again.

    Raises ConfigError, QueueError, SignInError, TillRevoked.
    """
    till = load_till(settings.data)
    with Queue(settings.data) as queue, Client(till.service, till.token) as client:
        cashier = None
        if pin is not None and settings.cashier is not None:
            offline = OfflineCashiers(settings.data, till.secret)
            cashier = sign_in(client, offline, settings.cashier, pin, now_utc)
        try:
            yield AtWork(till, queue, client, cashier)
        finally:
            if cashier is not None and cashier.session is not None:
                with suppress(ServiceError):  # it ends by itself
                    client.sign_out(cashier)


def send_kept(settings: Settings, pin: str | None, since: str | None) -> tuple[sending.Report, int]:
    """Send what waits, or with `since` again what was sent; return the report and what waits."""
    moment = parse_since(since, now_utc()) if since is not None else None
    with at_work(settings, pin) as work:
        programme_id = work.till.programme.id
        if moment is None:
            report = sending.drain(work.queue, work.client, programme_id, work.cashier, now_utc)
            work.queue.forget_old(now_utc())
        else:
            report = sending.resend(
                work.queue, work.client, programme_id, work.cashier, now_utc, moment
            )
        return report, work.queue.count(State.WAITING)
