"""counterfoil staff: inviting people to the staff pages."""

import re
from typing import Any

from app.db import enter
from app.programmes.models import Programme
from app.staff import links, second_factor
from app.staff.login_models import Login
from app.staff.models import Staff
from app.staff.service import person_by_name

PASSWORD = "four words of my own"


def token_in(said: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:8000/staff/kaffa/link/([0-9a-f]{64})\n", said)
    assert found is not None, said
    return found[1]


def use(installation: Any, token: str) -> str:
    with installation.open() as context, context.database.write_all() as session:
        enter(session, session.query(Programme.id).scalar())
        now = context.clock()
        return links.use_link(session, token, PASSWORD, programme_name="Kaffa", now=now).name


def test_the_first_owner_is_added_and_invited_by_one_command(cafe: Any) -> None:
    said = cafe.run("staff", "invite", "Olga", "--role", "owner")
    assert "For Olga (owner), once, within 24 hours:" in said
    assert use(cafe, token_in(said)) == "Olga"
    again = cafe.json("staff", "invite", "Olga")
    assert (again["name"], again["role"]) == ("Olga", "owner")
    assert use(cafe, again["link"].rpartition("/")[2]) == "Olga"


def test_who_is_not_there_is_invited_only_with_a_role_and_nobody_gets_another_by_it(
    cafe: Any,
) -> None:
    assert "--role owner" in cafe.refused("staff", "invite", "Olga")
    assert "Marta is manager already" in cafe.refused("staff", "invite", "Marta", "--role", "owner")
    assert use(cafe, token_in(cafe.run("staff", "invite", "Marta"))) == "Marta"
    cafe.run("staff", "leave", "Marta")
    assert "Nobody called 'Marta'" in cafe.refused("staff", "invite", "Marta")


def test_a_reset_forgets_the_second_factor_only_where_that_is_said(cafe: Any) -> None:
    use(cafe, token_in(cafe.run("staff", "invite", "Olga", "--role", "owner")))
    with cafe.open() as context, context.database.write_all() as session:
        person = session.query(Staff).filter_by(name="Olga").one()
        enter(session, person.programme_id)
        login = links.login_of(session, person)
        second_factor.begin(context.keys, login, name="Olga", issuer="Kaffa")
        login.totp_secret = login.totp_pending

    def has_factor() -> bool:
        with cafe.open() as context, context.database.read_all() as session:
            enter(session, session.query(Programme.id).scalar())
            person = person_by_name(session, "Olga")
            return session.get_one(Login, person.id).totp_secret is not None

    use(cafe, token_in(cafe.run("staff", "reset", "Olga")))
    assert has_factor()
    token = token_in(cafe.run("staff", "reset", "Olga", "--second-factor"))
    assert has_factor()
    use(cafe, token)
    assert not has_factor()
