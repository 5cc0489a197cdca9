import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from hypothesis import given
from hypothesis import strategies as st

from passes.apple import cms, der
from passes.errors import SignatureError
from tests.passes import certificates
from tests.passes.certificates import NOW

MANIFEST = b'{"icon.png":"da39a3ee5e6b4b0d3255bfef95601890afd80709"}'
SIGNATURE = certificates.signer().sign(MANIFEST, NOW)


def test_the_signature_of_another_library_is_read() -> None:
    signer = certificates.signer()
    made = (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(MANIFEST)
        .add_signer(signer.certificate, certificates.rsa_key(), hashes.SHA256())
        .add_certificate(certificates.intermediate().certificate)
        .sign(Encoding.DER, [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary])
    )
    read = cms.read(made)
    read.verify(MANIFEST)
    assert read.signer == signer.certificate
    assert read.signing_time is not None
    assert not read.attached


def test_a_signature_in_streamed_ber_is_read() -> None:
    # What streaming signers write: lengths left open, closed by two zero octets.
    outer = der.read_one(SIGNATURE)
    streamed = b"\x30\x80" + outer.content + b"\0\0"
    cms.read(streamed).verify(MANIFEST)


def test_every_truncation_is_refused() -> None:
    for length in range(len(SIGNATURE)):
        with pytest.raises(SignatureError):
            cms.read(SIGNATURE[:length])


def test_altered_bytes_are_refused_or_do_not_verify() -> None:
    untouched = cms.read(SIGNATURE)
    for at in range(len(SIGNATURE)):
        altered = bytearray(SIGNATURE)
        altered[at] ^= 1 << at % 8
        try:
            read = cms.read(bytes(altered))
            read.verify(MANIFEST)
        except SignatureError:
            continue
        # The signature itself does not cover the certificates beside it, nor its own framing.
        assert (read.signed, read.digest) == (untouched.signed, untouched.digest)


def test_nothing_around_the_certificates_can_be_altered_unnoticed() -> None:
    # Each bit of the envelope is told: versions, algorithms, their parameters, what is signed.
    included = b"".join(
        each.public_bytes(Encoding.DER) for each in cms.read(SIGNATURE).certificates
    )
    start = SIGNATURE.index(included)
    for at in [*range(start), *range(start + len(included), len(SIGNATURE))]:
        for bit in range(8):
            altered = bytearray(SIGNATURE)
            altered[at] ^= 1 << bit
            with pytest.raises(SignatureError):
                cms.read(bytes(altered)).verify(MANIFEST)


@given(st.binary(max_size=300))
def test_no_bytes_do_worse_than_be_refused(data: bytes) -> None:
    with pytest.raises(SignatureError):
        cms.read(data)


@pytest.mark.parametrize("data", [b"\x30\x80" * 5000, b"0" * 200_001, b"\x30\x84\xff\xff\xff\xff"])
def test_absurd_depth_and_size_are_refused(data: bytes) -> None:
    with pytest.raises(SignatureError):
        cms.read(data)


@pytest.mark.parametrize(
    ("dotted", "encoded"),
    [
        ("1.2.840.113549.1.7.2", "06092a864886f70d010702"),
        ("2.16.840.1.101.3.4.2.1", "0609608648016503040201"),
        ("2.5.4.3", "0603550403"),
    ],
)
def test_object_identifiers_are_encoded_as_x_690_says(dotted: str, encoded: str) -> None:
    assert der.oid(dotted).hex() == encoded


@pytest.mark.parametrize(
    ("length", "encoded"), [(0, "3000"), (127, "307f"), (128, "308180"), (65536, "3083010000")]
)
def test_lengths_are_the_shortest_there_are(length: int, encoded: str) -> None:
    assert der.header(der.SEQUENCE, length).hex() == encoded
