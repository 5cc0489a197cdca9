"""An installation with shops in it, for tests of the service."""

import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from app import create_app, open_on
from app.cards.service import create_signing_key, issue_card
from app.clock import FixedClock
from app.config import Config
from app.context import Context
from app.db import Database, enter
from app.keys import KeyRing, Purpose
from app.ledger import service as ledger
from app.programmes.service import add_location, create_programme
from app.staff.service import add_staff
from app.till import access
from tests.app.office import Colleague, sign_in
from tests.app.remembered import Remembered, everything, remember
from tests.conftest import START

PINS = {"Anna": "274913", "Marta": "860257"}


@pytest.fixture
def context(database: Database, clock: FixedClock, tmp_path: Path) -> Context:
    data = tmp_path / "data"
    config = Config(data=data, database_url=database.url, url="http://127.0.0.1:8000")
    data.mkdir(mode=0o700)
    return Context(config, database, KeyRing.open(config, now=clock), clock)


@pytest.fixture(scope="session")
def one_app() -> list[APIFlask]:
    """The application, once it is made: its hundreds of addresses are the same in every test."""
    return []


@pytest.fixture
def app(context: Context, one_app: list[APIFlask]) -> APIFlask:
    """The service on this test's installation. Whoever adds pages makes one of their own."""
    if one_app:
        open_on(one_app[0], context)
    else:
        one_app.append(create_app(context))
    return one_app[0]


@pytest.fixture
def client(app: APIFlask) -> FlaskClient:
    return app.test_client()


@dataclass
class Shop:
    """A programme with a till and people, and a hand to press its keys with."""

    context: Context
    client: FlaskClient
    slug: str
    programme_id: str
    token: str
    staff: dict[str, str]
    session: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def issue(self, **options: Any) -> Any:
        """A fresh card of a fresh account."""
        now = self.context.clock()
        with self.context.database.write(self.programme_id) as session:
            account = ledger.open_account(session, now=now)
            return issue_card(
                session,
                self.context.keys,
                self.programme_id,
                account_id=account.id,
                now=now,
                **options,
            )

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Ask the till API as this till with its cashier."""
        return self.client.open(
            f"/api/till/v1{path}",
            method=method,
            json=body,
            headers={
                "Authorization": f"Bearer {self.token}",
                "Counterfoil-Cashier": self.session,
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
        )

    def sign_in(self, name: str = "Anna") -> str:
        answer = self.ask("POST", "/cashier-sessions", {"cashier": name, "pin": PINS[name]})
        assert answer.status_code == 201, answer.json
        return str(answer.json["token"])

    def posting(self, **more: Any) -> dict[str, Any]:
        """The part that all postings share."""
        return {
            "id": str(uuid.uuid4()),
            "occurred_at": self.context.clock().isoformat(),
            "cashier_id": self.staff["Anna"],
            **more,
        }

    def accrual(self, card: Any, amount_minor: int = 1250, **more: Any) -> dict[str, Any]:
        return self.posting(code=card.code, amount_minor=amount_minor, currency="EUR", **more)

    def accrue(self, card: Any, amount_minor: int = 1250, **more: Any) -> Any:
        return self.ask("POST", "/accruals", self.accrual(card, amount_minor, **more))

    def balance(self, card: Any) -> int:
        with self.context.database.read(self.programme_id) as session:
            return ledger.standing(session, card.account_id, now=self.context.clock()).balance


@pytest.fixture(scope="session")
def remembered() -> dict[tuple[bool, int], Remembered]:
    """The shops that were opened in tests before, by kind of database and number."""
    return {}


@pytest.fixture
def open_shop(
    context: Context, client: FlaskClient, remembered: dict[tuple[bool, int], Remembered]
) -> Callable[[], Shop]:
    """Opens shops. The services do it in the first test that asks; see `tests.app.remembered`."""
    numbers = itertools.count(1)

    def make() -> Shop:
        number = next(numbers)
        known = (context.database.is_sqlite, number)
        keys = [key.version for key in context.keys.list() if key.purpose == Purpose.CARD_SIGNING]
        if context.clock() != START or keys != list(range(1, number)):
            return _open(context, client, number)
        if known not in remembered:
            before = everything(context)
            shop = _open(context, client, number)
            told = {name: getattr(shop, name) for name in TOLD}
            remembered[known] = remember(context, before, number, shop.programme_id, told)
            return shop
        old = remembered[known]
        told = old.put_back(context, number, old.told["programme_id"])
        return Shop(context, client, **told)

    return make


#: Of a shop, all that does not belong to one test.
TOLD = ("slug", "programme_id", "token", "staff", "session")


def _open(context: Context, client: FlaskClient, number: int) -> Shop:
    now: datetime = context.clock()
    slug = f"shop-{number}"
    with context.database.write_all() as session:
        programme = create_programme(session, slug=slug, name=f"Café {slug}", now=now)
        enter(session, programme.id)
        create_signing_key(session, context.keys, programme.id, now=now)
        add_location(session, programme.id, slug="old-town", name="Old Town", now=now)
        people = {
            name: add_staff(session, programme.id, name=name, role=role, pin=PINS[name], now=now).id
            for name, role in (("Anna", "cashier"), ("Marta", "manager"))
        }
        _, code = access.add_till(
            session, programme.id, location="old-town", name="Counter 1", now=now
        )
    answer = client.post("/api/till/v1/enrolments", json={"code": code})
    assert answer.status_code == 201, answer.json
    shop = Shop(context, client, slug, programme.id, answer.json["token"], people)
    shop.session = shop.sign_in()
    return shop


@pytest.fixture
def shop(open_shop: Callable[[], Shop]) -> Shop:
    return open_shop()


@pytest.fixture
def signed_in(context: Context, app: APIFlask, shop: Shop) -> Callable[..., Colleague]:
    """Signs somebody in at the staff pages: ``signed_in("owner")``, of *shop* or another one."""

    def make(role: str = "owner", *, of: Shop | None = None, name: str = "") -> Colleague:
        where = of or shop
        client = app.test_client()
        return sign_in(context, client, where.slug, where.programme_id, role, name)

    return make
