"""counterfoil-scan: the till. Reads a card by camera and posts what the cashier keys in.

Ends with 0 when done (a posting kept for later is done), 1 when a card or a posting was refused,
2 for a camera, a setting or an argument that is wrong.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import click
from rich.console import Console

from scanner import show
from scanner.config import DECODERS, Settings, load_settings, load_till
from scanner.errors import CardRefused, ConfigError, ScanError
from scanner.queue_commands import queue

JSON_HELP = "The last line of the output is JSON."


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--camera", help="Index, device, file or address (default 0); several with commas.")
@click.option("--headless", is_flag=True, help="Scan one card in the terminal, then end.")
@click.option("--cashier", help="Who is at the till; the PIN is in COUNTERFOIL_SCAN_PIN.")
@click.option("--amount", help="What was paid, like 12.50.")
@click.option("--redeem", type=click.IntRange(1, 1_000_000_000), help="Points to redeem.")
@click.option("--receipt", help="Number of the receipt.")
@click.option("--fps", type=click.FloatRange(1, 240), help="Rate at which a file plays.")
@click.option("--decoder", type=click.Choice(DECODERS), help="What reads the codes.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the page (8642; 0: any).")
@click.option("--no-browser", is_flag=True, help="Serve the page without opening it.")
@click.option("--self-service", is_flag=True, help="Customers hold their own phone up.")
@click.option(
    "--visit-minutes",
    type=click.IntRange(1, 43_200),
    default=60,
    help="With --self-service: minutes between two visits of a card that count (60).",
)
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
@click.pass_context
def cli(
    context: click.Context,
    camera: str | None,
    headless: bool,
    cashier: str | None,
    amount: str | None,
    redeem: int | None,
    receipt: str | None,
    fps: float | None,
    decoder: str | None,
    port: int | None,
    no_browser: bool,
    self_service: bool,
    visit_minutes: int,
    as_json: bool,
) -> None:
    """The till: hold a phone to the camera, key in the amount, done.

    Without --headless the cashier's page opens in the browser.
    """
    settings = load_settings(os.environ)
    settings = replace(
        settings,
        camera=camera or settings.camera,
        cashier=cashier or settings.cashier,
        decoder=decoder or settings.decoder,
    )
    context.obj = settings
    if context.invoked_subcommand is not None:
        return
    if not headless:
        from scanner.page.start import DEFAULT_PORT, Choices, run

        if as_json or amount or redeem or receipt:
            raise ConfigError("--amount, --redeem, --receipt and --json go with --headless.")
        chosen = DEFAULT_PORT if port is None else port
        choices = Choices(chosen, not no_browser, self_service, visit_minutes, fps)
        run(settings, choices, click.echo)
        return
    from scanner.headless import Sale, scan_once

    sale = Sale(amount, redeem, receipt, fps)
    with _outcome_as_json(as_json) as said:
        scan_once(settings, sale, pin_of(settings), Console(), said)


@contextmanager
def _outcome_as_json(as_json: bool) -> Iterator[dict[str, Any]]:
    """Print what was filled in as the last line, also when it went no further."""
    said: dict[str, Any] = {
        "outcome": None,
        "card_id": None,
        "posting_id": None,
        "points": 0,
        "standing": None,
        "queued": False,
        "told": None,
        "alarms": [],
    }
    try:
        yield said
    except ScanError as error:
        from scanner.alarms import alarm_of
        from scanner.page.telling import told_of_error

        if isinstance(error, CardRefused):
            said |= {"outcome": error.outcome, "card_id": error.card_id}
        said |= {"message": str(error), "told": told_of_error(error)}
        if (alarm := alarm_of(error)) is not None:
            said["alarms"].append({"alarm": alarm, "message": str(error)})
        raise
    finally:
        if as_json:
            click.echo(json.dumps(said))


def pin_of(settings: Settings) -> str:
    """Return the cashier's PIN from the environment, or ask where there is a keyboard."""
    if settings.cashier is None:
        raise ConfigError("Who is at the till? Give --cashier NAME.")
    if settings.pin is not None:
        return settings.pin
    if not sys.stdin.isatty():
        raise ConfigError("There is no PIN: set COUNTERFOIL_SCAN_PIN.")
    return str(click.prompt(f"PIN of {settings.cashier}", hide_input=True))


@cli.command()
@click.option("--service", help="Address of the service, https://...")
@click.option("--code", help="The code of the page Tills, or of: counterfoil till add")
@click.option("--camera", help="Without a code: read it from the page Tills by this camera.")
@click.pass_obj
def enrol(settings: Settings, service: str | None, code: str | None, camera: str | None) -> None:
    """Make this machine a till of the service.

    Without --code the QR code of the service's page Tills is held up to the camera.
    """
    from scanner.client import Patience
    from scanner.commands import enrol_till

    address = service or settings.service
    if code is None:
        from scanner.enrolling import wait_for_invitation

        click.echo("Hold the QR code of the page Tills up to the camera.", err=True)
        found = wait_for_invitation(
            camera or settings.camera, settings.decoder, lambda line: click.echo(line, err=True)
        )
        if service is not None and service.rstrip("/") != found.service:
            raise ConfigError(f"That code is of {found.service}, and not of {service}.")
        address, code = found.service, found.code
    if address is None:
        raise ConfigError("Which service? Give --service https://...")
    till = enrol_till(settings.data, address, code, Patience.of(settings.timeout_seconds))
    click.echo(f"Enrolled as {till.name}, {till.location}, for {till.programme.name}.")


