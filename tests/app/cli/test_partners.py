"""counterfoil partner: a location belongs to one partner at most."""

from typing import Any

import pytest


@pytest.fixture
def shops(cafe: Any) -> Any:
    cafe.run("location", "add", "port", "Port")
    return cafe


def test_a_partner_has_its_locations(shops: Any) -> None:
    assert shops.run("partner", "list").startswith("There is no partner")
    assert shops.run("partner", "add", "Bakery", "--location", "port") == (
        "Bakery is there, with port.\n"
    )
    assert shops.json("partner", "add", "Cinema")["locations"] == []
    assert shops.run("partner", "locations", "Cinema", "old-town") == "Cinema has old-town too.\n"
    assert shops.run("partner", "list") == "Bakery  port\nCinema  old-town\n"
    [bakery, cinema] = shops.json("partner", "list")
    assert (bakery["name"], cinema["locations"]) == ("Bakery", ["old-town"])


def test_a_location_belongs_to_one_partner_at_most(shops: Any) -> None:
    shops.run("partner", "add", "Bakery", "--location", "port")
    said = shops.refused("partner", "add", "Cinema", "--location", "old-town", "--location", "port")
    assert said == "The location 'port' belongs to Bakery already."
    # All or nothing: there is no Cinema, and Old Town is still the programme's.
    assert shops.run("partner", "list") == "Bakery  port\n"
    # What is its own already it may be given again.
    assert shops.run("partner", "locations", "Bakery", "port") == "Bakery has port too.\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("add", "Bakery", "--location", "moon"), "There is no location 'moon'"),
        (("add", " "), "A name has 1 to 80 characters."),
        (("add", "B" * 81), "A name has 1 to 80 characters."),
        (("add", "Bak\x1b[2Jery"), "A name has 1 to 80 characters."),
        (("locations", "Nobody", "old-town"), "There is no partner 'Nobody'."),
    ],
)
def test_what_makes_no_sense_is_refused(cafe: Any, words: tuple[str, ...], says: str) -> None:
    result = cafe.type("partner", *words)
    assert result.exit_code == 1
    assert says in result.stderr
    assert cafe.json("partner", "list") == []


def test_a_name_is_given_once(cafe: Any) -> None:
    cafe.run("partner", "add", "Bakery")
    assert cafe.refused("partner", "add", " Bakery ") == "There is a partner 'Bakery' already."
