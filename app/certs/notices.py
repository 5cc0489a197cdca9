"""Tells the owner in time that a certificate ends: in the log, once at each of three thresholds.

What was told is kept in the database: of many workers, and over many restarts, one line comes.
"""

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from sqlalchemy import String
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from app.certs.files import in_use
from app.config import Config
from app.db import Base, Database
from app.errors import Misconfigured
from passes.apple.signature import CertificateStatus, describe

_log = logging.getLogger(__name__)

#: Whole days before the end of a certificate at which the owner is told.
THRESHOLDS = (30, 14, 3)


class CertificateNotice(Base):
    """The owner was told that a certificate ends in so many days. A renewed one is another."""

    __tablename__ = "certificate_notices"

    #: SHA-256 of the certificate in hexadecimal.
    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    days: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    told_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Expiry:
    """When a certificate that passes need ends. *role* is "pass" or "intermediate"."""

    role: str
    path: Path
    fingerprint: str
    status: CertificateStatus

    def threshold(self, now: datetime) -> int | None:
        """The threshold of `THRESHOLDS` that was passed last; None before, and after its end."""
        left = days_left(self.status, now)
        return min((days for days in THRESHOLDS if 0 <= left <= days), default=None)


def expiries(config: Config) -> list[Expiry]:
    """The pass certificate and its intermediates. Raises `Misconfigured` for a broken file."""
    return [
        Expiry(
            "intermediate" if place else "pass",
            path,
            certificate.fingerprint(hashes.SHA256()).hex(),
            describe(certificate),
        )
        for place, (path, certificate) in enumerate(in_use(config))
    ]


def days_left(status: CertificateStatus, now: datetime) -> float:
    """Days until a certificate ends; negative once it has."""
    return status.left(now).total_seconds() / 86_400


def whole_days_left(status: CertificateStatus, now: datetime) -> int:
    """Whole days until a certificate ends, as the owner is told them; negative once it has."""
    return math.floor(days_left(status, now))


def say_end(status: CertificateStatus, now: datetime) -> str:
    """The sentence that the owner is told of a certificate that ends soon."""
    days = whole_days_left(status, now)
    count = {0: "within a day", 1: "in a day"}.get(days, f"in {days} days")
    return f'The certificate "{status.name}" expires on {status.not_after:%Y-%m-%d}, {count}.'


def tell(config: Config, database: Database, *, now: datetime) -> int:
    """Log what ends soon and was not told yet at its threshold; how many lines that were.

    Cheap while nothing is due: then the database is not asked.
    """
    told = 0
    for expiry, days in _due(config, now):
        if _is_first(database, expiry, days, now):
            sentence = say_end(expiry.status, now)
            _log.warning("%s: %s See docs/go-live-apple.md.", expiry.path, sentence)
            told += 1
    return told


def _due(config: Config, now: datetime) -> Iterator[tuple[Expiry, int]]:
    try:
        found = expiries(config)
    except Misconfigured:
        return  # Said where passes are signed, and by `check`.
    for expiry in found:
        days = expiry.threshold(now)
        if days is not None:
            yield expiry, days


def _is_first(database: Database, expiry: Expiry, days: int, now: datetime) -> bool:
    """Whether nobody has told this before; from here on somebody has."""
    key = (expiry.fingerprint, days)
    with database.read_all() as session:
        if session.get(CertificateNotice, key) is not None:
            return False
    try:
        # Two workers at once: the primary key decides.
        with database.write_all() as session:
            session.add(CertificateNotice(fingerprint=key[0], days=days, told_at=now))
    except IntegrityError:
        return False
    return True
