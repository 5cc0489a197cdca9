"""counterfoil draw: prize draws that anyone can check."""

import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from app.cli.common import (
    enter_programme,
    json_option,
    open_context,
    print_json,
    programme_option,
)
from app.cli.output import printable
from app.cli.plain import Refused
from app.cli.settings import moment_of
from app.cli.statement import find_account
from app.context import Context
from app.draws import checking, service
from app.draws.models import PrizeDraw
from app.errors import Invalid
from app.ledger import writing
from app.programmes.models import Programme

_out = click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what is to be published into this file, instead of the terminal.",
)


@click.group()
def draw() -> None:
    """Prize draws: committed to before the first ticket, checked by anybody afterwards."""


@draw.command("add")
@click.argument("code")
@click.argument("title")
@click.option(
    "--prize",
    "prizes",
    multiple=True,
    required=True,
    metavar="[COUNT*]CODE=NAME",
    help="A prize, such as bike=A bicycle or 3*book=A book; drawn in this order.",
)
@click.option("--closes", required=True, metavar="DATE", help="Tickets are given until then.")
@click.option(
    "--value",
    "value_named",
    required=True,
    help="The public value that decides, unknown until after closing, and where it is published: "
    '"Viking Lotto of 30 December 2026, the six numbers rising, with blanks (latloto.lv)".',
)
@click.option(
    "--value-from", required=True, metavar="DATE", help="From when on the value can be known."
)
@click.option("--several", is_flag=True, help="A member may win several prizes.")
@programme_option
def add(
    code: str,
    title: str,
    prizes: tuple[str, ...],
    closes: str,
    value_named: str,
    value_from: str,
    several: bool,
    slug: str | None,
) -> None:
    """Write the terms of a draw down. Rules give tickets of CODE: tickets = { CODE = 1 }."""
    context = open_context(make=False)
    with context.database.write_all() as session:
        programme = _enter(session, slug)
        terms = {
            "code": code,
            "title": title,
            "prizes": [_prize(each) for each in prizes],
            "one_prize_each": not several,
            "closes_at": moment_of(closes, programme).isoformat(),
            "public_value": value_named,
            "public_value_known_from": moment_of(value_from, programme).isoformat(),
        }
        service.add(session, terms, now=context.clock())
    click.echo(
        f"The draw {code} is there. Before the first ticket is given: "
        f"counterfoil draw publish {code}"
    )


def _prize(text: str) -> dict[str, Any]:
    left, mark, name = text.partition("=")
    count, star, code = left.partition("*")
    if not star:
        count, code = "1", left
    if not mark or not count.strip().isdecimal():
        raise Invalid(f"{text[:60]!r}: write --prize bike='A bicycle' or --prize '3*book=A book'.")
    return {"code": code.strip(), "name": name.strip(), "count": int(count)}


@draw.command("publish")
@click.argument("code")
@_out
@programme_option
def publish(code: str, out: Path | None, slug: str | None) -> None:
    """Make the secret seed, and give out its hash with the terms: publish both."""
    context = open_context(make=False)
    with context.database.write_all() as session:
        _enter(session, slug)
        found = service.publish(session, context.keys, code, now=context.clock())
        told = service.document(session, found)
    _give(told, out, f"Publish it now. SHA-256 of the seed: {found.seed_sha256}")


@draw.command("close")
@click.argument("code")
@_out
@programme_option
def close(code: str, out: Path | None, slug: str | None) -> None:
    """Close the list of tickets, and give it out with its hash: publish both."""
    context = open_context(make=False)
    with context.database.write_all() as session:
        _enter(session, slug)
        found = service.close(session, context.keys, code, now=context.clock())
        told = service.document(session, found)
    count = writing.number(found.tickets or 0, "en")
    _give(told, out, f"{count} tickets. Publish it now. SHA-256 of the list: {found.list_sha256}")


@draw.command("draw")
@click.argument("code")
@click.option("--value", required=True, help="The public value, as it was published.")
@_out
@programme_option
def hold(code: str, value: str, out: Path | None, slug: str | None) -> None:
    """Draw the winners with the public value, once, and reveal the seed: publish all of it."""
    context = open_context(make=False)
    with context.database.write_all() as session:
        _enter(session, slug)
        found = service.hold(session, context.keys, code, value, now=context.clock())
        told = service.document(session, found)
        winners = len(service.winners_of(session, found))
    _give(told, out, f"{winners} winners: counterfoil draw winners {code}")


