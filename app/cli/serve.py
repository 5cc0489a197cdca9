"""counterfoil serve | work | demo | db: running the service."""

import shutil
import signal
import socket
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import click

from app.cli.common import open_context
from app.config import Config
from app.context import Context
from app.delivery.wallets import Wallets
from app.delivery.worker import Worker
from app.errors import Misconfigured
from app.migrations import upgrade
from app.server import Server


@click.command()
@click.option(
    "--demo-data", is_flag=True, help="First make a café with a poster, a till and its people."
)
def serve(demo_data: bool) -> None:
    """Run the service: pages, APIs and, in the background, delivery and the ledger's sweeps."""
    context = open_context()
    _check_port(context.config.bind)
    if demo_data:
        from app.demo.cafe import open_cafe

        for line in open_cafe(context):
            click.echo(line)
    _say_certificates(context)
    click.echo(f"{_where(context.config)} Stop it with Ctrl+C.")
    context.database.dispose()
    Server(context.config).run()


@click.command()
def work() -> None:
    """Run only the background work, beside `serve`; on as many machines as you like."""
    context = open_context()
    _say_certificates(context)
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    Worker(context, Wallets(context)).run(stop)


def _where(config: Config) -> str:
    """Where the service is reached: behind a proxy it listens elsewhere than links lead to."""
    if config.url == f"http://{config.bind}" or config.url == f"http://localhost:{_port(config)}":
        return f"Counterfoil answers at {config.url}."
    return f"Counterfoil listens on {config.bind}; links lead to {config.url}."


def _port(config: Config) -> str:
    return config.bind.rpartition(":")[2]


def _check_port(bind: str) -> None:
    """Say at once that somebody else listens there; gunicorn would try for a while first."""
    host, _, port = bind.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As gunicorn does: a port that was closed a moment ago is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), int(port)))
        except OSError as error:
            raise Misconfigured(
                f"The service cannot listen on {bind} ({error.strerror}). Stop what is running "
                "there, or choose another: COUNTERFOIL_BIND=127.0.0.1:8001"
            ) from error


def _say_certificates(context: Context) -> None:
    """Say at the start what is wrong with a certificate: by file and date, with the cure."""
    from app.certs import check

    for finding in check(context.config, context.keys, now=context.clock()):
        click.echo(f"{finding.severity}: {finding.message} {finding.cure}", err=True)


@click.group()
def db() -> None:
    """The database."""


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to this release. Make a backup before."""
    context = open_context(migrated=False)
    upgrade(context.database)
    click.echo("The database is of this release.")


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("demo-out"),
    show_default=True,
    help="Where the pass, the clip and the report are left.",
)
@click.option("--seed", type=int, default=7, show_default=True, help="Of the filmed counter.")
def demo(out: Path, seed: int) -> None:
    """Run the main job from the poster to the backup, every step over its real interface."""
    from app.demo.main_job import run

    folder = Path(tempfile.mkdtemp(prefix="counterfoil-demo-"))
    try:
        held = run(folder, out.absolute(), seed=seed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if held else 1)


COMMANDS: list[Any] = [serve, work, demo, db]
