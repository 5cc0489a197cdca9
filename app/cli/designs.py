"""counterfoil design: what the owner gives the cards besides a name and colours."""

import io
import json
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards.service import card_by_id
from app.cli.common import enter_programme, json_option, open_context, print_json, programme_option
from app.cli.passes import built_passes
from app.cli.wallet_options import WALLET_NAMES, read_wallet_options, wallet_options
from app.demo.pass_check import CheckedPass
from app.demo.phone_picture import draw_pass
from app.errors import Invalid
from app.programmes import designs
from app.programmes.models import Location, ProgrammeDesign
from passes.artwork.upload import MAX_BYTES
from passes.card import CardKind
from passes.text import LANGUAGES, said

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_PICTURES = ("logo", "hero", "poster", "icon")
_REMOVABLE = (*_PICTURES, "links", "terms", *WALLET_NAMES)
#: A text of 4,000 characters, whatever its alphabet; larger files are not read.
_MOST_TERMS_BYTES = 64_000


@click.group()
def design() -> None:
    """How the cards look in the wallets."""


@design.command("show")
@json_option
@programme_option
def show(as_json: bool, slug: str | None) -> None:
    """Show what was given, and whether all passes have it yet."""
    context = open_context(make=False)
    with context.database.read_all() as session:
        programme = enter_programme(session, slug)
        facts = _facts(session, programme.id)
    if as_json:
        print_json(facts)
        return
    click.echo(f"Kind: {facts['kind']}")
    for name in _PICTURES:
        click.echo(f"{name.capitalize()}: {'given' if facts[name] else 'drawn'}")
    for label, url in facts["links"]:
        click.echo(f"Link: {label}: {url}")
    for place in facts["places"]:
        click.echo(f"Place: {place['location']}: {place['latitude']}, {place['longitude']}")
    for name, value in facts["wallet"].items():
        click.echo(f"{name}: {value if isinstance(value, str) else json.dumps(value)}")
    if facts["terms"]:
        click.echo(f"Terms: {facts['terms']}")
    if not facts["is_out"]:
        click.echo("It is on its way to the passes: the service marks them some at a time.")


@design.command("set")
@click.option("--kind", type=click.Choice([str(each) for each in CardKind]), help="What cards do.")
@click.option("--logo", type=_FILE, help="A picture of the brand: 660x660, or wide 1320x413.")
@click.option("--hero", type=_FILE, help="A photo across the card: 1920x800.")
@click.option("--poster", type=_FILE, help="A photo that fills the card (iOS 27): 1400x1750.")
@click.option("--icon", type=_FILE, help="The square that stands for the brand: 660x660.")
@click.option("--link", "links", multiple=True, metavar="LABEL=URL", help="All links, in order.")
@click.option("--terms", type=_FILE, help="A text file, for the back of the card.")
@click.option(
    "--place",
    "places",
    multiple=True,
    metavar="LOCATION=LAT,LON",
    help="Where a location is, in degrees: phones offer the card there. LOCATION= forgets it.",
)
@wallet_options
@click.option("--without", multiple=True, type=click.Choice(_REMOVABLE), help="Take it away.")
@programme_option
def set_(
    kind: str | None,
    logo: Path | None,
    hero: Path | None,
    poster: Path | None,
    icon: Path | None,
    links: tuple[str, ...],
    terms: Path | None,
    places: tuple[str, ...],
    without: tuple[str, ...],
    slug: str | None,
    **wallet: Any,
) -> None:
    """Change the design; every pass is brought up to date. What is not named stays as it is."""
    extras = read_wallet_options(wallet) | {
        WALLET_NAMES[name]: None for name in without if name in WALLET_NAMES
    }
    changes: dict[str, Any] = dict.fromkeys(name for name in without if name not in WALLET_NAMES)
    given: dict[str, Any] = {"kind": kind, "links": [_link(each) for each in links] or None}
    for name, file in {"logo": logo, "hero": hero, "poster": poster, "icon": icon}.items():
        given[name] = None if file is None else _read(file, MAX_BYTES)
    given["terms"] = None if terms is None else _text(terms)
    given = {name: value for name, value in given.items() if value is not None}
    if both := given.keys() & changes.keys():
        raise click.UsageError(f"Give {min(both)} or take it away, not both.")
    changes |= given
    located = dict(_place(each) for each in places)
    if not changes and not located and not extras:
        raise click.UsageError("Say what is to change: see counterfoil design set --help")
    context = open_context(make=False)
    if extras.get("nfc_key") and not context.config.apple_nfc:
        raise Invalid(
            "Phones refuse passes with NFC until Apple has granted your pass type the entitlement. "
            "Once it has, set COUNTERFOIL_APPLE_NFC=yes for the service and for this command."
        )
    # Pictures take a moment: nobody at a counter waits for them.
    read = designs.read_changes(changes)
    with context.database.write_all() as session:
        programme = enter_programme(session, slug)
        designs.change(
            session,
            programme.id,
            read,
            places=located,
            extras=extras,
            now=context.clock(),
        )
    click.echo("Saved. While the service runs, it brings every pass up to date.")


