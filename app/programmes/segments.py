"""Who is in a segment: read from the database, for many accounts at once."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.ledger.facts import facts_of_many
from app.ledger.postings import Asked
from app.programmes.rules import Segment, in_segments
from app.programmes.wording import currency_exponent

_AT_ONCE = 1000


def segments_of(
    session: Session,
    account_ids: Collection[str],
    segments: Sequence[Segment],
    *,
    currency: str,
    time_zone: str,
    now: datetime,
) -> dict[str, frozenset[str]]:
    """The segments that accounts are in at *now*, by account; a few statements for all of them.

    Accounts that were merged into another are left out: they are nobody any more.
    """
    day = now.astimezone(ZoneInfo(time_zone)).date()
    facts = facts_of_many(session, account_ids, _asked(segments, day), time_zone=time_zone)
    exponent = currency_exponent(currency)
    return {
        account_id: in_segments(segments, known, day, exponent)
        for account_id, known in facts.items()
    }


def _asked(segments: Sequence[Segment], day: date) -> Asked:
    windows = {each.within_days for each in segments if each.within_days is not None}
    return Asked(day, windows=tuple(sorted(windows)))
