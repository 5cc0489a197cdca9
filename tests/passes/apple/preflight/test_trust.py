"""Each test has a pass with just one fault, and it is the only thing found."""

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from passes.apple import der
from passes.apple.preflight import Severity
from passes.apple.signature import (
    OID_CONTENT_TYPE,
    OID_MESSAGE_DIGEST,
    OID_SIGNING_TIME,
    PassKey,
)
from tests.passes import certificates
from tests.passes.apple import forge
from tests.passes.apple.preflight.faults import DAY, inspect, only
from tests.passes.certificates import NOW, YEAR, Authority, intermediate, pass_certificate, root


def signed_by(
    key: PassKey, certificate: Any, *chain: Any, named: dict[str, Any] | None = None
) -> bytes:
    """A pass signed with any certificate, however wrong."""

    def sign(manifest: bytes) -> bytes:
        return forge.cms(
            forge.attributes(manifest),
            certificate=certificate,
            key=key,
            included=[certificate, *(chain or [intermediate().certificate])],
        )

    return forge.pkpass(named, signature=sign)


KEY = certificates.rsa_key()


@pytest.mark.parametrize(
    ("certificate", "code"),
    [
        (pass_certificate(KEY, end=NOW - DAY), "certificate_expired"),
        (pass_certificate(KEY, start=NOW + DAY), "certificate_not_yet_valid"),
        (pass_certificate(KEY, uid="pass.of.others"), "pass_type_mismatch"),
        (pass_certificate(KEY, team="OTHERTEAM1"), "team_mismatch"),
        (pass_certificate(KEY, uid=None), "pass_type_mismatch"),
    ],
)
def test_the_certificate_is_wrong(certificate: Any, code: str) -> None:
    assert only(inspect(signed_by(KEY, certificate))) == code


def test_the_certificate_is_not_that_of_the_key() -> None:
    made = signed_by(certificates.rsa_key(1), pass_certificate(KEY))
    assert only(inspect(made)) == "signature_wrong"


def test_the_certificate_is_not_included() -> None:
    def sign(manifest: bytes) -> bytes:
        return forge.cms(forge.attributes(manifest), included=[intermediate().certificate])

    assert only(inspect(forge.pkpass(signature=sign))) == "signer_missing"


def chain_of(issuer: Authority, *included: Any) -> bytes:
    return signed_by(KEY, pass_certificate(KEY, issuer), *included)


def test_the_intermediate_is_missing() -> None:
    certificate = pass_certificate(KEY)
    assert only(inspect(signed_by(KEY, certificate, certificate))) == "intermediate_missing"


def test_the_intermediate_is_another_of_the_same_name() -> None:
    impostor = certificates.authority("Test Developer Relations CA", root(), number=9)
    assert only(inspect(chain_of(intermediate(), impostor.certificate))) == "intermediate_wrong"


@pytest.mark.parametrize(("ca", "signs"), [(False, False), (True, False)])
def test_the_intermediate_is_no_authority(ca: bool, signs: bool) -> None:
    key = certificates.ec_key(7)
    name = certificates.name("Not An Authority")
    made = certificates.certificate(name, key, root(), ca=ca, signs=signs)
    found = inspect(chain_of(Authority(made, key), made))
    assert only(found) == "intermediate_wrong"
    assert "no authority" in found[0].message


@pytest.mark.parametrize(
    ("dates", "code"),
    [
        ({"end": NOW - DAY}, "intermediate_expired"),
        ({"start": NOW + DAY}, "intermediate_not_yet_valid"),
    ],
)
def test_the_intermediate_is_not_valid_today(dates: dict[str, Any], code: str) -> None:
    old = certificates.authority("Old Relations CA", root(), number=4, **dates)
    assert only(inspect(chain_of(old, old.certificate))) == code


def test_the_chain_ends_at_a_root_that_is_not_trusted() -> None:
    other_root = certificates.authority("Other Root", number=5)
    other = certificates.authority("Other CA", other_root, number=6)
    made = chain_of(other, other.certificate, other_root.certificate)
    assert only(inspect(made)) == "root_untrusted"
    assert inspect(made, roots=[other_root.certificate]) == []


