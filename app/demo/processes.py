"""The service and the till as processes of their own, started as a shop would start them."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.demo.checks import CheckFailed, check

START_SECONDS = 30.0
COMMAND_SECONDS = 120.0


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The machine's environment without any Counterfoil setting but *settings*."""
    own = {name: value for name, value in os.environ.items() if "COUNTERFOIL_" not in name}
    return own | dict(settings)


class Installation:
    """One installation: `counterfoil` commands and the running service, with its settings."""

    def __init__(self, settings: Mapping[str, str], log: Path) -> None:
        self.settings = dict(settings)
        self.url = settings["COUNTERFOIL_URL"]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, *arguments: str) -> str:
        """Run a `counterfoil` command; its output. Raises `CheckFailed` unless it exits 0."""
        return _run([sys.executable, "-m", "app.cli", *arguments], self.settings, 0)

    def start(self) -> None:
        """Start the service and wait until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", "serve"],
                env=_environment(self.settings),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                raise CheckFailed(f"the service did not start:\n{self._log.read_text()[-2000:]}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url, timeout=2):  # noqa: S310 - loopback
                return True
        except (urllib.error.URLError, OSError):
            return False

    @property
    def process_id(self) -> int:
        """The service's process id, also that of its process group."""
        if self._process is None:
            raise CheckFailed("the service is not running")
        return self._process.pid

    def stop(self) -> None:
        """Stop the service as an operator would, and wait until it has gone."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def kill(self) -> None:
        """`kill -9` to the service and everything that it started."""
        if self._process is not None:
            os.killpg(self._process.pid, 9)
            self._process.wait()
            self._process = None


class TillProgram:
    """`counterfoil-scan` with a state folder of its own."""

    def __init__(self, folder: Path, *, cashier: str, pin: str) -> None:
        self.cashier = cashier
        self.settings = {
            "COUNTERFOIL_SCAN_DATA": str(folder),
            "COUNTERFOIL_SCAN_PIN": pin,
            "COUNTERFOIL_SCAN_CASHIER": cashier,
        }

    def run(self, *arguments: str, expect: int = 0) -> str:
        """Run a `counterfoil-scan` command; its output."""
        return _run([sys.executable, "-m", "scanner", *arguments], self.settings, expect)

    def scan(self, clip: Path, *arguments: str) -> dict[str, Any]:
        """Hold a filmed phone to the camera; what the last line says (`--json`)."""
        output = self.run(
            "--camera", str(clip), "--headless", "--cashier", self.cashier, "--json", *arguments
        )
        said: dict[str, Any] = json.loads(output.strip().splitlines()[-1])
        return said


def _run(command: list[str], settings: Mapping[str, str], expect: int) -> str:
    done = subprocess.run(  # noqa: S603 - our own programs
        command,
        env=_environment(settings),
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    check(
        done.returncode == expect,
        f"{' '.join(command[2:])} ended with {done.returncode}, not {expect}:\n"
        f"{done.stdout[-1500:]}{done.stderr[-1500:]}",
    )
    return done.stdout
