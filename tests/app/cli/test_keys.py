"""counterfoil keys."""

import base64
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.cards import service as cards
from app.cards.errors import CardRefused
from app.keys import Purpose
from app.programmes.service import programme_by_slug


def key_id_of(cafe: Any) -> int:
    """The key that a new card is signed with."""
    with cafe.open() as context, context.database.read_all() as session:
        return cards.card_by_id(session, cafe.json("card", "issue")["card_id"]).key_id


def outcome(cafe: Any, code: str) -> str:
    with cafe.open() as context:
        with context.database.read_all() as session:
            programme_id = programme_by_slug(session, "kaffa").id
        with context.database.read(programme_id) as session:
            try:
                cards.card_by_code(session, code, now=context.clock())
            except CardRefused as refused:
                return str(refused.outcome)
    return "accepted"


def test_every_key_is_listed_and_no_secret(cafe: Any) -> None:
    cafe.run("card", "issue", "--name", "Līga", "--email", "liga@example.com")
    listed = cafe.json("keys", "list")
    assert {key["purpose"] for key in listed} >= {"card_signing", "field", "apple_pass"}
    assert set(listed[0]) == {"purpose", "version", "programme_id", "created_at", "retired_at"}
    table = cafe.run("keys", "list")
    with cafe.open() as context:
        for info in context.keys.list():
            key = context.keys.get(info.purpose, info.version, info.programme_id)
            for form in (key.material.hex(), base64.b64encode(key.material).decode()):
                assert form not in json.dumps(listed) + table
            if info.programme_id:
                assert info.programme_id in table


@pytest.mark.parametrize("purpose", ["totp_master", "field", "blind_index", "apple_token"])
def test_a_key_is_rotated_by_its_name_and_the_old_one_retired(cafe: Any, purpose: str) -> None:
    with cafe.open() as context:
        context.keys.current(Purpose(purpose))
    assert cafe.run("keys", "rotate", purpose) == f"{purpose}: version 2 is used from now on.\n"
    assert cafe.run("keys", "retire", purpose, "1") == f"{purpose} 1 is retired.\n"
    assert "rotate it first" in cafe.refused("keys", "retire", purpose, "2")
    retired = {
        key["version"]: key["retired_at"] is not None
        for key in cafe.json("keys", "list")
        if key["purpose"] == purpose
    }
    assert retired == {1: True, 2: False}


@pytest.mark.parametrize("purpose", ["apple_pass", "google_service"])
def test_what_others_issue_is_installed_not_rotated(cafe: Any, purpose: str) -> None:
    assert "counterfoil certs install" in cafe.refused("keys", "rotate", purpose)


def test_new_cards_are_signed_with_the_rotated_key(cafe: Any) -> None:
    old = cafe.json("card", "issue")["code"]
    assert key_id_of(cafe) == 1
    assert "signed with key 2." in cafe.run("keys", "rotate", "card_signing")
    assert key_id_of(cafe) == 2
    assert outcome(cafe, old) == "accepted"


def test_a_signing_key_ends_on_the_day_that_is_given(cafe: Any) -> None:
    old = cafe.json("card", "issue")["code"]
    said = cafe.refused("keys", "retire", "card_signing", "1")
    assert said.endswith("First: counterfoil keys rotate card_signing")
    cafe.run("keys", "rotate", "card_signing")
    today = datetime.now(UTC)
    for day, expected in ((today + timedelta(days=2), "accepted"), (today, "expired")):
        cafe.run("keys", "retire", "card_signing", "1", "--valid-until", f"{day:%Y-%m-%d}")
        assert outcome(cafe, old) == expected
    assert outcome(cafe, cafe.json("card", "issue")["code"]) == "accepted"


def test_a_signing_key_of_another_programme_is_not_there(cafe: Any) -> None:
    cafe.run("programme", "add", "tea", "Tea")
    cafe.run("keys", "rotate", "card_signing", "--programme", "kaffa")
    said = cafe.refused("keys", "retire", "card_signing", "1", "--programme", "tea")
    assert said == "This programme has no signing key 1."
    assert "Say which programme" in cafe.refused("keys", "rotate", "card_signing")


class TestMasterKey:
    def test_a_new_one_is_made_in_its_own_file(self, cafe: Any) -> None:
        file = cafe.data / "master.key"
        old = file.read_text()
        assert "keys are wrapped by a new master key" in cafe.run("keys", "rotate", "master")
        assert file.read_text() != old
        assert cafe.json("card", "issue")
        file.write_text(old)
        file.chmod(0o600)
        assert "Put the master key back" in cafe.refused("card", "issue")

    def test_a_new_one_is_taken_from_a_file(self, cafe: Any, tmp_path: Path) -> None:
        given = tmp_path / "new.key"
        given.write_bytes(base64.b64encode(os.urandom(32)) + b"\n")
        cafe.run("keys", "rotate", "master", "--new-master-key", str(given))
        assert (cafe.data / "master.key").read_text() == given.read_text()

    def test_one_from_the_environment_changes_to_the_one_given(
        self, cafe: Any, tmp_path: Path
    ) -> None:
        master = cafe.data / "master.key"
        cafe.settings["COUNTERFOIL_MASTER_KEY"] = master.read_text().strip()
        master.unlink()
        assert "give the new one as well" in cafe.refused("keys", "rotate", "master")
        new = base64.b64encode(os.urandom(32)).decode()
        given = tmp_path / "new.key"
        given.write_text(new)
        cafe.run("keys", "rotate", "master", "--new-master-key", str(given))
        assert "master key" in cafe.refused("card", "issue")
        cafe.settings["COUNTERFOIL_MASTER_KEY"] = new
        assert cafe.json("card", "issue")

    @pytest.mark.parametrize("content", [b"", b"hello", b"\xff\xfe", b"AAAA" * 100])
    def test_a_file_that_holds_none_changes_nothing(
        self, cafe: Any, tmp_path: Path, content: bytes
    ) -> None:
        given = tmp_path / "new.key"
        given.write_bytes(content)
        said = cafe.refused("keys", "rotate", "master", "--new-master-key", str(given))
        assert said.startswith(f"{given} does not hold a master key")
        assert cafe.json("card", "issue")
