"""`counterfoil …`: the service and its administration. One file a group of commands."""

# ruff: noqa: E402
import gc
import logging

# Nothing that importing makes can be thrown away, and looking for it took a fifth of the start of
# every command.
_COLLECTING = gc.isenabled()
gc.disable()

import click

from app.cli import (
    accounts,
    api_keys,
    backup,
    cards,
    certs,
    coupons,
    delivery,
    designs,
    draws,
    exporting,
    google,
    importing,
    insight,
    keys,
    ledger,
    mail,
    members,
    partners,
    passes,
    programmes,
    serve,
    staff,
    webhooks,
)
from app.cli.common import PlainSpoken

if _COLLECTING:
    gc.enable()


@click.group(
    cls=PlainSpoken,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="counterfoil")
def cli() -> None:
    """Loyalty cards in phone wallets, read at the counter.

    Settings come from the environment (COUNTERFOIL_DATA, COUNTERFOIL_URL, ...); the README lists
    them all.
    """


for group in (
    serve,
    programmes,
    staff,
    designs,
    draws,
    exporting,
    cards,
    coupons,
    accounts,
    members,
    mail,
    partners,
    api_keys,
    webhooks,
    passes,
    keys,
    certs,
    delivery,
    google,
    importing,
    insight,
    ledger,
    backup,
):
    for command in group.COMMANDS:
        cli.add_command(command)


def main() -> None:
    """Run a command; what is wrong is said in plain words, without a traceback."""
    # Modules live as long as the process: the collector need not look through them any more.
    gc.freeze()
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.INFO)
    # alembic and httpx2 tell more than an operator wants to know.
    for chatty in ("alembic", "httpx2", "httpcore2", "hpack"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    cli(standalone_mode=True)
