"""counterfoil delivery: how far the wallets are, and one round by hand."""

from dataclasses import asdict
from datetime import datetime, timedelta

import click

from app.certs import check as check_certs
from app.cli.common import json_option, open_context, print_json
from app.context import Context
from app.delivery.google.estimate import estimate
from app.delivery.inspecting import RefusedDesign, refused_designs
from app.delivery.status import CardWallet, WalletState, card_wallets, wallet_states
from app.delivery.wallets import Wallets
from app.delivery.worker import Worker

_MOMENT = "%Y-%m-%d %H:%M UTC"


@click.group()
def delivery() -> None:
    """Brings changed passes to the wallets."""


@delivery.command("run")
@click.option("--once", is_flag=True, required=True, help="Until nothing is due, then stop.")
def run(once: bool) -> None:
    """Bring every wallet that is due up to date now; for a cron job or a look."""
    context = open_context(make=False)
    done = Worker(context, Wallets(context)).run_once()
    click.echo(f"{done} passes brought up to date.")


@delivery.command("status")
@click.option("--card", metavar="CARD", help="Of one card: its id or its serial number.")
@json_option
def show_status(card: str | None, as_json: bool) -> None:
    """Show how many passes are up to date, behind or failing, and why."""
    context = open_context(make=False)
    if card is not None:
        _show_card(context, card, as_json)
        return
    now = context.clock()
    with context.database.read_all() as session:
        states = wallet_states(session, now=now)
        refused = refused_designs(session)
    certificates = [
        f"{each.message} {each.cure}"
        for each in check_certs(context.config, context.keys, now=now)
        if each.not_after is not None
    ]
    if as_json:
        totals: dict[str, object] = {name: asdict(state) for name, state in states.items()}
        print_json(
            totals | {"designs": [asdict(each) for each in refused], "certificates": certificates}
        )
        return
    for name, state in states.items():
        _say_state(name, state)
    for each in refused:
        _say_design(each)
    for line in certificates:
        click.echo(f"certificate: {line}")


def _show_card(context: Context, card: str, as_json: bool) -> None:
    with context.database.read_all() as session:
        wallets = card_wallets(session, card)
    if as_json:
        print_json([asdict(each) for each in wallets])
        return
    for each in wallets:
        click.echo(f"{each.wallet} {each.place}: {_of_card(each)}")
    if not wallets:
        click.echo("No wallet holds this card; its page shows it as it is.")


def _of_card(wallet: CardWallet) -> str:
    told = f"delivered {_moment(wallet.delivered_at)}" if wallet.delivered_at else "not told yet"
    if not wallet.is_behind:
        return "up to date" + (f", {told}" if wallet.delivered_at else "")
    parts = [f"behind since {_moment(wallet.behind_since)}", told]
    if wallet.last_error:
        times = {0: "not sent yet", 1: "tried once"}.get(
            wallet.attempts, f"tried {wallet.attempts} times"
        )
        parts.append(f"{times}: {wallet.last_error}")
    if wallet.next_attempt_at:
        parts.append(f"next at {_moment(wallet.next_attempt_at)}")
    return ", ".join(parts)


def _say_state(name: str, state: WalletState) -> None:
    line = (
        f"{name}: {state.passes} passes, {state.delivered} delivered, {state.behind} behind, "
        f"{state.failed} failed"
    )
    if state.oldest_behind_seconds is not None:
        line += f", the oldest for {_span(state.oldest_behind_seconds)}"
    click.echo(line)
    if state.estimate_seconds:
        click.echo(f"  {estimate(state.behind)}")
    for error in state.errors:
        click.echo(f"  {error.count} × {error.kind}: {error.example}")


def _say_design(design: RefusedDesign) -> None:
    click.echo(
        f"{design.programme}: nobody gets a pass of this design for Apple Wallet, phones would "
        f"refuse it (inspected {_moment(design.inspected_at)}):"
    )
    for each in design.findings:
        click.echo(f"  {each['severity']}: {each['where']}: {each['message']} {each['cure']}")


def _moment(moment: datetime | None) -> str:
    return "an unknown time" if moment is None else moment.strftime(_MOMENT)


def _span(seconds: float) -> str:
    """A span of time in the two largest units: "3 h 5 min"."""
    whole = timedelta(seconds=max(round(seconds), 1))
    hours, rest = divmod(whole.seconds, 3600)
    units = [(whole.days, "d"), (hours, "h"), (rest // 60, "min"), (rest % 60, "s")]
    shown = [f"{count} {unit}" for count, unit in units if count]
    return " ".join(shown[:2])


COMMANDS = [delivery]
