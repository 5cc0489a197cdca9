"""Tables of programmes. Only service.py of this package writes them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Id, OfProgramme, index_of_some, new_id


class Programme(Base):
    """A brand's scheme. The zone cannot change once there are entries: expiries depend on it."""

    __tablename__ = "programmes"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    benefit: Mapped[str] = mapped_column(String(200))
    #: Lines that took its place with a version of the rules; see `benefit`. Written there alone.
    benefit_lines: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    #: What a point is called, by language and CLDR plural: {"en": {"one": "bean", ...}}.
    points_names: Mapped[dict[str, dict[str, str]]] = mapped_column(JSON)
    colours: Mapped[dict[str, str]] = mapped_column(JSON)
    time_zone: Mapped[str] = mapped_column(String(64))
    currency: Mapped[str] = mapped_column(String(3))
    created_at: Mapped[datetime]
    #: Whether it ever had a `ProgrammePilot`: who prices a receipt need not look for one.
    has_pilots: Mapped[bool] = mapped_column(default=False)
    #: Who runs it, as the law wants it on every public page: name, postal address, contact.
    operator_name: Mapped[str | None] = mapped_column(String(120))
    operator_address: Mapped[str | None] = mapped_column(String(300))
    operator_contact: Mapped[str | None] = mapped_column(String(254))


class ProgrammeVersion(OfProgramme, Base):
    """The programme's settings from one moment on; a receipt is valued by those of its day."""

    __tablename__ = "programme_versions"
    __table_args__ = (UniqueConstraint("programme_id", "number"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    number: Mapped[int]
    valid_from: Mapped[datetime]
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)


class ProgrammePilot(OfProgramme, Base):
    """Settings on trial: from one moment to another, in some locations or for some segments.

    They stand over the version that holds; only *ends_at* ever changes. Its number is of the same
    series as those of versions.
    """

    __tablename__ = "programme_pilots"
    __table_args__ = (UniqueConstraint("programme_id", "number"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    number: Mapped[int]
    valid_from: Mapped[datetime]
    #: The first moment without it; empty: not known yet.
    ends_at: Mapped[datetime | None]
    #: What it changes, as it is kept: settings by name.
    changes: Mapped[dict[str, Any]] = mapped_column(JSON)
    #: Slugs of locations and names of segments; empty: any.
    locations: Mapped[list[str]] = mapped_column(JSON, default=list)
    segments: Mapped[list[str]] = mapped_column(JSON, default=list)
    created_at: Mapped[datetime]


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
    #: Where it is, in millionths of a degree: phones offer the card nearby. Both or none.
    latitude_micro: Mapped[int | None]
    longitude_micro: Mapped[int | None]


#: The columns of a design that are read only when they are asked for.
PICTURES = "pictures"


class ProgrammeDesign(OfProgramme, Base):
    """What the owner gave the cards besides the programme's name and colours.

    *version* rises with every change. Accounts are then marked as changed in steps, in the order
    of their ids: *spread_after* is the last one, *spread_version* the version that all of them
    have been marked for.
    """

    __tablename__ = "programme_designs"
    __table_args__ = (
        UniqueConstraint("programme_id"),
        CheckConstraint("version >= spread_version", name="spread_version_not_ahead"),
        index_of_some("ix_programme_designs_spreading", "id", where="version > spread_version"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(default=0)
    spread_version: Mapped[int] = mapped_column(default=0)
    spread_after: Mapped[str | None] = mapped_column(Id)
    #: A `passes.card.CardKind`.
    kind: Mapped[str] = mapped_column(String(10), default="points")
    #: Pictures as `passes.artwork.keep` made them: PNG, JPEG or WebP.
    logo: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True, deferred_group=PICTURES)
    hero: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True, deferred_group=PICTURES)
    poster: Mapped[bytes | None] = mapped_column(
        LargeBinary, deferred=True, deferred_group=PICTURES
    )
    icon: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True, deferred_group=PICTURES)
    #: On the back of the card, in this order: [label, address].
    links: Mapped[list[list[Any]]] = mapped_column(JSON, default=list)
    #: Texts are plain, the same in all languages, or by language; see `programmes.design_texts`.
    #: What the card is called, where that is not the programme's name.
    name: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))
    terms: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))
    contact: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))
    #: What fields are called instead, by key and language.
    labels: Mapped[dict[str, dict[str, str]]] = mapped_column(JSON, default=dict)
    #: The order of fields: [key, section], null for one that is not shown.
    fields: Mapped[list[list[str | None]]] = mapped_column(JSON, default=list)
    #: What phones do with the card besides: see `programmes.wallet_extras`.
    extras: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    changed_at: Mapped[datetime]


class DesignRelease(OfProgramme, Base):
    """A design as it was published, so that it can be published again."""

    __tablename__ = "design_releases"
    __table_args__ = (UniqueConstraint("programme_id", "number"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    #: The version of the `ProgrammeDesign` that it was.
    number: Mapped[int]
    #: By the names of `designs.read_changes`, with colours, places and extras.
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    #: By name the digest of a `DesignPicture`.
    pictures: Mapped[dict[str, str]] = mapped_column(JSON)
    published_at: Mapped[datetime]
    published_by: Mapped[str] = mapped_column(String(80))


class DesignPicture(OfProgramme, Base):
    """A picture of a release or a draft, as `passes.artwork.keep` made it; kept once."""

    __tablename__ = "design_pictures"

    programme_id: Mapped[str] = mapped_column(Id, ForeignKey("programmes.id"), primary_key=True)
    #: SHA-256 in hexadecimal.
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


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


class OccasionDay(OfProgramme, Base):
    """How far an occasion (or a volume bonus) is given: the local *day* that is being worked on,
    *after* whom."""

    __tablename__ = "occasion_days"

    programme_id: Mapped[str] = mapped_column(Id, ForeignKey("programmes.id"), primary_key=True)
    occasion: Mapped[str] = mapped_column(String(40), primary_key=True)
    day: Mapped[date]
    #: The last member or account that was looked at.
    after: Mapped[str] = mapped_column(Id)
