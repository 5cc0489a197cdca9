"""Inspects a design of Apple passes before the first pass of it goes to anybody.

A phone refuses in silence. So the first pass of every design, with every certificate, is looked
through as a phone would; with an error in it nobody gets one, and the owner is told in words.
"""

import hashlib
import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives import hashes
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from app.certs import trusted_roots
from app.context import Context
from app.delivery.models import PassDesign
from app.errors import Unavailable
from app.languages import _
from app.programmes.models import Programme
from passes.apple.preflight import Finding, Severity, inspect
from passes.apple.signature import PassSigner

_log = logging.getLogger(__name__)

#: A refused design is looked at again after this long: what was wrong may lie outside of it.
AGAIN = timedelta(minutes=1)
_MOST_KNOWN = 1024
#: As much as is kept and said of a design that is wrong all over.
_MOST_FINDINGS = 20


class DesignRefused(Unavailable):
    """Phones would refuse the passes of this design; the shop has to look at it."""

    code = "design_refused"


@dataclass(frozen=True, slots=True)
class RefusedDesign:
    """A design that nobody gets: of which programme, since when, and what is wrong with it."""

    programme: str
    inspected_at: datetime
    findings: list[dict[str, str]]


class Inspector:
    """Knows which designs passed. Safe to share between threads."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._passed: OrderedDict[tuple[Any, ...], None] = OrderedDict()
        #: When a refused design is looked at again.
        self._refused: dict[str, datetime] = {}
        self._looking = threading.Lock()

    def admit(
        self,
        signer: PassSigner,
        programme_id: str,
        design: tuple[Any, ...],
        built: tuple[bytes, ...],
        *,
        now: datetime,
    ) -> None:
        """Let *built*, a pass of *design* signed by *signer*, in parts, go out.

        Raises `DesignRefused`. *design* is everything that the passes have in common, hashable and
        with a `repr` that says all of it. One that passed, in whatever process, is not inspected
        again.
        """
        key = (signer, programme_id, *design)
        if key in self._passed:
            return
        with self._looking:
            if key not in self._passed:
                digest = _digest(signer, programme_id, design)
                self._inspect(digest, programme_id, b"".join(built), now)
                self._passed[key] = None
                if len(self._passed) > _MOST_KNOWN:
                    self._passed.popitem(last=False)

    def _inspect(self, digest: str, programme_id: str, built: bytes, now: datetime) -> None:
        again_at = self._refused.get(digest)
        if again_at is not None and now < again_at:
            raise _refusal()
        context = self._context
        with context.database.read(programme_id) as session:
            passed = session.scalar(select(PassDesign.passed).where(PassDesign.digest == digest))
        if passed:
            return
        findings = inspect(
            built,
            now=now,
            roots=trusted_roots(context.config),
            nfc_entitled=context.config.apple_nfc,
        )
        errors = [each for each in findings if each.severity == Severity.ERROR]
        self._record(digest, programme_id, findings, now)
        if not errors:
            return
        if len(self._refused) > _MOST_KNOWN:
            self._refused.clear()
        self._refused[digest] = now + AGAIN
        for each in errors[:_MOST_FINDINGS]:
            _log.error(
                "no pass of this design is given out: %s: %s %s",
                each.where,
                each.message,
                each.cure,
            )
        raise _refusal()

    def _record(
        self, digest: str, programme_id: str, findings: list[Finding], now: datetime
    ) -> None:
        row = PassDesign(
            digest=digest,
            programme_id=programme_id,
            passed=all(each.severity != Severity.ERROR for each in findings),
            findings=[_as_json(each) for each in findings[:_MOST_FINDINGS]],
            inspected_at=now,
        )
        try:
            with self._context.database.write(programme_id) as session:
                session.merge(row)
        except IntegrityError:
            pass  # Another process inspected it just now, with the same outcome.
        except OperationalError as error:
            # What was found holds without its record; it is found again elsewhere.
            _log.warning("the inspection of a design was not noted: %s", error.orig)


def refused_designs(session: Session) -> list[RefusedDesign]:
    """The designs that were refused and have not given way to one that passed, newest first."""
    rows = session.execute(
        select(PassDesign, Programme.slug)
        .join(Programme, Programme.id == PassDesign.programme_id)
        .order_by(PassDesign.inspected_at.desc())
        .limit(1000)
    ).all()
    settled: set[str] = set()
    refused = []
    for design, slug in rows:
        if design.passed:
            settled.add(slug)
        elif slug not in settled:
            refused.append(RefusedDesign(slug, design.inspected_at, design.findings))
    return refused


def _refusal() -> DesignRefused:
    return DesignRefused(
        _(
            "This card cannot be added to Apple Wallet at the moment: phones would "
            "refuse it. Please tell the shop; it finds there what has to be put right."
        )
    )


def _digest(signer: PassSigner, programme_id: str, design: tuple[Any, ...]) -> str:
    certificate = signer.certificate.fingerprint(hashes.SHA256())
    shared = repr((programme_id, *design)).encode()
    return hashlib.sha256(certificate + shared).hexdigest()


def _as_json(finding: Finding) -> dict[str, str]:
    return {
        "code": finding.code,
        "severity": str(finding.severity),
        "where": finding.where[:200],
        "message": finding.message[:500],
        "cure": finding.cure[:500],
    }
