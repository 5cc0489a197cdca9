"""Reads the CMS signature of a pass from anyone (RFC 5652), and says what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from passes.apple import der
from passes.apple.signature import (
    OID_CONTENT_TYPE,
    OID_DATA,
    OID_ECDSA_SHA256,
    OID_MESSAGE_DIGEST,
    OID_RSA,
    OID_SHA256,
    OID_SIGNED_DATA,
    OID_SIGNING_TIME,
    describe,
)
from passes.errors import SignatureError

MAX_BYTES = 200_000
_MAX_CERTIFICATES = 20
_OID_SHA256_RSA = der.oid("1.2.840.113549.1.1.11")
_OID_EC_KEY = der.oid("1.2.840.10045.2.1")
_SUBJECT_KEY_ID = 0x80
_PKCS1 = padding.PKCS1v15()
_SHA256 = hashes.SHA256()


@dataclass(frozen=True, slots=True)
class SignedData:
    """A signature taken apart. `signer` is the certificate it names, where it is included.

    `digest` and `signing_time` are the signed attributes, None where they are missing; with no
    attributes at all `attributes` is empty. `attached` says that it carries the content itself.
    """

    attached: bool
    certificates: tuple[x509.Certificate, ...]
    signer: x509.Certificate | None
    digest_is_sha256: bool
    attributes: tuple[bytes, ...]
    content_type_is_data: bool
    digest: bytes | None
    signing_time: datetime | None
    algorithm: bytes
    signature: bytes
    signed: bytes

    @property
    def in_der_order(self) -> bool:
        """Whether the signed attributes stand in the ascending order of DER."""
        return list(self.attributes) == sorted(self.attributes)

    def verify(self, manifest: bytes) -> None:
        """Raise SignatureError unless the signer's key made the signature.

        It is made over the attributes, or without any over `manifest` itself. That the
        attributes belong to the manifest is told by `digest`.
        """
        if self.signer is None:
            raise SignatureError("The signature does not include the certificate it names.")
        signed = self.signed if self.attributes else manifest
        try:
            key = self.signer.public_key()
            if isinstance(key, rsa.RSAPublicKey) and self.algorithm in (OID_RSA, _OID_SHA256_RSA):
                key.verify(self.signature, signed, _PKCS1, _SHA256)
                return
            if isinstance(key, ec.EllipticCurvePublicKey) and self.algorithm in (
                OID_ECDSA_SHA256,
                _OID_EC_KEY,
            ):
                key.verify(self.signature, signed, ec.ECDSA(_SHA256))
                return
        except InvalidSignature:
            raise SignatureError(
                "The signature was not made with the key of the certificate it names."
            ) from None
        except (ValueError, UnsupportedAlgorithm):
            raise SignatureError("The certificate's key cannot be read.") from None
        raise SignatureError("The signature's algorithm does not fit the certificate's key.")


def read(data: bytes) -> SignedData:
    """Take a CMS SignedData with one signer apart. Raises SignatureError for anything else."""
    if len(data) > MAX_BYTES:
        raise SignatureError(f"The signature is larger than {MAX_BYTES} bytes.")
    try:
        return _read(data)
    except (IndexError, RecursionError, ValueError):
        raise SignatureError("The signature lacks parts that every CMS has.") from None


def _read(data: bytes) -> SignedData:
    outer = _children(der.read_one(data), der.SEQUENCE)
    if outer[0].encoded != OID_SIGNED_DATA or outer[1].tag != der.CONTEXT_0:
        raise SignatureError("The file is not CMS signed data.")
    parts = _children(outer[1].children()[0], der.SEQUENCE)
    content = _children(parts[2], der.SEQUENCE)
    certificates: tuple[x509.Certificate, ...] = ()
    signers: list[der.Node] = []
    for part in parts[3:]:
        if part.tag == der.CONTEXT_0:
            included = part.children()
            if len(included) > _MAX_CERTIFICATES:
                raise SignatureError(f"The signature includes {len(included)} certificates.")
            certificates = tuple(_certificate(node) for node in included)
        elif part.tag == der.SET:
            signers = part.children()
    if len(signers) != 1:
        raise SignatureError(f"The signature has {len(signers)} signers; a pass has one.")
    return _signer(_children(signers[0], der.SEQUENCE), certificates, len(content) > 1)


def _signer(
    parts: list[der.Node], certificates: tuple[x509.Certificate, ...], attached: bool
) -> SignedData:
    """Take SignerInfo apart: version, who, digest algorithm, attributes, algorithm, signature."""
    attributes: list[der.Node] = []
    signed, rest = b"", parts[3:]
    if rest[0].tag == der.CONTEXT_0:
        attributes = rest[0].children()
        # Signed under the tag SET OF (RFC 5652, 5.4), not under the tag it is sent with.
        signed = der.value(der.SET, rest[0].content)
        rest = rest[1:]
    values = {}
    for attribute in attributes:
        kind, held = _children(attribute, der.SEQUENCE)[:2]
        values[kind.encoded] = held.children()[0]
    digest = values.get(OID_MESSAGE_DIGEST)
    moment = values.get(OID_SIGNING_TIME)
    content_type = values.get(OID_CONTENT_TYPE)
    return SignedData(
        attached=attached,
        certificates=certificates,
        signer=_named(parts[1], certificates),
        digest_is_sha256=_children(parts[2], der.SEQUENCE)[0].encoded == OID_SHA256,
        attributes=tuple(attribute.encoded for attribute in attributes),
        content_type_is_data=content_type is not None and content_type.encoded == OID_DATA,
        digest=None if digest is None else digest.text(),
        signing_time=None if moment is None else _time(moment),
        algorithm=_children(rest[0], der.SEQUENCE)[0].encoded,
        signature=rest[1].text(),
        signed=signed,
    )


def _named(who: der.Node, certificates: tuple[x509.Certificate, ...]) -> x509.Certificate | None:
    """The certificate that the signer is named by: issuer and serial, or subject key id."""
    if who.tag == _SUBJECT_KEY_ID:
        for certificate in certificates:
            try:
                found = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
            except (x509.ExtensionNotFound, ValueError):
                continue
            if found.value.digest == who.content:
                return certificate
        return None
    issuer, serial = _children(who, der.SEQUENCE)[:2]
    number = int.from_bytes(serial.content, "big", signed=True)
    for certificate in certificates:
        if certificate.serial_number == number and certificate.issuer.public_bytes() == (
            issuer.encoded
        ):
            return certificate
    return None


def _certificate(node: der.Node) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(node.encoded)
        # The library reads names late; read here, a broken one is found here.
        describe(certificate)
        return certificate
    except (ValueError, TypeError, x509.InvalidVersion):
        raise SignatureError("The signature includes something that is no certificate.") from None


def _time(node: der.Node) -> datetime:
    """The moment of a UTCTime (two digits mean 1950 to 2049) or GeneralizedTime."""
    text = node.content.decode("ascii")
    if node.tag == der.UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise SignatureError("The signing time is not a time in UTC.") from None


def _children(node: der.Node, tag: int) -> list[der.Node]:
    if node.tag != tag:
        raise SignatureError("The signature is not built as CMS is.")
    return node.children()
