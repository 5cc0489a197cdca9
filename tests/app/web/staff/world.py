"""Everything that can be walked through on the staff pages, found by itself.

Routes come from the url map, forms and links from the pages. So whoever adds a page adds it to
the tests of what is dangerous without having to think of them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from flask import Flask
from sqlalchemy import inspect, select
from werkzeug.routing import AnyConverter, Rule
from werkzeug.routing.converters import NumberConverter

from app.db import Base, OfProgramme
from app.staff.permissions import Permission
from tests.app.office import Colleague

#: The public address of the installation that tests run on.
OWN = "http://127.0.0.1:8000/"
#: What is reached without being signed in.
PUBLIC = {"staff", "staff_home", "sign_in", "password_link", "forgotten"}


@dataclass(frozen=True)
class Route:
    """One route of the staff pages and the permission that it names."""

    rule: Rule
    method: str
    permission: Permission

    @property
    def parameters(self) -> list[str]:
        return sorted(set(self.rule.arguments) - {"slug"})

    def fitting(self, name: str, text: str) -> str:
        """*text*, or what the address takes in its place: a number, one of a few words."""
        converter = self.rule._converters[name]
        if isinstance(converter, NumberConverter):
            return "999999"
        if isinstance(converter, AnyConverter):
            return str(next(iter(converter.items)))
        return "0" * 16 if name == "card_id" else text

    def address(self, slug: str, **values: str) -> str:
        """Its address, with *values* put in as they are."""

        def put(found: re.Match[str]) -> str:
            name = found[1].rpartition(":")[2]
            return slug if name == "slug" else values[name]

        return re.sub(r"<([^>]+)>", put, self.rule.rule)

    def __str__(self) -> str:
        return f"{self.method} {self.rule.rule}"


def routes(app: Flask) -> list[Route]:
    """Every staff route that is reached through the door, by address."""
    found = []
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/staff") or rule.endpoint.split(".")[0] in PUBLIC:
            continue
        permission = getattr(app.view_functions[rule.endpoint], "permission", None)
        assert permission in set(Permission), f"{rule.rule} names no permission"
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        found += [Route(rule, method, permission) for method in sorted(methods)]
    return sorted(found, key=str)


def rows_of(context: Any, programme_id: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of a programme, table by table, to see whether any has changed."""
    found = {}
    with context.database.read(programme_id) as session:
        for mapper in Base.registry.mappers:
            model: Any = mapper.class_
            if issubclass(model, OfProgramme):
                keys = [column.key for column in inspect(model).columns]
                found[model.__tablename__] = sorted(
                    (tuple(repr(getattr(row, key)) for key in keys))
                    for row in session.scalars(select(model))
                )
    return found


def ids_of(context: Any, programme_id: str) -> dict[str, list[str]]:
    """The keys of a programme's rows, a few of each table: what could stand in an address."""
    found: dict[str, list[str]] = {}
    with context.database.read(programme_id) as session:
        for mapper in Base.registry.mappers:
            model: Any = mapper.class_
            if issubclass(model, OfProgramme):
                for column in inspect(model).columns:
                    if column.primary_key or column.unique or column.key in {"event_id", "slug"}:
                        values = session.scalars(select(getattr(model, column.key)).limit(3))
                        found[f"{model.__tablename__}.{column.key}"] = [
                            str(each) for each in values if isinstance(each, str | int)
                        ]
    return {name: values for name, values in found.items() if values}


@dataclass
class Form:
    """A form of a page: where it goes, how, and its fields with the values that they came with."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    #: Fields in which somebody may type anything.
    texts: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)


class Reader(HTMLParser):
    """What is in a page: forms, links, and what no page may have."""

    TEXTS = frozenset({"text", "search", "email", "tel", "url", "password", "", "hidden", "number"})

    def __init__(self, page: str, address: str) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.forbidden: list[str] = []
        self._address = address
        self._in_script = False
        self._select: str | None = None
        self._area: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        have = {name: value or "" for name, value in attributes}
        self._look(tag, have)
        if tag == "form":
            method = have.get("method", "get").upper()
            self.forms.append(Form(have.get("action") or self._address, method))
        elif tag == "a" and have.get("href"):
            self.links.append(have["href"])
        elif self.forms and have.get("name") and tag in {"input", "select", "textarea"}:
            self._take(tag, have)
        elif tag == "option" and self._select and self.forms:
            if self._select not in self.forms[-1].fields or "selected" in have:
                self.forms[-1].fields[self._select] = have.get("value", "")
        if tag == "button" and have.get("formaction") and self.forms:
            other = Form(have["formaction"], "POST", self.forms[-1].fields, self.forms[-1].texts)
            self.forms.insert(0, other)

    def _take(self, tag: str, have: dict[str, str]) -> None:
        form, name, kind = self.forms[-1], have["name"], have.get("type", "").lower()
        if tag == "select":
            self._select = name
        elif tag == "textarea":
            form.texts.add(name)
            form.fields.setdefault(name, "")
        elif kind == "file":
            form.files.add(name)
        elif kind in {"checkbox", "radio"}:
            if name not in form.fields or "checked" in have:
                form.fields[name] = have.get("value", "on")
        else:
            form.fields[name] = have.get("value", "")
            if kind in self.TEXTS and kind not in {"hidden", "number"}:
                form.texts.add(name)

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = None
        if tag == "script":
            self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.forbidden.append(f"script: {data[:80]}")

    def _look(self, tag: str, have: dict[str, str]) -> None:
        if tag == "script":
            self._in_script = have.get("type") != "application/json" and "src" not in have
        if tag in {"iframe", "object", "embed", "base"} or "style" in have or tag == "style":
            self.forbidden.append(f"<{tag} {have}>")
        self.forbidden += [f"<{tag} {name}>" for name in have if name.startswith("on")]
        for name in ("href", "src", "action", "formaction"):
            value = have.get(name, "").strip().lower()
            is_picture = tag in {"img", "link"} and value.startswith("data:")
            if value.startswith(("javascript:", "vbscript:", "//", "http:", "data:")):
                # The service's own pages, such as a poster's, have its whole address.
                if not is_picture and not value.startswith(OWN):
                    self.forbidden.append(f'<{tag} {name}="{have[name][:80]}">')


def pages_of(who: Colleague, *, most: int = 400) -> Iterator[tuple[str, str]]:
    """Every page that can be reached by links from the first ones, with its text; each once."""
    app = who.client.application
    waiting = [
        route.address(who.slug)
        for route in routes(app)
        if route.method == "GET" and not route.parameters
    ]
    seen: set[str] = set()
    kinds: dict[str, int] = {}
    while waiting and len(seen) < most:
        address = waiting.pop(0).partition("#")[0]
        # Of pages that differ in an id alone a few are enough.
        kind = re.sub(r"[0-9a-f-]{16,}|\d+", "N", address)
        if address in seen or kinds.get(kind, 0) >= 4:
            continue
        seen.add(address)
        kinds[kind] = kinds.get(kind, 0) + 1
        answer = who.get(address)
        yield address, answer
        if answer.mimetype == "text/html" and answer.status_code == 200:
            waiting += [
                link
                for link in Reader(answer.text, address).links
                if link.startswith(f"/staff/{who.slug}/")
            ]
