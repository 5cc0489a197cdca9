"""What two libraries of others make of our passes, where they are installed.

    npm install --prefix /some/folder @walletpass/pass-js@6.9.1 passkit-generator@3.6.1
    COUNTERFOIL_NODE_MODULES=/some/folder pytest tests/witness

(pass-js 7 wants node 24.) Neither is part of this distribution.
"""

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from passes.apple import bundle, pass_json
from passes.apple.design import Designs
from passes.apple.preflight import inspect
from passes.apple.signature import PassSigner
from passes.card import CardKind
from tests.passes import certificates
from tests.passes.apple.forge import TOKEN
from tests.passes.certificates import Authority
from tests.passes.faces import of_every_kind

NAMED = "COUNTERFOIL_NODE_MODULES"
_MADE_THERE = ("manifest.json", "signature")
SCRIPT = Path(__file__).with_name("passes.mjs")


def node_folder() -> Path:
    """Where the libraries are; skips, loudly, where there are none."""
    folder = os.environ.get(NAMED, "")
    found = Path(folder) / "node_modules" / "passkit-generator"
    if shutil.which("node") is None or not folder or not found.is_dir():
        pytest.skip(
            f"NO WITNESS FROM npm: set {NAMED} to a folder with @walletpass/pass-js and "
            "passkit-generator in its node_modules"
        )
    return Path(folder)


def ours(kind: CardKind, *, everything: bool) -> bytes:
    """A whole pass of that kind."""
    face = of_every_kind(everything=everything)[kind]
    content = pass_json.render(
        face,
        pass_type_identifier=certificates.PASS_TYPE,
        team_identifier=certificates.TEAM,
        web_service_url="https://cards.example.com",
        authentication_token=TOKEN,
    )
    return Designs().of(face).build(content, signer(), certificates.NOW)


@cache
def root() -> Authority:
    """A root with an RSA key, as Apple's: passkit-generator knows no other kind."""
    key = certificates.rsa_key(1)
    subject = certificates.name("Test RSA root")
    return Authority(certificates.certificate(subject, key, None, ca=True), key)


@cache
def intermediate() -> Authority:
    """The intermediate below it."""
    key = certificates.rsa_key(2)
    subject = certificates.name("Test RSA intermediate")
    return Authority(certificates.certificate(subject, key, root(), ca=True), key)


@cache
def signer() -> PassSigner:
    """A signer below both."""
    key = certificates.rsa_key()
    made = certificates.pass_certificate(key, intermediate())
    return PassSigner(made, key, [intermediate().certificate])


def test_others_read_our_passes_and_we_take_one_that_others_made(tmp_path: Path) -> None:
    folder = node_folder()
    for kind in CardKind:
        (tmp_path / f"{kind}.pkpass").write_bytes(ours(kind, everything=False))
    files = bundle.read(ours(CardKind.POINTS, everything=False))
    # It reads tables of strings in UTF-8 alone, and leaves out what it cannot read.
    parts = {
        name: data
        for name, data in files.items()
        if name not in _MADE_THERE and not name.endswith(".strings")
    }
    (tmp_path / "parts").mkdir()
    for name, data in parts.items():
        (tmp_path / "parts" / name.replace("/", "__")).write_bytes(data)
    (tmp_path / "parts.json").write_text(json.dumps(list(parts)))
    (tmp_path / "wwdr.pem").write_bytes(intermediate().certificate.public_bytes(Encoding.PEM))
    (tmp_path / "signer.pem").write_bytes(signer().certificate.public_bytes(Encoding.PEM))
    (tmp_path / "key.pem").write_bytes(
        certificates.rsa_key().private_bytes(
            Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
        )
    )
    done = subprocess.run(
        ["node", SCRIPT, folder, tmp_path], capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    read = json.loads(done.stdout)
    assert read.keys() == {f"{kind}.pkpass" for kind in CardKind}
    for name, seen in read.items():
        assert seen["style"] == ("coupon" if name == "coupon.pkpass" else "storeCard")
        assert seen["passTypeIdentifier"] == certificates.PASS_TYPE
        assert seen["languages"] == ["de", "en", "lv", "ru"]
        assert seen["images"] > 0
    theirs = (tmp_path / "theirs.bin").read_bytes()
    assert bundle.read(theirs).keys() == {*parts, *_MADE_THERE}
    findings = inspect(theirs, now=certificates.NOW, roots=[root().certificate])
    errors = [each for each in findings if each.severity == "error"]
    # It signs over SHA-1, with attributes as they came: that is said of its signature, and of
    # nothing that is ours in the pass.
    assert {each.where for each in errors} <= {"signature"}, errors
