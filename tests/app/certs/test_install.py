"""Certificates are installed from any form, checked before, and taken up while running."""

import json
import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.certs import (
    GOOGLE_PUBLIC_KEY,
    PASS,
    ROOT,
    check,
    install,
    load_google_account,
    load_pass_signer,
    make_dev_chain,
)
from app.errors import Conflict, Invalid, Misconfigured
from tests.app.certs.shops import (
    NOW,
    Issued,
    Shop,
    break_file,
    der,
    handed_over,
    issue,
    open_shop,
    pem,
    written,
)


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


def test_a_chain_that_ends_at_a_stranger_s_root_is_not_installed(
    bare: Shop, apple: Issued, tmp_path: Path
) -> None:
    files = handed_over(apple, "files", tmp_path)
    written(tmp_path / "AppleWWDRCAG4.cer", pem(apple.wwdr, issue(NOW).root))
    with pytest.raises(Invalid, match="does not end at Apple's root"):
        install(bare.config, bare.keyring, files, now=NOW)
    assert not bare.config.certs_dir.exists()
    assert bare.keyring.list() == []
    root = written(tmp_path / "root.cer", der(apple.root))
    assert install(bare.config, bare.keyring, [*files, root], now=NOW)
    assert bare.path(ROOT).read_bytes() == pem(apple.root)


def test_an_expired_certificate_is_not_installed(bare: Shop, apple: Issued, tmp_path: Path) -> None:
    files = handed_over(apple, "files", tmp_path)
    with pytest.raises(Invalid, match="expired on 2027-07-01"):
        install(bare.config, bare.keyring, files, now=NOW + timedelta(days=400))


def test_a_certificate_that_ends_before_the_one_it_replaces_is_said_so(
    bare: Shop, tmp_path: Path
) -> None:
    newer = issue(NOW + timedelta(days=30))
    now = NOW + timedelta(days=31)
    install(bare.config, bare.keyring, handed_over(newer, "files", tmp_path), now=now)
    old = handed_over(issue(NOW), "files", tmp_path)
    done, warning = install(bare.config, bare.keyring, old, now=now)
    assert done.endswith("valid until 2027-07-01.")
    assert "valid for longer, until 2027-07-31" in warning
    assert len(install(bare.config, bare.keyring, old, now=now)) == 1


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
    assert shop.path(ROOT).read_bytes() == pem(apple.root)
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
