"""Tables of programmes. Only service.py of this package writes them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Id, OfProgramme, new_id


class Programme(Base):
    """A brand's scheme. The zone cannot change once there are entries: expiries depend on it."""

    __tablename__ = "programmes"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    benefit: Mapped[str] = mapped_column(String(200))
    #: What a point is called, by language and CLDR plural: {"en": {"one": "bean", ...}}.
    points_names: Mapped[dict[str, dict[str, str]]] = mapped_column(JSON)
    colours: Mapped[dict[str, str]] = mapped_column(JSON)
    time_zone: Mapped[str] = mapped_column(String(64))
    currency: Mapped[str] = mapped_column(String(3))
    created_at: Mapped[datetime]


class ProgrammeVersion(OfProgramme, Base):
    """The programme's settings from one moment on; a receipt is valued by those of its day."""

    __tablename__ = "programme_versions"
    __table_args__ = (UniqueConstraint("programme_id", "number"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    number: Mapped[int]
    valid_from: Mapped[datetime]
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)


class Location(OfProgramme, Base):
    """A shop, or any other place with a poster of its own."""

    __tablename__ = "locations"
    __table_args__ = (UniqueConstraint("programme_id", "slug"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime]
    #: The brand of a coalition whose location it is; empty: the programme's own.
    partner_id: Mapped[str | None] = mapped_column(Id, ForeignKey("partners.id"))


class Partner(OfProgramme, Base):
    """A brand of a coalition: points say who issued them and who redeemed them."""

    __tablename__ = "partners"
    __table_args__ = (UniqueConstraint("programme_id", "name"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime]


class ExchangeRate(OfProgramme, Base):
    """What one unit of *currency* is worth in the programme's own, from *day* on."""

    __tablename__ = "exchange_rates"
    __table_args__ = (UniqueConstraint("programme_id", "currency", "day"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    currency: Mapped[str] = mapped_column(String(3))
    day: Mapped[date]
    #: An exact decimal as text: SQLite would make a float of a number.
    rate: Mapped[str] = mapped_column(String(32))
    source: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
