"""A forgotten password: a link by e-mail, which tells nobody who works here."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.audit import AuditEntry
from app.delivery.letters import COMPOSER
from app.demo.mail import MailServer
from app.mail import sending
from app.mail.models import OutgoingMail
from app.staff import addresses, links, second_factor
from app.staff.login_models import Login
from app.staff.models import Staff
from app.staff.service import add_staff
from app.web.staff.account.forgotten import LETTERS, TRIES
from app.web.staff.door import FORM_FIELD
from tests.app.office import Colleague

PASSWORD, OTHER = "four words of my own", "four others of mine"


@pytest.fixture
def server(shop: Any, app: Flask, tmp_path: Path) -> Iterator[MailServer]:
    with MailServer(tmp_path) as server:
        config = replace(
            shop.context.config,
            smtp_server=server.address,
            smtp_ca=server.ca,
            smtp_from="cards@example.com",
        )
        app.extensions["counterfoil"] = replace(shop.context, config=config)
        yield server


def hire(shop: Any, name: str, role: str = "manager", email: str = "") -> Staff:
    now = shop.context.clock()
    with shop.context.database.write(shop.programme_id) as session:
        person = add_staff(session, shop.programme_id, name=name, role=role, pin="274913", now=now)
        links.set_password(session, person, PASSWORD, programme_name="", now=now)
        addresses.keep(session, shop.context.keys, person, email)
    return person


def ask(shop: Any, client: FlaskClient, name: str) -> Any:
    page = client.get(f"/staff/{shop.slug}/forgotten").text
    form = re.search(rf'name="{FORM_FIELD}" value="([0-9a-f]+)"', page)
    assert form is not None, page
    return client.post(f"/staff/{shop.slug}/forgotten", data={FORM_FIELD: form[1], "name": name})


def letters(app: Flask, server: MailServer) -> list[Any]:
    context = app.extensions["counterfoil"]
    while (sent := sending.step(context, COMPOSER, now=context.clock())) and sent.done:
        pass
    return server.letters


def link_in(letter: Any) -> str:
    [found] = re.findall(r"http://\S+(/staff/\S+/link/[0-9a-f]{64})", letter.part())
    return str(found)


def use(client: FlaskClient, path: str, password: str = OTHER) -> Any:
    page = client.get(path).text
    form = re.search(rf'name="{FORM_FIELD}" value="([0-9a-f]+)"', page)
    if form is None:
        return client.get(path)
    sent = {FORM_FIELD: form[1], "password": password, "again": password}
    return client.post(path, data=sent)


def test_a_link_comes_by_letter_works_once_within_the_hour_and_is_kept_nowhere(
    shop: Any, app: Flask, server: MailServer
) -> None:
    hire(shop, "Marta K", email="marta@example.com")
    client = app.test_client()
    assert "/forgotten" in client.get(f"/staff/{shop.slug}/sign-in").text
    assert ask(shop, client, " Marta K ").status_code == 200
    with shop.context.database.read(shop.programme_id) as session:
        [queued] = session.scalars(select(OutgoingMail)).all()
        assert "/link/" not in f"{queued.text}{queued.fills}" and queued.member_id is None
        assert b"marta" not in (session.scalars(select(Login.email)).one() or b"")
    [letter] = letters(app, server)
    assert letter.recipient == "marta@example.com"
    path = link_in(letter)
    shop.context.clock.advance(timedelta(minutes=59))
    assert use(app.test_client(), path).status_code == 303
    assert use(app.test_client(), path).status_code == 404
    ask(shop, client, "Marta K")
    path = link_in(letters(app, server)[-1])
    shop.context.clock.advance(timedelta(minutes=61))
    assert use(app.test_client(), path).status_code == 404
    with shop.context.database.read(shop.programme_id) as session:
        noted = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert noted == ["staff.link", "staff.password", "staff.sign_in", "staff.link"]


def test_whoever_asks_is_told_the_same_and_only_who_has_an_address_gets_a_letter(
    shop: Any, app: Flask, server: MailServer
) -> None:
    hire(shop, "Marta K", email="marta@example.com")
    hire(shop, "No Address")
    client = app.test_client()
    names = ("Marta K", "No Address", "Nobody", "x\0" * 200)
    told = [ask(shop, client, name) for name in names]
    assert {each.status_code for each in told} == {200}
    forms = re.compile(rf'name="{FORM_FIELD}" value="[0-9a-f]+"')
    assert len({forms.sub("", each.text) for each in told}) == 1
    assert len(letters(app, server)) == 1


def test_letters_are_few_a_day_and_tries_few_an_address(
    shop: Any, app: Flask, server: MailServer
) -> None:
    hire(shop, "Marta K", email="marta@example.com")
    client = app.test_client()
    answers = [ask(shop, client, "Marta K").status_code for _ in range(TRIES + 1)]
    assert answers == [200] * TRIES + [429]
    assert len(letters(app, server)) == LETTERS
    assert client.post(f"/staff/{shop.slug}/forgotten", data={"name": "x"}).status_code == 403


def test_the_second_factor_is_asked_for_after_the_link_as_well(
    shop: Any, app: Flask, server: MailServer
) -> None:
    person = hire(shop, "Olga", "owner", "olga@example.com")
    with shop.context.database.write(shop.programme_id) as session:
        login = links.login_of(session, person)
        second_factor.begin(shop.context.keys, login, name="Olga", issuer="x")
        login.totp_secret = login.totp_pending
    client = app.test_client()
    ask(shop, client, "Olga")
    answer = use(client, link_in(letters(app, server)[-1]))
    assert answer.location.endswith("/sign-in/code")
    assert "/sign-in" in client.get(f"/staff/{shop.slug}/account").location


def test_without_a_mail_server_there_is_no_such_page(shop: Any, app: Flask) -> None:
    client = app.test_client()
    assert client.get(f"/staff/{shop.slug}/forgotten").status_code == 404
    assert "/forgotten" not in client.get(f"/staff/{shop.slug}/sign-in").text


def test_an_address_is_kept_by_oneself_with_the_password_or_by_an_owner_who_sends_the_link(
    shop: Any, app: Flask, server: MailServer, signed_in: Callable[..., Colleague]
) -> None:
    person = hire(shop, "Marta K")
    owner = signed_in("owner")
    wrong = owner.post(f"team/{person.id}/email", {"email": "marta"})
    assert wrong.status_code == 422
    assert owner.post(f"team/{person.id}/letter").status_code == 409
    assert owner.post(f"team/{person.id}/email", {"email": "m@example.com"}).status_code == 303
    assert owner.post(f"team/{person.id}/letter").status_code == 303
    [letter] = letters(app, server)
    assert (letter.recipient, bool(link_in(letter))) == ("m@example.com", True)
    refused = owner.post("account/email", {"email": "o@example.com", "current": "not it"})
    assert refused.status_code == 422
    assert signed_in("manager").post(f"team/{person.id}/letter").status_code == 403
