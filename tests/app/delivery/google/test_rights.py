"""What keeps the service account from its work is said in words, with the cure."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from app.clock import FixedClock, system_clock
from app.delivery.google.rights import inspect_rights
from app.delivery.wallets import Wallets
from app.demo.google import GoogleStandIn
from passes.apple.preflight.finding import Finding
from tests.app.delivery.google.shop import ISSUER

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def look(wallets: Wallets, clock: FixedClock | None = None) -> list[Finding]:
    service = wallets.google.service()
    return list(inspect_rights(service, f"{ISSUER}.kaffa", clock or system_clock))


def codes(wallets: Wallets, clock: FixedClock | None = None) -> list[str]:
    return [finding.code for finding in look(wallets, clock)]


def test_an_account_that_may_has_no_fault(
    wallets: Wallets, programme: Any, saved: Any, google: GoogleStandIn
) -> None:
    assert look(wallets) == []
    google.classes.clear()
    assert look(wallets) == [], "a class that is not there yet is none"


def test_an_account_that_was_not_let_in_is_told_where(
    wallets: Wallets, google: GoogleStandIn
) -> None:
    google.deny()
    [found] = look(wallets)
    assert (found.code, found.severity) == ("account_not_invited", "error")
    assert "403" in found.message
    assert "console" in found.cure
    assert wallets.google.service().email in found.cure


def test_an_interface_that_is_switched_off_is_told_from_that(
    wallets: Wallets, google: GoogleStandIn
) -> None:
    google.fail(403, "accessNotConfigured", "Google Wallet API has not been used in project 42")
    assert codes(wallets) == ["api_disabled"]


def test_a_key_that_google_does_not_know_is_named(wallets: Wallets, google: GoogleStandIn) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    google.trust(other.public_key(), wallets.google.service().email)
    assert codes(wallets) == ["key_revoked"]


def test_an_account_that_google_does_not_know_is_named(
    wallets: Wallets, google: GoogleStandIn, account_key: rsa.RSAPrivateKey
) -> None:
    google.trust(account_key.public_key(), "somebody@else")
    assert codes(wallets) == ["account_unknown"]


def test_a_google_that_cannot_be_reached_is_named(wallets: Wallets, google: GoogleStandIn) -> None:
    google.refuse()
    assert codes(wallets) == ["google_unreachable"]


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_google_is_no_fault_of_ours(
    wallets: Wallets, google: GoogleStandIn, status: int
) -> None:
    google.fail(status, "backendError")
    [found] = look(wallets)
    assert (found.code, found.severity) == ("google_busy", "warning")


@pytest.mark.parametrize(
    ("ahead", "severity", "said"),
    [(60, "warning", "ahead of"), (-60, "warning", "behind"), (900, "error", "ahead of")],
)
def test_a_clock_that_is_wrong_is_named(
    wallets: Wallets, ahead: int, severity: str, said: str, google: GoogleStandIn
) -> None:
    clock = FixedClock(datetime.now(UTC) + timedelta(seconds=ahead))
    [found] = look(wallets, clock)
    assert (found.code, found.severity) == ("clock_skew", severity)
    assert said in found.message


def test_a_token_of_another_time_is_a_wrong_clock_as_well(
    wallets: Wallets, google: GoogleStandIn
) -> None:
    google._clock = lambda: datetime.now(UTC).timestamp() - 7200
    assert codes(wallets) == ["clock_skew"]


def test_a_class_that_google_rejected_says_so(
    wallets: Wallets, saved: Any, google: GoogleStandIn
) -> None:
    [card_class] = google.classes.values()
    card_class["reviewStatus"] = "REJECTED"
    card_class["review"] = {"comments": "The logo is somebody else's."}
    [found] = look(wallets)
    assert found.code == "class_rejected"
    assert "somebody else's" in found.message
