"""The files in DATA/certs, and what is read from them."""

from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from app.certs.apple_root import apple_root
from app.config import Config
from app.errors import Misconfigured
from app.keys import Key, KeyRing, Purpose, write_atomically
from passes.apple.signature import issued_by

#: The root that the chain ends in; only for checking passes, a pass does not carry it.
ROOT = "apple-root.pem"
#: Apple's "Worldwide Developer Relations" intermediate; travels in every pass.
WWDR = "apple-wwdr.pem"
#: The certificate of the pass type.
PASS = "apple-pass.pem"  # noqa: S105
GOOGLE_PUBLIC_KEY = "google-public-key.pem"

#: The organisation in certificates of our own making.
DEVELOPMENT = "Counterfoil development"
#: The project of a Google account of our own making, and the issuer that goes with it.
DEVELOPMENT_PROJECT = "counterfoil-dev"
DEVELOPMENT_ISSUER = "3388000000000000001"
LARGEST_FILE = 1024 * 1024
_PEM_MARK = b"-----BEGIN"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def read_certificates(path: Path) -> list[x509.Certificate]:
    """The certificates of a PEM file, or the one of a DER file; none where there is no file.

    Raises `Misconfigured` naming the file.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Misconfigured(f"The file {path} cannot be read: {error.strerror}.") from error
    try:
        if len(data) > LARGEST_FILE:
            raise ValueError("too large")
        if _PEM_MARK in data:
            return x509.load_pem_x509_certificates(data)
        return [x509.load_der_x509_certificate(data)]
    except (ValueError, x509.InvalidVersion) as error:
        raise Misconfigured(
            f"The file {path} does not hold a certificate in PEM or DER form."
        ) from error


def write_certificates(path: Path, certificates: Sequence[x509.Certificate]) -> None:
    """Write certificates as PEM: public, so readable by all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates)
    write_atomically(path, pem, mode=0o644)


def is_development(certificate: x509.Certificate) -> bool:
    """Whether we made the certificate ourselves: no real phone takes its passes."""
    issuer = certificate.issuer.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
    return any(attribute.value == DEVELOPMENT for attribute in issuer)


def development_files(config: Config) -> set[Path]:
    """Which installed files hold certificates of our own making. Raises `Misconfigured`."""
    paths = (config.certs_dir / name for name in (PASS, WWDR, ROOT))
    return {path for path in paths if any(map(is_development, read_certificates(path)))}


def installed_pass(config: Config) -> x509.Certificate | None:
    """The pass certificate of this installation."""
    found = read_certificates(config.certs_dir / PASS)
    return found[0] if found else None


def key_of(certificate: x509.Certificate, keyring: KeyRing) -> PrivateKey | None:
    """The private key in the ring that belongs to *certificate*, the newest first."""
    found = find_key(certificate, keyring)
    return found[1] if found else None


def find_key(certificate: x509.Certificate, keyring: KeyRing) -> tuple[int, PrivateKey] | None:
    """The same with the version that it has in the ring."""
    infos = [info for info in keyring.list() if info.purpose == Purpose.APPLE_PASS]
    for info in sorted(infos, key=lambda info: info.version, reverse=True):
        key = read_private_key(keyring.get(Purpose.APPLE_PASS, info.version))
        if key.public_key() == certificate.public_key():
            return info.version, key
    return None


def read_private_key(key: Key) -> PrivateKey:
    """The private key in a key of the ring. Raises `Misconfigured`."""
    try:
        loaded = serialization.load_pem_private_key(key.material, None)
    except (ValueError, TypeError) as error:
        raise Misconfigured(f"The {key.purpose} key {key.version} is no private key.") from error
    if not isinstance(loaded, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise Misconfigured(f"The {key.purpose} key {key.version} is neither RSA nor EC.")
    return loaded


def store_private_key(keyring: KeyRing, key: PrivateKey, name: str) -> int:
    """Add the key of a pass certificate to the ring; its version there."""
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return keyring.create(Purpose.APPLE_PASS, material=pem, name=name).version


def trusted_roots(config: Config) -> list[x509.Certificate]:
    """What a pass of this installation has to chain to: the installed root, else Apple's own."""
    return read_certificates(config.certs_dir / ROOT) or [apple_root()]


def in_use(config: Config) -> list[tuple[Path, x509.Certificate]]:
    """The pass certificate, then each intermediate that issued it; empty without one.

    An intermediate of the certificate before this one may still stand in the file: it is left out.
    """
    certificate = installed_pass(config)
    if certificate is None:
        return []
    path = config.certs_dir / WWDR
    issuers = [each for each in read_certificates(path) if issued_by(certificate, each)]
    return [(config.certs_dir / PASS, certificate), *((path, each) for each in issuers)]