@cli.command()
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
@click.pass_obj
def keys(settings: Settings, as_json: bool) -> None:
    """Fetch the public keys and the refused cards anew."""
    from scanner.client import Patience
    from scanner.commands import refresh_keys

    ring = refresh_keys(
        settings.data, load_till(settings.data), Patience.of(settings.timeout_seconds)
    )
    if as_json:
        said = {"keys": sorted(ring.keys), "refused_cards": len(ring.refused)}
        as_of = ring.refused_at.isoformat() if ring.refused_at else None
        click.echo(json.dumps(said | {"refused_at": as_of, "trouble": ring.trouble}))
    else:
        click.echo(f"Public keys: {len(ring.keys)}. Refused cards: {len(ring.refused)}.")
    if ring.trouble is not None:
        raise ScanError(ring.trouble)


@cli.command()
@click.option("--cashier", help="Signs in to finish what needs a cashier.")
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
@click.pass_obj
def send(settings: Settings, cashier: str | None, as_json: bool) -> None:
    """Send what waits on this till, oldest first."""
    _send(settings, cashier, as_json, since=None)


@cli.command()
@click.option("--since", required=True, help="'1 hour', '2 days', or an ISO time.")
@click.option("--cashier", help="Signs in to send again what needs a cashier.")
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
@click.pass_obj
def resend(settings: Settings, since: str, cashier: str | None, as_json: bool) -> None:
    """Send again what was sent already, as after a restore of the service. Doubles nothing."""
    _send(settings, cashier, as_json, since=since)


def _send(settings: Settings, cashier: str | None, as_json: bool, since: str | None) -> None:
    from scanner.alarms import Alarms
    from scanner.commands import send_kept

    pin = None
    if cashier is not None:
        settings = replace(settings, cashier=cashier)
        pin = pin_of(settings)
    raised: list[dict[str, str]] = []
    alarms = Alarms(lambda line: show.caution(Console(), line), raised)
    report, waiting = send_kept(settings, pin, since, alarms)
    show.report(Console(), report, waiting)
    if as_json:
        refused = [{"posting_id": posting.id, "reason": why} for posting, why in report.set_aside]
        said = {"sent": report.sent, "refused": refused, "waiting": waiting}
        click.echo(json.dumps(said | {"stopped": report.stopped, "alarms": raised}))
    if report.set_aside or report.stopped:
        sys.exit(1)


@cli.command()
@click.argument("posting_id", type=click.UUID)
@click.option("--cashier", help="Who takes it back; the PIN is in COUNTERFOIL_SCAN_PIN.")
@click.option("--reason", help="Why, in a few words.")
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
@click.pass_obj
def reverse(
    settings: Settings, posting_id: Any, cashier: str | None, reason: str | None, as_json: bool
) -> None:
    """Take a posting back."""
    from scanner.headless import reverse_once

    settings = replace(settings, cashier=cashier or settings.cashier)
    with _outcome_as_json(as_json) as said:
        reverse_once(settings, str(posting_id), reason, pin_of(settings), Console(), said)


@cli.command()
@click.argument("paths", nargs=-1, required=True, metavar="FILE-or-FOLDER...")
@click.option("--fps", type=click.FloatRange(1, 240), help="Frames a second of clips (30).")
@click.option("--decoder", type=click.Choice(DECODERS), help="What reads the codes.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON for each source.")
@click.pass_obj
def read(
    settings: Settings,
    paths: tuple[str, ...],
    fps: float | None,
    decoder: str | None,
    as_json: bool,
) -> None:
    """Read the codes in pictures and clips. Needs no enrolment.

    Where NAME.txt lies beside NAME.jpg it is the answer, and the reading is scored.
    """
    from scanner.commands import keys_if_any
    from scanner.decode import load_decoder
    from scanner.reading import Skipped, Tally, read_sources
    from scanner.sale import now_utc

    reads = read_sources(
        paths,
        fps=fps,
        decoder=load_decoder(decoder or settings.decoder),
        ring=keys_if_any(settings.data),
        now=now_utc(),
    )
    tally, found = Tally(), False
    for result in reads:
        if isinstance(result, Skipped):
            click.echo(f"Skipped {result.source}: {result.why}.", err=True)
            continue
        tally.add(result)
        found = True
        if as_json:
            click.echo(json.dumps(result.as_json(), ensure_ascii=False))
        elif not result.codes:
            click.echo(f"{result.source}: no code")
        else:
            for code in result.codes:
                text = show.plain(code.text)
                click.echo(f"{result.source}: {code.outcome} at {code.first_ms:.0f} ms: {text}")
    if str(tally):
        click.echo(str(tally), err=True)
    if not found:
        raise ConfigError(
            f"There is no picture and no clip in {', '.join(paths)}. Give files or folders with "
            ".jpg, .png, .mjpeg, .avi, .mp4 or .y4m in them."
        )


cli.add_command(queue)


def main() -> None:
    """Run the till; ends with the exit code of what happened."""
    try:
        cli(prog_name="counterfoil-scan")
    except ScanError as error:
        show.refused(Console(stderr=True), str(error))
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
