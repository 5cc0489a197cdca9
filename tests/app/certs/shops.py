"""A data folder with its key ring, and what Apple would hand out, in every usual form."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from app.certs import (
    CertFinding,
    check,
)
from app.config import Config
from app.keys import KeyRing

NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


@dataclass
class Shop:
    """A data folder with its key ring."""

    config: Config
    keyring: KeyRing

    def path(self, name: str) -> Path:
        return self.config.certs_dir / name

    def findings(self, now: datetime = NOW) -> list[CertFinding]:
        return check(self.config, self.keyring, now=now)


def open_shop(data: Path) -> Shop:
    config = Config(data=data, database_url="", url="http://127.0.0.1:8000", google_issuer_id="1")
    return Shop(config, KeyRing.open(config, now=lambda: NOW))


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@dataclass
class Issued:
    """What Apple would hand out."""

    root: x509.Certificate
    wwdr: x509.Certificate
    leaf: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def issue(now: datetime, brand: str = "beans") -> Issued:
    """A chain as Apple's: other names than a development chain's."""
    pass_type = f"pass.example.{brand}"
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
    names = [
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Fruit Root CA")]),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Relations {now.year}")]),
        x509.Name(
            [
                x509.NameAttribute(NameOID.USER_ID, pass_type),
                x509.NameAttribute(NameOID.COMMON_NAME, f"Pass Type ID: {pass_type}"),
                x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "TEAM123456"),
            ]
        ),
    ]
    certificates = [
        x509.CertificateBuilder()
        .subject_name(names[place])
        .issuer_name(names[max(place - 1, 0)])
        .public_key(keys[place].public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=395))
        .add_extension(x509.BasicConstraints(ca=place < 2, path_length=None), critical=True)
        .sign(keys[max(place - 1, 0)], hashes.SHA256())
        for place in range(3)
    ]
    return Issued(*certificates, keys[2])


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates)


def key_pem(key: ec.EllipticCurvePrivateKey, password: bytes | None = None) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption(),
    )


def p12(apple: Issued, password: bytes) -> bytes:
    encryption = serialization.BestAvailableEncryption(password)
    return pkcs12.serialize_key_and_certificates(
        b"pass", apple.key, apple.leaf, [apple.wwdr, apple.root], encryption
    )


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def handed_over(apple: Issued, form: str, folder: Path) -> list[Path]:
    """The same things in one of the forms that people have them in."""
    if form == "p12":
        return [written(folder / "pass.p12", p12(apple, b"secret"))]
    if form == "one pem":
        together = key_pem(apple.key, b"secret") + pem(apple.leaf, apple.wwdr, apple.root)
        return [written(folder / "all.pem", together)]
    return [
        written(folder / "AppleWWDRCAG4.cer", pem(apple.wwdr, apple.root)),
        written(folder / "pass.cer", der(apple.leaf)),
        written(folder / "pass.key", key_pem(apple.key)),
    ]


def break_file(shop: Shop, name: str) -> None:
    """Leave something in the file that looks like a certificate and is none."""
    shop.path(name).write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
