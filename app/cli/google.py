"""counterfoil google: look into what Google Wallet needs, and how it stands."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from app.cli.common import (
    choose_programme,
    json_option,
    open_context,
    print_json,
    programme_option,
)
from app.delivery.google.inspecting import inspect_programme
from app.delivery.google.pictures import inspect_picture
from app.delivery.google.preflight import inspect_resource, is_refused, pictures
from app.delivery.google.status import google_state
from app.delivery.wallets import Wallets
from app.errors import Invalid
from passes.apple.preflight.finding import Finding

LARGEST = 1_000_000


@click.group()
def google() -> None:
    """Google Wallet: what would keep cards out of it, and how far it is."""


@google.command()
@click.argument(
    "file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@programme_option
@click.option("--offline", is_flag=True, help="Ask nobody: neither Google nor for pictures.")
@json_option
def inspect(file: Path | None, slug: str | None, offline: bool, as_json: bool) -> None:
    """Name what would make Google refuse a programme's cards, and the cure.

    With FILE, a loyalty class or object as JSON, from anyone. Exit code 1 on an error.
    """
    if file is not None:
        findings = _inspect_file(file, offline)
        _report("file", str(file), findings, as_json)
        return
    context = open_context(make=False)
    with context.database.read_all() as session:
        programme = choose_programme(session, slug)
    passes = Wallets(context).google
    found = list(inspect_programme(context, passes, programme, offline=offline))
    _report("object", programme.slug, found, as_json)


@google.command("status")
@json_option
def show_status(as_json: bool) -> None:
    """Show how many passes are saved or removed, what waits and for how long."""
    context = open_context(make=False)
    with context.database.read_all() as session:
        state = google_state(session, context)
    if as_json:
        print_json(asdict(state))
        return
    click.echo(f"passes: {state.saved} saved, {state.removed} removed, {state.offered} offered")
    click.echo(f"waiting: {state.waiting}")
    when = f"{state.root_keys_fetched_at:%Y-%m-%d %H:%M UTC}" if state.root_keys_fetched_at else ""
    click.echo(f"root keys: {state.root_keys_from} {when}".rstrip())
    if state.root_keys_error:
        click.echo(f"the root keys were not renewed: {state.root_keys_error}")


def _inspect_file(file: Path, offline: bool) -> list[Finding]:
    if file.stat().st_size > LARGEST:
        raise Invalid(f"{file} is larger than any class or object may be.")
    try:
        body = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as problem:
        raise Invalid(f"{file} is not JSON.") from problem
    findings = inspect_resource(body)
    if not offline:
        for where, address in pictures(body):
            findings += inspect_picture(where, address)
    return findings


def _report(kind: str, name: str, findings: list[Finding], as_json: bool) -> None:
    if as_json:
        print_json({kind: name, "findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            click.echo(f"{finding.severity}: {finding.where}: {finding.message} {finding.cure}")
        if not findings:
            click.echo(f"{name}: Google Wallet takes this.")
    sys.exit(is_refused(findings))


COMMANDS = [google]
