"""Signing in without the service."""

import json
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scanner.cashiers import Cashier, OfflineCashiers
from scanner.config import new_secret
from scanner.errors import SignInError

NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
ANNA = Cashier("id-anna", "Anna", "cashier", "session")


@pytest.fixture
def cashiers(tmp_path: Path) -> OfflineCashiers:
    return OfflineCashiers(tmp_path, new_secret())


def test_who_signed_in_online_may_sign_in_offline(cashiers: OfflineCashiers) -> None:
    cashiers.remember(ANNA, "271828", NOW)
    signed_in = cashiers.sign_in(" anna ", "271828", NOW + timedelta(days=6))
    assert (signed_in.id, signed_in.session) == ("id-anna", None)


def test_who_never_signed_in_here_may_not(cashiers: OfflineCashiers) -> None:
    with pytest.raises(SignInError, match="with the network up"):
        cashiers.sign_in("Anna", "271828", NOW)


def test_a_pin_of_four_digits_never_works_offline(cashiers: OfflineCashiers) -> None:
    cashiers.remember(ANNA, "2718", NOW)
    with pytest.raises(SignInError, match="six-digit"):
        cashiers.sign_in("Anna", "2718", NOW)


@pytest.mark.parametrize("later", [timedelta(days=7, seconds=1), timedelta(hours=-1)])
def test_it_ends_after_seven_days_and_does_not_come_back_with_the_clock(
    cashiers: OfflineCashiers, later: timedelta
) -> None:
    cashiers.remember(ANNA, "271828", NOW)
    with pytest.raises(SignInError, match="7 days"):
        cashiers.sign_in("Anna", "271828", NOW + later)


def test_five_wrong_pins_lock_until_the_next_online_sign_in(cashiers: OfflineCashiers) -> None:
    cashiers.remember(ANNA, "271828", NOW)
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(SignInError, match=f"{left} tr"):
            cashiers.sign_in("Anna", "000000", NOW)
    with pytest.raises(SignInError, match="locked"):
        cashiers.sign_in("Anna", "271828", NOW)
    cashiers.remember(ANNA, "271828", NOW)
    assert cashiers.sign_in("Anna", "271828", NOW).name == "Anna"


def test_a_pin_that_the_service_refused_is_forgotten(cashiers: OfflineCashiers) -> None:
    cashiers.remember(ANNA, "271828", NOW)
    cashiers.forget("Anna", "000000")  # a slip of the finger changes nothing
    assert cashiers.sign_in("Anna", "271828", NOW).name == "Anna"
    cashiers.forget("Anna", "271828")
    with pytest.raises(SignInError):
        cashiers.sign_in("Anna", "271828", NOW)


def test_a_verifier_is_worth_nothing_without_the_secret_of_its_till(
    cashiers: OfflineCashiers, tmp_path: Path
) -> None:
    cashiers.remember(ANNA, "271828", NOW)
    kept = (tmp_path / "cashiers.json").read_text()
    assert "$argon2id$" in kept and "271828" not in kept and "session" not in json.loads(kept)
    with pytest.raises(SignInError, match="Wrong PIN"):
        OfflineCashiers(tmp_path, new_secret()).sign_in("Anna", "271828", NOW)


def test_guesses_made_at_once_are_counted_one_by_one(
    cashiers: OfflineCashiers, tmp_path: Path
) -> None:
    """Two programs on one machine: neither gets a guess for nothing."""
    cashiers.remember(ANNA, "271828", NOW)
    secret = cashiers._secret.hex()

    def guess(number: int) -> str:
        with pytest.raises(SignInError) as refused:
            OfflineCashiers(tmp_path, secret).sign_in("Anna", f"{number:06}", NOW)
        return str(refused.value)

    with ThreadPoolExecutor(12) as pool:
        said = list(pool.map(guess, range(12)))
    assert sum("Wrong PIN" in each for each in said) == 5
    assert sum("locked" in each for each in said) == 7


def test_a_guess_is_counted_before_it_is_tried(cashiers: OfflineCashiers, tmp_path: Path) -> None:
    """Pulling the plug while the PIN is compared gives no free guess."""
    cashiers.remember(ANNA, "271828", NOW)
    secret = cashiers._secret.hex()
    program = (
        "import os, signal, sys; from datetime import datetime; from pathlib import Path\n"
        "from scanner import cashiers\n"
        "class Plug:\n"
        "    def verify(self, *_): os.kill(os.getpid(), signal.SIGKILL)\n"
        "cashiers._HASH = Plug()\n"
        f"cashiers.OfflineCashiers(Path({str(tmp_path)!r}), {secret!r}).sign_in("
        f"'Anna', '000000', datetime.fromisoformat({NOW.isoformat()!r}))\n"
    )
    for _ in range(5):
        assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    with pytest.raises(SignInError, match="locked"):
        cashiers.sign_in("Anna", "271828", NOW)


def test_a_verifier_is_slow_to_try(tmp_path: Path) -> None:
    """In a process of its own: in this one it is made quick."""
    program = (
        "from datetime import UTC, datetime; from pathlib import Path\n"
        "from scanner import cashiers\n"
        "anna = cashiers.Cashier('id-anna', 'Anna', 'cashier')\n"
        f"folder, secret = Path({str(tmp_path)!r}), {new_secret()!r}\n"
        "now = datetime.now(UTC)\n"
        "cashiers.OfflineCashiers(folder, secret).remember(anna, '271828', now)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    [entry] = json.loads((tmp_path / "cashiers.json").read_text()).values()
    assert entry["verifier"].startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert stat.S_IMODE((tmp_path / "cashiers.json").stat().st_mode) == 0o600
