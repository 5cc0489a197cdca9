"""counterfoil member: show, export and erase, each of them on record."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.members.models import Member, MemberRead


def issue(cafe: Any, *words: str) -> Any:
    return cafe.json("card", "issue", *words)


def liga(cafe: Any) -> Any:
    return issue(cafe, "--name", "Līga Ozola", "--email", "liga@example.com")


def reads(cafe: Any) -> list[str]:
    with cafe.open() as context, context.database.read_all() as session:
        return list(session.scalars(select(MemberRead.purpose).order_by(MemberRead.read_at)))


def people(cafe: Any) -> int:
    with cafe.open() as context, context.database.read_all() as session:
        return len(session.scalars(select(Member.id)).all())


def test_a_person_is_shown_by_card_or_address_and_that_is_recorded(cafe: Any) -> None:
    card = liga(cafe)
    for who in (card["card_id"], card["serial_number"], "LIGA@example.com"):
        said = cafe.run("member", "show", who).splitlines()
        assert said[0] == "Līga Ozola <liga@example.com>"
        assert said[1].startswith(f"card {card['card_id']}, active, issued on ")
        assert said[2:] == ["0 beans", "passes: 0 on Apple devices, 0 at Google Wallet"]
    told = cafe.json("member", "show", card["card_id"])
    assert [each["email"] for each in told["members"]] == ["liga@example.com"]
    assert [each["card_id"] for each in told["cards"]] == [card["card_id"]]
    assert reads(cafe) == ["show"] * 4


def test_a_card_without_a_name_is_nobody_s_data(cafe: Any) -> None:
    card = issue(cafe)
    assert cafe.run("member", "show", card["card_id"]).startswith("a card without a name\n")
    assert reads(cafe) == []


@pytest.mark.parametrize("command", ["show", "export", "erase"])
@pytest.mark.parametrize(
    ("who", "says"),
    [
        ("nobody@example.com", "Nobody gave this address."),
        ("00112233445566ff", "There is no such card in this programme."),
        ("", "There is no such card in this programme."),
    ],
)
def test_nobody_is_said_to_be_nobody(cafe: Any, command: str, who: str, says: str) -> None:
    assert cafe.refused("member", command, who) == says


def test_an_export_is_json_or_text_and_goes_to_a_private_file(cafe: Any, tmp_path: Path) -> None:
    card, out = liga(cafe), tmp_path / "liga.json"
    assert cafe.run("member", "export", "liga@example.com", "--out", str(out)) == (
        f"Written to {out}.\n"
    )
    assert out.stat().st_mode & 0o777 == 0o600
    told = json.loads(out.read_text())
    assert told["members"][0]["name"] == "Līga Ozola"
    assert told["cards"][0]["id"] == card["card_id"]
    assert [each["purpose"] for each in told["member_reads"]] == ["export"]
    assert "    name: Līga Ozola\n" in cafe.run("member", "export", card["card_id"], "--text")
    assert "exists" in cafe.refused("member", "export", card["card_id"], "--out", str(out)).lower()


def test_erasing_says_what_is_lost_and_asks(cafe: Any) -> None:
    card = liga(cafe)
    result = cafe.type("member", "erase", "liga@example.com", typed="n\n")
    assert result.exit_code == 1
    for line in ("Līga Ozola <liga@example.com>", f"card {card['card_id']}, active", "0 beans"):
        assert f"  {line}" in result.stdout
    assert "cannot be undone" in result.stdout
    assert "Nothing was erased." in result.stderr
    assert people(cafe) == 1
    assert cafe.type("member", "erase", card["card_id"], typed="y\n").exit_code == 0
    assert people(cafe) == 0
    assert reads(cafe) == ["show", "show", "erase"]


def test_with_yes_it_does_not_ask_and_nothing_is_found_afterwards(cafe: Any) -> None:
    card = liga(cafe)
    assert cafe.get(card["card_url"]).status_code == 200
    assert "Erased." in cafe.run("member", "erase", "liga@example.com", "--yes")
    assert cafe.get(card["card_url"]).status_code == 404
    assert cafe.refused("member", "show", "liga@example.com") == "Nobody gave this address."
    assert "erased" in cafe.run("member", "show", card["card_id"])
    assert cafe.run("member", "erase", card["card_id"], "--yes") == "This was erased before.\n"
    assert "was erased" in cafe.refused("card", "unblock", card["card_id"])


def test_a_person_of_another_programme_is_not_found(cafe: Any) -> None:
    card = liga(cafe)
    cafe.run("programme", "add", "tea", "Tea")
    for who in (card["card_id"], "liga@example.com"):
        result = cafe.type("member", "erase", who, "--yes", "--programme", "tea")
        assert result.exit_code == 1
    assert people(cafe) == 1
