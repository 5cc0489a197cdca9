"""What is dangerous about pages, tried on every staff page there is."""

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.audit import AuditEntry
from app.staff import sessions
from app.staff.models import Role, StaffSession
from app.staff.permissions import ROLES, may
from app.web.staff.door import COOKIE, FORM_FIELD
from tests.app.office import Colleague
from tests.app.web.staff.furnishing import furnish
from tests.app.web.staff.world import Reader, Route, ids_of, pages_of, routes, rows_of

SignIn = Callable[..., Colleague]
NOBODY = "00000000-0000-4000-8000-000000000000"
REFUSED = "Your role does not include this"
OVER = "This form is no longer good"
ONE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def again(shop: Any, who: Colleague) -> Colleague:
    """The same person in a fresh session: a form may have signed them out."""
    with shop.context.database.write(shop.programme_id) as session:
        token = sessions.start(session, who.person, second_factor=True, now=shop.context.clock())
    who.client.set_cookie(COOKIE, token, path=f"/staff/{who.slug}")
    return Colleague(who.client, who.slug, who.person, token)


def ask(who: Colleague, route: Route, address: str, **options: Any) -> Any:
    return who.get(address) if route.method == "GET" else who.post(address, **options)


def fill(route: Route) -> dict[str, str]:
    """Values that fit the form of the address and name nothing."""
    return {name: route.fitting(name, NOBODY) for name in route.parameters}


@ONE
def test_every_route_lets_in_the_roles_of_its_permission_and_no_other(
    shop: Any, app: Flask, signed_in: SignIn
) -> None:
    assert set(ROLES) == {each for route in routes(app) for each in [route.permission]} | set(ROLES)
    wrong = []
    for role in Role:
        who = signed_in(role)
        for route in routes(app):
            who = again(shop, who)
            answer = ask(who, route, route.address(shop.slug, **fill(route)))
            refused = answer.status_code == 403 and REFUSED in answer.text
            if refused == may(role, route.permission) or answer.status_code >= 500:
                wrong.append(f"{role}: {route} -> {answer.status_code}")
    assert wrong == []


@ONE
def test_nobody_gets_anywhere_without_a_session(shop: Any, app: Flask) -> None:
    wrong = []
    for route in routes(app):
        client = app.test_client()
        address = route.address(shop.slug, **fill(route))
        answer = client.open(address, method=route.method)
        is_led = answer.status_code == 303 and answer.location.startswith(
            f"/staff/{shop.slug}/sign-in"
        )
        if not is_led:
            wrong.append(f"{route} -> {answer.status_code}")
    assert wrong == []


@ONE
def test_every_form_is_refused_without_its_own_session_s_token(
    shop: Any, app: Flask, signed_in: SignIn
) -> None:
    owner, other = signed_in("owner"), signed_in("owner", name="Other")
    before = rows_of(shop.context, shop.programme_id)
    mine = sessions.form_token(owner.token)
    wrong = []
    for route in routes(app):
        if route.method == "GET":
            continue
        address = route.address(shop.slug, **fill(route))
        for data, headers in (
            ({}, {}),
            ({FORM_FIELD: ""}, {}),
            ({FORM_FIELD: sessions.form_token(other.token)}, {}),
            ({FORM_FIELD: mine}, {"Sec-Fetch-Site": "cross-site"}),
            ({FORM_FIELD: mine}, {"Sec-Fetch-Site": "same-site"}),
        ):
            answer = owner.client.open(address, method=route.method, data=data, headers=headers)
            if answer.status_code != 403 or OVER not in answer.text:
                wrong.append(f"{route} with {data and 'a token'} {headers} -> {answer.status_code}")
    assert wrong == []
    assert rows_of(shop.context, shop.programme_id) == before


@ONE
def test_a_route_answers_its_own_verbs_alone(shop: Any, app: Flask, signed_in: SignIn) -> None:
    owner = signed_in("owner")
    addresses = {route.address(shop.slug, **fill(route)) for route in routes(app)}
    matching = app.url_map.bind("127.0.0.1:8000")
    wrong = []
    for address in sorted(addresses):
        methods = set(matching.allowed_methods(address))
        assert methods <= {"GET", "POST", "HEAD", "OPTIONS"}, address
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - methods:
            answer = owner.client.open(
                address, method=method, headers={"X-HTTP-Method-Override": "POST"}
            )
            if answer.status_code != 405:
                wrong.append(f"{method} {address} -> {answer.status_code}")
    assert wrong == []


