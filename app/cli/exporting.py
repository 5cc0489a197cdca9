"""counterfoil export: everything that a programme holds, to be taken along."""

from pathlib import Path

import click
from rich.progress import TaskID

from app.cli.common import (
    choose_programme,
    open_context,
    print_json,
    programme_option,
)
from app.cli.members import reader
from app.cli.progress import progress_bar
from app.ledger import writing
from app.transfer import exporting


def _list(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        for name in exporting.names():
            click.echo(name)
        ctx.exit()


@click.command("export")
@click.option(
    "--out",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder that is new or empty; only you can read it.",
)
@click.option(
    "--format", "form", type=click.Choice(exporting.FORMATS), default="csv", show_default=True
)
@click.option(
    "--what",
    metavar="NAMES",
    help="Only these, between commas: customers,entries,lots,... --list names all.",
)
@click.option(
    "--list", is_flag=True, is_eager=True, expose_value=False, callback=_list, help="Name all."
)
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
@programme_option
def export(folder: Path, form: str, what: str | None, as_json: bool, slug: str | None) -> None:
    """Write all that a programme holds into files: CSV, or JSON Lines.

    Members' data is in the clear, and whoever took it along is on record. Secrets stay behind.
    The file customers.csv is what `counterfoil import members` reads.
    """
    context = open_context(make=False)
    with context.database.read_all() as session:
        programme = choose_programme(session, slug)
    wanted = [each.strip() for each in (what or "").split(",") if each.strip()]
    exporting.prepare(folder, form, wanted)
    with progress_bar() as bar:
        tasks: dict[str, TaskID] = {}

        def progress(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=total)
            bar.update(tasks[name], completed=done, total=max(total, done))

        summary = exporting.export(
            context.database,
            context.keys,
            programme,
            folder,
            form=form,
            what=wanted,
            reader=reader(),
            now=context.clock(),
            progress=progress,
        )
    if as_json:
        print_json(
            {
                "folder": str(folder),
                "files": {each.name: {"rows": each.rows, "sha256": each.sha256}
                          for each in summary.files},
            }
        )  # fmt: skip
        return
    for each in summary.files:
        click.echo(f"{each.name:<28}{writing.number(each.rows, 'en'):>12} rows")
    click.echo(
        f"Written to {folder}. What the columns mean: columns.md. It holds personal data: keep it "
        "where nobody else can read it."
    )


COMMANDS = [export]
