"""counterfoil programme versions | pilot | widen | rollback: changes, on trial and for good."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from app.cli.benefit_line import follow_rate, line_option
from app.cli.common import enter_programme, json_option, open_context, print_json, programme_option
from app.cli.settings import moment_of, shown, since, today_or_later
from app.errors import Invalid
from app.programmes import pilots
from app.programmes.changes import read_change
from app.programmes.models import Programme, ProgrammePilot
from app.programmes.pilots import Changed
from app.programmes.service import version_at
from app.programmes.settings import settings_from_json

begin_option = click.option(
    "--from",
    "begin",
    metavar="DATE",
    help="From when on (2026-06-01 or 2026-06-01T12:00, in the programme's zone); now, if not "
    "given.",
)
location_option = click.option(
    "--location", "locations", multiple=True, metavar="SLUG", help="In this location."
)
segment_option = click.option(
    "--segment", "segments", multiple=True, metavar="NAME", help="For members of this segment."
)


def change_of(path: Path) -> dict[str, Any]:
    """The change that a file holds. Raises `Invalid`."""
    try:
        return read_change(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as wrong:
        raise Invalid(f"{path} is not text in UTF-8.") from wrong


change_argument = click.argument(
    "change", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)


@click.command("versions")
@json_option
@programme_option
def versions(as_json: bool, slug: str | None) -> None:
    """List all versions and pilots, with what each changed."""
    context = open_context()
    with context.database.read_all() as session:
        programme = enter_programme(session, slug)
        found = pilots.history(session, programme.id)
        if as_json:
            print_json([_as_json(each) for each in found])
            return
        for each in found:
            click.echo(_head(each, programme, context.clock()))
            for name, (old, new) in each.changes.items():
                click.echo(f"  {name}: {_told(old)} -> {_told(new)}")


def _head(each: Changed, programme: Programme, now: datetime) -> str:
    what = "Pilot" if each.is_pilot else "Version"
    where = [*each.locations, *(f"members of {name}" for name in each.segments)]
    said = f"{what} {each.number}, {since(each.valid_from, programme)}"
    if each.until is not None:
        said += f" until {moment_text(each.until, programme)}"
    if each.is_pilot:
        said += f": {', '.join(where)}"
    if each.until is not None and each.until <= each.valid_from:
        return said + " (never held)"
    is_over = each.until is not None and each.until <= now
    if each.is_pilot and is_over:
        return said + " (over)"
    return said + (" (holds now)" if each.valid_from <= now and not is_over else "")


def moment_text(moment: datetime, programme: Programme) -> str:
    """A moment by the programme's clocks."""
    return since(moment, programme).removeprefix("from ")


def _told(value: Any) -> str:
    return "none" if value is None else shown(value)


def _as_json(each: Changed) -> dict[str, Any]:
    return {
        "number": each.number,
        "kind": "pilot" if each.is_pilot else "version",
        "valid_from": each.valid_from.isoformat(),
        "until": None if each.until is None else each.until.isoformat(),
        "locations": list(each.locations),
        "segments": list(each.segments),
        "changes": {name: {"from": old, "to": new} for name, (old, new) in each.changes.items()},
    }


@click.command("pilot")
@change_argument
@location_option
@segment_option
@line_option
@begin_option
@json_option
@programme_option
def pilot(
    change: Path,
    locations: tuple[str, ...],
    segments: tuple[str, ...],
    takes_line: bool,
    begin: str | None,
    as_json: bool,
    slug: str | None,
) -> None:
    """Try a CHANGE (a JSON or TOML file of settings) in some locations or for some segments.

    In some locations and for some segments: for those members in those locations. See what it
    would have cost first: counterfoil programme simulate CHANGE --since DATE
    """
    context = open_context()
    now = context.clock()
    read = change_of(change)
    if takes_line and segments:
        raise Invalid("A poster is read by everybody: with --segment there can be no --line.")
    with context.database.write_all() as session:
        programme = _enter(session, slug)
        made = pilots.start_pilot(
            session,
            programme.id,
            read,
            locations=locations,
            segments=segments,
            valid_from=_at(begin, programme, now),
            now=now,
        )
        before = version_at(session, programme.id, made.valid_from).settings
        line = follow_rate(
            programme,
            before,
            settings_from_json(before.as_json() | made.changes),
            takes_line=takes_line,
            number=made.number,
            valid_from=made.valid_from,
            now=now,
            locations=made.locations,
        )
        _say_pilot(made, programme, as_json)
        if line and not as_json and not segments:
            click.echo(line)


@click.command("widen")
@click.argument("number", type=click.IntRange(1, 2**31 - 1))
@location_option
@segment_option
@click.option("--everywhere", is_flag=True, help="For all, for good: it becomes a version.")
@begin_option
@json_option
@programme_option
def widen(
    number: int,
    locations: tuple[str, ...],
    segments: tuple[str, ...],
    everywhere: bool,
    begin: str | None,
    as_json: bool,
    slug: str | None,
) -> None:
    """Let the pilot of that NUMBER hold in more places, for more segments, or everywhere."""
    if everywhere == bool(locations or segments):
        raise Invalid("Say --everywhere, or where else: --location, --segment.")
    context = open_context()
    now = context.clock()
    with context.database.write_all() as session:
        programme = _enter(session, slug)
        at = _at(begin, programme, now)
        if everywhere:
            version = pilots.adopt_pilot(session, programme.id, number, at=at)
            _say_version(version.number, version.valid_from, programme, as_json)
            return
        wider = pilots.widen_pilot(
            session,
            programme.id,
            number,
            locations=locations,
            segments=segments,
            at=at,
            now=now,
        )
        _say_pilot(wider, programme, as_json)


@click.command("rollback")
@click.argument("number", type=click.IntRange(1, 2**31 - 1))
@begin_option
@json_option
@programme_option
def rollback(number: int, begin: str | None, as_json: bool, slug: str | None) -> None:
    """End the pilot of that NUMBER, or let the version before version NUMBER hold again.

    What was earned meanwhile stays: receipts keep the rules of their day.
    """
    context = open_context()
    now = context.clock()
    with context.database.write_all() as session:
        programme = _enter(session, slug)
        at = _at(begin, programme, now)
        version = pilots.roll_back(session, programme.id, number, at=at)
        _say_version(version.number, max(at, version.valid_from), programme, as_json)


def _enter(session: Session, slug: str | None) -> Programme:
    programme = enter_programme(session, slug)
    return programme


def _at(begin: str | None, programme: Programme, now: datetime) -> datetime:
    moment = now if begin is None else moment_of(begin, programme)
    return today_or_later(moment, programme, now)


def _say_pilot(made: ProgrammePilot, programme: Programme, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "number": made.number,
                "valid_from": made.valid_from.isoformat(),
                "locations": made.locations,
                "segments": made.segments,
                "changes": made.changes,
            }
        )
        return
    where = ", ".join([*made.locations, *(f"members of {name}" for name in made.segments)])
    click.echo(f"Pilot {made.number}, {since(made.valid_from, programme)}: {where}")
    click.echo(f"Widen it: counterfoil programme widen {made.number} --everywhere")
    click.echo(f"End it:   counterfoil programme rollback {made.number}")


def _say_version(number: int, valid_from: datetime, programme: Programme, as_json: bool) -> None:
    if as_json:
        facts: Mapping[str, Any] = {"number": number, "valid_from": valid_from.isoformat()}
        print_json(facts)
        return
    click.echo(f"Version {number} holds everywhere, {since(valid_from, programme)}")


COMMANDS = [versions, pilot, widen, rollback]
