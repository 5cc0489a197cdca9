"""`counterfoil insight …`: the sums behind the insight pages."""

import click

from app.campaigns.nudges import NUDGES
from app.cli.common import open_context
from app.insight import folding, reading

#: A number is sure in the step after the one that saw it.
_IDLE_STEPS = 3


@click.group()
def insight() -> None:
    """The sums behind the insight pages."""


@insight.command("rebuild")
def rebuild() -> None:
    """Make all sums anew from the ledger.

    Tills go on working meanwhile; the pages say that their figures are not complete until it is
    done. If it is interrupted, the service does the rest by itself.
    """
    context = open_context(make=False)
    with context.database.write_all() as session:
        folding.forget(session)
    # Where there is one writer at a time, tills wait for it.
    limit = folding.LIMIT // 10 if context.database.is_sqlite else folding.LIMIT
    done = idle = 0
    while idle < _IDLE_STEPS:
        with context.database.write_all() as session:
            more = folding.step(session, context.clock(), limit, NUDGES)
        done += more
        idle = 0 if more else idle + 1
    with context.database.read_all() as session:
        complete = reading.standing(session).complete_until
    said = "Everything is counted." if complete else "The service is counting the rest."
    click.echo(f"{said} Rows gone through: {done}.")


COMMANDS = [insight]
