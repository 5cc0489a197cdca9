"""counterfoil pass: look into a .pkpass file."""

import os
import sys
from pathlib import Path

import click
from cryptography import x509

from app.certs.apple_root import apple_root
from app.certs.files import read_certificates, trusted_roots
from app.cli.common import json_option, print_json
from app.clock import system_clock
from app.config import from_environment
from app.errors import Invalid
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
    help="Trusted root certificate (PEM); by default Apple's and the one of this installation.",
)
@json_option
def inspect(file: Path, roots: tuple[Path, ...], as_json: bool) -> None:
    """Name what would make a phone refuse FILE, and the cure. Exit code 1 on an error."""
    if file.stat().st_size > LARGEST:
        raise Invalid(f"{file} is larger than any pass may be.")
    findings = inspect_pass(file.read_bytes(), now=system_clock(), roots=_roots(roots))
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


def _roots(files: tuple[Path, ...]) -> list[x509.Certificate]:
    if files:
        return [certificate for file in files for certificate in read_certificates(file)]
    config = from_environment(os.environ)
    return list(dict.fromkeys([*trusted_roots(config), apple_root()]))


COMMANDS = [pass_]
