"""Signing in at the staff pages, as a browser does."""

import base64
import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.audit import AuditEntry
from app.staff import links, sessions
from app.staff.models import Staff, StaffSession
from app.staff.service import add_staff, person_by_name, set_role
from app.web.staff.door import COOKIE, FORM_FIELD
from passes.totp import totp

PASSWORD, OTHER = "four words of my own", "four others of mine"


class Visitor:
    """A browser that is not signed in yet: it sends the forms that it was shown."""

    def __init__(self, shop: Any, client: FlaskClient) -> None:
        self.shop, self.client, self.shown = shop, client, None

    def address(self, path: str) -> str:
        return path if path.startswith("/") else f"/staff/{self.shop.slug}/{path}"

    def get(self, path: str, **options: Any) -> Any:
        self.shown = self.client.get(self.address(path), **options)
        return self.shown

    def send(self, path: str, **fields: str) -> Any:
        """Fill in the form that was shown last and send it."""
        found = re.search(rf'name="{FORM_FIELD}" value="([0-9a-f]+)"', self.shown.text)
        sent = {FORM_FIELD: found[1] if found else "", **fields}
        answer = self.client.post(self.address(path), data=sent)
        if answer.status_code in {200, 422, 429}:
            self.shown = answer
        return answer

    def sign_in(self, name: str = "Olga", password: str = PASSWORD, path: str = "sign-in") -> Any:
        self.get(path)
        return self.send(path, name=name, password=password)

    @property
    def session(self) -> str | None:
        cookie = self.client.get_cookie(COOKIE, path=f"/staff/{self.shop.slug}")
        return cookie.value if cookie else None


@pytest.fixture
def visitor(shop: Any, app: Any) -> Visitor:
    return Visitor(shop, app.test_client())


@pytest.fixture
def hire(shop: Any) -> Callable[..., Staff]:
    def add(name: str = "Olga", role: str = "owner", password: str | None = PASSWORD) -> Staff:
        now = shop.context.clock()
        with shop.context.database.write(shop.programme_id) as session:
            person = add_staff(
                session, shop.programme_id, name=name, role=role, pin="274913", now=now
            )
            if password:
                links.set_password(session, person, password, programme_name="", now=now)
        return person

    return add


def code_of(shop: Any, page: str) -> str:
    """What an app shows that was given the secret on the page."""
    shown = re.search(r'class="staff-secret">([A-Z2-7 ]+)<', page)
    assert shown, page
    secret = base64.b32decode(shown[1].replace(" ", ""))
    return totp(secret, int(shop.context.clock().timestamp()), digits=6)


def actions(shop: Any) -> list[str]:
    with shop.context.database.read(shop.programme_id) as session:
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_an_owner_sets_up_the_second_factor_at_the_first_sign_in_and_types_it_ever_after(
    shop: Any, visitor: Visitor, hire: Callable[..., Staff]
) -> None:
    hire()
    wanted = f"/staff/{shop.slug}/account?a=1"
    answer = visitor.get("account?a=1")
    assert answer.location.startswith(f"/staff/{shop.slug}/sign-in?next=")
    answer = visitor.sign_in(path=answer.location)
    assert (answer.status_code, visitor.session) == (303, None)
    set_up = visitor.get(answer.location)
    assert "data:image/png;base64," in set_up.text
    assert code_of(shop, set_up.text) == code_of(shop, visitor.get(answer.location).text)
    wrong = visitor.send(answer.location, code="000000")
    assert (wrong.status_code, visitor.session) == (422, None)
    done = visitor.send(answer.location, code=code_of(shop, set_up.text))
    recovery = re.findall(r"<code>([A-Z2-7-]{19})</code>", done.text)
    assert len(recovery) == 10 and visitor.session
    assert f'href="{wanted}"' in html.unescape(done.text)
    assert visitor.get("account").status_code == 200
    assert sorted(actions(shop)) == ["staff.second_factor", "staff.sign_in"]

    shop.context.clock.advance(timedelta(hours=3))
    answer = visitor.get("account")
    answer = visitor.sign_in(path=answer.location)
    assert "/sign-in/code?" in answer.location
    visitor.get(answer.location)
    answer = visitor.send(answer.location, code=code_of(shop, set_up.text))
    assert answer.location == f"/staff/{shop.slug}/account"
    assert visitor.get("account").status_code == 200
    page = visitor.get(visitor.sign_in().location)
    assert visitor.send("sign-in/code", code=recovery[0]).status_code == 303
    assert "9 recovery codes are left" in visitor.get("account").text
    assert page.status_code == 200


