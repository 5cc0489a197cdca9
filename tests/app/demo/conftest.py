"""Certificates that are valid today, as TLS goes by the machine's clock, and an APNs of our own."""

import datetime
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from cryptography.hazmat.primitives import serialization

from app.demo.apns import ApnsStandIn
from passes.apple.signature import PassSigner
from tests.passes import certificates

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Chain:
    """A root, its intermediate, and the file with a pass certificate and its key."""

    root_pem: bytes
    intermediate_pem: bytes
    pass_file: Path
    signer: PassSigner
    issuer: certificates.Authority


def pem_of(certificate: object) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)  # type: ignore[attr-defined]


def key_pem(key: object) -> bytes:
    return key.private_bytes(  # type: ignore[attr-defined]
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    now = datetime.datetime.now(datetime.UTC)
    life = {"start": now - DAY, "end": now + 30 * DAY}
    root = certificates.authority("Root of today", number=11, **life)
    issuer = certificates.authority("Relations of today", root, number=12, **life)
    key = certificates.rsa_key()
    leaf = certificates.pass_certificate(key, issuer, **life)
    file = tmp_path_factory.mktemp("pass") / "pass.pem"
    file.write_bytes(key_pem(key) + pem_of(leaf))
    signer = PassSigner(leaf, key, [issuer.certificate])
    return Chain(pem_of(root.certificate), pem_of(issuer.certificate), file, signer, issuer)


@pytest.fixture
def apns(chain: Chain) -> Iterator[ApnsStandIn]:
    with ApnsStandIn(client_ca=chain.root_pem + chain.intermediate_pem) as server:
        yield server


@pytest.fixture
def trusting(apns: ApnsStandIn, chain: Chain) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=apns.ca_pem.decode())
    context.load_cert_chain(chain.pass_file)
    return context


@pytest.fixture
def client(apns: ApnsStandIn, trusting: ssl.SSLContext) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=apns.url, http1=False, http2=True, verify=trusting) as client:
        yield client