@draw.command("show")
@click.argument("code", required=False)
@click.option("--card", "which", metavar="CARD", help="Also what this card has in the closed list.")
@_out
@json_option
@programme_option
def show(
    code: str | None, which: str | None, out: Path | None, as_json: bool, slug: str | None
) -> None:
    """Show where a draw stands, or list all; --json and --out give what is published of it."""
    context = open_context(make=False)
    with context.database.read_all() as session:
        programme = _enter(session, slug)
        if code is None:
            for each in service.draws(session):
                click.echo(f"{each.code:<24}{_state(each, programme)}")
            return
        found = service.by_code(session, code)
        if as_json or out is not None:
            _give(service.document(session, found), out, "")
            return
        _tell(context, session, programme, found, which)


def _tell(
    context: Context, session: Session, programme: Programme, found: PrizeDraw, which: str | None
) -> None:
    terms = service.terms_of(found)
    click.echo(f"{printable(terms.title)}: {_state(found, programme)}")
    for prize in terms.prizes:
        click.echo(f"  {prize.count} × {printable(prize.name)} ({prize.code})")
    click.echo("  one prize a member" if terms.one_each else "  a member may win several")
    click.echo(f"Decided by: {printable(terms.value_named)}")
    for name, value in (("seed", found.seed_sha256), ("list", found.list_sha256)):
        if value:
            click.echo(f"SHA-256 of the {name}: {value}")
    if found.public_value:
        click.echo(f"Public value: {printable(found.public_value)}. Seed: {found.revealed_seed}")
    if which is not None:
        account_id = find_account(session, which)
        mine = [row for row in service.holders_of(session, found) if row.account_id == account_id]
        told = f"{mine[0].pseudonym}, {mine[0].tickets} tickets" if mine else "not in the list"
        click.echo(f"This card: {told}.")


def _state(found: PrizeDraw, programme: Programme) -> str:
    zone = programme.time_zone

    def on(moment: datetime) -> str:
        return writing.moment(moment, zone, "en")

    if found.drawn_at is not None:
        return f"drawn on {on(found.drawn_at)}"
    if found.closed_at is not None:
        count = writing.number(found.tickets or 0, "en")
        return f"closed on {on(found.closed_at)}, {count} tickets"
    closes = on(service.terms_of(found).closes_at)
    if found.published_at is not None:
        return f"published on {on(found.published_at)}, tickets until {closes}"
    return f"not published yet, tickets until {closes}"


@draw.command("winners")
@click.argument("code")
@json_option
@programme_option
def winners(code: str, as_json: bool, slug: str | None) -> None:
    """Name the winners' accounts; who they are: counterfoil member show CARD."""
    context = open_context(make=False)
    with context.database.read_all() as session:
        _enter(session, slug)
        found = service.by_code(session, code)
        names = {prize.code: prize.name for prize in service.terms_of(found).prizes}
        rows = [
            {
                "place": row.place,
                "prize": row.prize,
                "name": names[row.prize],
                "account_id": row.account_id,
                "card_id": card_id,
                "pseudonym": row.pseudonym,
            }
            for row, card_id in service.winning_cards(session, found)
        ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(
            f"{row['place']:>4}  {printable(str(row['name']))}  card {row['card_id'] or 'none'}, "
            f"account {row['account_id']}"
        )
    if not rows:
        click.echo("Nobody has won yet.")


@draw.command("verify")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--earlier",
    "earlier",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file that was published before: it has to agree. May be given several times.",
)
@json_option
def verify(file: Path, earlier: tuple[Path, ...], as_json: bool) -> None:
    """Recompute the winners from FILE, what was published of a draw, and from nothing else.

    Takes no installation, no database and no network. Ends with 1 where something does not hold.
    """
    document = _read(file)
    findings = checking.check(document, [(each.name, _read(each)) for each in earlier])
    good = all(each.holds is not False for each in findings)
    if as_json:
        print_json(
            {
                "holds": good,
                "findings": [{"holds": each.holds, "text": each.text} for each in findings],
            }
        )
    else:
        marks = {True: "holds  ", False: "WRONG  ", None: "open   "}
        for each in findings:
            click.echo(marks[each.holds] + printable(each.text))
    if not good:
        raise Refused("This draw does not hold.")


def _read(file: Path) -> dict[str, Any]:
    if file.stat().st_size > checking.LARGEST_FILE:
        raise Invalid(f"{file.name} is too large for a draw.")
    return checking.read_document(file.read_bytes(), file.name)


def _enter(session: Session, slug: str | None) -> Programme:
    programme = enter_programme(session, slug)
    return programme


def _give(told: dict[str, Any], out: Path | None, words: str) -> None:
    """What is published goes to standard output or a file, words to people beside it."""
    text = json.dumps(told, indent=1, ensure_ascii=False) + "\n"
    if out is None:
        sys.stdout.write(text)
    else:
        draft = out.with_name(f".{out.name}.tmp")
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, out)
    if words:
        click.echo(words, err=True)


COMMANDS = [draw]
