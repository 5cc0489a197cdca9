"""Asking the service for what a till has to know when the network is down.

Its public keys, the cards it refuses, who may no longer sign in, and what time it is. What has
become wrong by that is put right at once: refused cards are forgotten, PINs that are over are
dropped, and postings that were made while the time was not certain get their moment.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from passes.errors import RefusedListError
from scanner import cashiers, check, known, refusals, sending
from scanner.cashiers import OfflineCashiers
from scanner.client import Client
from scanner.clock import TillClock
from scanner.config import Till, programme_from, save_till
from scanner.errors import ConfigError, QueueError, ServiceError, TillRevoked, TryLater
from scanner.unsent import Queue, State


def refresh(
    folder: Path, till: Till, client: Client, queue: Queue, clock: TillClock | None = None
) -> tuple[check.KeyRing, timedelta]:
    """Ask the service; keep and return the keys with the refused cards, and how far this machine's
    clock is ahead.

    A disk that is full stops nothing: what was heard holds for as long as the program runs.
    Raises TryLater and TillRevoked; then everything stays as it was.
    """
    clock = clock or TillClock(queue)
    client.on_revoked = client.on_revoked or (lambda: forget_shop(folder))
    asked = time.monotonic()
    answer = client.keys(_report(queue, till.programme.id))
    try:
        clock.heard(check.moment(answer.get("now")), took_seconds=time.monotonic() - asked)
    except QueueError:
        pass  # it holds without being kept
    except ValueError as error:
        raise _nonsense(error) from None
    _note_programme(folder, till, answer.get("programme"))
    ring = _keep_keys(folder, till.programme.id, answer, clock())
    _drop_pins(folder, till, answer.get("staff_changed"))
    with suppress(QueueError):
        sending.redate(queue, till.programme.id, clock)
    return _with_refused(folder, till.programme.id, client, ring, clock()), clock.ahead


def _report(queue: Queue, programme_id: str) -> dict[str, str]:
    """What the shop's page of tills is told: how much waits here, and since when."""
    try:
        told = {
            "Counterfoil-Waiting": str(queue.count(State.WAITING, programme_id)),
            "Counterfoil-Set-Aside": str(queue.count(State.SET_ASIDE, programme_id)),
        }
        oldest = queue.oldest_waiting(programme_id)
    except QueueError:
        return {}
    return told | ({"Counterfoil-Oldest": oldest.isoformat()} if oldest else {})


def forget_shop(folder: Path) -> None:
    """Forget customers and cashiers: the service no longer knows this till. The queue stays."""
    known.wipe(folder)
    cashiers.wipe(folder)


def _note_programme(folder: Path, till: Till, told: Any) -> None:
    """Keep what the programme and its points are called now; what makes no sense is left out."""
    with suppress(ConfigError, ValueError):
        programme = programme_from(told)
        if programme.id == till.programme.id and programme != till.programme:
            save_till(folder, replace(till, programme=programme))


def _keep_keys(
    folder: Path, programme_id: str, answer: dict[str, Any], now: datetime
) -> check.KeyRing:
    try:
        with suppress(ConfigError):
            return check.save_keys(folder, programme_id, answer, now)
        return check.ring_from(answer, now)
    except (KeyError, ValueError) as error:
        raise _nonsense(error) from None


def _nonsense(error: Exception) -> TryLater:
    return TryLater(f"The service's keys make no sense: {error}.", reached=True)


def _drop_pins(folder: Path, till: Till, listed: Any) -> None:
    changed: dict[str, datetime] = {}
    for item in listed if isinstance(listed, list) else []:
        with suppress(KeyError, TypeError, ValueError):
            changed[str(item["id"])] = check.moment(item["at"])
    if changed:
        with suppress(ConfigError, OSError):
            OfflineCashiers(folder, till.secret).forget_changed(changed)


def _with_refused(
    folder: Path, programme_id: str, client: Client, ring: check.KeyRing, now: datetime
) -> check.KeyRing:
    """Fetch the refused cards; where that fails the till goes on with the list it has."""
    trouble = None
    try:
        refusals.fetch(folder, programme_id, client, ring.public_keys(now))
    except TillRevoked:
        raise
    except (RefusedListError, ServiceError, ConfigError) as error:
        trouble = str(error)
    ring = refusals.with_refused(folder, programme_id, ring)
    cards = known.KnownCards(folder)
    try:
        cards.forget(each for each in cards.card_ids() if each in ring.refused)
    finally:
        cards.close()
    return replace(ring, trouble=trouble or ring.trouble)
