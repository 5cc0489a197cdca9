"""One account's page of the ledger, in memory. Pure: what it collects, `_store` writes.

A page is loaded under the account's lock, brought up to the present by `settle`, changed by one
operation and written in a few statements. Every movement of points goes through `draw`, `owe`,
`credit` or `repay`, which keep the caches in step with the rows.
"""

from app.ledger._book.book import Book, posted_points
from app.ledger._book.states import AccountState, HoldState, OtherReceipts, Row

__all__ = ["AccountState", "Book", "HoldState", "OtherReceipts", "Row", "posted_points"]
