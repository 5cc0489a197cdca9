"""Says what is wrong with the certificates, before a phone says nothing and refuses."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from cryptography import x509

from app.certs.files import (
    PASS,
    ROOT,
    WWDR,
    is_development,
    key_of,
    read_certificates,
    trusted_roots,
)
from app.certs.load import google_issuer, load_google_account
from app.certs.notices import THRESHOLDS, say_end
from app.config import Config
from app.errors import Misconfigured
from app.keys import KeyRing, Purpose
from passes.apple.signature import CertificateStatus, describe, issued_by

Severity = Literal["error", "warning"]
#: This long before a certificate expires, the owner is told.
NOTICE = timedelta(days=max(THRESHOLDS))

_INSTALL = "counterfoil certs install FILES"
_RENEW = f"Get a new one (docs/go-live-apple.md) and install it with: {_INSTALL}"
_GET_WWDR = f"Download the WWDR G4 certificate from Apple and install it with: {_INSTALL}"


@dataclass(frozen=True, slots=True)
class CertFinding:
    """One thing that is wrong, or soon will be. *not_after* is aware, in UTC."""

    file: Path
    subject: str | None
    not_after: datetime | None
    severity: Severity
    message: str
    cure: str


def ends_at(issuers: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]) -> bool:
    """Whether one of the roots issued one of the intermediates *issuers*."""
    return any(issued_by(each, root) for each in issuers for root in roots)


def inventory(config: Config) -> list[tuple[Path, CertificateStatus]]:
    """Every installed certificate with its file. Raises `Misconfigured` for a broken file."""
    paths = (config.certs_dir / name for name in (PASS, WWDR, ROOT))
    return [(path, describe(each)) for path in paths for each in read_certificates(path)]


def check(config: Config, keyring: KeyRing, *, now: datetime) -> list[CertFinding]:
    """Everything wrong with the installed certificates and accounts; empty where all is well."""
    return [*_check_apple(config, keyring, now), *_check_google(config, keyring)]


def _check_apple(config: Config, keyring: KeyRing, now: datetime) -> Iterator[CertFinding]:
    found: dict[str, list[x509.Certificate]] = {}
    for name in (PASS, WWDR, ROOT):
        path = config.certs_dir / name
        try:
            found[name] = read_certificates(path)
        except Misconfigured as error:
            yield CertFinding(path, None, None, "error", error.message, f"Replace it: {_INSTALL}")
            return
    if not found[PASS]:
        yield _no_pass_certificate(config, keyring)
        return
    # An intermediate of the certificate before this one may still stand in the file.
    in_use = [each for each in found[WWDR] if issued_by(found[PASS][0], each)]
    for name, certificates in ((PASS, found[PASS][:1]), (WWDR, in_use), (ROOT, found[ROOT])):
        for each in certificates:
            yield from _check_dates(config.certs_dir / name, each, now)
    yield from _check_chain(config, found)
    yield from _check_key(config, keyring, found[PASS][0])


def _no_pass_certificate(config: Config, keyring: KeyRing) -> CertFinding:
    path = config.certs_dir / PASS
    expected = any(info.purpose == Purpose.APPLE_PASS for info in keyring.list())
    return CertFinding(
        path,
        None,
        None,
        "error" if expected else "warning",
        f"{path} is missing: passes for Apple Wallet cannot be made.",
        f"Install Apple's certificate ({_INSTALL}), or make one for trying out: "
        "counterfoil certs dev",
    )


def _check_dates(path: Path, certificate: x509.Certificate, now: datetime) -> Iterator[CertFinding]:
    status = describe(certificate)
    problem, severity = status.problem(now), "error"
    if problem is None and status.left(now) <= NOTICE:
        problem = say_end(status, now)
        severity = "warning"
    if problem is not None:
        yield CertFinding(
            path,
            status.name,
            status.not_after,
            "warning" if severity == "warning" else "error",
            f"{path}: {problem}",
            _GET_WWDR if path.name == WWDR else _RENEW,
        )


def _check_chain(config: Config, found: dict[str, list[x509.Certificate]]) -> Iterator[CertFinding]:
    certificate = found[PASS][0]
    status = describe(certificate)
    path = config.certs_dir / PASS

    def finding(severity: Severity, message: str, cure: str) -> CertFinding:
        return CertFinding(path, status.name, status.not_after, severity, message, cure)

    if not status.pass_type_identifier or not status.team_identifier:
        yield finding(
            "error",
            f'{path} holds "{status.name}", which names no pass type (UID) and team (OU).',
            f'Install the certificate that Apple calls "Pass Type ID": {_INSTALL}',
        )
    wwdr = config.certs_dir / WWDR
    issuers = [each for each in found[WWDR] if issued_by(certificate, each)]
    if not found[WWDR]:
        message = f"{wwdr} is missing: phones refuse passes without it."
        yield CertFinding(wwdr, None, None, "error", message, _GET_WWDR)
    elif not issuers:
        message = f'{path} was issued by "{status.issuer}", which is not in {wwdr}.'
        yield finding("error", message, _GET_WWDR)
    elif not ends_at(issuers, trusted_roots(config)):
        root = f"the certificate in {config.certs_dir / ROOT}" if found[ROOT] else "Apple's root"
        message = f"{wwdr} was not issued by {root}: every pass would be refused."
        yield finding("error", message, _GET_WWDR)
    if is_development(certificate) and not config.on_loopback:
        yield finding(
            "warning",
            f"{path} was made by counterfoil certs dev: no real phone takes its passes.",
            f"Install Apple's certificate (docs/go-live-apple.md): {_INSTALL}",
        )


def _check_key(
    config: Config, keyring: KeyRing, certificate: x509.Certificate
) -> Iterator[CertFinding]:
    try:
        problem = None if key_of(certificate, keyring) else "is not in the key ring"
    except Misconfigured as error:
        problem = f"cannot be opened: {error.message}"
    if problem:
        path, status = config.certs_dir / PASS, describe(certificate)
        yield CertFinding(
            path,
            status.name,
            status.not_after,
            "error",
            f"The private key of {path} {problem}.",
            f"Install the key that the certificate was requested with: {_INSTALL}",
        )


def _check_google(config: Config, keyring: KeyRing) -> Iterator[CertFinding]:
    expected = config.google_issuer_id is not None
    try:
        account = load_google_account(keyring)
    except Misconfigured as error:
        cure = "Install the account's JSON file again: counterfoil certs install FILE"
        yield CertFinding(keyring.folder, None, None, "error", error.message, cure)
        return
    if account is None and expected:
        yield CertFinding(
            keyring.folder,
            None,
            None,
            "error",
            f"There is no google_service key in {keyring.folder}: "
            "passes for Google Wallet cannot be made.",
            "Install the service account's JSON file (docs/go-live-google.md): "
            "counterfoil certs install FILE",
        )
    if account is not None and google_issuer(config, account) is None:
        yield CertFinding(
            keyring.folder,
            account["client_email"],
            None,
            "warning",
            "COUNTERFOIL_GOOGLE_ISSUER_ID is not set: passes for Google Wallet cannot be made.",
            "Set it to the issuer id that the Google Pay and Wallet console shows.",
        )
