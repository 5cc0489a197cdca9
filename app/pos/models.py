"""Tables of the API for shop systems."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Id, OfProgramme, new_id


class ApiKey(OfProgramme, Base):
    """A key of a shop system; only the hash of it is kept. Rotated, it keeps its id."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(80))
    #: The part of the key that names it and is no secret.
    handle: Mapped[str] = mapped_column(String(16), unique=True)
    key_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    #: The only location that it may post for; empty: any.
    location_id: Mapped[str | None] = mapped_column(Id, ForeignKey("locations.id"))
    created_at: Mapped[datetime]
    #: Noted once a minute at most.
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    #: Thousandths of requests that may still come, and when that was counted (see `rate`).
    allowance_milli: Mapped[int | None] = mapped_column(BigInteger)
    allowance_at: Mapped[datetime | None]
