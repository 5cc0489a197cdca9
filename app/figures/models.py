"""Tables of figures. They are sums over entries, readings and cards, and say nothing of anybody."""

from datetime import date, datetime

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Id, OfProgramme

#: Quarters of an hour in a day, and minutes in one.
QUARTERS = 96
QUARTER_MINUTES = 15


class Figures(OfProgramme, Base):
    """What happened in one quarter of an hour of one local day.

    What comes back counts on the day of what it takes back, as it does for tiers.
    """

    __tablename__ = "figures"

    programme_id: Mapped[str] = mapped_column(Id, primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    #: 0 begins at midnight, 95 at a quarter to midnight, in the programme's zone.
    quarter: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: Cards given to somebody who had none.
    enrolments: Mapped[int] = mapped_column(BigInteger, default=0)
    #: Cards read: at a till, in a queue that a till sent later, or by a shop system.
    scans: Mapped[int] = mapped_column(BigInteger, default=0)
    #: Receipts with a card, and the money of them that earned, less what came back (minor units).
    receipts: Mapped[int] = mapped_column(BigInteger, default=0)
    money_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    #: Points given less those taken back, redeemed less those restored, expired.
    points_in: Mapped[int] = mapped_column(BigInteger, default=0)
    points_out: Mapped[int] = mapped_column(BigInteger, default=0)
    points_expired: Mapped[int] = mapped_column(BigInteger, default=0)


class FiguresMark(Base):
    """How far a source has been added up: "entries", "scans", or "cards" and a programme's id."""

    __tablename__ = "figures_marks"

    source: Mapped[str] = mapped_column(String(60), primary_key=True)
    #: The last row's sequence number, or its moment and id.
    sequence: Mapped[int] = mapped_column(BigInteger, default=0)
    moment: Mapped[datetime | None]
    row_id: Mapped[str] = mapped_column(String(40), default="")
