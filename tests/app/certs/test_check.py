"""What is wrong with certificates is named, with its file and its cure."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from app.certs import (
    PASS,
    ROOT,
    WWDR,
    check,
    load_google_account,
    load_pass_signer,
)
from app.errors import Misconfigured
from tests.app.certs.shops import NOW, Issued, Shop, break_file, open_shop, pem, written


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


def test_a_chain_that_ends_at_a_stranger_s_root_is_named(shop: Shop, apple: "Issued") -> None:
    written(shop.path(ROOT), pem(apple.root))
    [finding] = shop.findings()
    assert finding.severity == "error"
    assert f"was not issued by the certificate in {shop.path(ROOT)}" in finding.message
    remove(shop, ROOT)
    [finding] = shop.findings()
    assert finding.severity == "error"
    assert "was not issued by Apple's root" in finding.message


def test_a_development_certificate_on_a_public_address_is_a_warning(shop: Shop) -> None:
    public = replace(shop.config, url="https://cards.example.com")
    [finding] = check(public, shop.keyring, now=NOW)
    assert finding.severity == "warning"
    assert "no real phone" in finding.message
