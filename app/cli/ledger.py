"""counterfoil ledger: prove that it is whole, decide on what waits, and what it reports."""

import sys
from collections.abc import Iterator
from dataclasses import asdict, fields
from itertools import chain
from uuid import UUID

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from sqlalchemy.orm import Session

from app.benefits.check import check as check_benefits
from app.cli import liability, settlement, statement
from app.cli.agreeing import id_option, request_of
from app.cli.common import enter_programme, json_option, open_context, print_json, programme_option
from app.cli.output import Csv, format_options, write_json
from app.errors import Forbidden
from app.ledger.check import Difference
from app.ledger.check import check as check_ledger
from app.ledger.postings import Circumstances, Confirm
from app.ledger.service import post
from app.programmes.terms import terms_of
from app.staff.service import check_pin
from app.till import access, waiting


@click.group()
def ledger() -> None:
    """The truth about points."""


@ledger.command()
@format_options
def check(form: str) -> None:
    """Rebuild every balance from the entries and compare; exit code 1 on any difference."""
    context = open_context(make=False)
    found = 0

    def differences(session: Session) -> Iterator[Difference]:
        nonlocal found
        with _progress() as progress:
            task = progress.add_task("")

            def watch(what: str) -> None:
                progress.update(task, description=f"Comparing: {what}")

            for difference in chain(
                check_ledger(session, watch=watch), check_benefits(session, watch=watch)
            ):
                progress.stop()  # What is found is what matters now.
                found += 1
                yield difference

    with context.database.read_all() as session:
        _write_differences(form, differences(session))
    if form == "text":
        click.echo("The ledger is whole." if not found else f"{found} differences")
    sys.exit(1 if found else 0)


def _progress() -> Progress:
    """What is being done and for how long, on standard error where that is a terminal."""
    console = Console(stderr=True)
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )


def _write_differences(form: str, differences: Iterator[Difference]) -> None:
    if form == "json":
        write_json({}, differences=({**asdict(each), "text": str(each)} for each in differences))
        return
    table = Csv([each.name for each in fields(Difference)]) if form == "csv" else None
    for each in differences:
        if table is None:
            click.echo(str(each))
        else:
            table.row(**asdict(each))


@ledger.command("waiting")
@json_option
@programme_option
def list_waiting(as_json: bool, slug: str | None) -> None:
    """List postings whose date could not be believed, or that a till was refused and handed over.

    Let them in with ledger approve.
    """
    context = open_context(make=False)
    with context.database.read_all() as session:
        enter_programme(session, slug)
        rows = waiting.waiting(session)
    if as_json:
        print_json(
            [
                {
                    "posting_id": row.posting_id,
                    "operation": row.operation,
                    "received_at": row.received_at,
                    "reason": row.reason,
                    "body": row.body,
                }
                for row in rows
            ]
        )
        return
    table = Table(
        # Whole, however narrow the terminal: it is what ledger approve wants.
        Column("posting", no_wrap=True, min_width=36),
        "what",
        "said to be of",
        "received",
        "amount",
        "handed over because",
    )
    for row in rows:
        table.add_row(
            row.posting_id,
            row.operation,
            row.body["occurred_at"],
            f"{row.received_at:%Y-%m-%d %H:%M}",
            str(row.body.get("amount_minor", "")),
            escape(row.reason or ""),
        )
    Console().print(table if rows else "Nothing waits.")


@ledger.command("approve")
@click.argument("posting_id", type=click.UUID)
@click.option("--manager", required=True, help="Name of a manager or owner.")
@click.option("--pin", prompt=True, hide_input=True)
@click.option("--refuse", is_flag=True, help="Refuse it for good instead.")
@programme_option
def approve(posting_id: UUID, manager: str, pin: str, refuse: bool, slug: str | None) -> None:
    """Let a waiting posting into the ledger, under the date that it names.

    One that is said to be of a time after it arrived counts as of when it arrived.
    """
    context = open_context(make=False)
    now = context.clock()
    with context.database.write_all() as session:
        enter_programme(session, slug)
        person = check_pin(session, manager, pin, now=now)
        if not access.is_manager(person):
            raise Forbidden("Only a manager or an owner decides this.")
        answer = waiting.decide(session, str(posting_id), person, approved=not refuse, now=now)
    click.echo(f"Posted: {answer['points']} points." if answer else "Refused for good.")


@ledger.command("confirm")
@click.argument("confirmed", metavar="POSTING", type=click.UUID)
@id_option
@json_option
@programme_option
def confirm(confirmed: UUID, posting_id: UUID | None, as_json: bool, slug: str | None) -> None:
    """Make POSTING's points available, that were pending until somebody confirms them."""
    context = open_context(make=False)
    now = context.clock()
    with context.database.write_all() as session:
        programme = enter_programme(session, slug)
        body = {"posting_id": str(confirmed)}
        answer = post(
            session,
            request_of(programme, "confirmation", body, posting_id),
            Confirm(str(confirmed)),
            Circumstances(now),
            now=now,
            terms=terms_of(session, programme.id, now),
        ).answer
    if as_json:
        print_json(answer)
        return
    click.echo(f"Confirmed. Now {answer['standing']['available']} points can be spent.")


for command in (statement.statement, liability.liability, settlement.settlement):
    ledger.add_command(command)

COMMANDS = [ledger]
