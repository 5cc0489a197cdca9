"""counterfoil keys: the key directory."""

from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import select

from app.cards.models import SigningKey
from app.cards.service import create_signing_key
from app.cli.common import choose_programme, json_option, open_context, print_json, programme_option
from app.config import read_master_key
from app.context import Context
from app.db import enter
from app.errors import Invalid
from app.keys import Purpose

#: Their values: click would offer the names of an enumeration's members.
PURPOSES = [purpose.value for purpose in Purpose]
#: A key's version, and the id of a signing key, has 16 bits.
_VERSION = click.IntRange(1, 0xFFFF)


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
    for info in infos:
        # A line a key: a table would cut off the very names that `keys rotate` wants.
        retired = f"retired {info.retired_at:%Y-%m-%d}" if info.retired_at else ""
        of = f"programme {info.programme_id}" if info.programme_id else ""
        line = (
            f"{info.purpose:15} {info.version:5}  made {info.created_at:%Y-%m-%d}  {retired}  {of}"
        )
        click.echo(line.rstrip())


@keys.command("rotate")
@click.argument("purpose", type=click.Choice([*PURPOSES, "master"]))
@click.option(
    "--new-master-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="master: a file with the new key in base64; without it one is made in the master key's "
    "own file, where it is kept in one.",
)
@programme_option
def rotate(purpose: str, new_master_key: Path | None, slug: str | None) -> None:
    """Make a new key; what the old one sealed or signed stays good. The service need not stop."""
    if new_master_key is not None and purpose != "master":
        raise click.BadParameter("goes with master only", param_hint="--new-master-key")
    context = open_context()
    now = context.clock()
    if purpose == "master":
        count = context.keys.rewrap(_read_master_key(new_master_key) if new_master_key else None)
        click.echo(f"{count} keys are wrapped by a new master key. Keep its file safe, and apart.")
        return
    if purpose == Purpose.CARD_SIGNING:
        with context.database.write_all() as session:
            chosen = choose_programme(session, slug)
            key_id = create_signing_key(session, context.keys, chosen.id, now=now)
        click.echo(f"New cards are signed with key {key_id}. Tills fetch it by themselves.")
        return
    if not Purpose(purpose).made_on_demand:
        raise Invalid(f"A new {purpose} key comes with: counterfoil certs install FILES")
    made = context.keys.rotate(Purpose(purpose))
    click.echo(f"{purpose}: version {made.version} is used from now on.")


def _read_master_key(file: Path) -> bytes:
    try:
        return read_master_key(file.read_text().strip())
    except ValueError as error:
        raise Invalid(
            f"{file} does not hold a master key: 32 bytes in base64 "
            "(make one with: openssl rand -base64 32)."
        ) from error


@keys.command("retire")
@click.argument("purpose", type=click.Choice(PURPOSES))
@click.argument("version", type=_VERSION)
@click.option(
    "--valid-until",
    type=click.DateTime(["%Y-%m-%d"]),
    help="card_signing: cards of this key are refused from that day (UTC) on.",
)
@programme_option
def retire(purpose: str, version: int, valid_until: object, slug: str | None) -> None:
    """Use a key no longer for anything new."""
    if valid_until is not None and purpose != Purpose.CARD_SIGNING:
        raise click.BadParameter("goes with card_signing only", param_hint="--valid-until")
    context = open_context()
    programme_id = None
    if purpose == Purpose.CARD_SIGNING:
        programme_id = _retire_signing_key(context, version, valid_until, slug)
    context.keys.retire(Purpose(purpose), version, programme_id)
    click.echo(f"{purpose} {version} is retired.")


def _retire_signing_key(
    context: Context, key_id: int, valid_until: object, slug: str | None
) -> str:
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
