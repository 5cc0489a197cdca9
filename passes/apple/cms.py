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
_NULL = der.value(der.NULL)
#: What may stand behind an algorithm's name (RFC 5754, 2 and 3); writers differ over NULL.
_PARAMETERS: dict[bytes, tuple[bytes, ...]] = {
    OID_SHA256: (b"", _NULL),
    OID_RSA: (b"", _NULL),
    _OID_SHA256_RSA: (b"", _NULL),
    OID_ECDSA_SHA256: (b"",),
}
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
    if outer[0].encoded != OID_SIGNED_DATA or outer[1].tag != der.CONTEXT_0 or len(outer) > 2:
        raise SignatureError("The file is not CMS signed data.")
    [body] = outer[1].children()
    version, digests, content, *rest = _children(body, der.SEQUENCE)
    held = _children(content, der.SEQUENCE)
    if held[0].encoded != OID_DATA or [node.tag for node in held[1:]] not in ([], [der.CONTEXT_0]):
        raise SignatureError("The signature is not over plain data.")
    certificates: tuple[x509.Certificate, ...] = ()
    if rest[0].tag == der.CONTEXT_0:
        included = rest.pop(0).children()
        if len(included) > _MAX_CERTIFICATES:
            raise SignatureError(f"The signature includes {len(included)} certificates.")
        certificates = tuple(_certificate(node) for node in included)
    if rest[0].tag == der.CONTEXT_1:
        rest.pop(0)  # lists of revoked certificates, which nobody here reads
    [signer_infos] = rest
    signers = _children(signer_infos, der.SET)
    if len(signers) != 1:
        raise SignatureError(f"The signature has {len(signers)} signers; a pass has one.")
    parts = _children(signers[0], der.SEQUENCE)
    _check_version(version, parts[0], parts[1])
    if _algorithm(parts[2]) not in [_algorithm(node) for node in _children(digests, der.SET)]:
        raise SignatureError("The signature does not list the hash that its signer used.")
    return _signer(parts, certificates, len(held) > 1)


def _check_version(outer: der.Node, inner: der.Node, who: der.Node) -> None:
    """Both versions follow from how the signer is named (RFC 5652, 5.1 and 5.3)."""
    wanted = der.value(der.INTEGER, b"\x03" if who.tag == _SUBJECT_KEY_ID else b"\x01")
    if outer.encoded != wanted or inner.encoded != wanted:
        raise SignatureError("The signature has another version than its signer's name asks for.")


def _algorithm(node: der.Node) -> bytes:
    """The name of an algorithm, as DER. Raises SignatureError for parameters it cannot have."""
    name, *parameters = _children(node, der.SEQUENCE)
    allowed = _PARAMETERS.get(name.encoded)
    if allowed is not None and b"".join(each.encoded for each in parameters) not in allowed:
        raise SignatureError("The signature names an algorithm with parameters it cannot have.")
    return name.encoded


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
    if [node.tag for node in rest[2:]] not in ([], [der.CONTEXT_1]):
        raise SignatureError("The signature is not built as CMS is.")
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
        digest_is_sha256=_algorithm(parts[2]) == OID_SHA256,
        attributes=tuple(attribute.encoded for attribute in attributes),
        content_type_is_data=content_type is not None and content_type.encoded == OID_DATA,
        digest=None if digest is None else digest.text(),
        signing_time=None if moment is None else _time(moment),
        algorithm=_algorithm(rest[0]),
        signature=_octets(rest[1]),
        signed=signed,
    )


def _octets(node: der.Node) -> bytes:
    if node.tag & ~0x20 != der.OCTET_STRING:
        raise SignatureError("The signature is not built as CMS is.")
    return node.text()


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
    issuer, serial = _children(who, der.SEQUENCE)
    if serial.tag != der.INTEGER:
        raise SignatureError("The signature is not built as CMS is.")
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
