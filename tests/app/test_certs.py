"""Certificates: made for development, installed, loaded while running, and checked."""

import json
import logging
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from app.certs import (
    GOOGLE_PUBLIC_KEY,
    PASS,
    ROOT,
    WWDR,
    CertFinding,
    check,
    install,
    inventory,
    load_google_account,
    load_pass_signer,
    make_dev_chain,
)
from app.certs.files import read_certificates
from app.config import Config
from app.errors import Conflict, Invalid, Misconfigured
from app.keys import KeyRing, Purpose

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


@pytest.fixture(scope="session")
def dev_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shop = open_shop(tmp_path_factory.mktemp("made"))
    make_dev_chain(
        shop.config,
        shop.keyring,
        pass_type_identifier="pass.example.beans",
        team_identifier="TEAM123456",
        now=NOW,
    )
    return shop.config.data


@pytest.fixture
def shop(dev_data: Path, tmp_path: Path) -> Shop:
    return open_shop(Path(shutil.copytree(dev_data, tmp_path / "shop")))


@pytest.fixture
def bare(tmp_path: Path) -> Shop:
    return open_shop(tmp_path / "bare")


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_the_development_certificate_says_pass_type_and_team_as_apple_s_does(shop: Shop) -> None:
    status = dict(inventory(shop.config))[shop.path(PASS)]
    assert status.name == "Pass Type ID: pass.example.beans"
    assert (status.pass_type_identifier, status.team_identifier) == (
        "pass.example.beans",
        "TEAM123456",
    )
    assert shop.findings() == []


def test_openssl_accepts_a_signature_by_the_development_chain(shop: Shop, tmp_path: Path) -> None:
    signer = load_pass_signer(shop.config, shop.keyring)
    assert signer is not None
    manifest = written(tmp_path / "manifest.json", b'{"pass.json": "00"}\r\n')
    signature = written(tmp_path / "signature", signer.sign(manifest.read_bytes(), NOW))
    command = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", str(signature)]
    command += ["-content", str(manifest), "-CAfile", str(shop.path(ROOT))]
    command += ["-attime", str(int(NOW.timestamp()))]
    outcome = subprocess.run(command, capture_output=True, timeout=30)
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout == manifest.read_bytes()


def test_the_keys_of_root_and_intermediate_are_kept_nowhere(shop: Shop) -> None:
    files = (shop.path(name) for name in (ROOT, WWDR))
    publics = [each.public_key() for path in files for each in read_certificates(path)]
    for info in shop.keyring.list():
        if info.purpose == Purpose.APPLE_PASS:
            material = shop.keyring.get(info.purpose, info.version).material
            assert serialization.load_pem_private_key(material, None).public_key() not in publics
    assert not any(b"PRIVATE" in path.read_bytes() for path in shop.config.certs_dir.iterdir())


def test_the_google_account_has_the_form_of_google_s(shop: Shop) -> None:
    account = load_google_account(shop.keyring)
    assert account is not None
    assert account["type"] == "service_account"
    assert account["token_uri"] == "https://oauth2.googleapis.com/token"
    key = serialization.load_pem_private_key(account["private_key"].encode(), None)
    public = serialization.load_pem_public_key(shop.path(GOOGLE_PUBLIC_KEY).read_bytes())
    assert key.public_key() == public


def test_without_certificates_there_is_no_signer_and_a_warning(bare: Shop) -> None:
    assert load_pass_signer(bare.config, bare.keyring) is None
    assert load_google_account(bare.keyring) is None
    [apple, google] = bare.findings()
    assert (apple.file, apple.severity) == (bare.path(PASS), "warning")
    assert "google_service" in google.message
    without_google = replace(bare.config, google_issuer_id=None)
    assert check(without_google, bare.keyring, now=NOW) == [apple]


@pytest.mark.parametrize(
    ("after", "severity", "says"),
    [
        (timedelta(days=395), "warning", "expires on 2027-07-01"),
        (timedelta(days=366), "warning", "expires on 2027-07-01"),
        (timedelta(days=364), None, None),
        (timedelta(days=396), "error", "expired on 2027-07-01"),
        (timedelta(hours=-2), "error", "not valid before 2026-06-01"),
    ],
)
def test_dates_are_told_with_the_file(
    shop: Shop, after: timedelta, severity: str | None, says: str | None
) -> None:
    findings = [each for each in shop.findings(NOW + after) if each.file == shop.path(PASS)]
    if severity is None or says is None:
        assert findings == []
    else:
        [finding] = findings
        assert (finding.severity, finding.not_after) == (severity, NOW + timedelta(days=395))
        assert says in finding.message
        assert str(shop.path(PASS)) in finding.message
        assert "certs install" in finding.cure


