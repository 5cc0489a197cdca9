"""counterfoil staff: the people who work with a programme, at the till and on the pages."""

from datetime import datetime

import click
from sqlalchemy.orm import Session

from app.cli.common import (
    choose_programme,
    enter_programme,
    json_option,
    open_context,
    print_json,
    programme_option,
)
from app.db import enter
from app.errors import Invalid, NotFound
from app.programmes.models import Programme
from app.staff import links
from app.staff.models import Role, Staff
from app.staff.service import add_staff, leave, make_pin, person_by_name, set_pin

#: Their values: click would offer the names of an enumeration's members.
ROLES = [role.value for role in Role]


@click.group()
def staff() -> None:
    """The people who work with the programme."""


@staff.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default=Role.CASHIER.value, show_default=True)
@click.option(
    "--pin",
    help="Six digits; without it one is made and shown this once.",
)
@json_option
@programme_option
def staff_add(name: str, role: str, pin: str | None, as_json: bool, slug: str | None) -> None:
    """Add a person with a PIN for the till."""
    context = open_context()
    made = make_pin() if pin is None else pin
    with context.database.write_all() as session:
        chosen = choose_programme(session, slug)
        added = add_staff(session, chosen.id, name=name, role=role, pin=made, now=context.clock())
    if as_json:
        print_json({"staff_id": added.id, "name": name, "role": role, "pin": made})
        return
    click.echo(f"{name} ({role}) is there." + ("" if pin else f" PIN, shown this once: {made}"))


@staff.command("leave")
@click.argument("name")
@programme_option
def staff_leave(name: str, slug: str | None) -> None:
    """Somebody leaves: no sign-in any more; what they posted stays under their name.

    A till learns of it within minutes. One without a network may let them in until it is back,
    for up to seven days.
    """
    context = open_context()
    with context.database.write_all() as session:
        enter_programme(session, slug)
        leave(session, name, now=context.clock())
    click.echo(f"{name} cannot sign in any more.")


@staff.command("pin")
@click.argument("name")
@programme_option
def staff_pin(name: str, slug: str | None) -> None:
    """Make a new PIN for somebody, shown this once; a locked name is unlocked."""
    context = open_context()
    made = make_pin()
    with context.database.write_all() as session:
        enter_programme(session, slug)
        set_pin(session, name, made, now=context.clock())
    click.echo(f"{name} has a new PIN, shown this once: {made}")


@staff.command("invite")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), help="Of somebody who is not there yet.")
@json_option
@programme_option
def staff_invite(name: str, role: str | None, as_json: bool, slug: str | None) -> None:
    """Print a link by which somebody sets a password for the staff pages: once, for a day.

    Who has one already sets another by it. With --role the person is added first.
    """
    context = open_context()
    now = context.clock()
    with context.database.write_all() as session:
        chosen = choose_programme(session, slug)
        enter(session, chosen.id)
        person = _person(session, chosen, name, role, now=now)
        token = links.make_link(session, person, now=now)
    _print_link(context.config.url, chosen, person, token, as_json)


@staff.command("reset")
@click.argument("name")
@click.option(
    "--second-factor",
    is_flag=True,
    help="The phone with the app is gone, and so are the recovery codes: set up a new one.",
)
@json_option
@programme_option
def staff_reset(name: str, second_factor: bool, as_json: bool, slug: str | None) -> None:
    """Print a link by which somebody sets another password. The old one holds until it is used."""
    context = open_context()
    with context.database.write_all() as session:
        chosen = choose_programme(session, slug)
        enter(session, chosen.id)
        person = person_by_name(session, name)
        token = links.make_link(
            session, person, now=context.clock(), forgets_second_factor=second_factor
        )
    _print_link(context.config.url, chosen, person, token, as_json)


def _person(
    session: Session, programme: Programme, name: str, role: str | None, *, now: datetime
) -> Staff:
    try:
        found = person_by_name(session, name)
    except NotFound:
        if role is None:
            raise NotFound(
                f"Nobody called {name!r} works here. To add them, say as what: --role owner"
            ) from None
        # Nobody is told the PIN: who is to work at a till is given one with `staff pin`.
        return add_staff(session, programme.id, name=name, role=role, pin=make_pin(), now=now)
    if role is not None and role != found.role:
        raise Invalid(f"{name} is {found.role} already; leave --role away.")
    return found


def _print_link(url: str, programme: Programme, person: Staff, token: str, as_json: bool) -> None:
    link = links.address(url, programme.slug, token)
    if as_json:
        print_json({"staff_id": person.id, "name": person.name, "role": person.role, "link": link})
        return
    click.echo(f"For {person.name} ({person.role}), once, within 24 hours:")
    click.echo(f"  {link}")


COMMANDS = [staff]
