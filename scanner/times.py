"""A moment as people type it: "1 hour", or an ISO time."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from scanner.errors import ConfigError

_AGO = re.compile(r"([0-9]{1,6})\s*(minute|hour|day|week)s?(?:\s+ago)?")


def parse_since(typed: str, now: datetime) -> datetime:
    """Return the moment `typed` means: "90 minutes", "1 hour", "2 days ago", or an ISO time.

    A time without a zone is of this machine's. Raises ConfigError.
    """
    match = _AGO.fullmatch(typed.strip().lower())
    if match:
        return now - timedelta(**{match[2] + "s": int(match[1])})
    try:
        moment = datetime.fromisoformat(typed.strip())
        return moment if moment.tzinfo else moment.astimezone()
    except (ValueError, OverflowError, OSError):
        raise ConfigError(
            f"{typed!r} is not a time. Type it like '1 hour', '2 days' or 2026-05-12T14:30+02:00."
        ) from None
