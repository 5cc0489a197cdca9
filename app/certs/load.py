"""Loads what signs: the pass certificate with its key, and Google's service account."""

import json
import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from app.certs.files import (
    DEVELOPMENT_ISSUER,
    DEVELOPMENT_PROJECT,
    PASS,
    WWDR,
    key_of,
    read_certificates,
)
from app.config import Config
from app.errors import Misconfigured
from app.keys import KeyMissing, KeyRing, Purpose
from passes.apple.signature import PassSigner, issued_by
from passes.errors import CertificateError

_log = logging.getLogger(__name__)

#: What the files and the ring looked like, and the signer that came of it.
_State = tuple[object, ...]
_signers: WeakKeyDictionary[KeyRing, tuple[_State, PassSigner | None]] = WeakKeyDictionary()
_loading = threading.Lock()

_ACCOUNT_FIELDS = ("client_email", "private_key", "private_key_id", "token_uri")


def load_pass_signer(config: Config, keyring: KeyRing) -> PassSigner | None:
    """The signer of passes; None where no pass certificate is installed.

    Kept in memory and loaded again when the files change, so a renewed certificate takes effect
    without a restart. A change that does not load is logged and the signer before it goes on.
    Raises `Misconfigured` naming the file where there is none to go on with. Dates are not
    looked at: see `check`.
    """
    state = _state(config, keyring)
    known = _signers.get(keyring)
    if known is not None and known[0] == state:
        return known[1]
    with _loading:
        known = _signers.get(keyring)
        if known is not None and known[0] == state:
            return known[1]
        try:
            signer = _load(config, keyring)
        except Misconfigured as error:
            if known is None or known[1] is None:
                raise
            _log.error("Still signing with the certificate from before. %s", error.message)
            signer = known[1]
        if known is not None and known[1] is not None and _are_alike(known[1], signer):
            # Something beside it has changed, such as a key for the next certificate: whoever
            # keeps a connection or a design for this signer may go on doing so.
            signer = known[1]
        _signers[keyring] = (state, signer)
        return signer


def load_google_account(keyring: KeyRing) -> dict[str, Any] | None:
    """Google's service account file, as Google wrote it; None where there is none.

    Raises `Misconfigured` where it is not one.
    """
    try:
        key = keyring.current(Purpose.GOOGLE_SERVICE)
    except KeyMissing:
        return None
    return read_google_account(key.material, "The google_service key in the key ring")[0]


def is_development_account(account: Mapping[str, Any]) -> bool:
    """Whether Google knows nothing of this account: `counterfoil certs dev` made it."""
    return account.get("project_id") == DEVELOPMENT_PROJECT


def google_issuer(config: Config, account: Mapping[str, Any]) -> str | None:
    """The issuer's number; a development account brings one along that Google never gave out."""
    if config.google_issuer_id is None and is_development_account(account):
        return DEVELOPMENT_ISSUER
    return config.google_issuer_id


def read_google_account(data: bytes, what: str) -> tuple[dict[str, Any], rsa.RSAPrivateKey]:
    """The account in a service account file and its key. Raises `Misconfigured` about *what*."""
    try:
        account = json.loads(data)
        if not isinstance(account, dict) or account.get("type") != "service_account":
            raise ValueError("not a service account")
        missing = [name for name in _ACCOUNT_FIELDS if not isinstance(account.get(name), str)]
        if missing:
            raise ValueError(f"without {', '.join(missing)}")
        key = serialization.load_pem_private_key(account["private_key"].encode(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError("its key is not an RSA key")
    except (ValueError, TypeError, RecursionError) as error:
        raise Misconfigured(
            f"{what} is not a service account file of Google: {error}. Download the account's "
            "key as JSON again and install it with: counterfoil certs install FILE"
        ) from error
    return account, key


def _state(config: Config, keyring: KeyRing) -> _State:
    versions = tuple(info.version for info in keyring.list() if info.purpose == Purpose.APPLE_PASS)
    files = (_seen(config.certs_dir / name) for name in (PASS, WWDR))
    return (config.certs_dir, *files, versions)


def _seen(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _are_alike(one: PassSigner, other: PassSigner | None) -> bool:
    return other is not None and (one.certificate, one.intermediates) == (
        other.certificate,
        other.intermediates,
    )


def _load(config: Config, keyring: KeyRing) -> PassSigner | None:
    path = config.certs_dir / PASS
    found = read_certificates(path)
    if not found:
        return None
    certificate = found[0]
    key = key_of(certificate, keyring)
    if key is None:
        raise Misconfigured(
            f"The private key of {path} is not in the key ring. "
            "Install it together with its certificate: counterfoil certs install FILES"
        )
    candidates = read_certificates(config.certs_dir / WWDR)
    # A renewal may have left two intermediates in the file; only ours travels in a pass.
    issuers = [each for each in candidates if issued_by(certificate, each)]
    try:
        return PassSigner(certificate, key, issuers or candidates)
    except CertificateError as error:
        raise Misconfigured(f"{path} cannot sign passes: {error}") from error
