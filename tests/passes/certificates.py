"""Makes certificate chains for tests: a root, an intermediate and pass certificates under it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from passes.apple.signature import PassKey, PassSigner

NOW = datetime(2026, 11, 23, 9, 30, 15, tzinfo=UTC)
PASS_TYPE = "pass.coffee.beans.card"
TEAM = "TEAM123456"
YEAR = timedelta(days=365)


@cache
def rsa_key(number: int = 0) -> rsa.RSAPrivateKey:
    """An RSA-2048 key; the same one for the same number, as making one takes a while."""
    return rsa.generate_private_key(65537, 2048)


@cache
def ec_key(number: int = 0) -> ec.EllipticCurvePrivateKey:
    """A P-256 key; the same one for the same number."""
    return ec.generate_private_key(ec.SECP256R1())


def name(common: str, uid: str | None = None, unit: str | None = None) -> x509.Name:
    """A subject as Apple writes it."""
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if uid is not None:
        parts.append(x509.NameAttribute(NameOID.USER_ID, uid))
    if unit is not None:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit))
    parts.append(x509.NameAttribute(NameOID.COUNTRY_NAME, "US"))
    return x509.Name(parts)


@dataclass(frozen=True)
class Authority:
    """A certificate that may sign others, and its key."""

    certificate: x509.Certificate
    key: PassKey


def certificate(
    subject: x509.Name,
    key: PassKey,
    issuer: Authority | None,
    *,
    ca: bool,
    signs: bool | None = None,
    start: datetime = NOW - YEAR,
    end: datetime = NOW + YEAR,
) -> x509.Certificate:
    """A certificate for `key`, signed by `issuer` or, without one, by itself.

    `signs` says that its key may sign others, which that of an authority may if not told.
    """
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not ca,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=ca if signs is None else signs,
                crl_sign=ca,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(issuer.key if issuer else key, hashes.SHA256())
    )


def authority(
    common: str,
    issuer: Authority | None = None,
    *,
    number: int = 0,
    start: datetime = NOW - YEAR,
    end: datetime = NOW + YEAR,
) -> Authority:
    """A root, or with an issuer an intermediate. `number` picks its key."""
    key = ec_key(number)
    return Authority(certificate(name(common), key, issuer, ca=True, start=start, end=end), key)


@cache
def root() -> Authority:
    """The root that the tests trust."""
    return authority("Test Root CA", number=1)


@cache
def intermediate() -> Authority:
    """The intermediate in the place of Apple's WWDR G4."""
    return authority("Test Developer Relations CA", root(), number=2)


def pass_certificate(
    key: PassKey,
    issuer: Authority | None = None,
    *,
    uid: str | None = PASS_TYPE,
    team: str | None = TEAM,
    start: datetime = NOW - YEAR,
    end: datetime = NOW + YEAR,
) -> x509.Certificate:
    """A pass certificate as Apple issues it: UID the pass type, OU the team."""
    return certificate(
        name(f"Pass Type ID: {uid}", uid, team),
        key,
        issuer or intermediate(),
        ca=False,
        start=start,
        end=end,
    )


@cache
def signer(kind: str = "rsa") -> PassSigner:
    """A signer with an RSA or an EC key."""
    key: PassKey = rsa_key() if kind == "rsa" else ec_key()
    return PassSigner(pass_certificate(key), key, [intermediate().certificate])
