"""A quote says what the accrual then gives, and leaves no trace."""

import uuid
from typing import Any

import pytest
from sqlalchemy import func, select

from app.clock import FixedClock
from app.db import Database
from app.ledger import service as ledger
from app.ledger.models import Entry, Posting
from app.ledger.postings import Accrue, Circumstances, Line, Request
from app.programmes import service
from app.programmes.earning import Sale
from app.programmes.pricing import price
from app.programmes.quoting import quote
from app.programmes.terms import rulebook_of

RULES = [
    {"name": "Harbour", "kind": "amount", "points": "2", "per_amount": "1",
     "locations": ["harbour"]},
    {"name": "Monday", "kind": "multiplier", "factor": "1.5", "weekdays": ["mon"]},
    {"name": "Coffee", "kind": "item", "categories": ["coffee"], "gives": {"stamps": {"cup": 1}}},
    {"name": "First", "kind": "basket", "at_least": "5", "first_purchase": True,
     "gives": {"points": 20, "coupon": {"cake": 1}}},
    {"name": "Twice a day", "kind": "visit", "role": "always", "a_day": 2, "gives": {"points": 1}},
    {"name": "Welcome", "kind": "basket", "at_least": "1", "once": "welcome",
     "gives": {"points": 7}},
    {"name": "New here", "kind": "basket", "at_least": "1", "segments": ["new"],
     "gives": {"tickets": {"summer": 2}}},
]  # fmt: skip
LINES = (Line("latte", 700, 2, "Coffee"), Line("bun", 333, 1))


@pytest.fixture
def brand(database: Database, clock: FixedClock) -> Any:
    with database.write_all() as session:
        made = service.create_programme(
            session,
            slug="kaffa",
            name="Kaffa",
            now=clock(),
            settings={"rules": RULES, "segments": {"new": {"joined_within_days": 3}}},
        )
        place = service.add_location(session, made.id, slug="harbour", name="H", now=clock())
        return made.id, place.id


def test_a_quote_is_what_the_accrual_then_gives(
    database: Database, clock: FixedClock, brand: Any
) -> None:
    programme_id, location_id = brand
    with database.write(programme_id) as session:
        account_id = ledger.open_account(session, now=clock()).id
    seen = []
    for _ in range(4):
        now = clock()
        sale = Sale(1033, "EUR", now, lines=LINES)
        with database.read(programme_id) as session:
            book = rulebook_of(session, programme_id, now)
            told = quote(session, book, sale, account_id, now=now, location_id=location_id)
            assert session.scalar(select(func.count(Entry.id))) == sum(each[2] for each in seen)
        with database.write(programme_id) as session:
            book = rulebook_of(session, programme_id, now)
            priced = price(session, book, sale, now=now, location_id=location_id)
            posted = ledger.post(
                session,
                Request(str(uuid.uuid4()), "accrual", bytes(32)),
                Accrue(account_id, 1033, "EUR", **priced.fields()),
                Circumstances(now, location_id=location_id),
                now=now,
                terms=book.terms(now),
            )
        answer = posted.answer
        assert told.points == answer["points"]
        assert list(told.reasons) == [
            reason for reason in answer["explain"] if reason["code"] != "repaid_debt"
        ]
        assert told.as_json()["given"] == [
            {name: each[name] for name in ("kind", "what", "count", "rule")}
            for each in answer.get("given", [])
        ]
        given = sorted(each["kind"] for each in answer.get("given", []))
        seen.append((told.points, given, 1 + len(told.value.bonuses)))
        clock.now = now.replace(day=now.day + 1) if len(seen) == 3 else now.replace(minute=1)
    # 10.33 at 2 for one euro, times 1.5 on a Monday: 30; 20 for the first; 7 once; 1 a visit.
    assert [each[:2] for each in seen] == [
        (30 + 20 + 1 + 7, ["coupon", "stamps", "tickets"]),
        (30 + 1, ["stamps", "tickets"]),
        (30, ["stamps", "tickets"]),
        (20 + 1, ["stamps", "tickets"]),  # Tuesday
    ]


def test_a_quote_for_a_member_of_another_programme_finds_nobody(
    database: Database, clock: FixedClock, brand: Any
) -> None:
    programme_id, _ = brand
    with database.write_all() as session:
        other = service.create_programme(session, slug="o", name="Other", now=clock()).id
    with database.write(other) as session:
        account_id = ledger.open_account(session, now=clock()).id
    with database.read(programme_id) as session:
        book = rulebook_of(session, programme_id, clock())
        with pytest.raises(ledger.UnknownAccount):
            quote(session, book, Sale(1, "EUR", clock()), account_id, now=clock())
        assert session.scalar(select(func.count(Posting.id))) == 0
