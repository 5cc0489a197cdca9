"""counterfoil backup | restore."""

from pathlib import Path

import click
from rich.progress import Progress

from app.backup import backup as write_backup
from app.backup import restore as read_backup
from app.cli.common import open_context
from app.errors import Misconfigured


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Write over FILE if it exists.")
def backup(file: Path, force: bool) -> None:
    """Write everything but the master key to FILE; the service may go on running."""
    if file.exists() and not force:
        raise Misconfigured(f"{file} exists already. Choose another name, or add --force.")
    context = open_context(make=False)
    with Progress(transient=True) as progress:
        task = progress.add_task("Writing", total=None)
        summary = write_backup(
            context.database,
            context.config,
            file,
            now=context.clock(),
            progress=lambda *_: progress.advance(task),
        )
    click.echo(summary)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """Bring FILE back into an empty installation (an empty COUNTERFOIL_DATA and database)."""
    context = open_context(migrated=False)
    with Progress(transient=True) as progress:
        task = progress.add_task("Restoring", total=None)
        summary = read_backup(
            file, context.database, context.config, progress=lambda *_: progress.advance(task)
        )
    click.echo(summary)


COMMANDS = [backup, restore]
