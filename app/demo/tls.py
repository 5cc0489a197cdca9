"""A server certificate for a stand-in on loopback, from a root of its own."""

from __future__ import annotations

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFE = datetime.timedelta(days=30)
_SKEW = datetime.timedelta(hours=1)


class ServerCertificate:
    """A fresh root and a certificate for 127.0.0.1 and localhost, valid for 30 days from now.

    `ca_pem` is what a client must trust, `key_and_chain_pem` what the server loads.
    """

    def __init__(self, name: str) -> None:
        # TLS peers judge the validity by the machine's clock, whatever time a test lives in.
        now = datetime.datetime.now(datetime.UTC)
        root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} root")])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = {name: False for name in (
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
            "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
        )}  # fmt: skip
        root = (
            _builder(issuer, issuer, root_key, now)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(
                x509.KeyUsage(**(usage | {"key_cert_sign": True, "crl_sign": True})), critical=True
            )
            .sign(root_key, hashes.SHA256())
        )
        names = x509.SubjectAlternativeName(
            [x509.DNSName("localhost"), x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))]
        )
        leaf = (
            _builder(subject, issuer, key, now)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(**(usage | {"digital_signature": True})), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(names, critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()),
                critical=False,
            )
            .sign(root_key, hashes.SHA256())
        )
        encoding = serialization.Encoding.PEM
        self.ca_pem = root.public_bytes(encoding)
        self.key_and_chain_pem = key.private_bytes(
            encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ) + leaf.public_bytes(encoding)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime.datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
