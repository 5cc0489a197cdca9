"""counterfoil programme apply | show | diff: a programme as one readable file."""

from pathlib import Path
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards.service import create_signing_key
from app.cli.benefit_line import follow_rate, line_option
from app.cli.common import (
    choose_programme,
    enter_programme,
    json_option,
    open_context,
    print_json,
    programme_option,
)
from app.cli.settings import moment_of, since, today_or_later
from app.context import Context
from app.db import enter
from app.errors import Invalid
from app.programmes import service
from app.programmes.file import applying, examples, writing
from app.programmes.file.applying import Plan
from app.programmes.file.reading import LONGEST_FILE, Described, read
from app.programmes.models import Programme

_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_from = click.option(
    "--from",
    "begin",
    metavar="DATE",
    help="From when on the rules hold (2026-06-01 or 2026-06-01T12:00, in the programme's zone).",
)


def _described(file: Path) -> Described:
    if file.stat().st_size > 4 * LONGEST_FILE:
        raise Invalid(f"{file.name} is too large for the file of a programme.")
    try:
        return read(file.read_text(encoding="utf-8-sig"), file.name)
    except UnicodeDecodeError as error:
        raise Invalid(f"{file.name} is not UTF-8: save it as UTF-8.") from error


def _chosen(session: Session, slug: str | None, wanted: Described) -> Programme | str:
    """The programme that a file is for, or the slug of one that is not there yet."""
    named = slug or wanted.about.get("slug")
    if named is None:
        return choose_programme(session, None)
    found = session.scalar(select(Programme).where(Programme.slug == named))
    return str(named) if found is None else found


@click.command("apply")
@_file
@_from
@click.option("--dry-run", is_flag=True, help="Tell what would change, change nothing.")
@line_option
@json_option
@programme_option
def apply(
    file: Path,
    begin: str | None,
    dry_run: bool,
    takes_line: bool,
    as_json: bool,
    slug: str | None,
) -> None:
    """Make the programme what FILE says; one that is not there yet is made.

    Rules become a new version, from now on or from a date; names and places change at once. Applied
    again it changes nothing.
    """
    context = open_context()
    wanted = _described(file)
    now = context.clock()
    if dry_run:
        _diff(context, wanted, slug, begin, as_json)
        return
    with context.database.write_all() as session:
        programme = _chosen(session, slug, wanted)
        if isinstance(programme, str):
            made = applying.create(session, wanted, slug=programme, now=now)
            create_signing_key(session, context.keys, made.id, now=now)
            if as_json:
                print_json({"programme": made.slug, "created": True, "changes": []})
                return
            click.echo(
                f"{made.name} is there. Customers join at {context.config.url}/join/{made.slug}"
            )
            return
        enter(session, programme.id)
        moment = now if begin is None else moment_of(begin, programme)
        today_or_later(moment, programme, now)
        before = service.version_at(session, programme.id, moment).settings
        done = applying.apply(session, programme, wanted, valid_from=moment, now=now)
        version = service.version_at(session, programme.id, moment)
        line = follow_rate(
            programme,
            before,
            version.settings,
            takes_line=takes_line,
            number=version.number,
            valid_from=version.valid_from,
            now=now,
        )
    if as_json:
        print_json(_as_json(programme.slug, done) | {"version": version.number})
        return
    _tell(done)
    if done.settings:
        click.echo(f"Version {version.number}, {since(version.valid_from, programme)}")
    if line:
        click.echo(line)


@click.command("diff")
@_file
@_from
@json_option
@programme_option
def diff(file: Path, begin: str | None, as_json: bool, slug: str | None) -> None:
    """Tell what FILE would change, in words. Ends with 1 where there is something."""
    context = open_context(make=False)
    if _diff(context, _described(file), slug, begin, as_json):
        raise click.exceptions.Exit(1)


def _diff(
    context: Context, wanted: Described, slug: str | None, begin: str | None, as_json: bool
) -> bool:
    with context.database.read_all() as session:
        programme = _chosen(session, slug, wanted)
        if isinstance(programme, str):
            if as_json:
                print_json({"programme": programme, "created": True, "changes": []})
            else:
                click.echo(f"The programme {programme} is not there yet: it would be made.")
            return True
        enter(session, programme.id)
        moment = context.clock() if begin is None else moment_of(begin, programme)
        made = applying.plan(applying.describe(session, programme, moment), wanted)
    if as_json:
        print_json(_as_json(programme.slug, made))
    else:
        _tell(made)
    return bool(made.changes)


@click.command("show")
@click.option("--at", "begin", metavar="DATE", help="With the rules of that day; now, if none.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="A file, not the terminal."
)
@programme_option
def show(begin: str | None, out: Path | None, slug: str | None) -> None:
    """Write the programme as a file that `apply` reads."""
    context = open_context(make=False)
    with context.database.read_all() as session:
        programme = enter_programme(session, slug)
        moment = context.clock() if begin is None else moment_of(begin, programme)
        text = writing.write(applying.describe(session, programme, moment))
    if out is None:
        click.echo(text, nl=False)
        return
    with out.open("x", encoding="utf-8") as file:
        file.write(text)
    click.echo(f"Written to {out}.")


def _tell(made: Plan) -> None:
    for change in made.changes:
        click.echo(str(change))
    for remark in made.stays:
        click.echo(remark)
    if not made.changes:
        click.echo("Nothing changes: the programme is what the file says.")


def _as_json(slug: str, made: Plan) -> dict[str, Any]:
    return {
        "programme": slug,
        "created": False,
        "changes": [
            {"where": each.where, "before": each.before, "after": each.after}
            for each in made.changes
        ],
        "remarks": list(made.stays),
    }


@click.command("example")
@click.argument("name", required=False)
def example(name: str | None) -> None:
    """Print the file of an example to begin with; without NAME, what there is."""
    if name is None:
        for each in examples.EXAMPLES:
            click.echo(each)
        return
    click.echo(examples.example(name), nl=False)


COMMANDS = [apply, diff, show, example]
