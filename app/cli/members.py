"""counterfoil member: what is held of a person, and forgetting them."""

import getpass
import json
import os
from pathlib import Path
from typing import Any

import click

from app.cli.common import (
    enter_programme,
    json_option,
    open_context,
    print_json,
    programme_option,
)
from app.context import Context
from app.delivery import leaving
from app.delivery.leaving import Belongings, Person
from app.errors import Conflict
from app.members import service as members
from app.members.reads import Reader, note_read
from app.programmes.models import Programme
from app.programmes.wording import points_label
from app.web.disclosing import as_text, disclose
from passes.card import CardStatus


@click.group()
def member() -> None:
    """The people behind the cards. Every look at their data is recorded."""


@member.command("show")
@click.argument("who", metavar="CARD|E-MAIL")
@json_option
@programme_option
def show(who: str, as_json: bool, slug: str | None) -> None:
    """Show who has a card, or gave an e-mail address (the whole of it)."""
    context = open_context(make=False)
    programme, person = _read(context, slug, who, "show")
    with context.database.read(programme.id) as session:
        has = leaving.belongings(session, context.keys, person, now=context.clock())
        consents = [members.has_consented(session, member_id) for member_id in person.member_ids]
    if as_json:
        print_json(_as_json(has, person, consents))
        return
    for line in _lines(has, programme):
        click.echo(line)
    if any(consents):
        click.echo("agreed to messages")


@member.command("export")
@click.argument("who", metavar="CARD|E-MAIL")
@click.option("--text", is_flag=True, help="For people; JSON if left out.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file that only you can read, instead of the terminal.",
)
@programme_option
def export(who: str, text: bool, out: Path | None, slug: str | None) -> None:
    """Give out everything that is held of a person."""
    context = open_context(make=False)
    programme, person = _read(context, slug, who, "export")
    with context.database.read(programme.id) as session:
        found = disclose(session, context.keys, person, now=context.clock())
    written = as_text(found) if text else json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    if out is None:
        click.echo(written, nl=False)
        return
    descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(written)
    click.echo(f"Written to {out}.")


@member.command("erase")
@click.argument("who", metavar="CARD|E-MAIL")
@click.option("--yes", is_flag=True, help="Do not ask.")
@programme_option
def erase(who: str, yes: bool, slug: str | None) -> None:
    """Forget a person for good: their data, and what their phones show of the cards.

    The ledger keeps its entries, which from then on are nobody's.
    """
    context = open_context(make=False)
    programme, person = _read(context, slug, who, "show")
    with context.database.read(programme.id) as session:
        has = leaving.belongings(session, context.keys, person, now=context.clock())
    if not person.member_ids and all(each.status == CardStatus.ERASED for each in has.cards):
        leaving.erase(context, programme.id, who, reader(), now=context.clock())
        click.echo("This was erased before.")
        return
    click.echo("To be erased:")
    for line in _lines(has, programme):
        click.echo(f"  {line}")
    click.echo(
        "The cards end at once, the passes on the phones turn void, the links lead nowhere, and "
        "the points cannot be spent. The ledger keeps its entries without a name. This cannot be "
        "undone; a backup from before still holds the data."
    )
    if not yes and not click.confirm("Erase?"):
        raise Conflict("Nothing was erased.")
    leaving.erase(context, programme.id, who, reader(), now=context.clock())
    click.echo("Erased. The phones are told by the service: counterfoil delivery status")


def _read(context: Context, slug: str | None, who: str, purpose: str) -> tuple[Programme, Person]:
    """The person, once it is on record that somebody looks."""
    with context.database.write_all() as session:
        programme = enter_programme(session, slug)
        person = leaving.find_person(session, context.keys, programme.id, who)
        for member_id in person.member_ids:
            note_read(session, member_id, reader(), purpose, now=context.clock())
    return programme, person


def reader() -> Reader:
    """Who sits at this terminal."""
    try:
        return Reader("cli", getpass.getuser())
    except (KeyError, OSError):
        return Reader("cli", f"account {os.getuid()}")


def _lines(has: Belongings, programme: Programme) -> list[str]:
    people = [
        " ".join(
            part
            for part in (
                each.name,
                each.email and f"<{each.email}>",
                each.phone,
                each.number and f"(number {each.number})",
            )
            if part
        )
        for each in has.contacts
    ]
    lines = [each or "somebody without a name" for each in people] or ["a card without a name"]
    lines += [f"card {card.id}, {card.status}, issued on {card.issued_on}" for card in has.cards]
    label = points_label(programme.points_names, has.points, "en")
    lines.append(f"{has.points} {label}")
    if has.shared_accounts:
        lines.append(f"a part in {has.shared_accounts} shared accounts, which go on")
    lines.append(
        f"passes: {has.apple_devices} on Apple devices, {has.google_passes} at Google Wallet"
    )
    return lines


def _as_json(has: Belongings, person: Person, consents: list[bool]) -> dict[str, Any]:
    return {
        "members": [
            {
                "member_id": member_id,
                **{field: getattr(contact, field) for field in members.FIELDS},
                "agreed": agreed,
            }
            for member_id, contact, agreed in zip(
                person.member_ids, has.contacts, consents, strict=True
            )
        ],
        "cards": [
            {"card_id": card.id, "status": card.status, "issued_on": card.issued_on}
            for card in has.cards
        ],
        "points": has.points,
        "shared_accounts": has.shared_accounts,
        "apple_devices": has.apple_devices,
        "google_passes": has.google_passes,
    }


COMMANDS = [member]
