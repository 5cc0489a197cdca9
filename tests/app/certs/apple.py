"""Apple's part: answers signing requests with certificates, as its developer pages do."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

PASS_TYPE = "pass.example.beans"
TEAM = "TEAM123456"
YEAR_AND_MONTH = timedelta(days=395)


def subject(common: str, uid: str | None = None, unit: str | None = None) -> x509.Name:
    """A subject as Apple writes it."""
    parts = [(NameOID.USER_ID, uid), (NameOID.COMMON_NAME, common)]
    parts.append((NameOID.ORGANIZATIONAL_UNIT_NAME, unit))
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts if value is not None])


@dataclass(frozen=True)
class Apple:
    """A root, an intermediate under it and their keys."""

    root: x509.Certificate
    wwdr: x509.Certificate
    wwdr_key: ec.EllipticCurvePrivateKey

    @classmethod
    def make(
        cls, start: datetime, *, name: str = "Fruit Relations G4", days: int = 1825
    ) -> "Apple":
        """A fresh one, good from *start*; its intermediate for so many *days*."""
        root_key, wwdr_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        top = subject("Fruit Root CA")
        root = _authority(top, root_key, top, root_key, start, 3650)
        wwdr = _authority(subject(name), wwdr_key, top, root_key, start, days)
        return cls(root, wwdr, wwdr_key)

    def answer(
        self,
        request: Path,
        start: datetime,
        *,
        uid: str | None = PASS_TYPE,
        team: str | None = TEAM,
        lasts: timedelta = YEAR_AND_MONTH,
        common: str | None = None,
    ) -> bytes:
        """The .cer that answers a signing request."""
        asked = x509.load_pem_x509_csr(request.read_bytes())
        assert asked.is_signature_valid
        return (
            x509.CertificateBuilder()
            .subject_name(subject(common or f"Pass Type ID: {uid}", uid, team))
            .issuer_name(self.wwdr.subject)
            .public_key(asked.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + lasts)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(self.wwdr_key, hashes.SHA256())
            .public_bytes(Encoding.DER)
        )


def _authority(
    name: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    start: datetime,
    days: int,
) -> x509.Certificate:
    issued_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(issued_by, critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