@design.command("preview")
@click.argument("card_id", metavar="CARD")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The PNG to write.",
)
@click.option("--language", type=click.Choice(LANGUAGES), help="The phone's; else the holder's.")
@programme_option
def preview(card_id: str, out: Path, language: str | None, slug: str | None) -> None:
    """Draw a phone with the pass of CARD open on it."""
    context = open_context(make=False)
    [made] = built_passes(context, [card_id], slug)
    if language is None:
        with context.database.read_all() as session:
            enter_programme(session, slug)
            language = card_by_id(session, card_id).language
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    checked = CheckedPass(made, files, json.loads(files["pass.json"]))
    out.write_bytes(draw_pass(checked, language))
    click.echo(f"{out} shows the card.")


def _facts(session: Session, programme_id: str) -> dict[str, Any]:
    found = designs.current(session, programme_id)
    row = session.execute(
        select(
            ProgrammeDesign.version,
            ProgrammeDesign.spread_version,
            ProgrammeDesign.changed_at,
            ProgrammeDesign.extras,
        ).where(ProgrammeDesign.programme_id == programme_id)
    ).first()
    changed_at: datetime | None = None if row is None else row.changed_at
    return {
        "kind": str(found.kind),
        "logo": found.logo is not None,
        "hero": found.hero is not None,
        "poster": found.poster is not None,
        "icon": found.icon is not None,
        "links": [[said(link.label, LANGUAGES[0]), link.url] for link in found.links],
        "places": [_degrees(each) for each in designs.places_of(session, programme_id)],
        "terms": found.terms and said(found.terms, LANGUAGES[0]),
        "wallet": {} if row is None else row.extras,
        "changed_at": changed_at,
        "is_out": row is None or row.version == row.spread_version,
    }


def _degrees(place: Location) -> dict[str, Any]:
    return {
        "location": place.slug,
        "latitude": (place.latitude_micro or 0) / designs.MICRO,
        "longitude": (place.longitude_micro or 0) / designs.MICRO,
    }


def _link(text: str) -> tuple[str, str]:
    label, mark, url = text.partition("=")
    if not mark:
        raise Invalid(f"Write --link LABEL=URL, not {text[:60]!r}.")
    return label, url


def _place(text: str) -> tuple[str, tuple[float, float] | None]:
    slug, mark, degrees = text.partition("=")
    if mark and not degrees:
        return slug, None
    try:
        latitude, longitude = (float(each) for each in degrees.split(","))
    except ValueError:
        raise Invalid(f"Write --place old-town=56.9496,24.1052, not {text[:60]!r}.") from None
    return slug, (latitude, longitude)


def _read(file: Path, most_bytes: int) -> bytes:
    """What is in *file*, and one byte more than may be where it is larger: that is refused."""
    with file.open("rb") as opened:
        return opened.read(most_bytes + 1)


def _text(file: Path) -> str:
    try:
        return _read(file, _MOST_TERMS_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(f"{file} is not text in UTF-8: save it as that.") from None


COMMANDS = [design]
