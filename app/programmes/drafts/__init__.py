"""Changing a programme with care: a draft, its trial over history, and what it was all made for.

A draft says which settings are to change and nothing else; nobody is touched by it. It is compared
with what is in force, tried over real receipts, and then published from a date on, everywhere or on
trial in some places first.
"""
