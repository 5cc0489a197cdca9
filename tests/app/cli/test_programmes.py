"""counterfoil programme | location | staff | till."""

import re
from typing import Any

import pytest
from sqlalchemy import select

from app.db import enter
from app.programmes.models import Programme
from app.staff.errors import WrongPin
from app.staff.service import check_pin
from app.till import access
from app.till.errors import EnrolmentRefused


def code_in(said: str) -> str:
    found = re.search(
        r"counterfoil-scan enrol --service \S+ --code ([A-Z2-7]{4}(-[A-Z2-7]{4}){3})", said
    )
    assert found is not None, said
    return found[1]


def enrols(installation: Any, code: str) -> bool:
    with installation.open() as context, context.database.write_all() as session:
        try:
            access.enrol(session, code, address="192.0.2.7", now=context.clock())
        except EnrolmentRefused:
            return False
        return True


def test_a_first_programme_is_made_where_there_is_nothing_at_all(elsewhere: Any) -> None:
    new = elsewhere()
    said = new.run("programme", "add", "tea", "Tea House", "--currency", "JPY", "--amount", "100")
    assert "Customers join at http://127.0.0.1:8000/join/tea" in said
    assert new.get("/join/tea").status_code == 200
    assert new.run("programme", "list").split() == [
        "tea", "Tea", "House", "http://127.0.0.1:8000/join/tea",
    ]  # fmt: skip
    assert [key["purpose"] for key in new.json("keys", "list")] == ["card_signing"]
    assert new.data.stat().st_mode & 0o777 == 0o700


def test_programmes_are_listed_with_their_locations(cafe: Any) -> None:
    cafe.run("programme", "add", "aroma", "Aroma")
    assert cafe.run("programme", "list").splitlines() == [
        "aroma  Aroma  http://127.0.0.1:8000/join/aroma",
        "kaffa  Kaffa Roasters  http://127.0.0.1:8000/join/kaffa",
        "  old-town  Old Town",
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("programme", "add", "Kaffa", "K"), "small letters"),
        (("programme", "add", "kaffa", "K"), "There is a programme 'kaffa' already"),
        (("programme", "add", "k", "K", "--currency", "eur"), "no currency 'eur'"),
        (("programme", "add", "k", "K", "--time-zone", "Riga"), "no time zone 'Riga'"),
        (("programme", "add", "k", "K", "--points", ""), "1 to 30 letters"),
        (("location", "add", "old-town", "Again"), "There is a location 'old-town' already"),
        (("location", "add", "Old Town", "Old Town"), "small letters"),
        (("staff", "add", "Anna"), "somebody called 'Anna' already"),
        (("staff", "add", "Eve", "--pin", ""), "six digits"),
        (("till", "add", "Counter 2", "--location", "harbour"), "no location 'harbour'"),
        (("till", "add", "Counter 1", "--location", "old-town"), "called 'Counter 1' already"),
        (("till", "code", "Counter 9"), "no till called 'Counter 9'"),
        (("till", "revoke", "Counter 9"), "no till called 'Counter 9'"),
        (("location", "add", "x", "X", "--programme", "tea"), "There is no programme 'tea'"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    cafe: Any, words: tuple[str, ...], says: str
) -> None:
    result = cafe.type(*words)
    assert result.exit_code == 1
    assert says in result.stderr


def test_a_rate_that_is_none_is_named_with_its_field(fresh: Any) -> None:
    result = fresh.type("programme", "add", "k", "K", "--amount", "0")
    assert result.exit_code == 1
    assert "per_amount: Give a number above zero" in result.stderr


def test_with_several_programmes_one_has_to_be_named(cafe: Any) -> None:
    cafe.run("programme", "add", "aroma", "Aroma")
    said = cafe.refused("staff", "add", "Eve")
    assert said == "Say which programme with --programme: aroma, kaffa"
    assert "Eve (cashier) is there" in cafe.run("staff", "add", "Eve", "--programme", "aroma")


def test_without_a_programme_there_is_nothing_to_add_to(fresh: Any) -> None:
    assert "Make one: counterfoil programme add" in fresh.refused("staff", "add", "Eve")


def test_a_location_has_a_poster(cafe: Any) -> None:
    said = cafe.run("location", "add", "harbour", "Harbour")
    address = said.rpartition(" ")[2].strip()
    assert address == "http://127.0.0.1:8000/join/kaffa/poster.svg?at=harbour"
    assert cafe.get(address).mimetype == "image/svg+xml"


