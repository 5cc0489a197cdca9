import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from passes.apple import cms
from passes.apple.signature import PassKey, PassSigner, describe
from passes.errors import CertificateError, SignatureError
from tests.passes import certificates
from tests.passes.certificates import NOW, YEAR, intermediate, pass_certificate

SHORT_BITS = 1024
MANIFEST = b'{"pass.json":\r\n"da39a3ee5e6b4b0d3255bfef95601890afd80709"}\n'


def openssl_verifies(folder: Path, signature: bytes, manifest: bytes, *more: str) -> bool:
    (folder / "signature").write_bytes(signature)
    (folder / "manifest.json").write_bytes(manifest)
    root = certificates.root().certificate.public_bytes(Encoding.PEM)
    (folder / "root.pem").write_bytes(root)
    command = (
        "openssl cms -verify -binary -inform DER -in signature -content manifest.json "
        "-CAfile root.pem -purpose any -out verified"
    ).split()
    done = subprocess.run([*command, *more], cwd=folder, capture_output=True, check=False)
    return done.returncode == 0 and (folder / "verified").read_bytes() == manifest


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_openssl_verifies_the_signature_and_refuses_another_manifest(
    kind: str, tmp_path: Path
) -> None:
    # An EC signature has one of three lengths: all are seen in a few tries.
    for _ in range(1 if kind == "rsa" else 4):
        signature = certificates.signer(kind).sign(MANIFEST, NOW)
        at = ("-attime", str(int(NOW.timestamp())))
        assert openssl_verifies(tmp_path, signature, MANIFEST, *at)
        assert not openssl_verifies(tmp_path, signature, MANIFEST + b" ", *at)


def test_the_signature_is_der_to_the_byte(tmp_path: Path) -> None:
    signature = certificates.signer("ec").sign(MANIFEST, NOW)
    (tmp_path / "signature").write_bytes(signature)
    command = ["openssl", "cms", "-cmsout", "-inform", "DER", "-in", "signature", "-outform", "DER"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout == signature


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_the_signature_is_detached_with_its_time_and_the_intermediate(kind: str) -> None:
    signer = certificates.signer(kind)
    read = cms.read(signer.sign(MANIFEST, NOW))
    assert not read.attached
    assert read.digest_is_sha256
    assert read.content_type_is_data
    assert read.in_der_order
    assert read.signing_time == NOW
    assert read.signer == signer.certificate
    assert set(read.certificates) == {signer.certificate, intermediate().certificate}
    read.verify(MANIFEST)


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 23, 11, 30, 15, 999_999, tzinfo=timezone(timedelta(hours=2))),
        datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2050, 1, 1, tzinfo=UTC),
        datetime(1999, 1, 2, 3, 4, 5, tzinfo=UTC),
    ],
)
def test_the_signing_time_is_in_utc_to_the_second(moment: datetime) -> None:
    read = cms.read(certificates.signer().sign(MANIFEST, moment))
    assert read.signing_time == moment.replace(microsecond=0)
    assert read.in_der_order


def test_another_key_under_the_same_name_is_seen() -> None:
    signature = bytearray(certificates.signer().sign(MANIFEST, NOW))
    signature[-1] ^= 1
    with pytest.raises(SignatureError, match="not made with the key"):
        cms.read(bytes(signature)).verify(MANIFEST)


def test_identifiers_come_from_the_certificate() -> None:
    signer = certificates.signer()
    assert signer.pass_type_identifier == certificates.PASS_TYPE
    assert signer.team_identifier == certificates.TEAM
    assert [status.name for status in signer.status()] == [
        f"Pass Type ID: {certificates.PASS_TYPE}",
        "Test Developer Relations CA",
    ]


@pytest.mark.parametrize(("uid", "team"), [(None, "T"), ("pass.x", None)])
def test_a_certificate_that_is_not_for_passes_is_refused(uid: str | None, team: str | None) -> None:
    key = certificates.rsa_key()
    with pytest.raises(CertificateError, match="not a pass certificate"):
        PassSigner(pass_certificate(key, uid=uid, team=team), key, [intermediate().certificate])


def test_another_certificates_key_is_refused() -> None:
    certificate = pass_certificate(certificates.rsa_key())
    with pytest.raises(CertificateError, match="not the key of the certificate"):
        PassSigner(certificate, certificates.rsa_key(1), [intermediate().certificate])


@pytest.mark.parametrize(
    "make",
    [
        lambda: rsa.generate_private_key(65537, key_size=SHORT_BITS),
        lambda: ec.generate_private_key(ec.SECP384R1()),
    ],
)
def test_a_key_that_phones_do_not_take_is_refused(make: Callable[[], PassKey]) -> None:
    key = make()
    with pytest.raises(CertificateError, match=r"fewer than 2048|neither RSA nor EC"):
        PassSigner(pass_certificate(key), key, [intermediate().certificate])


def test_a_missing_or_wrong_intermediate_is_named() -> None:
    key = certificates.rsa_key()
    certificate = pass_certificate(key)
    impostor = certificates.authority("Test Developer Relations CA", certificates.root(), number=9)
    for chain in ([], [certificates.root().certificate], [impostor.certificate]):
        with pytest.raises(CertificateError, match="Test Developer Relations CA"):
            PassSigner(certificate, key, chain)


def test_an_expired_certificate_is_named_with_its_date() -> None:
    signer = certificates.signer()
    signer.check(NOW)
    with pytest.raises(CertificateError, match=r"Pass Type ID: .* expired on 2027-11-23 09:30 UTC"):
        signer.check(NOW + YEAR + timedelta(seconds=1))
    with pytest.raises(CertificateError, match="not valid before 2025-11-23"):
        signer.check(NOW - YEAR - timedelta(seconds=1))


def test_an_expired_intermediate_is_named_too() -> None:
    old = certificates.authority(
        "Old CA", certificates.root(), number=3, end=NOW - timedelta(days=1)
    )
    key = certificates.rsa_key()
    signer = PassSigner(pass_certificate(key, old), key, [old.certificate])
    with pytest.raises(CertificateError, match='"Old CA" expired on 2026-11-22'):
        signer.check(NOW)


def test_a_certificate_tells_how_long_it_lasts() -> None:
    status = describe(certificates.signer().certificate)
    assert status.left(NOW) == YEAR
    assert status.issuer == "Test Developer Relations CA"
    assert status.problem(NOW) is None


def test_what_is_no_authority_is_no_intermediate() -> None:
    key = certificates.ec_key(7)
    name = certificates.name("Not An Authority")
    made = certificates.certificate(name, key, certificates.root(), ca=False)
    leaf = certificates.pass_certificate(key, certificates.Authority(made, key))
    with pytest.raises(CertificateError, match="is missing"):
        PassSigner(leaf, key, [made])