def test_who_needs_no_second_factor_comes_in_with_the_password(
    shop: Any, visitor: Visitor, hire: Callable[..., Staff]
) -> None:
    hire("Marta K", "manager")
    answer = visitor.sign_in("Marta K")
    assert (answer.status_code, answer.location) == (303, f"/staff/{shop.slug}/")
    cookies = " ".join(answer.headers.getlist("Set-Cookie"))
    assert f"{COOKIE}={visitor.session}; " in cookies
    assert "HttpOnly" in cookies and "SameSite=Lax" in cookies
    assert visitor.get("account").status_code == 200


def test_half_a_sign_in_opens_no_page_and_cannot_skip_what_it_owes(
    shop: Any, visitor: Visitor, hire: Callable[..., Staff]
) -> None:
    hire()
    visitor.sign_in()
    half = visitor.client.get_cookie("counterfoil_half", path=f"/staff/{shop.slug}")
    visitor.client.set_cookie(COOKIE, half.value, path=f"/staff/{shop.slug}")
    assert visitor.get("account").status_code == 303
    visitor.get("sign-in/code")
    assert visitor.send("sign-in/code", code="123456").status_code == 422
    shop.context.clock.advance(timedelta(minutes=10))
    visitor.get("sign-in/code")
    assert visitor.send("sign-in/code", code="123456").location == f"/staff/{shop.slug}/sign-in"
    assert visitor.get("sign-in/second-factor").location == f"/staff/{shop.slug}/sign-in"


def test_a_session_that_was_planted_is_never_taken_on(
    shop: Any, visitor: Visitor, hire: Callable[..., Staff], app: Any
) -> None:
    hire("Marta K", "manager")
    thief = Visitor(shop, app.test_client())
    hire("Thief", "cashier")
    thief.sign_in("Thief")
    visitor.client.set_cookie(COOKIE, thief.session, path=f"/staff/{shop.slug}")
    visitor.sign_in("Marta K")
    assert visitor.session != thief.session
    assert thief.get("account").status_code == 303  # the planted one is over
    visitor.client.set_cookie(COOKIE, "A" * 43, path=f"/staff/{shop.slug}")
    visitor.sign_in("Marta K")
    assert visitor.session != "A" * 43


