"""counterfoil import: customers and balances that were kept elsewhere."""

import csv
import gc
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from app.cli.common import choose_programme, open_context, programme_option
from app.cli.output import Csv, format_options, printable, write_json
from app.cli.plain import Refused
from app.cli.progress import progress_bar
from app.context import Context
from app.errors import Invalid
from app.ledger import writing
from app.members.service import LANGUAGES
from app.programmes.models import Programme
from app.transfer import columns as columns_of
from app.transfer.columns import Columns
from app.transfer.importing import Importer, Summary, default_name
from app.transfer.lines import Problem, Reader
from app.transfer.reading import Sheet, look

#: So many problems are told on the terminal; --format csv tells all of them.
_MOST_TOLD = 40


@click.group("import")
def import_() -> None:
    """Bring customers along from where they were kept before."""


@import_.command("members")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Look through the file, report, write nothing.")
@click.option(
    "--column",
    "named",
    multiple=True,
    metavar="COLUMN=HEADING",
    help="Which heading is which column: number, name, first_name, last_name, email, phone, "
    "birthday, language, joined, points, expires, points2, expires2, ..., lots, tier, "
    "tier_until, stamps, debt, consent_messages, consent_partners. "
    "Usual headings in English, German, Latvian and Russian are known.",
)
@click.option("--name", help="The import's name, by which a repeat is known; the file's, if none.")
@click.option(
    "--encoding", help="Of the file, where it cannot be told: cp1252, cp1257, cp1251, ..."
)
@click.option(
    "--separator", type=click.Choice([",", ";", "tab"]), help="Of the columns; found out, if none."
)
@click.option("--dates", type=click.Choice(["dmy", "mdy"]), help="How 03/04/2026 is meant.")
@click.option(
    "--language", type=click.Choice(LANGUAGES), default="en", help="Of those who have none."
)
@click.option("--skip-wrong", is_flag=True, help="Import the other lines if some are wrong.")
@click.option(
    "--links",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write each customer's number and card link here (CSV, for you alone): to be sent out.",
)
@format_options
@programme_option
def members(
    file: Path,
    dry_run: bool,
    named: tuple[str, ...],
    name: str | None,
    encoding: str | None,
    separator: str | None,
    dates: str | None,
    language: str,
    skip_wrong: bool,
    links: Path | None,
    form: str,
    slug: str | None,
) -> None:
    """Import customers from FILE (CSV): contacts, points with their ends, tiers.

    Every line is looked at before anything is written. Cut off or repeated, it goes on where it
    was: a customer's number is known again.
    """
    context = open_context(make=False)
    # Many rows and no circles among them: looking for some takes a quarter of the time.
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
    with context.database.read_all() as session:
        programme = choose_programme(session, slug)
    sheet = look(file, encoding=encoding, separator="\t" if separator == "tab" else separator)
    columns = columns_of.place(sheet.header.cells, _named(named))
    importer = Importer(
        context.database,
        context.keys,
        programme,
        name or default_name(file.name),
        now=context.clock(),
        language=language,
    )
    frame = importer.frame(dates)
    problems: list[Problem] = []
    with progress_bar() as bar:
        task = bar.add_task("Looking", total=sheet.lines)
        summary = importer.check(
            Reader(sheet, columns, frame),
            problems.append,
            lambda line: bar.update(task, completed=line),
        )
    may_write = not dry_run and (skip_wrong or not summary.wrong)
    if may_write:
        wrong = summary.wrong
        with progress_bar() as bar, ExitStack() as files:
            task = bar.add_task("Importing", total=sheet.lines)
            note = None if links is None else _link_writer(links, context, files)
            summary = importer.run(
                Reader(sheet, columns, frame),
                lambda line: bar.update(task, completed=line),
                note,
            )
        summary.wrong = max(wrong, summary.wrong)
    written = {"text": _text, "json": _json, "csv": _csv}[form]
    written(programme, sheet, columns, summary, problems, not may_write)
    if summary.wrong and not may_write:
        raise Refused(_stopped(summary, dry_run))


def _stopped(summary: Summary, dry_run: bool) -> str:
    lines = "1 customer" if summary.wrong == 1 else f"{summary.wrong:,} customers"
    if dry_run:
        return f"{lines} cannot be imported like this."
    return (
        f"Nothing was imported: {lines} cannot be. Correct the file, or leave them out with "
        "--skip-wrong."
    )


