"""counterfoil api-key, and card pin."""

from app.cards import pins
from tests.app.cli.conftest import Installation


def ask(cafe: Installation, key: str) -> int:
    """What a shop system with this key is answered."""
    with cafe.open() as context:
        from app import create_app

        client = create_app(context).test_client()
        path = "/api/pos/v1/accounts/00000000-0000-4000-8000-000000000000/entries"
        return client.get(path, headers={"Authorization": f"Bearer {key}"}).status_code


def test_a_key_is_made_shown_once_listed_rotated_and_revoked(cafe: Installation) -> None:
    made = cafe.json("api-key", "add", "web", "--scope", "members:read", "--location", "old-town")
    assert ask(cafe, made["key"]) == 404
    listed = cafe.run("api-key", "list")
    assert made["key"] not in listed and made["handle"] in listed
    assert "old-town" in listed and "last used" in listed
    rotated = cafe.run("api-key", "rotate", "web").strip()
    assert (ask(cafe, made["key"]), ask(cafe, rotated)) == (401, 404)
    cafe.run("api-key", "revoke", "web")
    assert ask(cafe, rotated) == 401
    [facts] = cafe.json("api-key", "list")
    assert facts["revoked_at"] is not None and "key" not in facts


def test_what_cannot_be_is_said_in_words(cafe: Installation) -> None:
    assert "no location 'moon'" in cafe.refused(
        "api-key", "add", "web", "--scope", "quote", "--location", "moon"
    )
    assert "no API key called 'web'" in cafe.refused("api-key", "revoke", "web")
    assert cafe.type("api-key", "add", "web", "--scope", "all").exit_code == 2
    assert cafe.type("api-key", "add", "web").exit_code == 2
    assert "There is no API key yet" in cafe.run("api-key", "list")


def test_a_card_s_pin_is_set_and_removed(cafe: Installation) -> None:
    card = cafe.json("card", "issue")["card_id"]
    assert "holds from now on" in cafe.run("card", "pin", card, "--pin", "4816")
    typed = cafe.type("card", "pin", card, typed="730562\n730562\n")
    assert typed.exit_code == 0
    with cafe.open() as context, context.database.read_all() as session:
        assert pins.has_pin(session, card)
    assert "gone" in cafe.run("card", "pin", card, "--remove")
    assert "has no PIN" in cafe.refused("card", "pin", card, "--remove")
    assert "no such card" in cafe.refused("card", "pin", "0" * 16, "--pin", "4816")


def test_a_pin_that_is_guessed_first_is_refused(cafe: Installation) -> None:
    card = cafe.json("card", "issue")["card_id"]
    for easy in ("1234", "0000", "4321", "7890", "1212", "123123", "1987", "2580", "098765"):
        result = cafe.type("card", "pin", card, "--pin", easy)
        assert (result.exit_code, "among the first" in result.stderr) == (1, True), easy
    for wrong in ("123", "1234567", "12a4", "١٢٣٤"):
        result = cafe.type("card", "pin", card, "--pin", wrong)
        assert (result.exit_code, "four to six" in result.stderr) == (1, True), wrong