def fitting(kept: dict[str, list[str]], route: Route) -> set[str]:
    """Ids that could stand in a route's address: of the tables that its parameters name, or, where
    they name none, the first of each table."""
    stems = {name.removesuffix("_id").rstrip("s") for name in route.parameters}
    named = [
        each
        for place, values in kept.items()
        for each in values[:2]
        if any(stem in place for stem in stems)
    ]
    found = named or [values[0] for values in kept.values()] if stems else []
    return {each for each in found if len(each) >= 16}


def test_nothing_of_another_programme_is_reached_by_its_id(
    shop: Any, open_shop: Callable[[], Any], app: Flask, signed_in: SignIn
) -> None:
    other = open_shop()
    theirs = signed_in("owner", of=other, name="Theirs")
    furnish(other, theirs)
    owner = signed_in("owner")
    kept = ids_of(shop.context, other.programme_id)
    ids = {each for values in kept.values() for each in values if len(each) >= 16}
    own = {each for values in ids_of(shop.context, shop.programme_id).values() for each in values}
    before = rows_of(shop.context, other.programme_id)
    wrong = []
    for route in routes(app):
        owner = again(shop, owner)
        for each in sorted(fitting(kept, route) - own):
            values = dict.fromkeys(route.parameters, each)
            answer = ask(owner, route, route.address(shop.slug, **values))
            # A preview of what somebody types writes nothing, and may not care what it is of.
            previews = route.method == "POST" and route.permission.startswith("see_")
            fine = {404, 422, 200} if previews else {404, 422} if route.method == "POST" else {404}
            told = [one for one in ids - own if one != each and one in answer.text]
            if answer.status_code not in fine or told:
                wrong.append(f"{route} with {each} -> {answer.status_code} {told}")
    assert wrong == []
    assert rows_of(shop.context, other.programme_id) == before


@ONE
def test_a_session_of_one_programme_is_none_in_another(
    shop: Any, open_shop: Callable[[], Any], app: Flask, signed_in: SignIn
) -> None:
    other, owner = open_shop(), signed_in("owner")
    owner.client.set_cookie(COOKIE, owner.token, path=f"/staff/{other.slug}")
    wrong = []
    for route in routes(app):
        answer = ask(owner, route, route.address(other.slug, **fill(route)))
        if answer.status_code != 303 or "/sign-in" not in answer.location:
            wrong.append(f"{route} -> {answer.status_code}")
    assert wrong == []


def test_what_is_no_id_and_no_text_is_refused_and_breaks_nothing(
    shop: Any, app: Flask, signed_in: SignIn
) -> None:
    owner = signed_in("owner")
    wrong = []
    for route in routes(app):
        strange = ["x", "%00", "a" * 3000, "..%2f..", "%F0%9F%92%A3", "-1", "1e99", "%FF", "null"]
        owner = again(shop, owner)
        for each in strange if route.parameters else [NOBODY]:
            if route.method == "POST":
                owner = again(shop, owner)
            address = route.address(shop.slug, **dict.fromkeys(route.parameters, each))
            answer = ask(owner, route, address)
            found = route.method == "GET" and route.parameters and answer.status_code == 200
            if answer.status_code >= 500 or found:
                wrong.append(f"{route} with {each[:20]} -> {answer.status_code}")
        if route.method == "GET" and not route.parameters:
            for text in (
                "%00",
                "%ED%A0%80",
                "9" * 400,
                "-1",
                "x" * 5000,
                "%27%22%5C",
                "2026-99-99",
            ):
                query = "&".join(f"{name}={text}" for name in QUERY)
                answer = owner.get(f"{route.address(shop.slug)}?{query}")
                if answer.status_code >= 500:
                    wrong.append(f"{route} ?={text[:20]} -> {answer.status_code}")
        if route.method == "POST":
            owner = again(shop, owner)
            odd = dict.fromkeys(FIELDS, "\0 \ud7ff\U0010ffff")
            answer = owner.post(route.address(shop.slug, **fill(route)), odd)
            if answer.status_code >= 500:
                wrong.append(f"{route} with odd fields -> {answer.status_code}")
    assert wrong == []


#: Names that pages ask for in their addresses, and some that they do not.
QUERY = (
    "q", "page", "before", "after", "since", "until", "from", "to", "sort", "order", "period",
    "who", "action", "subject", "status", "lang", "next", "as", "location", "tier", "limit",
)  # fmt: skip


FIELDS = ("name", "reason", "text", "note", "slug", "location", "url", "points", "place", "role")


