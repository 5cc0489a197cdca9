"""Tables of the ledger.

Entries and draws are immutable: database triggers refuse to change or delete them. Everything
else here that could be derived from them (balances, remainders) is a cache that
`ledger.check` rebuilds and compares.

The equation that holds for every entry::

    entry.points == sum(lot.points for its lots) - sum(draw.points for its draws)

A draw with a lot takes *points* from it (gives back, where negative). A draw without a lot adds
*points* to the account's debt (repays, where negative).

Where a lot repays debt, two draws that cancel out are written under the entry that made the lot,
at whatever time that happens: the lot +n, no lot -n. So a draw on a lot under the lot's own entry
is always a repayment (or, where negative, one undone).
"""

from app.ledger.models._rows import OfAccount, Sequence
from app.ledger.models.accounts import Account, AccountKind, AccountMerge, EarningDay, TierChange
from app.ledger.models.holds import Hold, HoldLot, HoldStatus
from app.ledger.models.points import Draw, Entry, EntryKind, Lot, Posting
from app.ledger.models.receipts import Receipt, ReceiptLine, ReceiptReturn

__all__ = [
    "Account",
    "AccountKind",
    "AccountMerge",
    "Draw",
    "EarningDay",
    "Entry",
    "EntryKind",
    "Hold",
    "HoldLot",
    "HoldStatus",
    "Lot",
    "OfAccount",
    "Posting",
    "Receipt",
    "ReceiptLine",
    "ReceiptReturn",
    "Sequence",
    "TierChange",
]
