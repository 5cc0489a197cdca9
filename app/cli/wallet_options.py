"""The options of `counterfoil design set` for what phones do with a card besides showing it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from app.errors import Invalid
from app.programmes.wallet_extras import FORMATS
from passes.extras import ActionKind

Command = TypeVar("Command", bound=Callable[..., Any])

#: What `--without` takes away, and what that is called where it is kept.
WALLET_NAMES = {
    "beacons": "beacons",
    "buttons": "actions",
    "app": "app_store_ids",
    "app-url": "app_url",
    "times": "times",
    "codes": "codes",
    "nfc": "nfc_key",
    "valid-until": "valid_until",
}
_BEACON = re.compile(r"([0-9A-Fa-f-]{36})(?:,([0-9]{1,5}),([0-9]{1,5}))?(?:=(.+))?", re.ASCII)

_OPTIONS = (
    click.option(
        "--button",
        "buttons",
        multiple=True,
        metavar="KIND=URL",
        help=f"Buttons below the card (iOS 27), two at most: {', '.join(ActionKind)}.",
    ),
    click.option(
        "--beacon",
        "beacons",
        multiple=True,
        metavar="UUID[,MAJOR,MINOR][=TEXT]",
        help="Beside which Bluetooth beacons phones offer the card, and what they say then.",
    ),
    click.option(
        "--time",
        "times",
        multiple=True,
        metavar="FROM[/UNTIL]",
        help="When phones offer the card: 2026-12-24T09:00+02:00/2026-12-24T18:00+02:00.",
    ),
    click.option("--app", "app_ids", multiple=True, type=int, help="Your app's App Store number."),
    click.option("--app-url", help="What that app opens for the card."),
    click.option(
        "--also-code",
        "codes",
        multiple=True,
        type=click.Choice([str(each) for each in FORMATS]),
        help="Another form of the code, for tills that read no QR (iOS 27 shows it first).",
    ),
    click.option("--sharing/--no-sharing", default=None, help="May a card be sent to friends?"),
    click.option("--valid-until", metavar="DAY", help="The last day on which the cards work."),
    click.option(
        "--nfc-key",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="The NFC reader's public key (P-256). Needs Apple's entitlement.",
    ),
    click.option("--nfc-authentication", is_flag=True, help="NFC asks for Face ID or the code."),
)


def wallet_options(command: Command) -> Command:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read_wallet_options(given: dict[str, Any]) -> dict[str, Any]:
    """What was given, by the names of `programmes.wallet_extras`."""
    key: Path | None = given["nfc_key"]
    found = {
        "actions": [_pair(each) for each in given["buttons"]] or None,
        "beacons": [_beacon(each) for each in given["beacons"]] or None,
        "times": [_time(each) for each in given["times"]] or None,
        "app_store_ids": list(given["app_ids"]) or None,
        "app_url": given["app_url"],
        "codes": list(given["codes"]) or None,
        "no_sharing": None if given["sharing"] is None else not given["sharing"],
        "valid_until": given["valid_until"],
        "nfc_key": None if key is None else key.read_text("ascii", "replace")[:2000],
        "nfc_authentication": given["nfc_authentication"] or None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _pair(text: str) -> tuple[str, str]:
    kind, mark, url = text.partition("=")
    if not mark:
        raise Invalid(f"Write --button call=tel:+37120000000, not {text[:60]!r}.")
    return kind, url


def _beacon(text: str) -> dict[str, Any]:
    match = _BEACON.fullmatch(text)
    if match is None:
        raise Invalid(f"Write --beacon UUID or UUID,MAJOR,MINOR=TEXT, not {text[:60]!r}.")
    uuid, major, minor, said = match.groups()
    found: dict[str, Any] = {"uuid": uuid}
    if major is not None:
        found |= {"major": int(major), "minor": int(minor)}
    return found | ({"text": said} if said else {})


def _time(text: str) -> tuple[str, str | None]:
    start, mark, end = text.partition("/")
    return start, end if mark else None
