"""What the commands share: opening the installation, choosing the programme, printing."""

import json
import os
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session

from app.config import from_environment
from app.context import Context
from app.db import enter
from app.errors import Misconfigured
from app.migrations import at_head, is_empty, knows, revision, upgrade
from app.programmes.models import Programme
from app.programmes.service import programme_by_slug

programme_option = click.option(
    "--programme", "slug", metavar="SLUG", help="Which programme; needed when there are several."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def open_context(*, migrated: bool = True, make: bool = True) -> Context:
    """Open the installation that the environment names, until the command ends.

    With *make* an empty database is made ready on the spot. Raises `Misconfigured` that says what
    to do for one of another release, which is not touched, and without *make* for an empty one.
    """
    config = from_environment(os.environ)
    try:
        make_url(config.database_url)
    except (ArgumentError, ValueError) as error:
        raise Misconfigured(
            "COUNTERFOIL_DATABASE_URL cannot be read: write it as "
            "postgresql://name:password@host:5432/database"
        ) from error
    context = Context.open(config)
    click.get_current_context().call_on_close(context.database.dispose)
    if migrated and not at_head(context.database):
        if not is_empty(context.database):
            raise Misconfigured(_other_schema(revision(context.database)))
        if not make:
            raise Misconfigured(
                f"There is no shop in {config.data}. Is COUNTERFOIL_DATA right? "
                "A new one begins with: counterfoil programme add"
            )
        upgrade(context.database)
    return context


def _other_schema(found: str | None) -> str:
    if found is None:
        return (
            "The database holds something else than Counterfoil's tables: give it one of its own."
        )
    if not knows(found):
        return "The database was made by a newer release of Counterfoil: install that one."
    return "The database is of an older release. Make a backup, then run: counterfoil db upgrade"


def choose_programme(session: Session, slug: str | None) -> Programme:
    """The programme named, or the only one there is."""
    if slug is not None:
        return programme_by_slug(session, slug)
    programmes = session.scalars(select(Programme).order_by(Programme.slug).limit(20)).all()
    if len(programmes) == 1:
        return programmes[0]
    if not programmes:
        raise Misconfigured("There is no programme yet. Make one: counterfoil programme add")
    names = ", ".join(programme.slug for programme in programmes)
    raise Misconfigured(f"Say which programme with --programme: {names}")


def enter_programme(session: Session, slug: str | None) -> Programme:
    """The same; from here on the session sees nothing else."""
    programme = choose_programme(session, slug)
    enter(session, programme.id)
    return programme


def print_json(data: Any) -> None:
    """Print *data* as JSON on one line a value, for programs and people alike."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False, default=str))
