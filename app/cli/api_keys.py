"""counterfoil api-key: what shop systems ask with."""

from typing import Any

import click

from app.cli.common import enter_programme, json_option, open_context, print_json, programme_option
from app.pos import keys
from app.pos.models import ApiKey
from app.pos.rules import PREFIX, Scope
from app.programmes.models import Location


@click.group("api-key")
def api_key() -> None:
    """Keys of shop systems, for /api/pos/v1."""


@api_key.command("add")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([str(scope) for scope in Scope]),
    help="What the key may be used for; may be given several times.",
)
@click.option("--location", metavar="SLUG", help="Post for this location only; else for any.")
@json_option
@programme_option
def add(
    name: str, scopes: tuple[str, ...], location: str | None, as_json: bool, slug: str | None
) -> None:
    """Make a key and print it: it is shown this once."""
    context = open_context(make=False)
    with context.database.write_all() as session:
        programme = enter_programme(session, slug)
        made, text = keys.add_key(
            session,
            programme.id,
            name=name,
            scopes=scopes,
            location=location,
            now=context.clock(),
        )
    _show_once(made, text, as_json)


@api_key.command("list")
@json_option
@programme_option
def list_keys(as_json: bool, slug: str | None) -> None:
    """List every key: what it is for, where, and when it was last used."""
    context = open_context(make=False)
    with context.database.read_all() as session:
        enter_programme(session, slug)
        found = []
        for key in keys.keys(session):
            place = session.get(Location, key.location_id) if key.location_id else None
            found.append(_facts(key) | {"location": place.slug if place else None})
    if as_json:
        print_json(found)
        return
    for facts in found:
        used = facts["last_used_at"]
        state = f"revoked {facts['revoked_at']:%Y-%m-%d}" if facts["revoked_at"] else ""
        last = f"last used {used:%Y-%m-%d %H:%M} UTC" if used else "never used"
        words = (
            f"{facts['name']:20} {facts['handle']}  {','.join(facts['scopes'])}  "
            f"{facts['location'] or 'any location'}  {last}  {state}"
        )
        click.echo(words.rstrip())
    if not found:
        click.echo("There is no API key yet. Make one: counterfoil api-key add NAME --scope quote")


@api_key.command("revoke")
@click.argument("name")
@programme_option
def revoke(name: str, slug: str | None) -> None:
    """Refuse a key (its name, or the 16 letters after cfk_) from now on, for good."""
    context = open_context(make=False)
    with context.database.write_all() as session:
        enter_programme(session, slug)
        keys.revoke(session, keys.key_by_name(session, name), now=context.clock())
    click.echo("Revoked: it is refused from now on.")


@api_key.command("rotate")
@click.argument("name")
@json_option
@programme_option
def rotate(name: str, as_json: bool, slug: str | None) -> None:
    """Give a key another text, shown this once; the old one is refused at once."""
    context = open_context(make=False)
    with context.database.write_all() as session:
        enter_programme(session, slug)
        found = keys.key_by_name(session, name)
        text = keys.rotate(session, found)
    _show_once(found, text, as_json)


def _show_once(key: ApiKey, text: str, as_json: bool) -> None:
    if as_json:
        print_json(_facts(key) | {"key": text})
        return
    click.echo(text)
    click.echo("Keep it safe: it is not shown again.", err=True)


def _facts(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "handle": f"{PREFIX}{key.handle}",
        "scopes": key.scopes,
        "created_at": key.created_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
    }


COMMANDS = [api_key]
