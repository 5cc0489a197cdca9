"""A history of any size, made in a few statements: members who earn, redeem, return and let lapse.

Every member has the same ten entries with other points and days: seven receipts; a redemption of
the first two, by a hold; the seventh receipt brought back; the third left to expire. What is left
are the lots of the fourth, fifth and sixth. Everything agrees with everything: the books are right,
and on PostgreSQL every foreign key is proven afterwards.

Rows lie in the order in which they would have been written (all members' first receipts, then all
second ones, ...), so that what belongs to one account is scattered as it is in life.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import text

from app.db import Database
from app.ledger.rules import start_of_day
from benchmarks._speech import PostgreSql, Speech, Sqlite, bare, digest, id_of

#: Entries of each member.
ENTRIES = 10
_POINTS = "(5 + (a * 7 + {k} * 13) % 40)"
#: Days before the last day at which a member's entries happen: receipts a month apart.
_AGO = "((8 - {k}) * 28 + a % 28)"
_RECEIPTS = range(1, 8)


@dataclass(frozen=True, slots=True)
class History:
    """*members* of a programme, up to *until*, the last local day with receipts.

    *expires_at*: when the lots of the fourth receipts expire; the later ones a year after that.
    *review_at*: when everybody's tier is to be reviewed (None: there are no tiers). Those of
    `LEVELS` that the receipts reach are held; every fifth member has kept the highest from before.
    """

    programme_id: str
    members: int
    until: date
    expires_at: datetime
    review_at: datetime | None = None
    time_zone: str = "Europe/Riga"


#: What `review_at` supposes: tiers on points in a calendar year, and what they ask for.
LEVELS = {"bronze": 20, "silver": 140, "gold": 190}


def of_last_year(programme_id: str, members: int, now: datetime) -> History:
    """A history of last year without tiers, of whose lots some expire in two years."""
    until = date(now.year - 1, 12, 31)
    return History(programme_id, members, until, now + timedelta(days=730))


def make(database: Database, history: History) -> None:
    """Write it. The programme is empty before; nobody else uses the database meanwhile."""
    speech: Speech = Sqlite() if database.is_sqlite else PostgreSql()
    tables = list(_tables(speech, history))
    inserts = [_insert(speech, history, *each) for each in tables]
    with bare(database, [name for name, _, _ in tables]):
        if database.is_sqlite:
            with database.write_apart() as connection:
                driver: Any = connection.connection.driver_connection
                driver.create_function("md5", 1, digest, deterministic=True)
                for statement in inserts:
                    connection.execute(text(statement))
        else:
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(lambda statement: _run(database, statement), inserts))
    if not database.is_sqlite:
        with database.write_apart() as connection:
            for table in ("entries", "lots", "draws", "postings"):
                connection.execute(
                    text(
                        f"SELECT setval(pg_get_serial_sequence('{table}', 'sequence'), "  # noqa: S608
                        f"max(sequence)) FROM {table}"
                    )
                )
    with database.engine.connect() as connection:
        # What autovacuum would do in the days in which such a history comes about.
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text("ANALYZE" if database.is_sqlite else "VACUUM (ANALYZE)"))


def account_id(number: int) -> str:
    """The id of the member of that number, from 1 on."""
    return id_of("account", number)


def _run(database: Database, statement: str) -> None:
    with database.write_apart() as connection:
        if not database.is_sqlite:
            connection.execute(text("SET LOCAL synchronous_commit = off"))
            connection.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
        connection.execute(text(statement))


# --- what is written ------------------------------------------------------------------------------

_OF_MEMBER = "members a"
_OF_ENTRY = "entries k, members a"
#: A table, from what its rows come, and its columns.
_Table = tuple[str, str, dict[str, str]]


def _tables(speech: Speech, history: History) -> Iterator[_Table]:
    """Every table that has rows."""
    yield "accounts", _OF_MEMBER, _account(speech, history)
    yield "cards", _OF_MEMBER, _card(speech)
    mine = {"account_id": speech.id("account", "a")}
    yield from _receipts(speech, mine)
    yield from _what_became(speech, mine)


def _receipts(speech: Speech, mine: dict[str, str]) -> Iterator[_Table]:
    """The receipts, and what they gave."""
    receipts = f"{_OF_ENTRY} WHERE k <= {max(_RECEIPTS)}"
    when = speech.moment(_AGO.format(k="k"))
    points = _POINTS.format(k="k")
    yield "postings", f"{_OF_ENTRY} WHERE k <= 9", mine | {
        "sequence": "(k - 1) * {members} + a",
        "id": speech.id("posting", "(a * 10 + k)"),
        "operation": "'accrual'",
        "fingerprint": speech.fingerprint,
        "till_id": "NULL",
        "answer": "'{{}}'",
        "recorded_at": speech.moment("CASE WHEN k <= 7 THEN " + _AGO.format(k="k") + " ELSE 0 END"),
    }  # fmt: skip
    yield "receipts", receipts, mine | {
        "id": speech.id("receipt", "(a * 10 + k)"),
        "amount_minor": f"{points} * 100",
        "earning_minor": f"{points} * 100",
        "tax_minor": "0",
        "coupons_minor": "0",
        "paid_points": "0",
        "currency": "'EUR'",
        "occurred_at": when,
    }  # fmt: skip
    yield "entries", _OF_ENTRY, _entry(speech)
    yield "earning_days", receipts, mine | {
        "day": speech.day(_AGO.format(k="k")),
        "points": f"CASE WHEN k = 7 THEN 0 ELSE {points} END",
        "spend_minor": f"CASE WHEN k = 7 THEN 0 ELSE {points} * 100 END",
    }  # fmt: skip
    yield "lots", receipts, mine | {
        "sequence": "(k - 1) * {members} + a",
        "id": speech.id("lot", "(a * 10 + k)"),
        "entry_id": speech.id("entry", "(a * 10 + k)"),
        "points": points,
        "remaining": f"CASE WHEN k IN (4, 5, 6) THEN {points} ELSE 0 END",
        "held": "0",
        "pending": "false",
        "rolling": "false",
        "available_from": when,
        "expires_at": f"CASE WHEN k <= 4 THEN {speech.expires} ELSE {speech.expires_later} END",
    }  # fmt: skip


def _what_became(speech: Speech, mine: dict[str, str]) -> Iterator[_Table]:
    """What was drawn, held and brought back."""
    points = _POINTS.format(k="k")
    # Lots 1 and 2 are drawn by the redemption (8), lot 7 by the return (9), lot 3 by expiry (10).
    drawn = "CASE k WHEN 1 THEN 8 WHEN 2 THEN 8 WHEN 7 THEN 9 ELSE 10 END"
    yield "draws", f"{_OF_ENTRY} WHERE k IN (1, 2, 7, 3)", mine | {
        "sequence": "(CASE k WHEN 7 THEN 2 WHEN 3 THEN 3 ELSE k - 1 END) * {members} + a",
        "entry_id": speech.id("entry", f"(a * 10 + {drawn})"),
        "lot_id": speech.id("lot", "(a * 10 + k)"),
        "points": points,
        "recorded_at": speech.moment("a % 5"),
    }  # fmt: skip
    hold = speech.id("hold", "a")
    yield "holds", _OF_MEMBER, mine | {
        "id": hold,
        "posting_id": speech.id("hold posting", "a"),
        "points": f"{_POINTS.format(k=1)} + {_POINTS.format(k=2)}",
        "status": "'captured'",
        "entry_id": speech.id("entry", "(a * 10 + 8)"),
        "expires_at": speech.moment("a % 5"),
        "created_at": speech.moment("a % 5"),
        "closed_at": speech.moment("a % 5"),
    }  # fmt: skip
    yield "hold_lots", f"{_OF_ENTRY} WHERE k <= 2", {
        "hold_id": hold,
        "lot_id": speech.id("lot", "(a * 10 + k)"),
        "points": points,
    }  # fmt: skip
    yield "receipt_returns", _OF_MEMBER, {
        "id": speech.id("return", "a"),
        "receipt_id": speech.id("receipt", "(a * 10 + 7)"),
        "posting_id": speech.id("posting", "(a * 10 + 9)"),
        "amount_minor": f"{_POINTS.format(k=7)} * 100",
        "earning_minor": f"{_POINTS.format(k=7)} * 100",
        "earned_points_due": _POINTS.format(k=7),
        "redeemed_points_due": "0",
        "bonus_points_due": "'{{}}'",
        "counted_minor_due": f"{_POINTS.format(k=7)} * 100",
        "carried_micro_due": "0",
        "recorded_at": speech.moment("a % 5"),
    }  # fmt: skip


def _account(speech: Speech, history: History) -> dict[str, str]:
    columns = {
        "id": speech.id("account", "a"),
        "balance": " + ".join(_POINTS.format(k=k) for k in (4, 5, 6)),
        "held": "0",
        "debt": "0",
        "carried_micro": "0",
        "kind": "'personal'",
        "version": "11",
        "delivered_version": "11",
        "changed_at": speech.moment("0"),
        "created_at": speech.moment("1000"),
    }
    if history.review_at is None:
        return columns
    counted = "(" + " + ".join(_POINTS.format(k=k) for k in range(1, 7)) + ")"
    levels = sorted(LEVELS.items(), key=lambda each: -each[1])
    reached = " ".join(f"WHEN {counted} >= {least} THEN '{code}'" for code, least in levels)
    highest = levels[0][0]
    began = start_of_day(date(history.until.year, 1, 1), history.time_zone)
    return columns | {
        "tier": f"CASE WHEN a % 5 = 0 THEN '{highest}' {reached} END",
        "tier_before": f"CASE WHEN a % 5 = 0 THEN '{highest}' END",
        "tier_kept": f"CASE WHEN a % 5 = 0 THEN '{highest}' END",
        "tier_reviewed_at": speech.fixed(began),
        "tier_review_at": speech.fixed(history.review_at),
    }


def _card(speech: Speech) -> dict[str, str]:
    return {
        "id": speech.hex("card", "a", 16),
        "serial_number": speech.hex("serial", "a", 32),
        "account_id": speech.id("account", "a"),
        "kind": "0",
        "status": "'active'",
        "status_changed_at": speech.moment("1000"),
        "key_id": "(SELECT max(key_id) FROM signing_keys)",
        "code": "'a card of the past'",
        "issued_on": speech.day("1000"),
        "issued_at": speech.moment("1000"),
        "language": "'en'",
        "source": "'web'",
        "token_key_version": "1",
        "version": "1",
        "delivered_version": "1",
        "role": "'owner'",
    }


def _entry(speech: Speech) -> dict[str, str]:
    own = _POINTS.format(k="k")
    spent = f"({_POINTS.format(k=1)} + {_POINTS.format(k=2)})"
    seventh, third = _POINTS.format(k=7), _POINTS.format(k=3)
    ago = f"(CASE WHEN k <= 7 THEN {_AGO.format(k='k')} WHEN k = 9 THEN a % 28 + 28 ELSE a % 5 END)"
    return {
        "sequence": "(k - 1) * {members} + a",
        "id": speech.id("entry", "(a * 10 + k)"),
        "account_id": speech.id("account", "a"),
        "posting_id": f"CASE WHEN k <= 9 THEN {speech.id('posting', '(a * 10 + k)')} END",
        "kind": "CASE WHEN k <= 7 THEN 'accrual' WHEN k = 8 THEN 'redemption' "
        "WHEN k = 9 THEN 'reversal' ELSE 'expiry' END",
        "points": f"CASE WHEN k <= 7 THEN {own} WHEN k = 8 THEN -{spent} "
        f"WHEN k = 9 THEN -{seventh} ELSE -{third} END",
        "occurred_at": speech.moment(ago),
        "recorded_at": speech.moment(ago),
        "day": speech.day(ago),
        "counted_points": f"CASE WHEN k <= 7 THEN {own} WHEN k = 9 THEN -{seventh} ELSE 0 END",
        "counted_minor": f"CASE WHEN k <= 7 THEN {own} * 100 "
        f"WHEN k = 9 THEN -{seventh} * 100 ELSE 0 END",
        "late": "false",
        "actor_kind": "CASE WHEN k = 10 THEN 'system' ELSE 'staff' END",
        "receipt_id": f"CASE WHEN k <= 7 THEN {speech.id('receipt', '(a * 10 + k)')} "
        f"WHEN k = 9 THEN {speech.id('receipt', '(a * 10 + 7)')} END",
        "amount_minor": f"CASE WHEN k <= 7 THEN {own} * 100 END",
        "currency": "CASE WHEN k <= 7 THEN 'EUR' END",
        "rule_version": "CASE WHEN k <= 7 THEN 1 END",
        "reverses_id": f"CASE WHEN k = 9 THEN {speech.id('entry', '(a * 10 + 7)')} END",
        "whole_reversal": "k = 9",
    }


def _insert(
    speech: Speech, history: History, table: str, source: str, columns: dict[str, str]
) -> str:
    columns = {"programme_id": speech.given_id(history.programme_id)} | columns
    named = {
        "members": history.members,
        "until": datetime.combine(history.until, time(10), UTC),
        "expires": speech.fixed(history.expires_at),
        "later": speech.fixed(history.expires_at + timedelta(days=365)),
    }
    values = ", ".join(columns.values()).format(
        members=named["members"], expires=named["expires"], later=named["later"],
        until=f"{named['until']:%Y-%m-%d %H:%M:%S}",
    )  # fmt: skip
    series = speech.series.format(members=history.members, entries=ENTRIES)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) "  # noqa: S608 - nothing of it is foreign
        f"{series} SELECT {values} FROM {source}"
    )
