"""counterfoil partner: the brands of a coalition."""

import click

from app.cli.common import choose_programme, json_option, open_context, print_json, programme_option
from app.programmes import partners as coalition


@click.group()
def partner() -> None:
    """The brands of a coalition; see ledger settlement."""


@partner.command("add")
@click.argument("name")
@click.option("--location", "places", metavar="SLUG", multiple=True, help="One of its locations.")
@json_option
@programme_option
def partner_add(name: str, places: tuple[str, ...], as_json: bool, slug: str | None) -> None:
    """Make a partner. What its locations issue and redeem from now on is the partner's."""
    context = open_context(make=False)
    with context.database.write_all() as session:
        chosen = choose_programme(session, slug)
        made = coalition.add_partner(
            session, chosen.id, name=name, locations=places, now=context.clock()
        )
    if as_json:
        print_json({"partner_id": made.id, "name": made.name, "locations": list(places)})
        return
    click.echo(f"{made.name} is there" + (f", with {', '.join(places)}." if places else "."))


@partner.command("locations")
@click.argument("name")
@click.argument("places", metavar="SLUG...", nargs=-1, required=True)
@programme_option
def partner_locations(name: str, places: tuple[str, ...], slug: str | None) -> None:
    """Say which further locations are the partner's; a location has one at most."""
    context = open_context(make=False)
    with context.database.write_all() as session:
        chosen = choose_programme(session, slug)
        found = coalition.partner_by_name(session, chosen.id, name)
        coalition.give_locations(session, found, places)
    click.echo(f"{found.name} has {', '.join(places)} too.")


@partner.command("list")
@json_option
@programme_option
def partner_list(as_json: bool, slug: str | None) -> None:
    """List the partners and their locations."""
    context = open_context(make=False)
    with context.database.read_all() as session:
        chosen = choose_programme(session, slug)
        found = coalition.partners(session, chosen.id)
    if as_json:
        print_json(
            [
                {"partner_id": each.id, "name": each.name, "locations": places}
                for each, places in found
            ]
        )
        return
    for each, places in found:
        click.echo(f"{each.name}  {', '.join(places) or '(no location)'}")
    if not found:
        click.echo("There is no partner: every location is the programme's own.")


COMMANDS = [partner]
