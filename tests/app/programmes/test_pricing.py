"""A receipt is priced by the version and the rate of its day; the rules are read in one query."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.clock import FixedClock
from app.db import Database
from app.errors import Conflict, Invalid, NotFound
from app.ledger.postings import AccountFacts, Line, Terms
from app.ledger.tiers import Measure
from app.programmes import exchange, service
from app.programmes.earning import Sale
from app.programmes.pricing import Priced, price
from app.programmes.terms import rulebook_of, terms_of

GOLD = {"levels": [{"code": "gold", "at_least": 100, "multiplier": "2"}], "measure": "spend"}


@pytest.fixture
def programme_id(database: Database, clock: FixedClock) -> str:
    with database.write_all() as session:
        return service.create_programme(session, slug="kaffa", name="Kaffa", now=clock()).id


def change(database: Database, programme_id: str, valid_from: datetime, **settings: Any) -> None:
    with database.write(programme_id) as session:
        service.change_settings(session, programme_id, settings, valid_from=valid_from)


def add_rate(database: Database, programme_id: str, rate: str, day: date, **more: Any) -> None:
    details: dict[str, Any] = {"source": "ECB", "now": datetime(2026, 1, 1, tzinfo=UTC)}
    with database.write(programme_id) as session:
        exchange.add_rate(session, programme_id, "USD", rate, day=day, **details | more)


def priced(database: Database, programme_id: str, sale: Sale, now: datetime) -> Priced:
    with database.read(programme_id) as session:
        return price(session, rulebook_of(session, programme_id, now), sale, now=now)


def codes(of: Priced, facts: AccountFacts) -> list[str]:
    return [reason["code"] for reason in of.value(facts).explain]


def test_a_late_receipt_is_valued_by_the_rules_of_its_day(
    database: Database, programme_id: str, clock: FixedClock
) -> None:
    now = clock()
    change(database, programme_id, now - timedelta(days=5), points="3", tiers=GOLD)
    change(database, programme_id, now - timedelta(days=1), points="5")
    worth = []
    for days_ago in (6, 3, 0):
        found = priced(
            database, programme_id, Sale(1000, "EUR", now - timedelta(days=days_ago)), now
        )
        points = found.value(AccountFacts(tier="gold")).points
        worth.append((found.rule_version, points, codes(found, AccountFacts())))
    assert worth == [
        (1, 10, ["rules_of_day", "earned"]),
        (2, 60, ["rules_of_day", "earned"]),
        (3, 100, ["earned"]),
    ]


def test_what_is_asked_of_the_ledger_is_all_there(
    database: Database, programme_id: str, clock: FixedClock
) -> None:
    welcome = {"name": "Welcome", "at_least": "1", "points": 5, "once": "welcome"}
    change(database, programme_id, clock(), excluded_categories=["tobacco"], bonuses=[welcome])
    lines = (Line("beans", 900), Line("cigar", 100, category="tobacco"))
    found = priced(database, programme_id, Sale(1000, "EUR", clock(), lines=lines), clock())
    fields = found.fields()
    assert fields.pop("value")(AccountFacts()).points == 9
    assert [line.earns for line in fields.pop("lines")] == [True, False]
    assert fields == {
        "rule_version": 2,
        "exchange_rate": None,
        "exchange_source": None,
        "once_keys": ("welcome",),
        "asked": None,
        "tax_minor": 0,
        "coupons_minor": 0,
        "paid_points": 0,
    }


def test_a_till_that_is_ahead_is_valued_by_the_rules_of_now(
    database: Database, programme_id: str, clock: FixedClock
) -> None:
    change(database, programme_id, clock() + timedelta(minutes=2), points="9")
    sale = Sale(1000, "EUR", clock() + timedelta(minutes=4))
    assert priced(database, programme_id, sale, clock()).value(AccountFacts()).points == 10


def test_before_the_first_version_there_is_no_value(
    database: Database, programme_id: str, clock: FixedClock
) -> None:
    with pytest.raises(NotFound, match="no rules yet"):
        priced(database, programme_id, Sale(1, "EUR", datetime(2019, 1, 1, tzinfo=UTC)), clock())


def test_an_old_receipt_finds_its_version_among_many(
    database: Database, programme_id: str, clock: FixedClock
) -> None:
    for number in range(20):
        day = clock() - timedelta(days=20 - number)
        change(database, programme_id, day, points=str(number + 2))
    with database.read(programme_id) as session:
        book = rulebook_of(session, programme_id, clock())
        held = [book.at(clock() - timedelta(days=days)).number for days in (0, 1, 15, 20, 21)]
        assert held == [21, 21, 7, 2, 1]


# --- foreign money ----------------------------------------------------------------------------


def test_a_foreign_receipt_is_converted_at_the_rate_of_its_local_day(
    database: Database, programme_id: str
) -> None:
    add_rate(database, programme_id, "0.50", date(2026, 5, 1))
    add_rate(database, programme_id, "0.75", date(2026, 5, 10), source="Latvijas Banka")
    # 21:30 UTC is past midnight in Riga.
    moments = [
        (datetime(2026, 5, 1, tzinfo=UTC), 500, "ECB"),
        (datetime(2026, 5, 9, 20, 30, tzinfo=UTC), 500, "ECB"),
        (datetime(2026, 5, 9, 21, 30, tzinfo=UTC), 750, "Latvijas Banka"),
        (datetime(2026, 7, 1, tzinfo=UTC), 750, "Latvijas Banka"),
    ]
    now = datetime(2026, 7, 1, tzinfo=UTC)
    for moment, points, source in moments:
        found = priced(database, programme_id, Sale(100_000, "USD", moment), now)
        assert found.value(AccountFacts()).points == points
        assert found.exchange_source == source
        assert found.exchange_rate == Decimal(points) / 1000


def test_a_foreign_receipt_without_a_rate_is_refused_with_the_cure(
    database: Database, programme_id: str
) -> None:
    add_rate(database, programme_id, "0.50", date(2026, 5, 2))
    for currency in ("USD", "GBP"):
        sale = Sale(100, currency, datetime(2026, 5, 1, 12, tzinfo=UTC))
        with pytest.raises(exchange.NoExchangeRate) as refused:
            priced(database, programme_id, sale, sale.occurred_at)
        cure = f"counterfoil programme rate add {currency} RATE --day 2026-05-01"
        assert cure in refused.value.message


def test_a_day_has_one_rate_which_can_be_corrected(database: Database, programme_id: str) -> None:
    day = date(2026, 5, 2)
    add_rate(database, programme_id, "0.5", day)
    with pytest.raises(Conflict, match=r"is 0\.5 EUR already"):
        add_rate(database, programme_id, "0.6", day)
    add_rate(database, programme_id, "0.6", day, replace=True)
    with database.read(programme_id) as session:
        assert exchange.rate_on(session, programme_id, "USD", day).rate == Decimal("0.6")
        [kept] = exchange.rates(session, programme_id, "USD")
        assert (kept.rate, kept.day, kept.source) == ("0.6", day, "ECB")


@pytest.mark.parametrize(
    ("currency", "rate", "source", "field"),
    [
        ("usd", "1", "ECB", "currency"),
        ("XXXX", "1", "ECB", "currency"),
        ("EUR", "1", "ECB", "currency"),
        ("USD", "0", "ECB", "rate"),
        ("USD", "0.000", "ECB", "rate"),
        ("USD", "-1", "ECB", "rate"),
        ("USD", "1e3", "ECB", "rate"),
        ("USD", "NaN", "ECB", "rate"),
        ("USD", "1,5", "ECB", "rate"),
        ("USD", "٣", "ECB", "rate"),
        ("USD", "1.0000000000001", "ECB", "rate"),
        ("USD", "1000000000", "ECB", "rate"),
        ("USD", "1", " ", "source"),
        ("USD", "1", "E" * 65, "source"),
    ],
)
def test_a_rate_that_makes_no_sense_is_named(
    database: Database, programme_id: str, currency: str, rate: str, source: str, field: str
) -> None:
    with pytest.raises(Invalid) as refused, database.write(programme_id) as session:
        exchange.add_rate(
            session,
            programme_id,
            currency,
            rate,
            day=date(2026, 1, 1),
            source=source,
            now=datetime(2026, 1, 1, tzinfo=UTC),
        )
    assert refused.value.fields.keys() == {field}


# --- terms ------------------------------------------------------------------------------------


def test_the_terms_are_those_of_the_moment(
    database: Database, programme_id: str, clock: FixedClock
) -> None:
    later = clock() + timedelta(days=1)
    change(
        database, programme_id, later, tiers=GOLD, expiry_mode="inactivity", inactivity_months=12
    )
    with database.read(programme_id) as session:
        assert terms_of(session, programme_id, clock()) == Terms("Europe/Riga", None, 0)
        then = terms_of(session, programme_id, later)
    assert (then.time_zone, then.inactivity_months) == ("Europe/Riga", 12)
    assert then.tiers is not None and then.tiers.measure is Measure.SPEND


def test_months_of_inactivity_hold_only_where_points_expire_by_it(
    database: Database, programme_id: str, clock: FixedClock
) -> None:
    change(database, programme_id, clock(), inactivity_months=12)
    with database.read(programme_id) as session:
        assert terms_of(session, programme_id, clock()).inactivity_months == 0


def statements(session: Session, ask: Any) -> int:
    seen = []

    def note(*_: Any) -> None:
        seen.append(1)

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", note)
    ask()
    event.remove(connection, "before_cursor_execute", note)
    return len(seen)


def test_the_rules_are_read_in_one_query_and_worked_out_once_a_version(
    database: Database, programme_id: str, clock: FixedClock
) -> None:
    change(database, programme_id, clock() - timedelta(days=1), points="2")
    with database.read(programme_id) as session:
        late = Sale(1000, "EUR", clock() - timedelta(days=2))

        def ask() -> None:
            book = rulebook_of(session, programme_id, clock())
            price(session, book, late, now=clock())
            book.terms(clock())

        assert statements(session, ask) <= 3  # and each version's settings, the first time
        assert statements(session, ask) == 1
        first = rulebook_of(session, programme_id, clock()).at(clock())
        assert rulebook_of(session, programme_id, clock()).at(clock()) is first


def test_a_version_that_was_rolled_back_is_not_remembered(
    database: Database, programme_id: str, clock: FixedClock
) -> None:
    with pytest.raises(Conflict), database.write(programme_id) as session:
        made = service.change_settings(session, programme_id, {"points": "7"}, valid_from=clock())
        assert (made.number, str(made.settings.points)) == (2, "7")
        raise Conflict("no")
    change(database, programme_id, clock(), points="8")
    with database.read(programme_id) as session:
        version = service.version_at(session, programme_id, clock())
    assert (version.number, str(version.settings.points)) == (2, "8")