def remove(shop: Shop, name: str) -> None:
    shop.path(name).unlink()


def break_file(shop: Shop, name: str) -> None:
    shop.path(name).write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")


def lose_key(shop: Shop, _name: str) -> None:
    next(shop.keyring.folder.glob("apple_pass.*")).unlink()


@pytest.mark.parametrize(
    ("damage", "name", "says"),
    [
        (remove, PASS, "apple-pass.pem is missing"),
        (remove, WWDR, "apple-wwdr.pem is missing"),
        (break_file, PASS, "apple-pass.pem does not hold a certificate"),
        (break_file, WWDR, "apple-wwdr.pem does not hold a certificate"),
        (break_file, ROOT, "apple-root.pem does not hold a certificate"),
        (lose_key, PASS, "private key of .*apple-pass.pem is not in the key ring"),
    ],
)
def test_a_missing_or_broken_part_is_named(
    shop: Shop, damage: Callable[[Shop, str], None], name: str, says: str
) -> None:
    damage(shop, name)
    [finding] = shop.findings()
    assert finding.severity == "error"
    assert re.search(says, finding.message)
    assert finding.cure


def test_an_intermediate_that_did_not_issue_the_certificate_is_named(
    shop: Shop, apple: "Issued"
) -> None:
    written(shop.path(WWDR), pem(apple.wwdr))
    [finding] = shop.findings()
    assert 'was issued by "Counterfoil development relations", which is not in' in finding.message
    with pytest.raises(Misconfigured, match="Counterfoil development relations"):
        load_pass_signer(shop.config, open_shop(shop.config.data).keyring)


def test_a_development_certificate_on_a_public_address_is_a_warning(shop: Shop) -> None:
    public = replace(shop.config, url="https://cards.example.com")
    [finding] = check(public, shop.keyring, now=NOW)
    assert finding.severity == "warning"
    assert "no real phone" in finding.message


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
        .sign(keys[max(place - 1, 0)], hashes.SHA256())
        for place in range(3)
    ]
    return Issued(*certificates, keys[2])


@pytest.fixture
def apple() -> Issued:
    return issue(NOW)


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
        b"pass", apple.key, apple.leaf, [apple.wwdr], encryption
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
        written(folder / "AppleWWDRCAG4.cer", der(apple.wwdr)),
        written(folder / "pass.cer", der(apple.leaf)),
        written(folder / "pass.key", key_pem(apple.key)),
    ]


@pytest.mark.parametrize("form", ["p12", "one pem", "files"])
def test_certificates_are_installed_in_any_usual_form(
    bare: Shop, apple: Issued, tmp_path: Path, form: str
) -> None:
    files = handed_over(apple, form, tmp_path)
    said = install(bare.config, bare.keyring, files, password=b"secret", now=NOW)
    assert said == ['Installed "Pass Type ID: pass.example.beans", valid until 2027-07-01.']
    signer = load_pass_signer(bare.config, bare.keyring)
    assert signer is not None
    assert signer.certificate == apple.leaf
    assert check(replace(bare.config, google_issuer_id=None), bare.keyring, now=NOW) == []
    assert all(b"PRIVATE" not in path.read_bytes() for path in bare.config.certs_dir.iterdir())


def test_a_renewed_certificate_is_used_without_a_restart(
    bare: Shop, apple: Issued, tmp_path: Path
) -> None:
    install(bare.config, bare.keyring, handed_over(apple, "files", tmp_path), now=NOW)
    running = open_shop(bare.config.data)
    before = load_pass_signer(running.config, running.keyring)
    assert before is load_pass_signer(running.config, running.keyring)
    later = NOW + timedelta(days=380)
    renewed = issue(later)
    install(bare.config, bare.keyring, handed_over(renewed, "files", tmp_path), now=later)
    after = load_pass_signer(running.config, running.keyring)
    assert before is not None
    assert after is not None
    assert (before.certificate, after.certificate) == (apple.leaf, renewed.leaf)
    assert after.intermediates == (renewed.wwdr,)
    no_google = replace(bare.config, google_issuer_id=None)
    assert check(no_google, bare.keyring, now=later + timedelta(days=100)) == []


