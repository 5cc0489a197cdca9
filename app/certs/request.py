"""Asks Apple for a certificate: a fresh key in the key ring, and the request to upload.

The key never leaves the ring and is always a further one: the key that passes are signed with
today stays as it is until the answer to the request is installed.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from app.certs.files import (
    PrivateKey,
    installed_pass,
    read_private_key,
    store_private_key,
)
from app.config import Config
from app.errors import Invalid
from app.keys import KeyRing, Purpose, write_atomically

SUFFIX = ".certSigningRequest"
_FILE = re.compile(r"apple-pass-([0-9]{5})" + re.escape(SUFFIX))
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Request:
    """A request that Apple has not answered yet, and the version of its key in the ring."""

    path: Path
    version: int
    is_ec: bool
    is_new: bool = False


def request(
    config: Config,
    keyring: KeyRing,
    *,
    name: str = "Counterfoil",
    elliptic: bool = False,
    another: bool = False,
) -> Request:
    """Make a key and the request (PKCS #10, PEM) for a certificate of it, in the key directory.

    RSA of 2048 bits, or with *elliptic* P-256. A request of that kind that waits for its answer is
    given again, so that nobody uploads one and installs the answer to another; with *another* a
    further one is made. Raises `Invalid` for a name that does not fit a certificate.
    """
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise Invalid(f"A request's name has 1 to {_LONGEST_NAME} letters.")
    waiting = [each for each in pending(config, keyring) if each.is_ec == elliptic]
    if waiting and not another:
        return waiting[-1]
    key: PrivateKey = (
        ec.generate_private_key(ec.SECP256R1())
        if elliptic
        else rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    version = store_private_key(keyring, key, "requested from Apple")
    path = _path(config, version)
    write_atomically(path, made.public_bytes(serialization.Encoding.PEM))
    return Request(path, version, elliptic, is_new=True)


def pending(config: Config, keyring: KeyRing) -> list[Request]:
    """The requests that wait for Apple's answer, the oldest first."""
    found = (_FILE.fullmatch(path.name) for path in config.keys_dir.glob(f"*{SUFFIX}"))
    versions = sorted(int(match[1]) for match in found if match)
    in_ring = {
        info.version
        for info in keyring.list()
        if info.purpose == Purpose.APPLE_PASS and info.retired_at is None
    }
    installed = installed_pass(config)
    requests = []
    for version in versions:
        if version not in in_ring:
            continue
        public = read_private_key(keyring.get(Purpose.APPLE_PASS, version)).public_key()
        if installed is not None and installed.public_key() == public:
            continue
        is_ec = isinstance(public, ec.EllipticCurvePublicKey)
        requests.append(Request(_path(config, version), version, is_ec))
    return requests


def forget_answered(config: Config, version: int) -> None:
    """Remove the request of a key whose certificate was installed."""
    _path(config, version).unlink(missing_ok=True)


def _path(config: Config, version: int) -> Path:
    return config.keys_dir / f"apple-pass-{version:05}{SUFFIX}"
