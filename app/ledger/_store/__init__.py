"""Reads pages of the ledger under their lock and writes them: few statements, many rows each.

The statements here are walked through by every posting, so they are built once (`Prepared`), with
the wall between programmes inside them, and take any number of accounts at a time.
"""

from app.ledger._store.accounts import lock, lock_free, lock_one, peek, peek_many, write_accounts
from app.ledger._store.answers import First, amend, claim, firsts, firsts_asked
from app.ledger._store.pages import days_of, load, load_lots, pages_asked
from app.ledger._store.writing import claim_and_flush, flush

__all__ = [
    "First",
    "amend",
    "claim",
    "claim_and_flush",
    "days_of",
    "firsts",
    "firsts_asked",
    "flush",
    "load",
    "load_lots",
    "lock",
    "lock_free",
    "lock_one",
    "pages_asked",
    "peek",
    "peek_many",
    "write_accounts",
]
