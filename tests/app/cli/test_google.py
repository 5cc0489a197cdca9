"""counterfoil google: what would keep cards out of Google Wallet, in words and for programs."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.demo.google import GoogleStandIn
from tests.passes.google.test_loyalty import class_of

ISSUER = "3388000000022000001"


@pytest.fixture
def google() -> Iterator[GoogleStandIn]:
    with GoogleStandIn(issuer_id=ISSUER) as google:
        yield google


@pytest.fixture
def shop(cafe: Any, google: GoogleStandIn, tmp_path: Path) -> Any:
    """A café with a service account that the stand-in knows."""
    account = tmp_path / "account.json"
    account.write_text(json.dumps(google.service_account()))
    cafe.settings |= {
        "COUNTERFOIL_GOOGLE_ISSUER_ID": ISSUER,
        "COUNTERFOIL_GOOGLE_API_URL": google.url,
    }
    cafe.run("certs", "install", str(account))
    return cafe


def codes(found: Any) -> set[str]:
    return {finding["code"] for finding in found["findings"]}


def test_a_shop_that_is_set_up_has_no_error(shop: Any) -> None:
    shop.run("card", "issue")
    found = json.loads(shop.type("google", "inspect", "--offline", "--json").stdout)
    assert found["object"] == "kaffa"
    assert codes(found) == {"not_https", "unreachable_from_outside"}, "it is on loopback"
    assert {finding["severity"] for finding in found["findings"]} == {"warning"}
    assert set(found["findings"][0]) == {"code", "severity", "where", "message", "cure"}


def test_the_rights_are_asked_for_unless_offline(shop: Any, google: GoogleStandIn) -> None:
    google.deny()
    result = shop.type("google", "inspect")
    assert result.exit_code == 1
    assert "has not let it in" in result.stdout
    assert "console" in result.stdout
    assert shop.type("google", "inspect", "--offline").exit_code == 0


def test_a_shop_without_google_is_told_how_to_begin(cafe: Any) -> None:
    result = cafe.type("google", "inspect", "--json")
    assert result.exit_code == 1
    assert "issuer_missing" in codes(json.loads(result.stdout))


@pytest.mark.parametrize(
    ("body", "code", "exit_code"),
    [
        (lambda: class_of(logo_url="https://cards.example.com/logo.png"), None, 0),
        (lambda: class_of(logo_url="http://127.0.0.1/logo.png"), "unreachable_from_outside", 1),
        (lambda: class_of() | {"reviewStatus": "approved"}, "review_status", 1),
        (lambda: {"id": "x", "classId": "y"}, "id_malformed", 1),
        (lambda: [], "no_object", 1),
    ],
)
def test_a_file_from_anyone_is_inspected(
    body: Callable[[], Any], code: str | None, exit_code: int, cafe: Any, tmp_path: Path
) -> None:
    file = tmp_path / "loyalty.json"
    file.write_text(json.dumps(body()))
    result = cafe.type("google", "inspect", str(file), "--offline", "--json")
    assert result.exit_code == exit_code
    found = json.loads(result.stdout)
    assert found["file"] == str(file)
    assert code is None or code in codes(found)
    plain = cafe.type("google", "inspect", str(file), "--offline")
    assert plain.exit_code == exit_code
    assert ("error: " in plain.stdout) == bool(exit_code)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b" " * 1_000_001])
def test_a_file_that_is_no_json_is_refused_in_a_line(
    content: bytes, cafe: Any, tmp_path: Path
) -> None:
    file = tmp_path / "loyalty.json"
    file.write_bytes(content)
    assert str(file) in cafe.refused("google", "inspect", str(file))


def test_the_state_is_shown_to_people_and_programs(shop: Any, google: GoogleStandIn) -> None:
    assert "0 saved, 0 removed, 0 offered" in shop.run("google", "status")
    state = shop.json("google", "status")
    assert state["waiting"]["updates"] == 0
    assert state["root_keys_from"] == f"{google.url}/root-keys"