def _named(named: tuple[str, ...]) -> dict[str, str]:
    read = {}
    for each in named:
        column, mark, heading = each.partition("=")
        if not mark or not heading.strip():
            raise Invalid(f"Write --column {column.strip()[:40] or 'number'}=HEADING.")
        read[column.strip()] = heading
    return read


def _link_writer(path: Path, context: Context, files: ExitStack) -> Any:
    """Adds number and link of each card to a file that only its owner can read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    file = files.enter_context(os.fdopen(descriptor, "a", encoding="utf-8", newline=""))
    writer = csv.writer(file, lineterminator="\n")
    if os.fstat(descriptor).st_size == 0:
        writer.writerow(["number", "link"])

    def note(number: str, token: str) -> None:
        writer.writerow([number, f"{context.config.url}/card/{token}"])

    return note


# --- what is told -----------------------------------------------------------------------------


def _text(
    programme: Programme,
    sheet: Sheet,
    columns: Columns,
    summary: Summary,
    problems: list[Problem],
    is_dry: bool,
) -> None:
    separator = {",": "comma", ";": "semicolon", "\t": "tab"}[sheet.separator]
    codec = sheet.encoding.removesuffix("-sig")
    click.echo(f"{sheet.path.name}: {codec}, separated by {separator}, import “{summary.name}”")
    used = ", ".join(columns.places) + (f", points ({len(columns.lots)})" if columns.lots else "")
    click.echo(f"Columns: {printable(used)}.")
    if columns.unused:
        click.echo(f"Not used: {printable(', '.join(columns.unused))}.")
    for problem in problems[:_MOST_TOLD]:
        where = f"line {problem.line}" + (f", {problem.column}" if problem.column else "")
        click.echo(printable(f"{where}: {problem.what} {problem.cure}"))
    if len(problems) > _MOST_TOLD:
        click.echo(f"... and {len(problems) - _MOST_TOLD:,} more: --format csv tells them all.")

    def count(number: int) -> str:
        return writing.number(number, "en")

    verb = "Would come in" if is_dry else "Came in"
    click.echo(
        f"{verb}: {count(summary.customers)} customers with {count(summary.points)} points "
        f"in {count(summary.lots)} lots."
    )
    if summary.debt:
        click.echo(f"Owed: {count(summary.debt)} points.")
    if summary.there_before:
        click.echo(f"There before, and left as they are: {count(summary.there_before)}.")
    for told, by in (
        ("By language", summary.by_language),
        ("By tier", summary.by_tier),
        ("Consents", summary.by_consent),
    ):
        if by:
            parts = ", ".join(f"{each} {count(number)}" for each, number in sorted(by.items()))
            click.echo(f"{told}: {parts}.")
    if summary.wrong:
        click.echo(f"Wrong: {count(summary.wrong)}.")


def _as_json(problem: Problem) -> dict[str, Any]:
    return {
        "line": problem.line,
        "column": problem.column,
        "level": "warning" if problem.is_warning else "error",
        "what": problem.what,
        "cure": problem.cure,
    }


def _json(
    programme: Programme,
    sheet: Sheet,
    columns: Columns,
    summary: Summary,
    problems: list[Problem],
    is_dry: bool,
) -> None:
    write_json(
        {
            "programme": programme.slug,
            "import": summary.name,
            "encoding": sheet.encoding,
            "separator": sheet.separator,
            "columns": [*columns.places, *(["points"] * bool(columns.lots))],
            "unused_columns": list(columns.unused),
            "written": not is_dry,
            "customers": summary.customers,
            "points": summary.points,
            "lots": summary.lots,
            "there_before": summary.there_before,
            "wrong": summary.wrong,
            "by_language": dict(summary.by_language),
            "by_tier": dict(summary.by_tier),
            "debt": summary.debt,
            "by_consent": dict(summary.by_consent),
        },
        problems=map(_as_json, problems),
    )


def _csv(
    _programme: Programme,
    _sheet: Sheet,
    _columns: Columns,
    _summary: Summary,
    problems: list[Problem],
    _is_dry: bool,
) -> None:
    out = Csv(["line", "column", "level", "what", "cure"])
    for problem in problems:
        out.row(**_as_json(problem))


COMMANDS = [import_]
