"""counterfoil certs: certificates and accounts of Apple and Google."""

import re
import sys
from pathlib import Path

import click

from app.certs import check as check_certs
from app.certs import install as install_files
from app.certs import inventory, make_dev_chain
from app.cli.common import json_option, open_context, print_json
from app.errors import Invalid, Misconfigured

#: As Apple forms them; the certificate's name has room for 64 letters.
_PASS_TYPE = re.compile(r"pass\.[A-Za-z0-9.-]{1,45}", re.ASCII)
_TEAM = re.compile(r"[A-Z0-9]{10}", re.ASCII)


@click.group()
def certs() -> None:
    """Certificates and accounts of Apple and Google; certs.example/ explains the real ones."""


@certs.command()
@click.option("--pass-type", default="pass.dev.counterfoil", show_default=True)
@click.option("--team", default="DEVTEAM001", show_default=True)
@click.option(
    "--google-token-uri",
    help="Where the Google account asks for tokens; Google's own address if left out.",
)
def dev(pass_type: str, team: str, google_token_uri: str | None) -> None:
    """Make a chain for development: root, intermediate, pass certificate, a Google account.

    No real phone takes such passes; everything else works with them.
    """
    if not _PASS_TYPE.fullmatch(pass_type):
        raise click.BadParameter("write one such as pass.dev.counterfoil", param_hint="--pass-type")
    if not _TEAM.fullmatch(team):
        raise click.BadParameter("write ten capital letters and digits", param_hint="--team")
    context = open_context(migrated=False)
    extra = {"google_token_uri": google_token_uri} if google_token_uri else {}
    make_dev_chain(
        context.config,
        context.keys,
        pass_type_identifier=pass_type,
        team_identifier=team,
        now=context.clock(),
        **extra,
    )
    click.echo(f"Made for development, in {context.config.certs_dir}.")


@certs.command("install")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--password-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def install(files: tuple[Path, ...], password_file: Path | None) -> None:
    """Install what Apple and Google gave you: certificates, keys, .p12, the account's .json.

    In any order, all at once or one after the other; a running service takes them up by itself.
    """
    context = open_context(migrated=False)
    password = password_file.read_bytes().strip() if password_file else None
    if password is not None and len(password) > 1000:
        raise Invalid(f"{password_file} does not hold a password.")
    for line in install_files(
        context.config, context.keys, files, password=password, now=context.clock()
    ):
        click.echo(line)


@certs.command()
@json_option
def check(as_json: bool) -> None:
    """Check every certificate: its key, its issuer, its dates. Exit code 1 on an error."""
    context = open_context(migrated=False)
    findings = check_certs(context.config, context.keys, now=context.clock())
    failed = any(finding.severity == "error" for finding in findings)
    if as_json:
        print_json(
            [
                {
                    "file": str(finding.file),
                    "subject": finding.subject,
                    "not_after": finding.not_after,
                    "severity": finding.severity,
                    "message": finding.message,
                    "cure": finding.cure,
                }
                for finding in findings
            ]
        )
        sys.exit(failed)
    try:
        for path, status in inventory(context.config):
            click.echo(f"{path}: {status.name}, valid until {status.not_after:%Y-%m-%d}")
    except Misconfigured:
        pass  # A broken file is among the findings, with its cure.
    for finding in findings:
        click.echo(f"{finding.severity}: {finding.message} {finding.cure}")
    if not findings:
        click.echo("Everything is in order.")
    sys.exit(failed)


COMMANDS = [certs]
