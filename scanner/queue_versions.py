"""The tables of queue.sqlite, version by version.

What waits in a queue is money: a newer program takes an older one's file over as it stands. A
version that was released is never changed; the next one is added below it.
"""

from __future__ import annotations

import sqlite3

_FIRST = """
CREATE TABLE posting (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    programme_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    path TEXT NOT NULL,
    body BLOB NOT NULL,
    needs_cashier INTEGER NOT NULL,
    after_id TEXT,
    kept_at TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'set_aside')),
    attempts INTEGER NOT NULL DEFAULT 0,
    settled_at TEXT,
    answer TEXT,
    reason TEXT
);
CREATE INDEX posting_state ON posting (state, number);
"""

# Ways out for what was refused, each on record; the moment of a posting by the uptime of the
# machine, for when its clock turns out to be wrong; and what is known of that clock.
_SECOND = """
CREATE TABLE posting_2 (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    programme_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    path TEXT NOT NULL,
    body BLOB NOT NULL,
    needs_cashier INTEGER NOT NULL,
    after_id TEXT,
    card_id TEXT,
    kept_at TEXT NOT NULL,
    boot TEXT,
    boot_seconds REAL,
    state TEXT NOT NULL
        CHECK (state IN ('waiting', 'sent', 'set_aside', 'handed_over', 'dropped')),
    attempts INTEGER NOT NULL DEFAULT 0,
    settled_at TEXT,
    answer TEXT,
    reason TEXT
);
INSERT INTO posting_2 (number, id, programme_id, kind, path, body, needs_cashier, after_id,
        kept_at, state, attempts, settled_at, answer, reason)
    SELECT number, id, programme_id, kind, path, body, needs_cashier, after_id,
        kept_at, state, attempts, settled_at, answer, reason FROM posting;
DROP TABLE posting;
ALTER TABLE posting_2 RENAME TO posting;
CREATE INDEX posting_state ON posting (state, number);
CREATE INDEX posting_settled ON posting (state, settled_at);
CREATE INDEX posting_after ON posting (after_id) WHERE after_id IS NOT NULL;
CREATE TABLE resolution (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    posting_id TEXT NOT NULL,
    how TEXT NOT NULL,
    refusal TEXT,
    reason TEXT,
    who TEXT NOT NULL,
    at TEXT NOT NULL
);
CREATE TABLE clock (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    service_at TEXT,
    boot TEXT,
    boot_seconds REAL,
    ahead_seconds REAL,
    latest TEXT
);
INSERT INTO clock (one) VALUES (1);
"""

VERSIONS = (_FIRST, _SECOND)


def bring_up_to_date(database: sqlite3.Connection, found: int) -> None:
    """Make what the versions after `found` add, within the transaction that is open."""
    for script in VERSIONS[found:]:
        for statement in script.split(";"):
            database.execute(statement)
    database.execute(f"PRAGMA user_version = {len(VERSIONS)}")
