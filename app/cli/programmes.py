"""counterfoil programme | location | till: what belongs to a programme."""

import shlex

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards.service import create_signing_key
from app.cli import programme_file, simulate, versions
from app.cli.common import (
    choose_programme,
    json_option,
    open_context,
    print_json,
    programme_option,
)
from app.cli.settings import rate, settings
from app.errors import Misconfigured
from app.members import consents
from app.programmes import service
from app.programmes.models import Location, Programme
from app.till import access


@click.group()
def programme() -> None:
    """A brand's scheme."""


@programme.command("add")
@click.argument("slug")
@click.argument("name")
@click.option("--benefit", default="", help="One line that says what the customer gets.")
@click.option("--time-zone", default="Europe/Riga", show_default=True)
@click.option("--currency", default="EUR", show_default=True)
@click.option("--point", default="point", show_default=True, help="What one point is called.")
@click.option("--points", default="points", show_default=True, help="What many are called.")
@click.option(
    "--points-per", default="1", show_default=True, help="Points for each full --amount; 0: none."
)
@click.option("--amount", default="1", show_default=True, help="The money that earns them.")
def programme_add(
    slug: str,
    name: str,
    benefit: str,
    time_zone: str,
    currency: str,
    point: str,
    points: str,
    points_per: str,
    amount: str,
) -> None:
    """Make a programme and its signing key. SLUG stands in the join page's address."""
    context = open_context()
    now = context.clock()
    with context.database.write_all() as session:
        made = service.create_programme(
            session,
            slug=slug,
            name=name,
            benefit=benefit,
            time_zone=time_zone,
            currency=currency,
            points_names={"en": {"one": point, "other": points}},
            settings={"points": points_per, "per_amount": amount},
            now=now,
        )
        create_signing_key(session, context.keys, made.id, now=now)
    click.echo(f"{name} is there. Customers join at {context.config.url}/join/{slug}")


@programme.command("list")
def programme_list() -> None:
    """List the programmes and their locations."""
    context = open_context()
    with context.database.read_all() as session:
        for found in session.scalars(select(Programme).order_by(Programme.slug)):
            click.echo(f"{found.slug}  {found.name}  {context.config.url}/join/{found.slug}")
            for place in session.scalars(
                select(Location).where(Location.programme_id == found.id).order_by(Location.slug)
            ):
                click.echo(f"  {place.slug}  {place.name}")


@programme.command("operator")
@click.option("--name", required=True, help="Who runs it: a company or a person.")
@click.option("--address", required=True, help="Where they receive letters.")
@click.option("--contact", required=True, help="E-mail address, telephone number or both.")
@programme_option
def programme_operator(name: str, address: str, contact: str, slug: str | None) -> None:
    """Say who runs the programme: it stands on each of its public pages."""
    context = open_context(make=False)
    with context.database.write_all() as session:
        chosen = choose_programme(session, slug)
        service.set_operator(session, chosen.id, name=name, address=address, contact=contact)
    click.echo(f"To be read at {context.config.url}/privacy/{chosen.slug}")


@programme.command("consent")
@click.argument("purpose", type=click.Choice(list(consents.TEXTS)))
@click.option(
    "--text",
    "texts",
    multiple=True,
    metavar="LANGUAGE=TEXT",
    help="Show another text from now on, such as en='...'; [[programme]] is its name.",
)
@programme_option
def programme_consent(purpose: str, texts: tuple[str, ...], slug: str | None) -> None:
    """Show what members are asked to consent to, or ask it in other words.

    Who consented before did so to the text of that day, which is kept.
    """
    context = open_context(make=False)
    with context.database.write_all() as session:
        chosen = choose_programme(session, slug)
        if texts:
            given = dict(each.partition("=")[::2] for each in texts)
            consents.change_text(session, chosen.id, purpose, given, now=context.clock())
        found = consents.current(session, chosen.id, purpose)
    click.echo(f"version {found.version}")
    for language, text in found.texts.items():
        click.echo(f"{language}: {text}")


@click.group()
def location() -> None:
    """A shop, or any place with a poster of its own."""


@location.command("add")
@click.argument("place")
@click.argument("name")
@programme_option
def location_add(place: str, name: str, slug: str | None) -> None:
    """Make a location; PLACE is its name in addresses. Prints the address of its poster."""
    context = open_context()
    with context.database.write_all() as session:
        chosen = choose_programme(session, slug)
        service.add_location(session, chosen.id, slug=place, name=name, now=context.clock())
    address = f"{context.config.url}/join/{chosen.slug}/poster.svg?at={place}"
    click.echo(f"{name} is there. Its poster, to print: {address}")


@click.group()
def till() -> None:
    """The counter terminals."""


@till.command("add")
@click.argument("name")
@click.option(
    "--location", "place", metavar="SLUG", help="Where it stands; needed when there are several."
)
@json_option
@programme_option
def till_add(name: str, place: str | None, as_json: bool, slug: str | None) -> None:
    """Make a till and print its enrolment code."""
    context = open_context()
    with context.database.write_all() as session:
        chosen = choose_programme(session, slug)
        added, code = access.add_till(
            session,
            chosen.id,
            location=place or _only_location(session, chosen.id),
            name=name,
            now=context.clock(),
        )
    _print_code(context.config.url, code, added.id if as_json else None)


@till.command("code")
@click.argument("name")
@programme_option
def till_code(name: str, slug: str | None) -> None:
    """Make a new enrolment code for a till: a new machine, or the first code was too old."""
    context = open_context()
    with context.database.write_all() as session:
        chosen = choose_programme(session, slug)
        found = access.till_by_name(session, chosen.id, name)
        code = access.new_code(session, found, now=context.clock())
    _print_code(context.config.url, code)


@till.command("revoke")
@click.argument("name")
@programme_option
def till_revoke(name: str, slug: str | None) -> None:
    """Refuse a till from now on (lost or stolen); its queue is kept on it."""
    context = open_context()
    with context.database.write_all() as session:
        chosen = choose_programme(session, slug)
        access.revoke(session, access.till_by_name(session, chosen.id, name), now=context.clock())
    again = f"counterfoil till code {shlex.quote(name)}"
    click.echo(f"{name} is refused from now on. To let it in again: {again}")


def _only_location(session: Session, programme_id: str) -> str:
    slugs = session.scalars(
        select(Location.slug)
        .where(Location.programme_id == programme_id)
        .order_by(Location.slug)
        .limit(20)
    ).all()
    if not slugs:
        raise Misconfigured("There is no location yet. Make one: counterfoil location add")
    if len(slugs) > 1:
        raise Misconfigured(f"Say where the till stands with --location: {', '.join(slugs)}")
    return slugs[0]


def _print_code(url: str, code: str, till_id: str | None = None) -> None:
    if till_id is not None:
        print_json({"till_id": till_id, "code": code, "service": url})
        return
    click.echo("Within 15 minutes, on the till:")
    click.echo(f"  counterfoil-scan enrol --service {url} --code {code}")


programme.add_command(settings)
programme.add_command(rate)
for command in (*versions.COMMANDS, *programme_file.COMMANDS, *simulate.COMMANDS):
    programme.add_command(command)

COMMANDS = [programme, location, till]
