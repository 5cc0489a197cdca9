"""The one way into the staff pages."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app import create_app
from app.audit import AuditEntry
from app.context import Context
from app.staff import sessions
from app.staff.permissions import Permission
from app.web.staff.door import COOKIE, FORM_FIELD, StaffPages, Visit
from tests.app.office import Colleague

SignIn = Callable[..., Colleague]


@pytest.fixture
def app(context: Context) -> Flask:
    """The service with an area of its own, so that this is about the door and no page."""
    pages = StaffPages("trial", __name__)

    @pages.get("/", Permission.SEE_TODAY)
    def index(visit: Visit) -> str:
        return f"Hello, {visit.person.name}, in {visit.language}."

    @pages.post("/change", Permission.CHANGE_PROGRAMME)
    def change(visit: Visit) -> Any:
        with visit.write() as session:
            visit.note(session, "trial.change", visit.form["what"])
        return visit.go("trial.index", said="Changed.")

    app = create_app(context)
    app.register_blueprint(pages.blueprint)
    return app


def test_nobody_comes_in_without_signing_in(shop: Any) -> None:
    answer = shop.client.get(f"/staff/{shop.slug}/trial?page=2")
    assert answer.status_code == 303
    assert answer.location == f"/staff/{shop.slug}/sign-in?next=/staff/{shop.slug}/trial%3Fpage%3D2"


def test_who_is_signed_in_sees_the_page_and_changes_something(shop: Any, signed_in: SignIn) -> None:
    owner = signed_in("owner", name="Olga")
    assert owner.get("trial").text == "Hello, Olga, in en."
    answer = owner.post("trial/change", {"what": "colour"})
    assert (answer.status_code, answer.location) == (303, f"/staff/{shop.slug}/trial")
    with shop.context.database.read(shop.programme_id) as session:
        noted = session.scalars(select(AuditEntry)).one()
        assert (noted.actor, noted.action, noted.subject) == ("Olga", "trial.change", "colour")


def test_a_role_that_does_not_include_it_is_told_so(signed_in: SignIn) -> None:
    cashier = signed_in("cashier")
    assert cashier.get("trial").status_code == 200
    answer = cashier.post("trial/change", {"what": "colour"})
    assert answer.status_code == 403
    assert "Ask the owner" in answer.text


@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
def test_a_form_of_another_page_changes_nothing(shop: Any, signed_in: SignIn, token: str) -> None:
    owner = signed_in("owner")
    assert owner.post("trial/change", {"what": "x", FORM_FIELD: token}).status_code == 403
    cross = {"Sec-Fetch-Site": "cross-site"}
    assert owner.post("trial/change", {"what": "x"}, headers=cross).status_code == 403
    other = signed_in("owner", name="Other")
    foreign = sessions.form_token(other.token)
    assert owner.post("trial/change", {"what": "x", FORM_FIELD: foreign}).status_code == 403
    with shop.context.database.read(shop.programme_id) as session:
        assert session.scalars(select(AuditEntry)).all() == []


def test_a_session_ends_when_idle_and_after_a_day_s_work(shop: Any, signed_in: SignIn) -> None:
    owner = signed_in("owner")
    clock = shop.context.clock
    for _ in range(5):
        clock.advance(sessions.IDLE - timedelta(minutes=1))
        assert owner.get("trial").status_code == 200
    clock.advance(sessions.IDLE + timedelta(minutes=6))
    assert owner.get("trial").status_code == 303
    again = signed_in("owner", name="Again")
    for _ in range(8):
        clock.advance(sessions.IDLE - timedelta(minutes=10))
        again.get("trial")
    assert again.get("trial").status_code == 303


def test_a_session_of_one_programme_opens_no_other(
    open_shop: Callable[[], Any], shop: Any, signed_in: SignIn
) -> None:
    other = open_shop()
    owner = signed_in("owner")
    owner.client.set_cookie(COOKIE, owner.token, path=f"/staff/{other.slug}")
    assert owner.get(f"/staff/{other.slug}/trial").status_code == 303
    assert owner.get("/staff/nowhere/trial").status_code == 404


def test_an_owner_without_the_second_factor_is_led_to_it(shop: Any, signed_in: SignIn) -> None:
    owner = signed_in("owner")
    with shop.context.database.write(shop.programme_id) as session:
        token = sessions.start(session, owner.person, second_factor=False, now=shop.context.clock())
    owner.client.set_cookie(COOKIE, token, path=f"/staff/{shop.slug}")
    answer = owner.get("trial")
    assert (answer.status_code, answer.location.split("?")[0]) == (
        303,
        f"/staff/{shop.slug}/account/second-factor",
    )


def test_what_was_said_is_said_once(signed_in: SignIn, shop: Any) -> None:
    owner = signed_in("owner")
    owner.post("trial/change", {"what": "colour"})
    assert owner.client.get_cookie("counterfoil_said", path=f"/staff/{shop.slug}") is not None


def test_headers_forbid_frames_scripts_and_keeping(signed_in: SignIn) -> None:
    headers = signed_in("owner").get("trial").headers
    assert headers["X-Frame-Options"] == "DENY"
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"


def test_the_short_name_leads_to_the_programme(shop: Any) -> None:
    assert shop.client.get("/staff").location == f"/staff/{shop.slug}/"
    assert shop.client.get("/staff?programme=//evil.example").status_code == 200
