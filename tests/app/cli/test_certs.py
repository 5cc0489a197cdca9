"""counterfoil certs, and what serve and work say of certificates when they start."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    pkcs12,
)

from app.certs import PASS, ROOT, WWDR, make_dev_chain
from app.clock import system_clock
from tests.passes import certificates


@pytest.fixture
def expired(fresh: Any) -> Any:
    """An installation whose pass certificate ran out five days ago."""
    with fresh.open() as context:
        make_dev_chain(context.config, context.keys, now=system_clock() - timedelta(days=400))
    return fresh


def sentence(installation: Any) -> str:
    """What has to be said of the expired certificate."""
    path = installation.data / "certs" / PASS
    [certificate] = x509.load_pem_x509_certificates(path.read_bytes())
    day = certificate.not_valid_after_utc
    name = "Pass Type ID: pass.dev.counterfoil"
    return f'error: {path}: The certificate "{name}" expired on {day:%Y-%m-%d %H:%M} UTC.'


def test_a_development_chain_is_in_order(cafe: Any) -> None:
    said = cafe.run("certs", "check")
    assert said.endswith("Everything is in order.\n")
    for name in (PASS, WWDR, ROOT):
        line = f"{cafe.data / 'certs' / name}: .+, valid until 20..-..-.. "
        assert re.search(line + r"\(\d+ days left\)\n", said)
    assert cafe.json("certs", "check") == []


def test_an_expired_certificate_is_named_with_file_date_and_cure(expired: Any) -> None:
    result = expired.type("certs", "check")
    assert result.exit_code == 1
    assert sentence(expired) in result.stdout
    assert "counterfoil certs install" in result.stdout
    result = expired.type("certs", "check", "--json")
    assert (result.exit_code, '"severity": "error"' in result.stdout) == (1, True)
    assert str(expired.data / "certs" / PASS) in result.stdout


@pytest.mark.parametrize(("name", "says"), [(PASS, "is missing"), (WWDR, "is missing")])
def test_a_missing_certificate_is_named(cafe: Any, name: str, says: str) -> None:
    path = cafe.data / "certs" / name
    path.unlink()
    result = cafe.type("certs", "check")
    assert (result.exit_code, f"error: {path} {says}" in result.stdout) == (1, True)


def test_a_broken_file_does_not_hide_its_cure(cafe: Any) -> None:
    path = cafe.data / "certs" / PASS
    path.write_text("hello")
    result = cafe.type("certs", "check")
    assert result.exit_code == 1
    assert f"The file {path} does not hold a certificate" in result.stdout
    assert "Replace it: counterfoil certs install" in result.stdout


def test_none_at_all_is_a_warning(fresh: Any) -> None:
    assert "warning: " in fresh.run("certs", "check")


@pytest.mark.parametrize(
    "words",
    [
        ("--pass-type", ""),
        ("--pass-type", "card.example"),
        ("--pass-type", "pass." + "x" * 60),
        ("--pass-type", "pass.a b"),
        ("--team", ""),
        ("--team", "short"),
    ],
)
def test_a_name_that_apple_would_not_give_is_a_usage_error(fresh: Any, words: Any) -> None:
    result = fresh.type("certs", "dev", *words)
    assert (result.exit_code, words[0] in result.stderr) == (2, True)
    assert not (fresh.data / "certs").exists()


def test_a_p12_is_installed_with_its_password(fresh: Any, tmp_path: Path) -> None:
    key = certificates.rsa_key()
    now = system_clock()
    leaf = certificates.pass_certificate(key, start=now, end=now + timedelta(days=300))
    chain = [certificates.intermediate().certificate, certificates.root().certificate]
    p12, password = tmp_path / "pass.p12", tmp_path / "password"
    p12.write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"pass", key, leaf, chain, BestAvailableEncryption(b"secret")
        )
    )
    password.write_text("wrong\n")
    assert "password" in fresh.refused(
        "certs", "install", str(p12), "--password-file", str(password)
    )
    password.write_text("secret\n")
    said = fresh.run("certs", "install", str(p12), "--password-file", str(password))
    assert f'Installed "Pass Type ID: {certificates.PASS_TYPE}"' in said
    installed = (fresh.data / "certs" / PASS).read_bytes()
    assert leaf.public_bytes(Encoding.PEM) in installed
    password.write_text("x" * 2000)
    assert "does not hold a password" in fresh.refused(
        "certs", "install", str(p12), "--password-file", str(password)
    )


def test_the_password_of_a_p12_is_asked_for(fresh: Any, tmp_path: Path) -> None:
    key, now = certificates.rsa_key(), system_clock()
    leaf = certificates.pass_certificate(key, start=now, end=now + timedelta(days=300))
    chain = [certificates.intermediate().certificate, certificates.root().certificate]
    p12 = tmp_path / "pass.p12"
    for encryption, typed in (
        (BestAvailableEncryption(b"secret"), "secret\n"),
        (NoEncryption(), ""),
    ):
        p12.write_bytes(
            pkcs12.serialize_key_and_certificates(b"pass", key, leaf, chain, encryption)
        )
        if typed:
            assert (
                "or its password is another"
                in fresh.type("certs", "install", str(p12), typed="wrong\n").stderr
            )
        result = fresh.type("certs", "install", str(p12), typed=typed)
        assert (result.exit_code, "Installed" in result.stdout) == (0, True)
        assert ("Password of pass.p12" in result.stderr) == bool(typed)
        assert "secret" not in result.output


def test_a_request_prints_its_path_and_what_to_do_with_it(fresh: Any) -> None:
    result = fresh.type("certs", "request", "--ec")
    path = Path(result.stdout.strip())
    assert (result.exit_code, path.parent, path.suffix) == (
        0,
        fresh.data / "keys",
        ".certSigningRequest",
    )
    assert "developer.apple.com" in result.stderr
    again = fresh.type("certs", "request", "--ec")
    assert again.stdout.strip() == str(path)
    assert "waits for its answer" in again.stderr
    assert fresh.type("certs", "request", "--ec", "--another").stdout.strip() != str(path)
    assert "1 to 64 letters" in fresh.refused("certs", "request", "--name", "")
    assert f"{path}: waits for Apple's answer" in fresh.run("certs", "list")


def test_the_list_says_how_many_days_are_left(fresh: Any) -> None:
    assert "counterfoil certs request" in fresh.run("certs", "list")
    with fresh.open() as context:
        made = system_clock() - timedelta(days=395 - 9, hours=-1)
        make_dev_chain(context.config, context.keys, now=made)
    assert "Pass Type ID: pass.dev.counterfoil, valid until" in fresh.run("certs", "list")
    assert "(9 days left)" in fresh.run("certs", "list")
    told = fresh.json("certs", "list")
    assert [each["days_left"] for each in told["certificates"]] == [9, 1439, 3264]
    assert "expires on" in fresh.run("certs", "check")
    assert "in 9 days." in fresh.run("certs", "check")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(installation: Any, command: str, errors: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`counterfoil COMMAND`, really running; what it says on standard error goes to a file."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("COUNTERFOIL_")
    }
    settings = {"COUNTERFOIL_DATA": str(installation.data)} | installation.settings
    with errors.open("wb") as file:
        running = subprocess.Popen(
            [sys.executable, "-m", "app.cli", command],
            env=environment | settings,
            stdout=subprocess.DEVNULL,
            stderr=file,
        )
    try:
        yield running
    finally:
        running.kill()
        running.wait()


def wait_for(is_true: Any) -> None:
    end = time.monotonic() + 60
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_serve_says_at_its_start_which_certificate_expired_and_serves(
    expired: Any, tmp_path: Path
) -> None:
    port, errors = free_port(), tmp_path / "stderr"
    expired.settings["COUNTERFOIL_BIND"] = f"127.0.0.1:{port}"
    with process(expired, "serve", errors) as running:

        def answers() -> bool:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/openapi.json") as answer:
                    return bool(answer.status == 200)
            except OSError:
                return False

        wait_for(answers)
        said = errors.read_text()
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 0
    assert sentence(expired) in said
    assert said.index("error:") == 0  # before anything else


def test_work_says_so_too_and_stops_when_told(expired: Any, tmp_path: Path) -> None:
    errors = tmp_path / "stderr"
    with process(expired, "work", errors) as running:
        # The loud warning of the null sender comes once the work has begun.
        wait_for(lambda: "NO PASS IS BROUGHT UP TO DATE" in errors.read_text())
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 0
    assert sentence(expired) in errors.read_text()
    assert "Traceback" not in errors.read_text()
