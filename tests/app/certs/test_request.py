"""From the signing request to Apple's answer, and everything that may not fit together."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from app.certs import install, load_pass_signer, pending, request
from app.config import Config
from app.errors import Invalid
from app.keys import KeyRing, Purpose
from tests.app.certs.apple import Apple

NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def apple() -> Apple:
    return Apple.make(NOW - timedelta(days=1))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(data=tmp_path / "data", database_url="", url="http://127.0.0.1:8000")


@pytest.fixture
def keyring(config: Config) -> KeyRing:
    return KeyRing.open(config, now=lambda: NOW)


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def wwdr(apple: Apple, folder: Path) -> Path:
    """The intermediate, and the root: it is not Apple's."""
    both = (apple.wwdr.public_bytes(Encoding.PEM), apple.root.public_bytes(Encoding.PEM))
    return written(folder / "wwdr.pem", b"".join(both))


@pytest.mark.parametrize("elliptic", [False, True])
def test_openssl_reads_the_request_and_its_key_stays_in_the_ring(
    config: Config, keyring: KeyRing, elliptic: bool
) -> None:
    made = request(config, keyring, name="Kaffa", elliptic=elliptic)
    assert (made.is_new, made.path.parent) == (True, config.keys_dir)
    assert made.path.name == "apple-pass-00001.certSigningRequest"
    assert made.path.stat().st_mode & 0o777 == 0o600
    checked = subprocess.run(
        ["openssl", "req", "-in", str(made.path), "-verify", "-noout", "-subject"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert checked.returncode == 0, checked.stderr
    assert "Kaffa" in checked.stdout
    key = x509.load_pem_x509_csr(made.path.read_bytes()).public_key()
    if elliptic:
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert key.curve.name == "secp256r1"
    else:
        assert isinstance(key, rsa.RSAPublicKey)
        assert key.key_size == 2048
    for path in config.keys_dir.iterdir():
        assert b"PRIVATE KEY" not in path.read_bytes()


@pytest.mark.parametrize("elliptic", [False, True])
def test_the_answer_needs_nothing_but_the_intermediate(
    config: Config, keyring: KeyRing, apple: Apple, tmp_path: Path, elliptic: bool
) -> None:
    made = request(config, keyring, elliptic=elliptic)
    cer = written(tmp_path / "pass.cer", apple.answer(made.path, NOW))
    said = install(config, keyring, [cer], intermediate=wwdr(apple, tmp_path), now=NOW)
    assert said == ['Installed "Pass Type ID: pass.example.beans", valid until 2027-07-01.']
    signer = load_pass_signer(config, keyring)
    assert signer is not None
    assert signer.sign(b"{}", NOW)
    assert pending(config, keyring) == []
    assert not made.path.exists()


def test_the_answer_may_be_pem_with_the_intermediate_in_the_file(
    config: Config, keyring: KeyRing, apple: Apple, tmp_path: Path
) -> None:
    answer = x509.load_der_x509_certificate(apple.answer(request(config, keyring).path, NOW))
    together = b"".join(
        each.public_bytes(Encoding.PEM) for each in (answer, apple.wwdr, apple.root)
    )
    install(config, keyring, [written(tmp_path / "pass.pem", together)], now=NOW)
    assert load_pass_signer(config, keyring) is not None


def test_a_request_touches_no_key_in_use_and_changes_no_signer(
    config: Config, keyring: KeyRing, apple: Apple, tmp_path: Path
) -> None:
    cer = written(tmp_path / "1.cer", apple.answer(request(config, keyring).path, NOW))
    install(config, keyring, [cer], intermediate=wwdr(apple, tmp_path), now=NOW)
    before = load_pass_signer(config, keyring)
    later = NOW + timedelta(days=380)
    again = request(config, keyring)
    assert load_pass_signer(config, keyring) is before
    renewed = written(tmp_path / "2.cer", apple.answer(again.path, later))
    install(config, keyring, [renewed], now=later)
    after = load_pass_signer(config, keyring)
    assert after is not None
    assert before is not None
    assert after.certificate.public_key() != before.certificate.public_key()
    versions = [info.version for info in keyring.list() if info.purpose == Purpose.APPLE_PASS]
    assert versions == [1, 2]


def test_a_request_that_waits_is_given_again_unless_another_is_asked_for(
    config: Config, keyring: KeyRing
) -> None:
    first = request(config, keyring)
    again = request(config, keyring)
    assert (again.path, again.is_new) == (first.path, False)
    curve = request(config, keyring, elliptic=True)
    further = request(config, keyring, another=True)
    assert [curve.is_new, further.is_new] == [True, True]
    assert [each.version for each in pending(config, keyring)] == [1, 2, 3]


def test_the_answer_to_another_request_is_refused(
    config: Config, keyring: KeyRing, apple: Apple, tmp_path: Path
) -> None:
    elsewhere = Config(data=tmp_path / "elsewhere", database_url="", url=config.url)
    foreign = request(elsewhere, KeyRing.open(elsewhere, now=lambda: NOW))
    request(config, keyring)
    cer = written(tmp_path / "pass.cer", apple.answer(foreign.path, NOW))
    with pytest.raises(Invalid, match=r"private key of .* is missing"):
        install(config, keyring, [cer], intermediate=wwdr(apple, tmp_path), now=NOW)
    assert not config.certs_dir.exists()


@pytest.mark.parametrize(
    ("uid", "team", "common", "says"),
    [
        ("ABCDE12345", "TEAM123456", "Apple Development: Anna", '"Apple Development: Anna" is not'),
        ("com.example.app", "TEAM123456", "Apple Push Services", "is not a Pass Type ID"),
        (None, "TEAM123456", "Developer ID", '"Developer ID" is not a Pass Type ID certificate'),
        ("pass.example.beans", None, None, r"lacks the pass type \(UID\) or the team \(OU\)"),
    ],
)
def test_a_certificate_of_another_kind_is_named(
    config: Config,
    keyring: KeyRing,
    apple: Apple,
    tmp_path: Path,
    uid: str | None,
    team: str | None,
    common: str | None,
    says: str,
) -> None:
    made = request(config, keyring)
    answer = apple.answer(made.path, NOW, uid=uid, team=team, common=common)
    cer = written(tmp_path / "pass.cer", answer)
    with pytest.raises(Invalid, match=says):
        install(config, keyring, [cer], intermediate=wwdr(apple, tmp_path), now=NOW)


def test_an_intermediate_that_is_wrong_expired_or_missing_is_named(
    config: Config, keyring: KeyRing, apple: Apple, tmp_path: Path
) -> None:
    made = request(config, keyring)
    cer = written(tmp_path / "pass.cer", apple.answer(made.path, NOW))
    other = wwdr(Apple.make(NOW, name="Fruit Relations G1"), tmp_path)
    with pytest.raises(Invalid, match=r'"Fruit Relations G1" did not issue .*"Fruit Relations G4"'):
        install(config, keyring, [cer], intermediate=other, now=NOW)
    with pytest.raises(Invalid, match=r'intermediate that issued .*add .*"Fruit Relations G4"'):
        install(config, keyring, [cer], now=NOW)
    with pytest.raises(Invalid, match=r"holds .*Pass Type ID.*which is no intermediate"):
        install(config, keyring, [cer], intermediate=cer, now=NOW)
    empty = written(tmp_path / "empty", b"hello")
    with pytest.raises(Invalid, match="cannot be opened"):
        install(config, keyring, [cer], intermediate=empty, now=NOW)
    old = Apple.make(NOW - timedelta(days=40), name="Fruit Relations G3", days=30)
    late = written(tmp_path / "late.cer", old.answer(made.path, NOW))
    with pytest.raises(
        Invalid, match='The intermediate "Fruit Relations G3" expired on 2026-05-22'
    ):
        install(config, keyring, [late], intermediate=wwdr(old, tmp_path), now=NOW)
    assert not config.certs_dir.exists()


@pytest.mark.parametrize(
    ("start", "says"),
    [(timedelta(days=1), "not valid before"), (timedelta(days=-400), "expired on")],
)
def test_a_certificate_that_is_not_valid_now_is_refused(
    config: Config, keyring: KeyRing, tmp_path: Path, start: timedelta, says: str
) -> None:
    apple = Apple.make(NOW - timedelta(days=500))
    cer = written(tmp_path / "p.cer", apple.answer(request(config, keyring).path, NOW + start))
    with pytest.raises(Invalid, match=says):
        install(config, keyring, [cer], intermediate=wwdr(apple, tmp_path), now=NOW)


@pytest.mark.parametrize("name", ["", " ", "x" * 65, "a\nb"])
def test_a_name_that_fits_no_request_is_refused(
    config: Config, keyring: KeyRing, name: str
) -> None:
    with pytest.raises(Invalid, match="1 to 64 letters"):
        request(config, keyring, name=name)
    assert keyring.list() == []
