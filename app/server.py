"""gunicorn around the service, and the background work inside it."""

import fcntl
import gc
import logging
import sys
import threading
from typing import Any

from gunicorn.app.base import BaseApplication

from app import create_app
from app.config import Config
from app.context import Context
from app.delivery.wallets import Wallets
from app.delivery.worker import Worker
from app.front.worker import Front

_log = logging.getLogger(__name__)

#: A device that holds hundreds of passes sends a long tag.
REQUEST_LINE = 8190
#: How often a process asks whether the background work has become vacant.
VACANCY_SECONDS = 2.0
#: After so long a step of the background work lets another thread go on. A posting waits for that
#: each time the database has answered it: with Python's 5 ms several times over.
SWITCH_SECONDS = 0.0005


class Server(BaseApplication):  # type: ignore[misc]
    """`counterfoil serve`. Everything is opened after the fork: connections are not shared."""

    def __init__(self, config: Config) -> None:
        self.service_config = config
        super().__init__()

    def load_config(self) -> None:
        """Hand our settings to gunicorn; it reads no file and no environment of its own."""
        config = self.service_config
        for name, value in {
            "bind": config.bind,
            "workers": config.workers,
            "threads": config.threads,
            "worker_class": Front,
            "limit_request_line": REQUEST_LINE,
            "keepalive": 15,
            "graceful_timeout": 10,
            "proc_name": "counterfoil",
            "loglevel": "warning",
            "control_socket_disable": True,
        }.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        """Open the installation and start the background work, in the process that serves."""
        context = Context.open(self.service_config)
        threading.Thread(
            target=work_alone, args=(context,), name="background work", daemon=True
        ).start()
        app = create_app(context)
        # What is loaded now stays: the collector need not look through it again and again.
        gc.collect()
        gc.freeze()
        # A posting makes hundreds of objects and leaves none behind.
        gc.set_threshold(20_000, 20, 20)
        return app


def work_alone(context: Context) -> None:
    """Run the background work in one process of this machine; the others stand by.

    The lock is the operating system's: it falls when its process dies, however it dies.
    """
    stop = threading.Event()
    with (context.config.data / "work.lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                stop.wait(VACANCY_SECONDS)
        sys.setswitchinterval(SWITCH_SECONDS)
        Worker(context, Wallets(context)).run(stop)
