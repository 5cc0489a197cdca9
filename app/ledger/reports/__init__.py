"""What the ledger says to people who keep books: statement, settlement, liability.

Everything here reads, and computes from entries, lots and draws, never from a cache; so a report
as of a past moment says what it said then. The database adds up, rows are streamed, memory stays
flat. `rules` is the arithmetic (pure), `moments` is what a past moment means in SQL. Ids of
partners, locations and tills are given out as they are; the caller knows their names.
"""
