"""counterfoil pass: look into a .pkpass file, and put several into one."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from cryptography import x509

from app.cards.service import card_by_id
from app.certs.apple_root import apple_root
from app.certs.files import read_certificates, trusted_roots
from app.cli.common import (
    enter_programme,
    json_option,
    open_context,
    print_json,
    programme_option,
)
from app.clock import system_clock
from app.config import from_environment
from app.context import Context
from app.delivery.wallets import Wallets
from app.errors import Invalid
from passes.apple import pkpasses
from passes.apple.preflight import inspect as inspect_pass

#: As large as a .pkpasses may be, and a little more, so that it is inspected and not only refused.
LARGEST = 160_000_000


@click.group("pass")
def pass_() -> None:
    """Passes as files."""


@pass_.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--root",
    "roots",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Trusted root (PEM or DER); by default Apple's and the one of this installation.",
)
@click.option(
    "--previous",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An earlier file of the same pass: what must never change is compared.",
)
@click.option("--nfc", is_flag=True, help="Apple granted this pass type the NFC entitlement.")
@json_option
def inspect(
    file: Path, roots: tuple[Path, ...], previous: Path | None, nfc: bool, as_json: bool
) -> None:
    """Name what would make a phone refuse FILE, and the cure. Exit code 1 on an error."""
    for each in (file, previous):
        if each is not None and each.stat().st_size > LARGEST:
            raise Invalid(f"{each} is larger than any pass may be.")
    findings = inspect_pass(
        file.read_bytes(),
        now=system_clock(),
        roots=_roots(roots),
        previous=None if previous is None else previous.read_bytes(),
        nfc_entitled=nfc,
    )
    if as_json:
        print_json(
            {
                "file": str(file),
                "findings": [
                    {
                        "code": finding.code,
                        "severity": finding.severity,
                        "where": finding.where,
                        "message": finding.message,
                        "cure": finding.cure,
                    }
                    for finding in findings
                ],
            }
        )
    else:
        for finding in findings:
            click.echo(f"{finding.severity}: {finding.where}: {finding.message} {finding.cure}")
        if not findings:
            click.echo(f"{file}: a phone takes this pass.")
    sys.exit(any(finding.severity == "error" for finding in findings))


@pass_.command()
@click.argument("card_ids", metavar="CARD...", nargs=-1, required=True)
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The .pkpasses to write; it is for its holders alone.",
)
@programme_option
def bundle(card_ids: tuple[str, ...], out: Path, slug: str | None) -> None:
    """Put the passes of a family's CARDs (at most 10) into one file, added with one tap.

    A card that is named twice is in it once.
    """
    wanted = list(dict.fromkeys(card_ids))
    if len(wanted) > pkpasses.MAX_PASSES:
        raise Invalid(f"One file holds at most {pkpasses.MAX_PASSES} passes: make several files.")
    context = open_context(make=False)
    made = pkpasses.write(built_passes(context, wanted, slug))
    with open(out, "wb", opener=_for_us_alone) as file:
        file.write(made)
    if len(wanted) < len(card_ids):
        click.echo("Cards that were named more than once are in it once.", err=True)
    passes = "1 pass is" if len(wanted) == 1 else f"{len(wanted)} passes are"
    click.echo(f"{passes} in {out}.")


def built_passes(context: Context, card_ids: Sequence[str], slug: str | None) -> list[bytes]:
    """The signed passes of these cards. Raises `NotFound`, `Unavailable`."""
    apple = Wallets(context).apple
    with context.database.read_all() as session:
        enter_programme(session, slug)
        cards = [card_by_id(session, each) for each in card_ids]
        return [apple.build(session, each, now=context.clock()) for each in cards]


def _for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _roots(files: tuple[Path, ...]) -> list[x509.Certificate]:
    if files:
        return [certificate for file in files for certificate in read_certificates(file)]
    config = from_environment(os.environ)
    return list(dict.fromkeys([*trusted_roots(config), apple_root()]))


COMMANDS = [pass_]
