"""A disk that is full: the cashier is told before anything is promised, and nothing is lost.

A real one: a small file system in memory of our own where this machine lets us mount one; and
everywhere a limit on the length of files, which is what SQLite meets as a full disk, too.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scanner.commands import enrol_till
from scanner.queue_file import ROOM_BYTES
from scanner.unsent import Queue, State

# Accrues until the till says no, then says how it went; runs on its own disk.
DAY = """
import json, os, sys
from pathlib import Path
from scanner.check import load_keys
from scanner.cashiers import Cashier
from scanner.client import Client
from scanner.clock import TillClock
from scanner.config import load_till
from scanner.errors import QueueError
from scanner.sale import Counter
from scanner.sending import drain
from scanner.unsent import Queue, State

folder, text, fill = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
till = load_till(folder)
said = {"promised": [], "refused": None, "sent": 0, "error": None}
with Queue(folder) as queue, Client(till.service, till.token) as client:
    counter = Counter(till, queue, client, load_keys(folder, till.programme.id),
                      Cashier("anna", "Anna", "cashier"), clock=TillClock(queue))
    reading = counter.judge(text)
    if fill:
        free = os.statvfs(folder)
        with (folder / "filling").open("wb") as file:
            file.write(bytes(free.f_bavail * free.f_frsize - fill))
    try:
        counter.check_room()
        for _ in range(20_000):
            said["promised"].append(counter.accrue(reading, 100, None).posting_id)
    except QueueError as error:
        said["refused"] = str(error)
    try:  # what waits goes as soon as there is a network, or stays as it is
        said["sent"] = drain(queue, client, till.programme.id, None, TillClock(queue)).sent
    except QueueError as error:
        said["error"] = str(error)
print(json.dumps(said))
"""


def run(folder: Path, text: str, fill: int, *, before: str = "", prefix: Any = ()) -> Any:
    done = subprocess.run(
        [*prefix, sys.executable, "-B", "-c", before + DAY, str(folder), text, str(fill)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def kept_after(folder: Path) -> set[str]:
    with Queue(folder) as queue:
        return {posting.id for posting in queue.all(State.WAITING, State.SENT)}


def test_a_disk_that_fills_up_is_told_and_what_was_promised_is_kept(
    tmp_path: Path, running: Any, service: Any, make_card: Callable[..., str]
) -> None:
    folder = tmp_path / "till"
    enrol_till(folder, running.url, "GOOD-CODE")
    longest = 400_000
    limited = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({longest}, {longest}))\n"
    )
    said = run(folder, make_card(), 0, before=limited)
    assert said["promised"] and "do not promise points" in said["refused"]
    promised = set(said["promised"])
    assert promised <= kept_after(folder) | set(service.postings)
    # The disk has room again: everything goes, once, and the till works on.
    done = subprocess.run(
        [sys.executable, "-m", "scanner", "send"], capture_output=True, text=True, check=False,
        env=os.environ | {"COUNTERFOIL_SCAN_DATA": str(folder)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert set(service.postings) == promised == kept_after(folder)


@pytest.fixture
def small_disk(tmp_path: Path) -> Any:
    """A command that runs with a file system of 12 MB at `tmp_path/disk`, seen by it alone."""
    disk = tmp_path / "disk"
    disk.mkdir()
    script = f'mount -t tmpfs -o size=12m tmpfs "{disk}" && cp -a "{tmp_path}/till/." "{disk}" && '
    prefix = ["unshare", "-rm", "sh", "-c", script + '"$@"; cp -a "$0"/. "$0.after"', str(disk)]
    tried = subprocess.run(
        ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", str(disk)],
        capture_output=True, check=False,
    )  # fmt: skip
    if tried.returncode:
        pytest.skip("NO SMALL DISK: this machine lets nobody mount one (unshare -rm)")
    return disk, prefix


@pytest.mark.parametrize("left", [60_000, ROOM_BYTES - 200_000])
def test_a_till_whose_disk_is_nearly_full_says_so_before_it_accepts_anything(
    tmp_path: Path, running: Any, service: Any, make_card: Callable[..., str], small_disk: Any,
    left: int,
) -> None:  # fmt: skip
    enrol_till(tmp_path / "till", running.url, "GOOD-CODE")
    disk, prefix = small_disk
    said = run(disk, make_card(), left, prefix=prefix)
    assert said["promised"] == [] and "nearly full" in said["refused"]
    assert not service.postings


def test_a_disk_that_fills_up_by_something_else_meanwhile_loses_nothing(
    tmp_path: Path, running: Any, service: Any, make_card: Callable[..., str], small_disk: Any
) -> None:
    enrol_till(tmp_path / "till", running.url, "GOOD-CODE")
    disk, prefix = small_disk
    without_check = "import scanner.queue_file as f; f.ROOM_BYTES = 0\n"
    said = run(disk, make_card(), 300_000, prefix=prefix, before=without_check)
    assert said["promised"] and "do not promise points" in said["refused"]
    assert set(said["promised"]) <= kept_after(Path(f"{disk}.after")) | set(service.postings)
