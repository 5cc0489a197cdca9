"""What a till may do. Pure."""

from datetime import datetime, timedelta

#: The till's clock is believed within these bounds; beyond them a manager decides.
OLDEST = timedelta(days=14)
FUTURE = timedelta(minutes=5)
#: What arrives later than this after it happened was queued, and is marked so.
LATE = timedelta(minutes=2)


def is_believable(occurred_at: datetime, received_at: datetime) -> bool:
    """Whether the till's word on when it happened is taken, so that nobody back-dates."""
    return received_at - OLDEST <= occurred_at <= received_at + FUTURE


def is_late(occurred_at: datetime, received_at: datetime) -> bool:
    """Whether a posting arrived noticeably later than it happened."""
    return received_at - occurred_at > LATE
