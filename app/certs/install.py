"""Takes in the files that Apple and Google hand out, whatever form they come in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from app.certs.apple_root import apple_root
from app.certs.check import ends_at
from app.certs.dev import write_google_public_key
from app.certs.files import (
    LARGEST_FILE,
    PASS,
    ROOT,
    WWDR,
    PrivateKey,
    find_key,
    installed_pass,
    is_development,
    key_of,
    read_certificates,
    store_private_key,
    trusted_roots,
    write_certificates,
)
from app.certs.load import read_google_account
from app.certs.request import forget_answered
from app.config import Config
from app.errors import Conflict, Invalid
from app.keys import KeyRing, Purpose
from passes.apple.signature import PassSigner, describe, issued_by
from passes.errors import CertificateError


@dataclass(slots=True)
class _Found:
    """What was in the files."""

    certificates: list[x509.Certificate] = field(default_factory=list)
    keys: list[PrivateKey] = field(default_factory=list)
    account: tuple[bytes, str, rsa.RSAPrivateKey] | None = None


def install(
    config: Config,
    keyring: KeyRing,
    files: Sequence[Path],
    *,
    password: bytes | None = None,
    intermediate: Path | None = None,
    now: datetime,
) -> list[str]:
    """Install what is in *files*, in any order; one sentence for each thing done.

    Takes certificates (PEM or DER: .pem, .crt, .cer), private keys (PEM), both in one (.p12, .pfx)
    and Google's service account (.json). *password* opens encrypted ones; *intermediate* is a file
    with Apple's own certificate that issued the pass certificate, where it is in none of the
    others. Everything is checked before anything is written; a running service takes it up by
    itself. Raises `Invalid` or `Conflict`, saying which file and why.
    """
    found = _Found()
    for path in files:
        _sort_out(_read(path), path, password, found)
    if intermediate is not None:
        _add_intermediate(intermediate, found)
    done: list[str] = []
    if found.certificates or found.keys:
        done += _install_apple(config, keyring, found, now)
    if found.account is not None:
        material, email, key = found.account
        keyring.create(Purpose.GOOGLE_SERVICE, material=material, name=email)
        write_google_public_key(config, key)
        done.append(f"Installed the Google service account {email}.")
    return done


def is_locked(path: Path) -> bool:
    """Whether the file asks for a password. Raises `Invalid` where it cannot be read."""
    data = _read(path)
    if b"-----BEGIN" in data:
        return b"PRIVATE KEY-----" in data and b"ENCRYPTED" in data
    try:
        x509.load_der_x509_certificate(data)
    except ValueError:
        return data[:1] == b"\x30" and _open_bundle(data, None) is None
    return False


def _open_bundle(data: bytes, password: bytes | None) -> pkcs12.PKCS12KeyAndCertificates | None:
    """A .p12 file, opened; None where it is none, or has another password."""
    # Written without a password it has none, or an empty one: that differs.
    for each in [password] if password else [None, b""]:
        try:
            return pkcs12.load_pkcs12(data, each)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
    return None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise Invalid(f"The file {path} cannot be read: {error.strerror}.") from error
    if len(data) > LARGEST_FILE:
        raise Invalid(f"The file {path} is too large to be a certificate.")
    return data


def _sort_out(data: bytes, path: Path, password: bytes | None, found: _Found) -> None:
    """Add what is in one file to *found*."""
    if data.lstrip()[:1] == b"{":
        account, key = read_google_account(data, f"The file {path}")
        found.account = (data, account["client_email"], key)
        return
    try:
        if b"-----BEGIN" in data:
            if b"BEGIN CERTIFICATE-----" in data:
                found.certificates += x509.load_pem_x509_certificates(data)
            if b"PRIVATE KEY-----" in data:
                encrypted = b"ENCRYPTED" in data
                _add_key(
                    serialization.load_pem_private_key(data, password if encrypted else None),
                    path,
                    found,
                )
            return
        try:
            found.certificates.append(x509.load_der_x509_certificate(data))
        except ValueError:
            bundle = _open_bundle(data, password)
            if bundle is None:
                raise
            chain = [bundle.cert, *bundle.additional_certs]
            found.certificates += [each.certificate for each in chain if each is not None]
            if bundle.key is not None:
                _add_key(bundle.key, path, found)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Invalid(
            f"The file {path} cannot be opened: it is neither a certificate nor a key, or its "
            "password is another one."
        ) from error


def _add_key(key: object, path: Path, found: _Found) -> None:
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise Invalid(
            f"The key in {path} is neither RSA nor EC: Apple issued no certificate to it."
        )
    found.keys.append(key)


def _add_intermediate(path: Path, found: _Found) -> None:
    given = _Found()
    _sort_out(_read(path), path, None, given)
    if not given.certificates:
        raise Invalid(f"The file {path} does not hold a certificate.")
    pass_types = [each for each in given.certificates if _is_for_passes(each)]
    if pass_types:
        raise Invalid(
            f'The file {path} holds "{describe(pass_types[0]).name}", which is no intermediate: '
            "give the one that Apple calls Worldwide Developer Relations."
        )
    found.certificates += given.certificates


def _install_apple(config: Config, keyring: KeyRing, found: _Found, now: datetime) -> list[str]:
    leaves = [each for each in found.certificates if _is_for_passes(each)]
    roots = [each for each in found.certificates if each.subject == each.issuer]
    middle = [each for each in found.certificates if each not in leaves and each not in roots]
    before = installed_pass(config)
    leaf = _only_leaf(leaves, middle) or before
    if leaf is None:
        raise Invalid("There is no pass certificate in these files, and none installed before.")
    status = describe(leaf)
    given = [key for key in found.keys if key.public_key() == leaf.public_key()]
    key = given[0] if given else key_of(leaf, keyring)
    if key is None:
        raise Invalid(
            f'The private key of "{status.name}" is missing: give the key that the certificate '
            "was requested with, or the .p12 file that holds both."
        )
    known = [*middle, *read_certificates(config.certs_dir / WWDR)]
    issuers = _usable_issuers(leaf, middle, known, now)
    try:
        PassSigner(leaf, key, issuers).check(now)
    except CertificateError as error:
        raise Invalid(str(error)) from error
    _refuse_another_type(config, leaf)
    _refuse_strange_root(config, status.name, issuers, roots)
    # A service that looks in between finds a pair at every moment: the key before its
    # certificate, and the old certificate's issuer beside the new one's.
    if key_of(leaf, keyring) is None:
        store_private_key(keyring, key, status.pass_type_identifier or status.name)
    kept = [each for each in _issuers(before, known) if each not in issuers] if before else []
    write_certificates(config.certs_dir / WWDR, issuers + kept)
    write_certificates(config.certs_dir / PASS, [leaf])
    _install_root(config, issuers, roots)
    in_ring = find_key(leaf, keyring)
    if in_ring is not None:
        forget_answered(config, in_ring[0])
    done = [f'Installed "{status.name}", valid until {status.not_after:%Y-%m-%d}.']
    if before is not None and not is_development(before):
        ended = describe(before).not_after
        if ended > status.not_after:
            done.append(
                f"The certificate before it was valid for longer, until {ended:%Y-%m-%d}: if this "
                "is an older file, install the newer one again."
            )
    return done


def _is_for_passes(certificate: x509.Certificate) -> bool:
    """Whether it is what Apple calls a Pass Type ID certificate: its UID is a pass type."""
    return (describe(certificate).pass_type_identifier or "").startswith("pass.")


def _only_leaf(
    leaves: list[x509.Certificate], middle: list[x509.Certificate]
) -> x509.Certificate | None:
    """The pass certificate among what was given; raises where there is another one instead."""
    if len(leaves) > 1:
        raise Invalid("There is more than one pass certificate in these files: give the newest.")
    if leaves:
        return leaves[0]
    for each in middle:
        # Apple's other certificates have a UID too: an app's, or the developer's own.
        if describe(each).pass_type_identifier or not _may_issue(each):
            raise Invalid(
                f'"{describe(each).name}" is not a Pass Type ID certificate: its subject names no '
                "pass type (a UID that begins with pass.). Create the certificate under "
                "Identifiers, Pass Type IDs, and install that one."
            )
    return None


def _may_issue(certificate: x509.Certificate) -> bool:
    try:
        found = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except (x509.ExtensionNotFound, ValueError):
        return True  # It does not say: whether it issued ours is seen by its signature.
    return found.value.ca


def _usable_issuers(
    leaf: x509.Certificate,
    given: list[x509.Certificate],
    known: list[x509.Certificate],
    now: datetime,
) -> list[x509.Certificate]:
    """The intermediates that issued *leaf* and are in date. Raises `Invalid` naming the wrong one.

    Apple renews an intermediate under the same name and key: the one that ended is left out.
    """
    issuers = _issuers(leaf, known)
    usable = [each for each in issuers if describe(each).problem(now) is None]
    if issuers and not usable:
        problem = describe(issuers[0]).problem(now) or ""
        raise Invalid(
            f"{problem.replace('The certificate', 'The intermediate', 1)} Download the present one "
            "(apple.com/certificateauthority) and give it with --intermediate."
        )
    wrong = [each for each in given if describe(each).name != describe(leaf).issuer]
    if not issuers and wrong:
        raise Invalid(
            f'The intermediate "{describe(wrong[0]).name}" did not issue "{describe(leaf).name}": '
            f'that was "{describe(leaf).issuer}". Download it (apple.com/certificateauthority) '
            "and give it with --intermediate."
        )
    return usable


def _issuers(leaf: x509.Certificate, known: list[x509.Certificate]) -> list[x509.Certificate]:
    """Those of *known* that issued *leaf*, each once."""
    return list(dict.fromkeys(each for each in known if issued_by(leaf, each)))


def _install_root(
    config: Config, issuers: list[x509.Certificate], roots: list[x509.Certificate]
) -> None:
    """Keep the root that the chain ends in, and none of another chain."""
    path = config.certs_dir / ROOT
    known = [*roots, *read_certificates(path)]
    fitting = [root for root in known if any(issued_by(each, root) for each in issuers)]
    if fitting:
        write_certificates(path, fitting[:1])
    else:
        path.unlink(missing_ok=True)


def _refuse_strange_root(
    config: Config, name: str, issuers: list[x509.Certificate], roots: list[x509.Certificate]
) -> None:
    """A root counts that is Apple's, was installed before, or is given with the others."""
    if not ends_at(issuers, [*roots, *trusted_roots(config), apple_root()]):
        raise Invalid(
            f'The chain of "{name}" does not end at Apple\'s root: phones would refuse every pass. '
            "Give Apple's own intermediate (apple.com/certificateauthority) with --intermediate; "
            "if the chain is meant to end elsewhere, give its root certificate too."
        )


def _refuse_another_type(config: Config, leaf: x509.Certificate) -> None:
    before = installed_pass(config)
    if before is None or is_development(before):
        return
    old, new = describe(before), describe(leaf)
    if (old.pass_type_identifier, old.team_identifier) != (
        new.pass_type_identifier,
        new.team_identifier,
    ):
        raise Conflict(
            f"The installed certificate is for {old.pass_type_identifier} of team "
            f"{old.team_identifier}, this one for {new.pass_type_identifier} of team "
            f"{new.team_identifier}: passes that are out would never change again. Renew the old "
            f"one, or remove {config.certs_dir / PASS} if that is what you want."
        )
