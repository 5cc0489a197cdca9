"""counterfoil delivery: how far the wallets are, and one round by hand."""

import click

from app.cli.common import json_option, open_context, print_json
from app.delivery.status import status as delivery_status
from app.delivery.wallets import Wallets
from app.delivery.worker import Worker


@click.group()
def delivery() -> None:
    """Brings changed passes to the wallets."""


@delivery.command("run")
@click.option("--once", is_flag=True, required=True, help="Until nothing is due, then stop.")
def run(once: bool) -> None:
    """Bring every wallet that is due up to date now; for a cron job or a look."""
    context = open_context(make=False)
    done = Worker(context, Wallets(context)).run_once()
    click.echo(f"{done} passes brought up to date.")


@delivery.command("status")
@json_option
def show_status(as_json: bool) -> None:
    """Show how many passes are up to date, behind or failing, and why."""
    context = open_context(make=False)
    with context.database.read_all() as session:
        totals = delivery_status(session)
    if as_json:
        print_json(totals)
        return
    for wallet, counts in totals.items():
        click.echo(f"{wallet}: " + ", ".join(f"{value} {name}" for name, value in counts.items()))


COMMANDS = [delivery]
