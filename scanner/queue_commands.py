"""counterfoil-scan queue: what is kept on this till, and the ways out for what was refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import click
from rich.console import Console

from scanner import backlog, show
from scanner.client import Client
from scanner.config import Settings, load_till
from scanner.unsent import How, Queue, State

JSON_HELP = "The last line of the output is JSON."


@click.group(invoke_without_command=True)
@click.option("--all", "everything", is_flag=True, help="Also what was sent in the last 30 days.")
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
@click.pass_context
def queue(context: click.Context, everything: bool, as_json: bool) -> None:
    """List what is kept on this till, and resolve what was refused."""
    if context.invoked_subcommand is not None:
        return
    from scanner.clock import TillClock
    from scanner.commands import kept_postings, posting_as_json

    settings: Settings = context.obj
    postings = kept_postings(settings.data, everything=everything)
    if as_json:
        click.echo(json.dumps([posting_as_json(posting) for posting in postings]))
        return
    with Queue(settings.data) as kept:
        now = TillClock(kept)()
        show.queue(Console(), postings, now)
        show.status(Console(), backlog.status(kept, load_till(settings.data).programme.id), now)


@queue.command()
@click.pass_obj
def status(settings: Settings) -> None:
    """Say in JSON how much waits, since when, and what was set aside."""
    till = load_till(settings.data)
    with Queue(settings.data) as kept:
        click.echo(json.dumps(backlog.status(kept, till.programme.id).as_json()))


@queue.command()
@click.argument("posting_id", type=click.UUID)
@click.option("--cashier", required=True, help="Who looked into it.")
@click.option("--reason", help="Why, in a few words.")
@click.pass_obj
def again(settings: Settings, posting_id: Any, cashier: str, reason: str | None) -> None:
    """Let a posting that was refused wait again, such as after a card was unblocked."""
    with _resolving(settings) as (kept, client, now):
        backlog.resolve(
            kept, client, str(posting_id), How.SEND_AGAIN, who=cashier, reason=reason, now=now
        )
    click.echo("It waits again. Send it with: counterfoil-scan send")


@queue.command()
@click.argument("posting_id", type=click.UUID)
@click.option("--cashier", required=True, help="Who looked into it.")
@click.option("--reason", required=True, help="Why a manager should let it in.")
@click.pass_obj
def hand_over(settings: Settings, posting_id: Any, cashier: str, reason: str) -> None:
    """Hand a posting that was refused over to a manager: counterfoil ledger waiting."""
    with _resolving(settings) as (kept, client, now):
        done = backlog.resolve(
            kept, client, str(posting_id), How.HAND_OVER, who=cashier, reason=reason, now=now
        )
    click.echo(
        "The service had it already: nothing is lost."
        if done.state is State.SENT
        else "It waits for a manager at the service: counterfoil ledger waiting"
    )


@queue.command()
@click.argument("posting_id", type=click.UUID)
@click.option("--cashier", required=True, help="Who looked into it.")
@click.option("--reason", required=True, help="Why the customer gets no points.")
@click.pass_obj
def drop(settings: Settings, posting_id: Any, cashier: str, reason: str) -> None:
    """Give a posting that was refused up for good; it stays on record here for a year."""
    with _resolving(settings) as (kept, client, now):
        backlog.resolve(
            kept, client, str(posting_id), How.DROP, who=cashier, reason=reason, now=now
        )
    click.echo("Dropped, and recorded.")


@queue.command()
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
@click.pass_obj
def resolved(settings: Settings, as_json: bool) -> None:
    """List what was done about postings that had been refused, by whom and why."""
    load_till(settings.data)
    with Queue(settings.data) as kept:
        done = kept.resolutions()
    rows = [
        {
            "posting_id": each.posting_id,
            "how": each.how,
            "refusal": each.refusal,
            "reason": each.reason,
            "who": each.who,
            "at": each.at.isoformat(),
        }
        for each in done
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(show.plain(f"{str(row['at'])[:16]} {row['posting_id']} {row['how']} "
                              f"by {row['who']}: {row['reason'] or ''}"))  # fmt: skip


@contextmanager
def _resolving(settings: Settings) -> Iterator[tuple[Queue, Client, datetime]]:
    from scanner.commands import at_work

    with at_work(settings, None) as work:
        yield work.queue, work.client, work.clock()