def test_a_form_of_another_site_signs_nobody_in(
    shop: Any, visitor: Visitor, hire: Callable[..., Staff], app: Any
) -> None:
    hire("Marta K", "manager")
    fields = {"name": "Marta K", "password": PASSWORD}
    address = f"/staff/{shop.slug}/sign-in"
    assert visitor.client.post(address, data=fields).status_code == 403
    other = Visitor(shop, app.test_client())
    other.get("sign-in")
    visitor.get("sign-in")
    visitor.shown = other.shown
    assert visitor.send("sign-in", **fields).status_code == 403
    token = re.search(rf'name="{FORM_FIELD}" value="([0-9a-f]+)"', visitor.get("sign-in").text)
    cross = visitor.client.post(
        address, data=fields | {FORM_FIELD: token[1]}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert (cross.status_code, visitor.session) == (403, None)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_sign_in_leads_nowhere_but_to_the_programme_s_own_pages(
    shop: Any, visitor: Visitor, hire: Callable[..., Staff]
) -> None:
    hire("Marta K", "manager")
    home = f"/staff/{shop.slug}/"
    for elsewhere in (
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        f"{home}../../evil",
        f"{home}%2e%2e/x",
        f"{home}..%2f..%2fx",
        f"{home}%5c%5cevil",
        f"{home}/evil.example",
        f"/staff/{shop.slug}-other/",
        f"{home}\r\nSet-Cookie: a=b",
        f"{home}\tx",
        "javascript:alert(1)",
        f"http://127.0.0.1:8000@evil.example{home}",
        f"{home}{'x' * 600}",
        f"{home}é",
    ):
        visitor.get("sign-in", query_string={"next": elsewhere})
        answer = visitor.send("sign-in", name="Marta K", password=PASSWORD, next=elsewhere)
        assert answer.location == home, elsewhere
    good = f"{home}members/42?q=Anna+K&page=2"
    visitor.get("sign-in", query_string={"next": good})
    assert visitor.send("sign-in", name="Marta K", password=PASSWORD, next=good).location == good


def test_guessing_hears_the_same_for_every_name_and_then_has_to_wait(
    shop: Any, visitor: Visitor, hire: Callable[..., Staff]
) -> None:
    hire("Marta K", "manager")
    told = {}
    for name in ("Marta K", "Nobody"):
        answers = [visitor.sign_in(name, "wrong") for _ in range(6)]
        told[name] = [
            (
                each.status_code,
                re.sub(r"name=\"form_token\"[^>]*>", "", each.text).replace(name, ""),
            )
            for each in answers
        ]
        assert int(answers[-1].headers["Retry-After"]) > 0
    assert told["Marta K"] == told["Nobody"]
    assert [status for status, _ in told["Nobody"]] == [422] * 5 + [429]
    assert visitor.sign_in("Marta K").status_code == 429


class TestLink:
    def link(self, shop: Any, person: Staff) -> str:
        with shop.context.database.write(shop.programme_id) as session:
            token = links.make_link(session, person, now=shop.context.clock())
        return links.address("", shop.slug, token)

    def test_an_invitation_sets_a_password_and_leads_in(
        self, shop: Any, visitor: Visitor, hire: Callable[..., Staff]
    ) -> None:
        address = self.link(shop, hire("Marta K", "manager", None))
        for _ in range(2):  # a chat that looks at the link does not use it up
            assert "You are Marta K of" in visitor.get(address).text
        assert visitor.send(address, password=PASSWORD, again="other").status_code == 422
        assert visitor.send(address, password="marta k 12", again="marta k 12").status_code == 422
        answer = visitor.send(address, password=PASSWORD, again=PASSWORD)
        assert answer.location == f"/staff/{shop.slug}/"
        assert visitor.get("account").status_code == 200
        assert visitor.get(address).status_code == 404

    def test_a_reset_ends_every_session_and_an_owner_still_owes_the_second_factor(
        self, shop: Any, visitor: Visitor, hire: Callable[..., Staff], app: Any
    ) -> None:
        person = hire("Marta K", "manager")
        visitor.sign_in("Marta K")
        other = Visitor(shop, app.test_client())
        address = self.link(shop, person)
        assert visitor.get("account").status_code == 200
        other.get(address)
        other.send(address, password=OTHER, again=OTHER)
        assert visitor.get("account").status_code == 303
        owner = hire()
        address = self.link(shop, owner)
        other.get(address)
        answer = other.send(address, password=OTHER, again=OTHER)
        assert answer.location == f"/staff/{shop.slug}/sign-in/second-factor"

    def test_a_link_of_another_programme_is_no_link_here(
        self, shop: Any, open_shop: Callable[[], Any], visitor: Visitor, hire: Callable[..., Staff]
    ) -> None:
        address = self.link(shop, hire("Marta K", "manager", None))
        other = open_shop()
        assert visitor.get(address.replace(shop.slug, other.slug)).status_code == 404


class TestOwnAccount:
    def come_in(self, shop: Any, visitor: Visitor, hire: Callable[..., Staff]) -> Visitor:
        hire("Marta K", "manager")
        visitor.sign_in("Marta K")
        visitor.get("account")
        return visitor

    def test_another_password_takes_the_old_one_and_signs_out_everywhere_else(
        self, shop: Any, visitor: Visitor, hire: Callable[..., Staff], app: Any
    ) -> None:
        mine = self.come_in(shop, visitor, hire)
        other = Visitor(shop, app.test_client())
        other.sign_in("Marta K")
        before = mine.session
        wrong = mine.send("account/password", current="wrong", password=OTHER, again=OTHER)
        assert wrong.status_code == 422 and "This is not your password" in wrong.text
        assert (
            mine.send("account/password", current=PASSWORD, password="x", again="x").status_code
            == 422
        )
        done = mine.send("account/password", current=PASSWORD, password=OTHER, again=OTHER)
        assert (done.status_code, mine.session != before) == (303, True)
        assert mine.get("account").status_code == 200
        assert other.get("account").status_code == 303
        assert other.sign_in("Marta K").status_code == 422
        assert other.sign_in("Marta K", OTHER).status_code == 303

    def test_who_sits_down_at_an_open_screen_guesses_the_password_five_times(
        self, shop: Any, visitor: Visitor, hire: Callable[..., Staff]
    ) -> None:
        mine = self.come_in(shop, visitor, hire)
        fields = {"password": OTHER, "again": OTHER}
        said = [
            mine.send("account/password", current="wrong", **fields).status_code for _ in range(6)
        ]
        assert said == [422] * 5 + [429]
        mine.get("account")
        assert mine.send("account/password", current=PASSWORD, **fields).status_code == 429

    def test_sessions_are_listed_and_ended_one_by_one_and_all_at_once(
        self, shop: Any, visitor: Visitor, hire: Callable[..., Staff], app: Any
    ) -> None:
        mine = self.come_in(shop, visitor, hire)
        others = [Visitor(shop, app.test_client()) for _ in range(2)]
        for number, each in enumerate(others):
            each.client.environ_base["HTTP_USER_AGENT"] = f"<Browser {number}>"
            each.sign_in("Marta K")
        page = mine.get("account").text
        assert "&lt;Browser 0&gt;" in page and "&lt;Browser 1&gt;" in page
        addresses = re.findall(r'action="([^"]+/sessions/[^"]+/end)"', page)
        assert len(addresses) == 2
        assert mine.send(addresses[0]).status_code == 303
        assert sorted(each.get("account").status_code for each in others) == [200, 303]
        mine.get("account")
        assert mine.send(addresses[0]).status_code == 404
        mine.send("account/sign-out-everywhere")
        assert {each.get("account").status_code for each in (mine, *others)} == {303}
        with shop.context.database.read(shop.programme_id) as session:
            assert all(session.scalars(select(StaffSession.ended_at)))

    def test_a_second_factor_that_is_not_needed_may_be_had_and_given_up(
        self, shop: Any, visitor: Visitor, hire: Callable[..., Staff]
    ) -> None:
        mine = self.come_in(shop, visitor, hire)
        page = mine.get("account/second-factor").text
        code = code_of(shop, page)
        assert mine.send("account/second-factor", code=code, current="wrong").status_code == 422
        mine.get("account/second-factor")
        done = mine.send("account/second-factor", code=code, current=PASSWORD)
        assert len(re.findall(r"<code>[A-Z2-7-]{19}</code>", done.text)) == 10
        assert "/sign-in/code" in mine.sign_in("Marta K").location
        mine.get("account")
        assert mine.send("account/second-factor/remove", current=PASSWORD).status_code == 303
        assert mine.sign_in("Marta K").location == f"/staff/{shop.slug}/"

    def test_an_owner_cannot_give_the_second_factor_up(self, signed_in: Any) -> None:
        assert signed_in("owner").post("account/second-factor/remove").status_code == 403

    def test_the_pages_speak_the_language_that_was_chosen(
        self, shop: Any, visitor: Visitor, hire: Callable[..., Staff]
    ) -> None:
        mine = self.come_in(shop, visitor, hire)
        mine.send("account/language", language="de")
        page = mine.get("account", headers={"Accept-Language": "ru"}).text
        assert '<html lang="de">' in page
        assert mine.send("account/language", language="xx").status_code == 422
        mine.get("account")
        mine.send("account/language", language="")
        assert '<html lang="ru">' in mine.get("account", headers={"Accept-Language": "ru"}).text


def test_another_role_and_leaving_end_what_one_is_signed_in_as(
    shop: Any, visitor: Visitor, hire: Callable[..., Staff]
) -> None:
    hire("Marta K", "manager")
    visitor.sign_in("Marta K")
    with shop.context.database.write(shop.programme_id) as session:
        person = person_by_name(session, "Marta K")
        set_role(session, person, "cashier")
        sessions.end_all(session, person.id, now=shop.context.clock())
    assert visitor.get("account").status_code == 303
    visitor.sign_in("Marta K")
    assert visitor.get("account").status_code == 200
    with shop.context.database.write(shop.programme_id) as session:
        person_by_name(session, "Marta K").left_at = shop.context.clock()
    assert visitor.get("account").status_code == 303
    assert visitor.sign_in("Marta K").status_code == 422