@pytest.mark.parametrize(
    ("dates", "code"),
    [({"end": NOW - DAY}, "root_expired"), ({"start": NOW + DAY}, "root_not_yet_valid")],
)
def test_the_root_is_not_valid_today(dates: dict[str, Any], code: str) -> None:
    old = certificates.authority("Renewed Root", number=5, **dates)
    new = certificates.authority("Renewed Root", number=5)
    between = certificates.authority("Other CA", old, number=6)
    made = chain_of(between, between.certificate)
    assert only(inspect(made, roots=[old.certificate])) == code
    assert inspect(made, roots=[old.certificate, new.certificate]) == []


@pytest.mark.parametrize("included", [intermediate(), root()])
def test_the_root_does_not_issue_pass_certificates_itself(included: Authority) -> None:
    made = chain_of(root(), included.certificate)
    assert only(inspect(made)) == "intermediate_missing"


def test_without_a_root_the_chain_is_said_to_be_unchecked() -> None:
    assert only(inspect(forge.pkpass(), roots=[]), Severity.WARNING) == "root_unchecked"


def test_the_signature_is_attached() -> None:
    def sign(manifest: bytes) -> bytes:
        return forge.cms(forge.attributes(manifest), attached=manifest)

    assert only(inspect(forge.pkpass(signature=sign))) == "signature_attached"


def by_another_library(*options: pkcs7.PKCS7Options) -> Callable[[bytes], bytes]:
    def sign(manifest: bytes) -> bytes:
        return (
            pkcs7.PKCS7SignatureBuilder()
            .set_data(manifest)
            .add_signer(pass_certificate(KEY), KEY, hashes.SHA256())
            .add_certificate(intermediate().certificate)
            .sign(Encoding.DER, list(options))
        )

    return sign


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ((pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary), set()),
        ((pkcs7.PKCS7Options.Binary,), {"signature_attached"}),
        (
            (
                pkcs7.PKCS7Options.DetachedSignature,
                pkcs7.PKCS7Options.Binary,
                pkcs7.PKCS7Options.NoAttributes,
            ),
            {"signing_time_missing"},
        ),
        (
            (
                pkcs7.PKCS7Options.DetachedSignature,
                pkcs7.PKCS7Options.Binary,
                pkcs7.PKCS7Options.NoCerts,
            ),
            {"signer_missing"},
        ),
    ],
)
def test_another_library_was_asked_for_the_wrong_signature(
    options: tuple[pkcs7.PKCS7Options, ...], codes: set[str]
) -> None:
    made = forge.pkpass(signature=by_another_library(*options))
    assert {finding.code for finding in inspect(made)} == codes


def test_the_signature_is_over_other_bytes() -> None:
    made = forge.pkpass(signature=lambda manifest: forge.sign(manifest.replace(b" ", b"\r\n")))
    assert only(inspect(made)) == "signature_other_bytes"


@pytest.mark.parametrize(
    ("missing", "codes"),
    [
        (OID_SIGNING_TIME, {"signing_time_missing"}),
        (OID_CONTENT_TYPE, {"content_type_missing"}),
        (OID_MESSAGE_DIGEST, {"signature_other_bytes"}),
    ],
)
def test_a_signed_attribute_is_missing(missing: bytes, codes: set[str]) -> None:
    def sign(manifest: bytes) -> bytes:
        return forge.cms([part for part in forge.attributes(manifest) if missing not in part])

    assert {finding.code for finding in inspect(forge.pkpass(signature=sign))} == codes


def test_the_signed_attributes_are_not_in_der_order() -> None:
    made = forge.pkpass(signature=lambda manifest: forge.cms(forge.attributes(manifest)[::-1]))
    assert only(inspect(made)) == "attributes_order"


def test_the_signature_says_another_hash() -> None:
    sha1 = der.oid("1.3.14.3.2.26")
    made = forge.pkpass(
        signature=lambda manifest: forge.cms(forge.attributes(manifest), digest_algorithm=sha1)
    )
    assert only(inspect(made)) == "signature_not_sha256"


@pytest.mark.parametrize("signature", [b"", b"-----BEGIN PKCS7-----", b"\x30\x00", bytes(300_000)])
def test_the_signature_is_no_cms(signature: bytes) -> None:
    assert only(inspect(forge.pkpass(signature=lambda _: signature))) == "signature_malformed"


def test_a_good_pass_expires_with_its_certificate() -> None:
    codes = {finding.code for finding in inspect(forge.pkpass(), now=NOW + YEAR + DAY)}
    assert codes == {"certificate_expired", "intermediate_expired", "root_expired"}
