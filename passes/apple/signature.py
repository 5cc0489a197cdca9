"""Signs a manifest: detached CMS (RFC 5652), binary, SHA-256, with signingTime and intermediate.

Everything that does not change from pass to pass is DER-encoded once, when the signer is made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from passes.apple import der
from passes.errors import CertificateError

OID_DATA = der.oid("1.2.840.113549.1.7.1")
OID_SIGNED_DATA = der.oid("1.2.840.113549.1.7.2")
OID_CONTENT_TYPE = der.oid("1.2.840.113549.1.9.3")
OID_MESSAGE_DIGEST = der.oid("1.2.840.113549.1.9.4")
OID_SIGNING_TIME = der.oid("1.2.840.113549.1.9.5")
OID_SHA256 = der.oid("2.16.840.1.101.3.4.2.1")
OID_RSA = der.oid("1.2.840.113549.1.1.1")
OID_ECDSA_SHA256 = der.oid("1.2.840.10045.4.3.2")

_VERSION_1 = der.value(der.INTEGER, b"\x01")
_SHA256 = der.value(der.SEQUENCE, OID_SHA256)
_RSA = der.value(der.SEQUENCE, OID_RSA, der.value(der.NULL))
_ECDSA = der.value(der.SEQUENCE, OID_ECDSA_SHA256)
_PKCS1 = padding.PKCS1v15()
_HASH = hashes.SHA256()
_EC_SHA256 = ec.ECDSA(_HASH)
_MIN_RSA_BITS = 2048

PassKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class CertificateStatus:
    """What a person wants to know of a certificate. Times are aware, in UTC."""

    name: str
    issuer: str
    not_before: datetime
    not_after: datetime
    pass_type_identifier: str | None
    team_identifier: str | None

    def left(self, now: datetime) -> timedelta:
        """Return how long the certificate lasts after `now`; negative once it has expired."""
        return self.not_after - now

    def problem(self, now: datetime) -> str | None:
        """Return in words why the certificate cannot be used at `now`, or None."""
        if now > self.not_after:
            return f'The certificate "{self.name}" expired on {_say(self.not_after)}.'
        if now < self.not_before:
            return f'The certificate "{self.name}" is not valid before {_say(self.not_before)}.'
        return None


def describe(certificate: x509.Certificate) -> CertificateStatus:
    """Return the names and dates of `certificate`."""
    subject = certificate.subject
    return CertificateStatus(
        name=_first(subject, NameOID.COMMON_NAME) or subject.rfc4514_string(),
        issuer=_first(certificate.issuer, NameOID.COMMON_NAME)
        or certificate.issuer.rfc4514_string(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        pass_type_identifier=_first(subject, NameOID.USER_ID),
        team_identifier=_first(subject, NameOID.ORGANIZATIONAL_UNIT_NAME),
    )


def issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether `issuer` signed `certificate` and may: by name and signature, at whatever time."""
    if not may_issue(issuer):
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def may_issue(certificate: x509.Certificate) -> bool:
    """Whether `certificate` is an authority's (RFC 5280, 4.2.1.3 and 4.2.1.9)."""
    try:
        extensions = certificate.extensions
        if not extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
        return extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound as missing:
        # An authority may leave the use of its key open, but not that it is one.
        return missing.oid == x509.KeyUsage.oid
    except (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return False


class PassSigner:
    """A pass certificate with its key and Apple's intermediate, loaded once, signing many.

    Safe to share between threads.
    Raises CertificateError where the certificate does not name a pass type (UID) and team (OU),
    the key is another one's or neither RSA of 2048 bits nor P-256, or no intermediate issued it.
    """

    def __init__(
        self,
        certificate: x509.Certificate,
        key: PassKey,
        intermediates: Sequence[x509.Certificate],
    ) -> None:
        status = describe(certificate)
        if not status.pass_type_identifier or not status.team_identifier:
            raise CertificateError(
                f'The certificate "{status.name}" is not a pass certificate: '
                "its subject lacks the pass type (UID) or the team (OU)."
            )
        _check_key(status.name, certificate, key)
        if not any(issued_by(certificate, candidate) for candidate in intermediates):
            raise CertificateError(
                f'The intermediate that issued "{status.name}" is missing: '
                f'add the certificate "{status.issuer}".'
            )
        self.certificate = certificate
        self.intermediates = tuple(intermediates)
        self.pass_type_identifier = status.pass_type_identifier
        self.team_identifier = status.team_identifier
        self._key = key
        self._rsa = isinstance(key, rsa.RSAPrivateKey)
        self._algorithm = _RSA if self._rsa else _ECDSA
        self._signer = _VERSION_1 + _issuer_and_serial(certificate) + _SHA256
        chain = {item.public_bytes(serialization.Encoding.DER) for item in intermediates}
        chain.add(certificate.public_bytes(serialization.Encoding.DER))
        self._head = b"".join(
            (
                _VERSION_1,
                der.value(der.SET, _SHA256),
                der.value(der.SEQUENCE, OID_DATA),
                der.sorted_set(der.CONTEXT_0, list(chain)),
            )
        )
        # (length of the attributes, length of the signature) -> everything before, between.
        self._frames: dict[tuple[int, int], tuple[bytes, bytes]] = {}

    def sign(self, manifest: bytes, signing_time: datetime) -> bytes:
        """Return the detached signature over `manifest` in DER. `signing_time` is aware."""
        attributes = signed_attributes(hashlib.sha256(manifest).digest(), signing_time)
        # Signed under the tag SET, sent under [0] IMPLICIT (RFC 5652, 5.4); the tag is one byte.
        to_be_signed = der.header(der.SET, len(attributes)) + attributes
        if isinstance(self._key, rsa.RSAPrivateKey):
            signature = self._key.sign(to_be_signed, _PKCS1, _HASH)
        else:
            signature = self._key.sign(to_be_signed, _EC_SHA256)
        lengths = (len(attributes), len(signature))
        frame = self._frames.get(lengths)
        if frame is None:
            frame = self._frames[lengths] = self._frame(*lengths)
        return b"".join((frame[0], attributes, frame[1], signature))

    def check(self, now: datetime) -> None:
        """Raise CertificateError where a certificate of the chain is not valid at `now`."""
        for certificate in (self.certificate, *self.intermediates):
            problem = describe(certificate).problem(now)
            if problem:
                raise CertificateError(problem)

    def status(self) -> tuple[CertificateStatus, ...]:
        """Return the pass certificate's status, then each intermediate's."""
        return tuple(describe(item) for item in (self.certificate, *self.intermediates))

    def _frame(self, attributes: int, signature: int) -> tuple[bytes, bytes]:
        """Everything before the attributes and between them and the signature, encoded."""
        between = self._algorithm + der.header(der.OCTET_STRING, signature)
        start = self._signer + der.header(der.CONTEXT_0, attributes)
        size = len(start) + attributes + len(between) + signature
        opening = b""
        for tag in (der.SEQUENCE, der.SET):  # SignerInfo in SignerInfos
            head = der.header(tag, size)
            opening, size = head + opening, size + len(head)
        opening, size = self._head + opening, size + len(self._head)
        for tag in (der.SEQUENCE, der.CONTEXT_0):  # SignedData in [0] EXPLICIT
            head = der.header(tag, size)
            opening, size = head + opening, size + len(head)
        opening, size = OID_SIGNED_DATA + opening, size + len(OID_SIGNED_DATA)
        return der.header(der.SEQUENCE, size) + opening + start, between


def signed_attributes(digest: bytes, signing_time: datetime) -> bytes:
    """Return the three attributes in DER order, without the header around them.

    Shorter ones sort first: contentType, signingTime, messageDigest (of 32 bytes).
    """
    return _before_digest(signing_time) + digest


@lru_cache(maxsize=16)
def _before_digest(signing_time: datetime) -> bytes:
    """What stands before the digest: those who sign many at once say one time."""
    when = signing_time if signing_time.tzinfo is UTC else signing_time.astimezone(UTC)
    # Formatted by hand: strftime takes several times as long.
    year, time = when.year, (when.month, when.day, when.hour, when.minute, when.second)
    # RFC 5652, 11.3: UTCTime through 2049, GeneralizedTime from 2050.
    if 1950 <= year < 2050:
        moment = _BEFORE_UTC_TIME + b"%02d%02d%02d%02d%02d%02dZ" % (year % 100, *time)
    else:
        moment = _BEFORE_GENERALIZED_TIME + b"%04d%02d%02d%02d%02d%02dZ" % (year, *time)
    return moment + _BEFORE_DIGEST


def _attribute_head(identifier: bytes, tag: int, length: int) -> bytes:
    """An attribute of one value up to its content of `length` bytes."""
    head = der.header(tag, length)
    inside = der.header(der.SET, len(head) + length) + head
    return der.header(der.SEQUENCE, len(identifier) + len(inside) + length) + identifier + inside


_CONTENT_TYPE = der.value(der.SEQUENCE, OID_CONTENT_TYPE, der.value(der.SET, OID_DATA))
_BEFORE_UTC_TIME = _CONTENT_TYPE + _attribute_head(OID_SIGNING_TIME, der.UTC_TIME, 13)
_BEFORE_GENERALIZED_TIME = _CONTENT_TYPE + _attribute_head(
    OID_SIGNING_TIME, der.GENERALIZED_TIME, 15
)
_BEFORE_DIGEST = _attribute_head(OID_MESSAGE_DIGEST, der.OCTET_STRING, 32)


def _check_key(name: str, certificate: x509.Certificate, key: PassKey) -> None:
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < _MIN_RSA_BITS:
            raise CertificateError(f'The key of "{name}" has fewer than {_MIN_RSA_BITS} bits.')
    elif not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise CertificateError(f'The key of "{name}" is neither RSA nor EC on the curve P-256.')
    if key.public_key() != certificate.public_key():
        raise CertificateError(f'The key is not the key of the certificate "{name}".')


def _issuer_and_serial(certificate: x509.Certificate) -> bytes:
    serial = certificate.serial_number
    number = serial.to_bytes(serial.bit_length() // 8 + 1, "big", signed=True)
    issuer = certificate.issuer.public_bytes()
    return der.value(der.SEQUENCE, issuer, der.value(der.INTEGER, number))


def _first(name: x509.Name, identifier: x509.ObjectIdentifier) -> str | None:
    found = name.get_attributes_for_oid(identifier)
    return str(found[0].value) if found else None


def _say(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")
