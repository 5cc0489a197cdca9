"""Signing a cashier in: with the service, or without it where it cannot be reached."""

from __future__ import annotations

from scanner import sending
from scanner.cashiers import Cashier, OfflineCashiers
from scanner.client import Client
from scanner.errors import Refused, SignInError, TryLater


def sign_in(
    client: Client, offline: OfflineCashiers, name: str, pin: str, clock: sending.Clock
) -> Cashier:
    """Sign a cashier in with the service, or without it where it cannot be reached.

    Raises SignInError, and TillRevoked. A PIN that the service refuses is refused.
    """
    try:
        cashier = client.sign_in(name, pin)
    except Refused as refused:
        if refused.code == "wrong_pin":
            offline.forget(name, pin)
        raise SignInError(str(refused)) from None
    except TryLater as later:
        if later.too_often:
            raise SignInError(_wait(later)) from None
        return offline.sign_in(name, pin, clock())
    offline.remember(cashier, pin, clock())
    return cashier


def _wait(later: TryLater) -> str:
    """Return what the service says of too many tries, and how long to wait."""
    seconds = later.retry_after_seconds
    return str(later) if seconds is None else f"{later} Wait {seconds} seconds."
