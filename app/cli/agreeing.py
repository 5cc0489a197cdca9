"""Postings by hand: who stands behind them, and a manager's PIN where one is needed."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cli.common import enter_programme
from app.context import Context
from app.errors import Forbidden
from app.ledger.postings import Circumstances, Request, fingerprint
from app.programmes.models import Programme
from app.staff.models import Role, Staff
from app.staff.service import check_pin
from app.till import access

manager_option = click.option(
    "--manager", metavar="NAME", help="A manager or owner who agrees, and is asked for the PIN."
)
id_option = click.option(
    "--id", "posting_id", type=click.UUID, help="The posting's id: a repeat changes nothing."
)


@dataclass(frozen=True, slots=True)
class Consenting:
    """A manager's name and the PIN that was typed; empty where nobody has to agree."""

    name: str | None = None
    pin: str = ""

    def circumstances(self, session: Session, now: datetime) -> Circumstances:
        """Whose doing it is. Raises `Forbidden`, `WrongPin`, `PinLocked`."""
        if self.name is None:
            return Circumstances(now)
        person = check_pin(session, self.name, self.pin, now=now)
        if not access.is_manager(person):
            raise Forbidden("Only a manager or an owner decides this.")
        return Circumstances(now, actor_kind="staff", actor_id=person.id)


def ask(context: Context, slug: str | None, manager: str | None, *, is_needed: bool) -> Consenting:
    """Ask the manager for the PIN, before anything is locked.

    Raises `Forbidden` where one *is_needed*, is there, and was not named.
    """
    with context.database.read_all() as session:
        enter_programme(session, slug)
        managers = select(Staff.id).where(
            Staff.role.in_([Role.OWNER, Role.MANAGER]), Staff.left_at.is_(None)
        )
        has_managers = session.scalar(managers.limit(1)) is not None
    if manager is None:
        if is_needed and has_managers:
            raise Forbidden("A manager has to agree: add --manager NAME; the PIN is asked for.")
        return Consenting()
    return Consenting(manager, click.prompt("PIN", hide_input=True, err=True))


def request_of(
    programme: Programme, operation: str, body: Mapping[str, Any], posting_id: UUID | None
) -> Request:
    """The request of a posting that is typed here."""
    mark = fingerprint(programme.id, None, operation, body)
    return Request(str(posting_id or uuid.uuid4()), operation, mark)
