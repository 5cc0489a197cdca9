"""A shop that an example's file made, with two tills in two places, and a day to be lived in it."""

import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.benefits import check as benefits_check
from app.benefits.models import Tally
from app.cards import holders
from app.cards.rules import Holder
from app.cards.service import create_signing_key
from app.context import Context
from app.db import enter
from app.ledger import check as ledger_check
from app.ledger import service as ledger
from app.ledger.models import AccountKind
from app.programmes import service
from app.programmes.file import applying, reading, writing
from app.programmes.file.examples import example
from app.programmes.models import Programme
from app.programmes.service import add_location
from app.staff.service import add_staff
from app.till import access

PIN = "274913"


@dataclass
class Till:
    """A counter terminal with a cashier at it; every thread has a client of its own."""

    app: APIFlask
    place: str
    token: str
    cashier_id: str
    session: str = ""

    def ask(self, path: str, body: Mapping[str, Any]) -> Any:
        client: FlaskClient = self.app.test_client()
        return client.post(
            f"/api/till/v1{path}",
            json=body,
            headers={
                "Authorization": f"Bearer {self.token}",
                "Counterfoil-Cashier": self.session,
            },
        )

    def sign_in(self) -> None:
        answer = self.ask("/cashier-sessions", {"cashier": f"Anna {self.place}", "pin": PIN})
        assert answer.status_code == 201, answer.json
        self.session = answer.json["token"]


@dataclass
class Day:
    """One day in a shop; points are counted beside it, by the test's own arithmetic."""

    context: Context
    programme: Programme
    tills: dict[str, Till]
    counted: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    # --- time -------------------------------------------------------------------------------------

    def at(self, local: str) -> None:
        """Go on to a local time of the day that it is, or to a day and time."""
        clock: Any = self.context.clock
        zone = ZoneInfo(self.programme.time_zone)
        text = local if "T" in local else f"{clock().astimezone(zone):%Y-%m-%d}T{local}"
        step = datetime.fromisoformat(text).replace(tzinfo=zone) - clock()
        assert step >= timedelta(0), f"the day does not run backwards to {local}"
        clock.advance(step)
        for till in self.tills.values():
            till.sign_in()

    # --- people -----------------------------------------------------------------------------------

    def join(self, *, kind: AccountKind = AccountKind.PERSONAL, cards: int = 1) -> list[Any]:
        """A new account; its cards."""
        now = self.context.clock()
        with self.context.database.write(self.programme.id) as session:
            account = ledger.open_account(session, now=now, kind=kind)
            made = [
                holders.issue(
                    session,
                    self.context.keys,
                    self.programme.id,
                    account_id=account.id,
                    holder=Holder(),
                    now=now,
                )
                for _ in range(cards)
            ]
            session.flush()
            session.expunge_all()
            return made

    # --- at the till ------------------------------------------------------------------------------

    def posting(self, till: Till, **more: Any) -> dict[str, Any]:
        now = self.context.clock().isoformat()
        return {
            "id": str(uuid.uuid4()),
            "occurred_at": now,
            "cashier_id": till.cashier_id,
            **more,
        }

    def buy(self, place: str, card: Any, amount_minor: int, expected: int, **more: Any) -> Any:
        """A receipt, and the points that it has to give."""
        till = self.tills[place]
        body = self.posting(till, code=card.code, amount_minor=amount_minor, currency="EUR", **more)
        answer = till.ask("/accruals", body)
        assert answer.status_code == 201, answer.json
        assert answer.json["points"] == expected, answer.json["explain"]
        self.counted[card.account_id] += expected
        return answer.json

    def give_back(self, place: str, posted: Any, card: Any, expected: int, **part: Any) -> Any:
        """A return, and the points that it has to take (below zero)."""
        till = self.tills[place]
        body = self.posting(till, posting_id=posted["posting_id"], **part)
        answer = till.ask("/reversals", body)
        assert answer.status_code == 201, answer.json
        assert answer.json["points"] == expected, answer.json["explain"]
        self.counted[card.account_id] += expected
        return answer.json

    def look(self, place: str, card: Any) -> Any:
        answer = self.tills[place].ask("/presentations", {"code": card.code})
        assert answer.status_code == 200, answer.json
        return answer.json

    def rush(self, card: Any, coupon_id: str, amount_minor: int, tries: int = 2) -> int:
        """All tills redeem one coupon at once, several times; how many succeeded."""

        def redeem(till: Till) -> int:
            body = self.posting(
                till, code=card.code, coupon_id=coupon_id, amount_minor=amount_minor
            )
            return int(till.ask("/coupon-redemptions", body).status_code)

        wanted = [till for till in self.tills.values() for _ in range(tries)]
        with ThreadPoolExecutor(len(wanted)) as pool:
            found = list(pool.map(redeem, wanted))
        assert set(found) <= {201, 409}, found
        return found.count(201)

    # --- the owner --------------------------------------------------------------------------------

    def change(self, change: Callable[[str], str]) -> None:
        """Apply the programme's own file, changed, from now on."""
        now = self.context.clock()
        with self.context.database.write(self.programme.id) as session:
            programme = session.get_one(Programme, self.programme.id)
            before = writing.write(applying.describe(session, programme, now))
            after = change(before)
            assert after != before
            wanted = reading.read(after)
            made = applying.apply(session, programme, wanted, valid_from=now, now=now)
            assert made.settings
            assert applying.apply(session, programme, wanted, valid_from=now, now=now).changes == ()

    def version(self) -> int:
        now = self.context.clock()
        with self.context.database.read(self.programme.id) as session:
            return service.version_at(session, self.programme.id, now).number

    def things(self, card: Any, kind: str, what: str) -> int:
        """How many stamps, tickets and so on an account has."""
        with self.context.database.read(self.programme.id) as session:
            wanted = (Tally.account_id == card.account_id, Tally.kind == kind, Tally.what == what)
            return session.scalar(select(Tally.count).where(*wanted)) or 0

    def close(self) -> None:
        """Every balance is what was counted beside it, and the books are right."""
        now = self.context.clock()
        with self.context.database.read(self.programme.id) as session:
            for account_id, points in self.counted.items():
                found = ledger.standing(session, account_id, now=now)
                assert found.balance == points, account_id
        with self.context.database.read_all() as session:
            assert [str(each) for each in ledger_check.check(session)] == []
            assert [str(each) for each in benefits_check.check(session)] == []


@pytest.fixture
def open_day(context: Context, app: APIFlask) -> Callable[..., Day]:
    def make(name: str, *places: str) -> Day:
        now = context.clock()
        wanted = reading.read(example(name))
        with context.database.write_all() as session:
            programme = applying.create(session, wanted, slug=wanted.about["slug"], now=now)
            create_signing_key(session, context.keys, programme.id, now=now)
        known = [each.slug for each in wanted.locations or ()]
        tills = {}
        for place in places:
            with context.database.write_all() as session:
                enter(session, programme.id)
                if place not in known:
                    add_location(session, programme.id, slug=place, name=place.title(), now=now)
                person = add_staff(
                    session, programme.id, name=f"Anna {place}", role="cashier", pin=PIN, now=now
                )
                _, code = access.add_till(
                    session, programme.id, location=place, name=f"Till {place}", now=now
                )
            answer = app.test_client().post("/api/till/v1/enrolments", json={"code": code})
            assert answer.status_code == 201, answer.json
            tills[place] = Till(app, place, answer.json["token"], person.id)
            tills[place].sign_in()
        return Day(context, programme, tills)

    return make