@ONE
def test_no_text_that_is_typed_in_ever_becomes_part_of_a_page_or_a_formula(
    shop: Any, app: Flask, signed_in: SignIn
) -> None:
    owner = signed_in("owner")
    furnish(shop, owner)
    payloads = ("'\"><script>x7()</script><img src=x onerror=x7()>", "=1+cmd|x7!A1")
    sent: set[str] = set()
    for address, answer in list(pages_of(owner)):
        if answer.mimetype != "text/html":
            continue
        for form in Reader(answer.text, address).forms:
            kind = re.sub(r"[0-9a-f-]{16,}|\d+", "N", form.action)
            if form.method != "POST" or not form.texts or kind in sent:
                continue
            sent.add(kind)
            for payload in payloads:
                # Short names are left as they were: one that is refused would hide the rest.
                typed = {
                    name: payload if _is_free(name) else value or "5"
                    for name, value in form.fields.items()
                    if name in form.texts
                }
                owner = again(shop, owner)
                reply = owner.post(form.action, {**_plain(form.fields), **typed})
                assert reply.status_code < 500, (form.action, typed, reply.status_code)
                wrong = _executed(reply)
                assert wrong == [], (form.action, payload, wrong)
    assert len(sent) >= 5
    owner = again(shop, owner)
    for address, answer in pages_of(owner):
        assert answer.status_code < 500, address
        assert _executed(answer) == [], address
        if answer.mimetype == "text/html" and "?" not in address:
            for chosen in (QUERY, QUERY[::2]):
                reflected = owner.get(address, query_string=dict.fromkeys(chosen, payloads[0]))
                assert _executed(reflected) == [], address


def _plain(fields: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if name != FORM_FIELD}


def _is_free(name: str) -> bool:
    return name not in {"slug", "current", "password", "again", "code"}


def _executed(answer: Any) -> list[str]:
    """What a browser would run of an answer, or a spreadsheet."""
    if answer.mimetype == "text/html":
        return Reader(answer.text, "/").forbidden
    if answer.mimetype == "text/csv":
        cells = [cell for row in csv.reader(io.StringIO(answer.text.lstrip("﻿"))) for cell in row]
        return [cell for cell in cells if re.match(r"[=+@\t\r]|-(?!\d+([.,]\d+)?$)", cell)]
    return []


@ONE
def test_every_page_is_among_those_that_are_tried(shop: Any, app: Flask, signed_in: SignIn) -> None:
    """Else what is tried on all pages would be tried on none of a new kind: see `furnishing`."""
    owner = signed_in("owner")
    furnish(shop, owner)
    matching = app.url_map.bind("127.0.0.1:8000")
    found = [address for address, answer in pages_of(owner) if answer.status_code == 200]
    seen = {matching.match(address.partition("?")[0])[0] for address in found}
    kept = ids_of(shop.context, shop.programme_id)
    missing = []
    for route in routes(app):
        if route.method != "GET" or route.rule.endpoint in seen | ELSEWHERE:
            continue
        tries = [
            owner.get(route.address(shop.slug, **dict.fromkeys(route.parameters, each)))
            for each in sorted(fitting(kept, route) | set(kept.get("cards.id", [])) | {"summer"})
        ]
        if not any(answer.status_code == 200 for answer in tries):
            missing.append(str(route))
    assert missing == []


#: Pages of what takes a real certificate, picture, rule or moment: their own tests have it.
ELSEWHERE = {
    "certificates.download",
    "designer.picture",
    "programme.thing",
    "members.happenings",
}


@ONE
def test_every_page_forbids_frames_foreign_scripts_and_keeping(
    shop: Any, app: Flask, signed_in: SignIn
) -> None:
    owner = signed_in("owner")
    furnish(shop, owner)
    owner = again(shop, owner)
    seen = 0
    for address, answer in pages_of(owner):
        assert answer.headers["Cache-Control"].startswith(("no-store", "private")), address
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        if answer.mimetype == "text/html":
            seen += 1
            policy = answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert "frame-ancestors 'none'" in policy and "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert Reader(answer.text, address).forbidden == [], address
    assert seen >= 9


@ONE
def test_what_is_out_of_all_proportion_is_refused(shop: Any, app: Flask, signed_in: SignIn) -> None:
    owner = signed_in("owner")
    many = {f"field-{number}": "x" for number in range(2000)}
    wrong = []
    for route in routes(app):
        if route.method != "POST":
            continue
        address = route.address(shop.slug, **fill(route))
        for data in ({"name": "x" * 21_000}, many):
            owner = again(shop, owner)
            answer = owner.post(address, data)
            if answer.status_code >= 500:
                wrong.append(f"{route} with {len(str(data))} letters -> {answer.status_code}")
    assert wrong == []
    with shop.context.database.read(shop.programme_id) as session:
        assert session.scalar(select(func.count(StaffSession.id)))
        longest = session.scalars(select(AuditEntry.subject)).all()
    assert all(len(each) <= 80 for each in longest)
