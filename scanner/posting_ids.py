"""Ids of postings that begin with the moment they were made (UUID version 7, RFC 9562, 5.7).

A database keeps them beside those of the same minute: with ids by chance alone every posting
touches another page of every index, and each of these pages is written for it.
"""

import uuid
from collections.abc import Callable
from datetime import datetime
from secrets import randbits


def posting_id(now: datetime, chance: Callable[[int], int] = randbits) -> str:
    """A new id for what happens *now*; *chance* gives so many bits by chance."""
    milliseconds = int(now.timestamp() * 1000) & 0xFFFF_FFFF_FFFF
    value = milliseconds << 80 | 7 << 76 | chance(12) << 64 | 2 << 62 | chance(62)
    return str(uuid.UUID(int=value))