@pytest.mark.parametrize("role", ["owner", "marketer", "manager", "cashier", "auditor"])
def test_every_role_is_given_by_its_name_and_the_pin_shown_is_good(cafe: Any, role: str) -> None:
    said = cafe.run("staff", "add", "Eve", "--role", role)
    assert f"Eve ({role}) is there." in said
    pin = said.split()[-1]
    with cafe.open() as context, context.database.write_all() as session:
        assert check_pin(session, "Eve", pin, now=context.clock()).role == role


def test_a_pin_that_was_given_is_not_shown(cafe: Any) -> None:
    assert "482913" not in cafe.run("staff", "add", "Eve", "--pin", "482913")


def test_a_till_is_enrolled_by_the_code_that_is_printed(cafe: Any) -> None:
    code = code_in(cafe.run("till", "add", "Counter 2", "--location", "old-town"))
    assert enrols(cafe, code)
    assert not enrols(cafe, code)


def test_a_new_code_takes_the_place_of_the_one_before(cafe: Any) -> None:
    first, second = (code_in(cafe.run("till", "code", "Counter 1")) for _ in range(2))
    assert (enrols(cafe, first), enrols(cafe, second)) == (False, True)


def test_a_revoked_till_stays_out_until_it_gets_another_code(cafe: Any) -> None:
    code = code_in(cafe.run("till", "code", "Counter 1"))
    said = cafe.run("till", "revoke", "Counter 1")
    assert said.strip().endswith("counterfoil till code 'Counter 1'")
    assert not enrols(cafe, code)
    assert enrols(cafe, code_in(cafe.run("till", "code", "Counter 1")))


def test_a_till_stands_at_the_only_location_and_has_to_be_placed_among_several(cafe: Any) -> None:
    made = cafe.json("till", "add", "Counter 2")
    assert set(made) == {"till_id", "code", "service"}
    assert enrols(cafe, made["code"])
    cafe.run("location", "add", "harbour", "Harbour")
    assert "harbour, old-town" in cafe.refused("till", "add", "Counter 3")


def test_a_program_gets_the_pin_that_was_made(cafe: Any) -> None:
    added = cafe.json("staff", "add", "Ilze", "--role", "manager")
    assert (added["name"], added["role"], len(added["pin"])) == ("Ilze", "manager", 6)


def pin_is_good(cafe: Any, name: str, pin: str) -> bool:
    with cafe.open() as context, context.database.write_all() as session:
        enter(session, session.scalars(select(Programme.id)).one())
        try:
            return check_pin(session, name, pin, now=context.clock()).name == name
        except WrongPin:
            return False


def test_whoever_leaves_signs_in_no_more(cafe: Any) -> None:
    assert pin_is_good(cafe, "Anna", "274913")
    cafe.run("staff", "leave", "Anna")
    assert not pin_is_good(cafe, "Anna", "274913")
    assert "Nobody called 'Anna'" in cafe.refused("staff", "leave", "Anna")


def test_a_new_pin_takes_the_place_of_the_old_one(cafe: Any) -> None:
    made = cafe.run("staff", "pin", "Anna").strip()[-6:]
    assert pin_is_good(cafe, "Anna", made)
    assert not pin_is_good(cafe, "Anna", "274913")


def test_the_operator_and_the_texts_of_consents_are_set(fresh: Any) -> None:
    fresh.run("programme", "add", "kaffa", "Kaffa")
    said = fresh.run(
        "programme", "operator", "--name", "SIA Kaffa", "--address", "Rīga", "--contact", "a@b.lv"
    )
    assert said.strip().endswith("/privacy/kaffa")
    assert "fill in all three" in fresh.type(
        "programme", "operator", "--name", " ", "--address", "x", "--contact", "y"
    ).stderr  # fmt: skip
    assert fresh.run("programme", "consent", "messages").startswith("version 2026-1")
    changed = fresh.run("programme", "consent", "messages", "--text", "en=Write to me.")
    assert changed == "version 1\nen: Write to me.\n"
    wrong = fresh.type("programme", "consent", "messages", "--text", "xx=Write to me.")
    assert wrong.exit_code == 1 and "no such language" in wrong.stderr
