"""What falls due for many accounts at once, where it is plain: lots that simply expire, and tiers
that are reviewed. PostgreSQL alone.

It writes what `Book.settle` would write, row for row, and leaves to it whatever is not plain:
holds, debt, pending or rolling points.
"""

from app.ledger._sweeping.run import Done, settle_plain

__all__ = ["Done", "settle_plain"]
