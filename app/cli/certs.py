"""counterfoil certs: certificates and accounts of Apple and Google."""

import re
import sys
from datetime import datetime
from pathlib import Path

import click

from app.certs import check as check_certs
from app.certs import install as install_files
from app.certs import inventory, is_locked, make_dev_chain, pending, request, whole_days_left
from app.cli.common import json_option, open_context, print_json
from app.errors import Invalid, Misconfigured
from passes.apple.signature import CertificateStatus

#: As Apple forms them; the certificate's name has room for 64 letters.
_PASS_TYPE = re.compile(r"pass\.[A-Za-z0-9.-]{1,45}", re.ASCII)
_TEAM = re.compile(r"[A-Z0-9]{10}", re.ASCII)
_LONGEST_PASSWORD = 1000


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


@certs.command("request")
@click.option("--ec", is_flag=True, help="A P-256 key; RSA of 2048 bits if left out.")
@click.option("--name", default="Counterfoil", show_default=True, help="Stands in the request.")
@click.option("--another", is_flag=True, help="Although a request waits for its answer.")
def make_request(ec: bool, name: str, another: bool) -> None:
    """Make a key and the signing request that Apple wants for a pass certificate.

    The key goes into the key ring beside the one in use, which stays; only the request is to be
    uploaded. Apple's answer is installed with: counterfoil certs install pass.cer
    """
    context = open_context(migrated=False)
    made = request(context.config, context.keys, name=name, elliptic=ec, another=another)
    if not made.is_new:
        click.echo("This request waits for its answer; --another makes a further one.", err=True)
    click.echo(made.path)
    click.echo(
        "Upload it at developer.apple.com (Identifiers, your Pass Type ID, Create Certificate), "
        "then: counterfoil certs install pass.cer --intermediate AppleWWDRCAG4.cer",
        err=True,
    )


@certs.command("install")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--password-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--intermediate",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Apple's Worldwide Developer Relations certificate, if it is in none of the FILES.",
)
def install(files: tuple[Path, ...], password_file: Path | None, intermediate: Path | None) -> None:
    """Install what Apple and Google gave you: certificates, keys, .p12, the account's .json.

    In any order, all at once or one after the other; a running service takes them up by itself.
    The password of a file that has one is asked for.
    """
    context = open_context(migrated=False)
    for line in install_files(
        context.config,
        context.keys,
        files,
        password=_password(files, password_file),
        intermediate=intermediate,
        now=context.clock(),
    ):
        click.echo(line)


def _password(files: tuple[Path, ...], password_file: Path | None) -> bytes | None:
    if password_file is not None:
        password = password_file.read_bytes().strip()
        if len(password) > _LONGEST_PASSWORD:
            raise Invalid(f"{password_file} does not hold a password.")
        return password
    locked = [path.name for path in files if is_locked(path)]
    if not locked:
        return None
    typed: str = click.prompt(f"Password of {', '.join(locked)}", hide_input=True, err=True)
    if len(typed) > _LONGEST_PASSWORD:
        raise Invalid("That is no password.")
    return typed.encode()


@certs.command("list")
@json_option
def list_certificates(as_json: bool) -> None:
    """List the certificates with the days that are left, and requests without an answer."""
    context = open_context(migrated=False)
    now = context.clock()
    rows = [
        {
            "file": str(path),
            "subject": status.name,
            "not_after": status.not_after,
            "days_left": whole_days_left(status, now),
        }
        for path, status in inventory(context.config)
    ]
    waiting = [str(each.path) for each in pending(context.config, context.keys)]
    if as_json:
        print_json({"certificates": rows, "requests": waiting})
        return
    for path, status in inventory(context.config):
        click.echo(f"{path}: {_valid(status, now)}")
    for name in waiting:
        click.echo(f"{name}: waits for Apple's answer")
    if not rows and not waiting:
        click.echo("There is no certificate. Begin with: counterfoil certs request")


def _valid(status: CertificateStatus, now: datetime) -> str:
    days = whole_days_left(status, now)
    left = "expired" if days < 0 else f"{days} {'day' if days == 1 else 'days'} left"
    return f"{status.name}, valid until {status.not_after:%Y-%m-%d} ({left})"


@certs.command()
@json_option
def check(as_json: bool) -> None:
    """Check every certificate: its key, its issuer, its dates. Exit code 1 on an error."""
    context = open_context(migrated=False)
    now = context.clock()
    findings = check_certs(context.config, context.keys, now=now)
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
            click.echo(f"{path}: {_valid(status, now)}")
    except Misconfigured:
        pass  # A broken file is among the findings, with its cure.
    for finding in findings:
        click.echo(f"{finding.severity}: {finding.message} {finding.cure}")
    if not findings:
        click.echo("Everything is in order.")
    sys.exit(failed)


COMMANDS = [certs]