def test_a_renewed_certificate_with_the_same_key_needs_no_key_again(
    shop: Shop, bare: Shop, apple: Issued, tmp_path: Path
) -> None:
    install(
        bare.config, bare.keyring, handed_over(apple, "p12", tmp_path), password=b"secret", now=NOW
    )
    said = install(
        bare.config, bare.keyring, [written(tmp_path / "c.cer", der(apple.leaf))], now=NOW
    )
    assert said
    assert [info.version for info in bare.keyring.list()] == [1]


def test_a_change_that_does_not_load_leaves_the_signer_before_it(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    before = load_pass_signer(shop.config, shop.keyring)
    break_file(shop, PASS)
    with caplog.at_level(logging.ERROR):
        assert load_pass_signer(shop.config, shop.keyring) is before
        assert load_pass_signer(shop.config, shop.keyring) is before
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert str(shop.path(PASS)) in caplog.text


@pytest.mark.parametrize(
    ("leave_out", "says"),
    [
        ("pass.key", "private key of .* is missing"),
        ("AppleWWDRCAG4.cer", "intermediate that issued .* is missing"),
        ("pass.cer", "no pass certificate"),
    ],
)
def test_an_incomplete_set_is_refused_and_nothing_is_written(
    bare: Shop, apple: Issued, tmp_path: Path, leave_out: str, says: str
) -> None:
    files = [path for path in handed_over(apple, "files", tmp_path) if path.name != leave_out]
    with pytest.raises(Invalid, match=says):
        install(bare.config, bare.keyring, files, now=NOW)
    assert not bare.config.certs_dir.exists()
    assert bare.keyring.list() == []


def test_an_expired_certificate_is_not_installed(bare: Shop, apple: Issued, tmp_path: Path) -> None:
    files = handed_over(apple, "files", tmp_path)
    with pytest.raises(Invalid, match="expired on 2027-07-01"):
        install(bare.config, bare.keyring, files, now=NOW + timedelta(days=400))


def test_a_certificate_of_another_pass_type_is_refused(
    bare: Shop, apple: Issued, tmp_path: Path
) -> None:
    install(bare.config, bare.keyring, handed_over(apple, "files", tmp_path), now=NOW)
    other = handed_over(issue(NOW, "tea"), "files", tmp_path)
    with pytest.raises(Conflict, match="passes that are out would never change again"):
        install(bare.config, bare.keyring, other, now=NOW)


def test_a_real_certificate_replaces_a_development_one_and_never_the_other_way(
    shop: Shop, apple: Issued, tmp_path: Path
) -> None:
    install(shop.config, shop.keyring, handed_over(apple, "files", tmp_path), now=NOW)
    public = replace(shop.config, url="https://cards.example.com")
    assert check(public, shop.keyring, now=NOW) == []
    assert not shop.path(ROOT).exists()
    with pytest.raises(Conflict, match="is a real certificate"):
        make_dev_chain(shop.config, shop.keyring, now=NOW)


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"{", b"\x30\x82", b'{"type": "user"}', b"[" * 99]
)
def test_a_file_of_something_else_is_refused_by_name(
    bare: Shop, tmp_path: Path, content: bytes
) -> None:
    path = written(tmp_path / "something", content)
    with pytest.raises((Invalid, Misconfigured), match=str(path)):
        install(bare.config, bare.keyring, [path], now=NOW)


def test_files_that_are_missing_or_huge_are_refused_by_name(bare: Shop, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be read"):
        install(bare.config, bare.keyring, [tmp_path / "absent"], now=NOW)
    huge = written(tmp_path / "huge", bytes(2_000_000))
    with pytest.raises(Invalid, match="too large"):
        install(bare.config, bare.keyring, [huge], now=NOW)


def test_a_wrong_password_is_told(bare: Shop, apple: Issued, tmp_path: Path) -> None:
    for form in ("p12", "one pem"):
        files = handed_over(apple, form, tmp_path)
        for password in (b"wrong", None):
            with pytest.raises(Invalid, match="password"):
                install(bare.config, bare.keyring, files, password=password, now=NOW)


def test_a_google_account_is_installed_from_google_s_file(
    shop: Shop, bare: Shop, tmp_path: Path
) -> None:
    account = load_google_account(shop.keyring)
    path = written(tmp_path / "key.json", json.dumps(account, indent=2).encode())
    [said] = install(bare.config, bare.keyring, [path], now=NOW)
    assert "counterfoil@counterfoil-dev.iam.gserviceaccount.com" in said
    assert load_google_account(bare.keyring) == account
    assert bare.path(GOOGLE_PUBLIC_KEY).read_bytes() == shop.path(GOOGLE_PUBLIC_KEY).read_bytes()
