"""A day at a till, killed at its n-th step: run by test_steps.py as a program of its own.

A step is every statement that the queue's file gets, its beginning and its commit included, every
request before and after it, and every file that is written, before and after. For n from 0 on, a
process starts from the same state folder, does the same things and kills itself (SIGKILL) at
step n; until one comes through to the end. What the cashier was promised until then stands in
`promised`.
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from scanner import backlog, cashiers, queue_file
from scanner.cashiers import OfflineCashiers
from scanner.check import load_keys
from scanner.client import Client
from scanner.clock import TillClock
from scanner.commands import fetch_keys
from scanner.config import load_till
from scanner.errors import Refused
from scanner.sale import Counter, Posted
from scanner.sending import drain
from scanner.signing_in import sign_in
from scanner.unsent import How, Queue

# Strength is not the subject here, and there are hundreds of sign-ins.
cashiers._HASH = cashiers.argon2.using(type="ID", memory_cost=64, time_cost=1, parallelism=1)


class Steps:
    """Counts steps; the last one is never survived."""

    def __init__(self, last: int) -> None:
        self.last, self.count = last, 0

    def step(self, *_: object) -> None:
        if self.count == self.last:
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1

    def around(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*arguments: Any, **named: Any) -> Any:
            self.step()
            result = work(*arguments, **named)
            self.step()
            return result

        return stepped

    def watch(self) -> None:
        """Step at everything that leaves a trace outside of this process."""
        connect = queue_file.sqlite3.connect

        def connecting(*arguments: Any, **named: Any) -> Any:
            connection = connect(*arguments, **named)
            connection.set_trace_callback(self.step)
            return connection

        queue_file.sqlite3.connect = connecting  # type: ignore[assignment]
        Client._exchange = self.around(Client._exchange)  # type: ignore[method-assign]
        os.fsync = self.around(os.fsync)
        Path.replace = self.around(Path.replace)  # type: ignore[method-assign]


def day(folder: Path, text: str, blocked: str) -> None:
    """Online, offline, back again; one accrual taken back, one refused and sent again."""
    promised = os.open(folder / "promised", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def promise(done: Posted) -> Posted:
        os.write(promised, f"{done.posting_id}\n".encode())
        return done

    till = load_till(folder)
    with Queue(folder) as queue, Client(till.service, till.token) as client:
        clock = TillClock(queue)
        offline = OfflineCashiers(folder, till.secret)
        cashier = sign_in(client, offline, "Anna", "271828", clock)
        fetch_keys(folder, till, client, queue)
        ring = load_keys(folder, till.programme.id)
        counter = Counter(till, queue, client, ring, cashier, clock=clock)
        reading = counter.judge(text)
        counter.look_up(text)
        promise(counter.accrue(reading, 100, None))
        counter.online = False
        promise(counter.accrue(reading, 200, None))
        mistaken = promise(counter.accrue(reading, 9900, None))
        promise(counter.reverse(mistaken.posting_id, "Undo"))
        counter.online = True
        drain(queue, client, till.programme.id, cashier, clock)
        try:
            counter.accrue(counter.judge(blocked), 400, None)
        except Refused:
            [aside] = backlog.set_aside(queue)
            _resolve(queue, client, aside.posting.id, clock())
        drain(queue, client, till.programme.id, cashier, clock)


def _resolve(queue: Queue, client: Client, posting_id: str, now: datetime) -> None:
    backlog.resolve(queue, client, posting_id, How.SEND_AGAIN, who="Anna", reason=None, now=now)


def main(template: Path, folders: Path, texts: list[str], blocked: list[str]) -> None:
    """Run the day again and again, killed one step later each time."""
    for number, (text, refused) in enumerate(zip(texts, blocked, strict=True)):
        folder = folders / f"{number:04}"
        shutil.copytree(template, folder)
        child = os.fork()
        if child == 0:
            steps = Steps(number)
            steps.watch()
            day(folder, text, refused)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print(json.dumps({"step": number, "killed": killed, "status": status}), flush=True)
        if not killed:
            return


if __name__ == "__main__":
    _, first, second, cards = sys.argv
    given = json.loads(Path(cards).read_text())
    main(Path(first), Path(second), given["texts"], given["blocked"])
