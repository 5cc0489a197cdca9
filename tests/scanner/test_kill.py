"""kill -9 between any two steps of a posting loses nothing and doubles nothing.

Really killed, from outside, at what can be seen from outside: a request that the service has
received, or a row that has appeared in the queue. Then what waits is sent, and if the cashier
had been promised nothing the customer is scanned again, as people would.
"""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scanner.commands import enrol_till

ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("COUNTERFOIL")} | {
    "COUNTERFOIL_SCAN_PIN": "271828"
}


def till(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "scanner", *arguments],
        cwd=folder, env=ENVIRONMENT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> None:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, (out, err)


@pytest.fixture
def scan(
    tmp_path: Path, running: Any, film: Callable[..., Path], make_card: Callable[..., str]
) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts a scan on an enrolled till; whatever is left of it is ended with the test."""
    enrol_till(tmp_path / "till-data", running.url, "GOOD-CODE")
    clip = film(tmp_path / "clip.mjpeg", (None, 5), (make_card(), 90))
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        started.append(
            till(tmp_path, "--camera", str(clip), "--headless", "--cashier", "Anna",
                 "--amount", "12.50")
        )  # fmt: skip
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    assert process.returncode == -signal.SIGKILL


def rows(folder: Path) -> list[str]:
    path = folder / "till-data" / "queue.sqlite"
    if not path.exists():
        return []
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)
    try:
        return [state for (state,) in database.execute("SELECT state FROM posting")]
    except sqlite3.OperationalError:
        return []
    finally:
        database.close()


@pytest.mark.parametrize("path", ["/cashier-sessions", "/keys", "/presentations"])
def test_killed_before_anything_was_promised_there_is_nothing(
    scan: Callable[[], subprocess.Popen[str]], service: Any, tmp_path: Path, path: str
) -> None:
    gate = service.stall(path)
    process = scan()
    assert gate.reached.wait(60)
    kill(process)
    gate.opened.set()
    service.gate = None
    finish(till(tmp_path, "send"))
    assert not service.postings and not rows(tmp_path)
    finish(scan())
    assert len(service.postings) == 1


@pytest.mark.parametrize("after", [False, True], ids=["unheard", "done but unanswered"])
def test_killed_while_the_service_has_the_posting_it_is_there_once(
    scan: Callable[[], subprocess.Popen[str]], service: Any, tmp_path: Path, after: bool
) -> None:
    gate = service.stall("/accruals", after=after)
    process = scan()
    assert gate.reached.wait(60)
    assert rows(tmp_path) == ["waiting"]  # on the disk before the service heard of it
    kill(process)
    gate.opened.set()
    service.gate = None
    assert len(service.postings) == int(after)
    finish(till(tmp_path, "send"))
    finish(till(tmp_path, "send"))
    assert len(service.postings) == 1 and service.balance == 12
    assert rows(tmp_path) == ["sent"]


def test_killed_at_the_very_moment_the_posting_is_kept_it_is_there_once(
    scan: Callable[[], subprocess.Popen[str]], service: Any, tmp_path: Path
) -> None:
    process = scan()
    until = time.monotonic() + 20
    while not rows(tmp_path) and time.monotonic() < until and process.poll() is None:
        time.sleep(0.0005)
    process.kill()
    process.communicate()
    finish(till(tmp_path, "send"))
    assert len(service.postings) == 1 and rows(tmp_path) == ["sent"]


def test_killed_while_sending_what_waited_it_is_there_once(
    scan: Callable[[], subprocess.Popen[str]], service: Any, running: Any, tmp_path: Path
) -> None:
    finish(scan())
    running.stop()
    finish(scan())
    running.start()
    gate = service.stall("/accruals", after=True)
    process = till(tmp_path, "send")
    assert gate.reached.wait(60)
    kill(process)
    gate.opened.set()
    service.gate = None
    finish(till(tmp_path, "send"))
    assert len(service.postings) == 2 and rows(tmp_path) == ["sent", "sent"]


def test_killed_between_hold_and_capture_no_points_are_taken(
    tmp_path: Path, scan: Callable[[], subprocess.Popen[str]], service: Any
) -> None:
    finish(scan())
    gate = service.stall("/holds", after=True)
    process = till(
        tmp_path, "--camera", "clip.mjpeg", "--headless", "--cashier", "Anna", "--redeem", "10"
    )
    assert gate.reached.wait(60)
    kill(process)
    gate.opened.set()
    service.gate = None
    finish(till(tmp_path, "send"))
    assert service.kinds == ["accrual", "hold"] and service.balance == 12
