"""counterfoil programme simulate: what a change would have done to real receipts."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.cli.common import enter_programme, json_option, open_context, print_json, programme_option
from app.cli.output import grid
from app.cli.settings import moment_of
from app.cli.versions import change_argument, change_of, location_option, segment_option
from app.errors import Invalid
from app.ledger.writing import money, number
from app.programmes.models import Programme
from app.programmes.service import version_at
from app.programmes.simulation import Plan, Scope, Tally, simulate
from app.programmes.simulation.tally import bounds
from app.programmes.wording import currency_exponent


@click.command("simulate")
@change_argument
@click.option(
    "--since",
    "begin",
    metavar="DATE",
    required=True,
    help="The first day of the receipts that are replayed, such as 2026-01-01.",
)
@location_option
@segment_option
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    help="How many processes share the work; as many as there are processors, if not given.",
)
@json_option
@programme_option
def simulate_(
    change: Path,
    begin: str,
    locations: tuple[str, ...],
    segments: tuple[str, ...],
    processes: int | None,
    as_json: bool,
    slug: str | None,
) -> None:
    """Replay receipts under a CHANGE (a JSON or TOML file of settings): what it costs, and whom.

    Every receipt since DATE is valued by the rules of its day and by those with the change; what
    came back since is taken off both. Tiers stay what they were. Nothing is written. With a
    location or a segment the change is a pilot there, or for them.
    """
    context = open_context()
    now = context.clock()
    read = change_of(change)
    with context.database.read_all() as session:
        programme = enter_programme(session, slug)
        since = moment_of(begin, programme)
        if since >= now:
            raise Invalid("There are no receipts since then: give an earlier day.")
        value = version_at(session, programme.id, now).settings.point_value
    plan = Plan(programme.id, read, since, now, Scope(frozenset(locations), frozenset(segments)))
    columns = (TextColumn("Receipts"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("receipts", total=None)
        found = simulate(
            context.database,
            plan,
            processes=processes,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if as_json:
        print_json(_as_json(found, programme, since, now, value))
        return
    for line in _told(found, programme, since, value):
        click.echo(line)


def _cost(points: int, value: Decimal, programme: Programme) -> str:
    """Points in the programme's money, at what a point is worth."""
    minor = points * value.scaleb(currency_exponent(programme.currency))
    return money(minor, programme.currency, "en")


def _as_json(
    found: Tally, programme: Programme, since: datetime, now: datetime, value: Decimal
) -> dict[str, Any]:
    exponent = currency_exponent(programme.currency)
    cost = found.all.change * value.scaleb(exponent)
    return {
        "programme": programme.slug,
        "since": since.isoformat(),
        "until": now.isoformat(),
        "currency": programme.currency,
        "point_value": str(value),
        "cost_points": found.all.change,
        "cost_minor": str(cost.normalize() if cost else 0),
        **found.as_json(),
    }


def _signed(points: int) -> str:
    return f"{'+' if points > 0 else ''}{number(points, 'en')}"


def _told(found: Tally, programme: Programme, since: datetime, value: Decimal) -> list[str]:
    every = found.all
    said = [
        f"{number(every.receipts, 'en')} receipts of {number(found.members, 'en')} members "
        f"since {since:%Y-%m-%d}, for {money(every.spend_minor, programme.currency, 'en')}",
        f"Points as it was: {number(every.before, 'en')}; "
        f"with the change: {number(every.after, 'en')}",
        f"Cost: {_signed(every.change)} points, {_cost(every.change, value, programme)} "
        f"at {value:f} a point",
        "",
        f"Members who gain: {number(found.winners, 'en')}, {number(found.won, 'en')} points",
        *_people(found.gains, found.top_winners),
        f"Members who lose: {number(found.losers, 'en')}, {number(found.lost, 'en')} points",
        *_people(found.losses, found.top_losers),
    ]
    rows: list[tuple[str, ...]] = [("Location", "receipts", "as it was", "with the change", "cost")]
    for name, sums in sorted(found.locations.items()):
        facts = (number(each, "en") for each in (sums.receipts, sums.before, sums.after))
        rows.append((name or "(none)", *facts, _signed(sums.change)))
    said += ["", *grid(rows)]
    if found.rules:
        points = [(name, number(count, "en")) for name, count in found.rules.most_common()]
        said += ["", *grid([("Rule, with the change", "points"), *points])]
    things = sorted({*found.things_before, *found.things_after})
    if things:
        counts = [
            (
                f"{kind}: {what}",
                number(found.things_before[kind, what], "en"),
                number(found.things_after[kind, what], "en"),
            )
            for kind, what in things
        ]
        said += ["", *grid([("Given", "as it was", "with the change"), *counts])]
    return [*said, "", "Nothing was changed."]


def _people(steps: Any, top: list[tuple[int, str]]) -> list[str]:
    said = []
    for low in sorted(steps):
        least, most = bounds(low)
        span = (
            f"{least}"
            if most == least
            else f"{least} or more"
            if most is None
            else (f"{least} to {most}")
        )
        said.append(f"  {span} points: {number(steps[low], 'en')}")
    if top:
        names = ", ".join(f"{account_id} {count}" for count, account_id in sorted(top)[::-1])
        said.append(f"  the largest: {names}")
    return said


COMMANDS = [simulate_]
