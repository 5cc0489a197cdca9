"""From the till having read a code to the points being on the phone: every part really runs."""

import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from app.demo.cafe import CASHIER_PIN
from app.demo.checks import wait_until
from app.demo.steps import Job
from scanner.check import load_keys
from scanner.commands import at_work
from scanner.config import load_settings
from scanner.sale import Counter

ROUNDS = 20


def measure() -> dict[str, Any]:
    """The main job's shop, then accruals by its signed-in till, each timed to the phone's picture.

    The clock starts when the code has been read (how long a clip is, is no property of ours); it
    stops when the stand-in iPhone has fetched, verified and shown the new pass.
    """
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        out = Path(folder) / "out"
        out.mkdir()
        job = Job(Path(folder), out, 7, stack)
        for step in (Job.set_up, Job.join, Job.add_to_phone, Job.scan, Job.deliver):
            step(job)
        settings = load_settings(job.till.settings)
        with at_work(settings, CASHIER_PIN) as work:
            assert work.cashier is not None
            ring = load_keys(settings.data, work.till.programme.id)
            counter = Counter(work.till, work.queue, work.client, ring, work.cashier)
            took = [_accrue(job, counter) for _ in range(ROUNDS)]
    return {
        "name": "read_to_phone_seconds",
        "value": statistics.median(took),
        "unit": "s",
        "at_most": 1,
        "detail": {"rounds": ROUNDS, "best": round(min(took), 3), "worst": round(max(took), 3)},
    }


def _accrue(job: Job, counter: Counter) -> float:
    wanted = job.phone.points() + 1
    begun = time.perf_counter()
    reading = counter.judge(job.report.code)
    counter.look_up(job.report.code)
    counter.accrue(reading, 100, None)
    wait_until(lambda: job.phone.points() == wanted, "the points did not arrive")
    return time.perf_counter() - begun
