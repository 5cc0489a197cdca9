"""counterfoil keys: the key directory."""

from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from app.cards.models import SigningKey
from app.cards.service import create_signing_key
from app.cli.common import choose_programme, json_option, open_context, print_json, programme_option
from app.config import read_master_key
from app.db import enter
from app.errors import Invalid
from app.keys import Purpose


@click.group()
def keys() -> None:
    """Secrets: one directory, each key wrapped by the master key."""


@keys.command("list")
@json_option
def list_keys(as_json: bool) -> None:
    """List every key: what it is for, its version, since when; never the secret itself."""
    infos = open_context().keys.list()
    if as_json:
        print_json(
            [
                {
                    "purpose": info.purpose,
                    "version": info.version,
                    "programme_id": info.programme_id,
                    "created_at": info.created_at,
                    "retired_at": info.retired_at,
                }
                for info in infos
            ]
        )
        return
    table = Table("purpose", "version", "programme", "made", "retired")
    for info in infos:
        table.add_row(
            str(info.purpose),
            str(info.version),
            info.programme_id or "",
            f"{info.created_at:%Y-%m-%d %H:%M}",
            f"{info.retired_at:%Y-%m-%d %H:%M}" if info.retired_at else "",
        )
    Console().print(table)


@keys.command("rotate")
@click.argument("purpose", type=click.Choice([*Purpose, "master"]))
@click.option(
    "--new-master-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="master: a file with the new key in base64; without it one is made in the master key's "
    "own file, where it is kept in one.",
)
@programme_option
def rotate(purpose: str, new_master_key: Path | None, slug: str | None) -> None:
    """Make a new key; what the old one sealed or signed stays good. The service need not stop."""
    context = open_context()
    now = context.clock()
    if purpose == "master":
        new = read_master_key(new_master_key.read_text().strip()) if new_master_key else None
        count = context.keys.rewrap(new)
        click.echo(f"{count} keys are wrapped by a new master key. Keep its file safe, and apart.")
        return
    if purpose == Purpose.CARD_SIGNING:
        with context.database.write_all() as session:
            chosen = choose_programme(session, slug)
            key_id = create_signing_key(session, context.keys, chosen.id, now=now)
        click.echo(f"New cards are signed with key {key_id}. Tills fetch it by themselves.")
        return
    made = context.keys.rotate(Purpose(purpose))
    click.echo(f"{purpose}: version {made.version} is used from now on.")


@keys.command("retire")
@click.argument("purpose", type=click.Choice(list(Purpose)))
@click.argument("version", type=int)
@click.option(
    "--valid-until",
    type=click.DateTime(["%Y-%m-%d"]),
    help="card_signing: cards of this key are refused from that day (UTC) on.",
)
@programme_option
def retire(purpose: str, version: int, valid_until: object, slug: str | None) -> None:
    """Use a key no longer for anything new."""
    context = open_context()
    programme_id = None
    if purpose == Purpose.CARD_SIGNING:
        programme_id = _retire_signing_key(version, valid_until, slug)
    context.keys.retire(Purpose(purpose), version, programme_id)
    click.echo(f"{purpose} {version} is retired.")


def _retire_signing_key(key_id: int, valid_until: object, slug: str | None) -> str:

    context = open_context()
    with context.database.write_all() as session:
        chosen = choose_programme(session, slug)
        enter(session, chosen.id)
        key = session.scalar(select(SigningKey).where(SigningKey.key_id == key_id))
        if key is None:
            raise Invalid(f"This programme has no signing key {key_id}.")
        if key.retired_at is None:
            raise Invalid("This key signs new cards. First: counterfoil keys rotate card_signing")
        if isinstance(valid_until, datetime):
            key.valid_until = valid_until.replace(tzinfo=UTC)
    return chosen.id


COMMANDS = [keys]
