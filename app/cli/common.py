"""What the commands share: opening the installation, choosing the programme, printing."""

import json
import os
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.config import from_environment
from app.context import Context
from app.errors import Misconfigured
from app.migrations import at_head, is_empty, upgrade
from app.programmes.models import Programme
from app.programmes.service import programme_by_slug

programme_option = click.option(
    "--programme", "slug", metavar="SLUG", help="Which programme; needed when there are several."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def open_context(*, migrated: bool = True) -> Context:
    """Open the installation that the environment names.

    An empty database is made ready on the spot; one of an older release is not touched: raises
    `Misconfigured` that says what to run.
    """
    context = Context.open(from_environment(os.environ))
    if migrated and not at_head(context.database):
        if not is_empty(context.database):
            raise Misconfigured(
                "The database is of an older release. Make a backup, then run: "
                "counterfoil db upgrade"
            )
        upgrade(context.database)
    return context


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


def print_json(data: Any) -> None:
    """Print *data* as JSON on one line a value, for programs and people alike."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False, default=str))
