"""Tables of insight: sums that say nothing of anybody, but for `insight_asked`.

All of them are caches over the ledger, the accounts and the cards: `folding` keeps them up,
`counterfoil insight rebuild` makes them anew. Days are local days of the programme; what a return
or a reversal takes back goes from the day that it was given on.
"""

from datetime import date, datetime

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Id, OfProgramme


class InsightDay(OfProgramme, Base):
    """What one local day brought at one location. Points and money may be below zero."""

    __tablename__ = "insight_days"

    programme_id: Mapped[str] = mapped_column(Id, primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    location_id: Mapped[str] = mapped_column(Id, primary_key=True)
    #: Receipts of which something was kept; those of them that were for money, and their money
    #: less what came back, in the programme's minor units.
    visits: Mapped[int] = mapped_column(BigInteger, default=0)
    receipts: Mapped[int] = mapped_column(BigInteger, default=0)
    spend_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    #: Points given less those taken back, spent less those given back, expired. *moved* is what
    #: merges took from one account and gave to another: nothing, once both are written.
    issued: Mapped[int] = mapped_column(BigInteger, default=0)
    spent: Mapped[int] = mapped_column(BigInteger, default=0)
    expired: Mapped[int] = mapped_column(BigInteger, default=0)
    moved: Mapped[int] = mapped_column(BigInteger, default=0)


class InsightReturn(OfProgramme, Base):
    """How many members came on *day* who had come on *before*.

    *location_id* is that of all these visits, or `rules.ALL_LOCATIONS`; *before* is `rules.NEVER`
    where there was no such day. For *one* it is the day that they came on last before, for *two*
    the one before that; *own_one* and *own_two* are the same of the days alone on which nobody had
    asked them to come.

    So of any days from a to b: the sum of *one* where *before* < a counts whoever came at all once,
    on their first of these days; and the sum of *two* where *before* < a counts whoever came on two
    days or more once more.
    """

    __tablename__ = "insight_returns"

    programme_id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(Id, primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    before: Mapped[date] = mapped_column(primary_key=True)
    one: Mapped[int] = mapped_column(Integer, default=0)
    two: Mapped[int] = mapped_column(Integer, default=0)
    own_one: Mapped[int] = mapped_column(Integer, default=0)
    own_two: Mapped[int] = mapped_column(Integer, default=0)


class InsightCohort(OfProgramme, Base):
    """How many of the members who came first in one month came in another (first days of both)."""

    __tablename__ = "insight_cohorts"

    programme_id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(Id, primary_key=True)
    first_month: Mapped[date] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    members: Mapped[int] = mapped_column(BigInteger, default=0)


class InsightMove(OfProgramme, Base):
    """How many members went from one tier to another on one day; "" is no tier."""

    __tablename__ = "insight_moves"

    programme_id: Mapped[str] = mapped_column(Id, primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    from_tier: Mapped[str] = mapped_column(String(40), primary_key=True)
    to_tier: Mapped[str] = mapped_column(String(40), primary_key=True)
    members: Mapped[int] = mapped_column(BigInteger, default=0)


class InsightMembers(OfProgramme, Base):
    """How many members joined on one day, by the location that brought them, and how many left."""

    __tablename__ = "insight_members"

    programme_id: Mapped[str] = mapped_column(Id, primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    location_id: Mapped[str] = mapped_column(Id, primary_key=True)
    joined: Mapped[int] = mapped_column(BigInteger, default=0)
    departed: Mapped[int] = mapped_column(BigInteger, default=0)


class InsightAsked(OfProgramme, Base):
    """A day on which an account came after somebody had asked it to: a message, a coupon."""

    __tablename__ = "insight_asked"

    programme_id: Mapped[str] = mapped_column(Id)
    account_id: Mapped[str] = mapped_column(Id, primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)


class InsightMark(Base):
    """How far a source is folded in: all rows up to number *until*.

    *seen* and *seen_in* are how far it is going to be: see `_settled`. While the receipts there
    were before are gone through account by account, *after* is the last account that was done;
    empty once all are. *told* is what a count of something else found last.
    """

    __tablename__ = "insight_marks"

    source: Mapped[str] = mapped_column(String(60), primary_key=True)
    until: Mapped[int] = mapped_column(BigInteger, default=0)
    seen: Mapped[int] = mapped_column(BigInteger, default=0)
    seen_in: Mapped[int] = mapped_column(BigInteger, default=0)
    after: Mapped[str | None] = mapped_column(String(40))
    told: Mapped[str] = mapped_column(String(80), default="")
    #: When everything that had settled was folded in, and up to which number that was.
    current_at: Mapped[datetime | None]
    noted: Mapped[int] = mapped_column(BigInteger, default=0)
