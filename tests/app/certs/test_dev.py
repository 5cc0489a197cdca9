"""Certificates made for development have the form of real ones."""

import subprocess
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from app.certs import (
    GOOGLE_PUBLIC_KEY,
    PASS,
    ROOT,
    WWDR,
    inventory,
    load_google_account,
    load_pass_signer,
)
from app.certs.files import read_certificates
from app.keys import Purpose
from tests.app.certs.shops import NOW, Shop, written


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
