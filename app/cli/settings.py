"""counterfoil programme settings | rate: a programme's rules, and what foreign money is worth."""

import json
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from app.cli.common import (
    choose_programme,
    enter_programme,
    json_option,
    open_context,
    print_json,
    programme_option,
)
from app.errors import Invalid
from app.ledger.rules import start_of_day
from app.programmes import exchange, service
from app.programmes.models import ExchangeRate, Programme
from app.programmes.settings import setting_from_text, setting_names
from app.programmes.terms import Version


@click.command("settings")
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="NAME=VALUE",
    help="Change a setting; lists and tiers are written as JSON. May be given several times.",
)
@click.option(
    "--from",
    "begin",
    metavar="DATE",
    help="From when on the change holds (2026-06-01 or 2026-06-01T12:00, in the programme's "
    "zone); without a change, the settings of that moment. Now, if not given.",
)
@json_option
@programme_option
def settings(changes: tuple[str, ...], begin: str | None, as_json: bool, slug: str | None) -> None:
    """Show the rules in force, or change them from a date on.

    What is not named stays as it is. Receipts of earlier days keep the rules of their day.
    """
    context = open_context()
    now = context.clock()
    read = {}
    for change in changes:
        name, mark, value = change.partition("=")
        if not mark:
            raise Invalid(f"Write --set {name[:40]}=VALUE.")
        read[name] = setting_from_text(name, value)
    database = context.database
    with database.write_all() if read else database.read_all() as session:
        programme = enter_programme(session, slug)
        moment = now if begin is None else moment_of(begin, programme)
        if read:
            today_or_later(moment, programme, now)
            version = service.change_settings(session, programme.id, read, valid_from=moment)
        else:
            version = service.version_at(session, programme.id, moment)
        later = service.versions_after(session, programme.id, moment)
    if as_json:
        print_json(_as_json(version, later))
        return
    click.echo(f"Version {version.number}, {since(version.valid_from, programme)}")
    kept = version.settings.as_json()
    width = max(map(len, kept))
    for name in setting_names():
        click.echo(f"  {name:{width}}  {shown(kept[name])}")
    for number, valid_from in later:
        click.echo(f"Version {number} follows, {since(valid_from, programme)}")


def _as_json(version: Version, later: list[tuple[int, datetime]]) -> dict[str, Any]:
    return {
        "version": version.number,
        "valid_from": version.valid_from.isoformat(),
        "settings": version.settings.as_json(),
        "later": [
            {"version": number, "valid_from": valid_from.isoformat()}
            for number, valid_from in later
        ],
    }


def moment_of(text: str, programme: Programme) -> datetime:
    """A date or a local time of the programme's zone, in UTC."""
    try:
        if len(text) == len("2026-06-01"):
            return start_of_day(date.fromisoformat(text), programme.time_zone)
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(programme.time_zone))
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(f"{text[:40]!r} is no date: write one such as 2026-06-01.") from None


def today_or_later(moment: datetime, programme: Programme, now: datetime) -> datetime:
    """The moment, if it is of this local day or a later one. Raises `Invalid`."""
    today = now.astimezone(ZoneInfo(programme.time_zone)).date()
    if moment < start_of_day(today, programme.time_zone):
        raise Invalid("Rules change from today on or later: what was earned is earned.")
    return moment


def since(moment: datetime, programme: Programme) -> str:
    """From when on something holds, by the programme's clocks."""
    if moment <= service.ALWAYS:
        return "from the beginning"
    local = moment.astimezone(ZoneInfo(programme.time_zone))
    return f"from {local:%Y-%m-%d %H:%M} ({programme.time_zone})"


def shown(value: Any) -> str:
    """A setting's value as people read it."""
    if isinstance(value, str):
        return value
    if value is None or value == []:
        return "none"
    return json.dumps(value, ensure_ascii=False)


@click.group()
def rate() -> None:
    """What foreign money is worth in the programme's own."""


@rate.command("add")
@click.argument("currency")
@click.argument("worth", metavar="RATE")
@click.option("--day", metavar="DATE", help="The first day it is for; today, if not given.")
@click.option("--source", default="by hand", show_default=True, help="Where the rate is from.")
@click.option("--replace", is_flag=True, help="Correct the rate of that day.")
@programme_option
def rate_add(
    currency: str, worth: str, day: str | None, source: str, replace: bool, slug: str | None
) -> None:
    """Say what one unit of CURRENCY is worth: RATE in the programme's own, until the next rate."""
    context = open_context()
    now = context.clock()
    with context.database.write_all() as session:
        programme = enter_programme(session, slug)
        first = now.astimezone(ZoneInfo(programme.time_zone)).date()
        if day is not None:
            try:
                first = date.fromisoformat(day)
            except ValueError:
                raise Invalid(f"{day[:40]!r} is no date: write one such as 2026-06-01.") from None
        exchange.add_rate(
            session,
            programme.id,
            currency,
            worth,
            day=first,
            source=source,
            now=now,
            replace=replace,
        )
        click.echo(f"From {first} on one {currency} is {worth} {programme.currency} ({source}).")


@rate.command("list")
@click.argument("currency", required=False)
@json_option
@programme_option
def rate_list(currency: str | None, as_json: bool, slug: str | None) -> None:
    """List the rates, the newest first; of one CURRENCY or of all."""
    context = open_context()
    with context.database.read_all() as session:
        programme = choose_programme(session, slug)
        found = exchange.rates(session, programme.id, currency)
        if as_json:
            print_json([_rate_as_json(each) for each in found])
            return
        for each in found:
            worth = f"1 {each.currency} = {each.rate} {programme.currency}"
            click.echo(f"{each.day}  {worth}  {each.source}")
        if not found:
            click.echo("There are no rates. Add one: counterfoil programme rate add CURRENCY RATE")


def _rate_as_json(each: ExchangeRate) -> dict[str, str]:
    return {
        "currency": each.currency,
        "day": each.day.isoformat(),
        "rate": each.rate,
        "source": each.source,
    }
