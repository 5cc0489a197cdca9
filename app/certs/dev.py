"""Certificates for development: as Apple's and Google's in form, made here, trusted by nobody."""

import json
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from app.certs.files import (
    DEVELOPMENT,
    DEVELOPMENT_PROJECT,
    GOOGLE_PUBLIC_KEY,
    PASS,
    ROOT,
    WWDR,
    installed_pass,
    is_development,
    store_private_key,
    write_certificates,
)
from app.config import Config
from app.errors import Conflict
from app.keys import KeyRing, Purpose, write_atomically

PASS_TYPE = "pass.dev.counterfoil"  # noqa: S105
TEAM = "DEVTEAM001"
TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address

_ROOT_DAYS = 3650
_WWDR_DAYS = 1825
#: As long as Apple makes them: a year and a month.
_PASS_DAYS = 395
#: Clocks of phones and servers differ a little.
_SKEW = timedelta(hours=1)

#: Apple's own marks on a pass certificate: the usage, and the pass type again.
_APPLE_PASS_USAGE = ObjectIdentifier("1.2.840.113635.100.4.14")
_APPLE_PASS_TYPE = ObjectIdentifier("1.2.840.113635.100.6.1.16")


def make_dev_chain(
    config: Config,
    keyring: KeyRing,
    *,
    pass_type_identifier: str = PASS_TYPE,
    team_identifier: str = TEAM,
    now: datetime,
    google_token_uri: str = TOKEN_URI,
) -> None:
    """Make a root, an intermediate, a pass certificate, and a Google service account.

    Public halves go to DATA/certs, the pass key and the account into the key ring; the keys of
    root and intermediate are forgotten. *google_token_uri* is where the account's holder asks for
    access tokens. Raises `Conflict` where a real pass certificate is installed.
    """
    installed = installed_pass(config)
    if installed is not None and not is_development(installed):
        raise Conflict(
            f"{config.certs_dir / PASS} is a real certificate: it is not replaced by one for "
            "development. Use another COUNTERFOIL_DATA for development."
        )
    root_key, wwdr_key, pass_key = (_rsa_key() for _ in range(3))
    root_name = _name("Counterfoil development root")
    wwdr_name = _name("Counterfoil development relations")
    root = _authority(root_name, root_key, root_name, root_key, now, _ROOT_DAYS, None)
    wwdr = _authority(wwdr_name, wwdr_key, root_name, root_key, now, _WWDR_DAYS, 0)
    leaf = _pass_certificate(
        pass_type_identifier, team_identifier, pass_key, wwdr_name, wwdr_key, now
    )
    store_private_key(keyring, pass_key, f"{pass_type_identifier} (development)")
    write_certificates(config.certs_dir / ROOT, [root])
    write_certificates(config.certs_dir / WWDR, [wwdr])
    write_certificates(config.certs_dir / PASS, [leaf])
    _make_google_account(config, keyring, google_token_uri)


def write_google_public_key(config: Config, key: rsa.RSAPrivateKey) -> None:
    """Leave the service account's public key where whoever checks save links finds it."""
    config.certs_dir.mkdir(parents=True, exist_ok=True)
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    write_atomically(config.certs_dir / GOOGLE_PUBLIC_KEY, pem, mode=0o644)


def _make_google_account(config: Config, keyring: KeyRing, token_uri: str) -> None:
    """A service account file with the fields of Google's own."""
    key = _rsa_key()
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    digest = hashes.Hash(hashes.SHA256())
    digest.update(public)
    email = "counterfoil@counterfoil-dev.iam.gserviceaccount.com"
    account = {
        "type": "service_account",
        "project_id": DEVELOPMENT_PROJECT,
        "private_key_id": digest.finalize().hex()[:40],
        "private_key": pem.decode(),
        "client_email": email,
        "client_id": "100000000000000000000",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": token_uri,
        "universe_domain": "googleapis.com",
    }
    material = json.dumps(account).encode()
    keyring.create(Purpose.GOOGLE_SERVICE, material=material, name=f"{email} (development)")
    write_google_public_key(config, key)


def _rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, common),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, DEVELOPMENT),
        ]
    )


def _builder(
    subject: x509.Name,
    key: rsa.RSAPrivateKey,
    issuer: x509.Name,
    issuer_key: rsa.RSAPrivateKey,
    now: datetime,
    days: int,
) -> x509.CertificateBuilder:
    """What every certificate has. Dates are whole seconds."""
    now = now.replace(microsecond=0)
    issuer_mark = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(issuer_mark, critical=False)
    )


def _authority(
    subject: x509.Name,
    key: rsa.RSAPrivateKey,
    issuer: x509.Name,
    issuer_key: rsa.RSAPrivateKey,
    now: datetime,
    days: int,
    path_length: int | None,
) -> x509.Certificate:
    """A certificate that may sign others."""
    return (
        _builder(subject, key, issuer, issuer_key, now, days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )


def _pass_certificate(
    pass_type_identifier: str,
    team_identifier: str,
    key: rsa.RSAPrivateKey,
    issuer: x509.Name,
    issuer_key: rsa.RSAPrivateKey,
    now: datetime,
) -> x509.Certificate:
    """A certificate with the subject and the marks of Apple's "Pass Type ID" certificates."""
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.USER_ID, pass_type_identifier),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Pass Type ID: {pass_type_identifier}"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, team_identifier),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, DEVELOPMENT),
            x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
        ]
    )
    text = pass_type_identifier.encode()
    pass_type = x509.UnrecognizedExtension(_APPLE_PASS_TYPE, b"\x0c" + bytes([len(text)]) + text)
    # E-mail protection is what `openssl cms -verify` asks of a signer unless told otherwise.
    usages = x509.ExtendedKeyUsage(
        [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.EMAIL_PROTECTION, _APPLE_PASS_USAGE]
    )
    return (
        _builder(subject, key, issuer, issuer_key, now, _PASS_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(usages, critical=False)
        .add_extension(pass_type, critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
