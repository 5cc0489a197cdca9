"""The audit log: who changed what, and when."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import request
from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from app.audit import AuditEntry
from app.languages import _, lazy
from app.staff.permissions import Permission
from app.web.staff.door import StaffPages, Visit
from app.web.staff.navigation import NavItem
from app.web.staff.office.deeds import action_words
from app.web.staff.office.headings import INSTALLATION

pages = StaffPages("audit", __name__)
NAV = (NavItem(890, lazy("Audit log"), "audit.index", Permission.SEE_AUDIT, INSTALLATION),)
ON_A_PAGE = 50
#: So many rows a file holds at most; for more, ask for less time at once.
MOST_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the log somebody wants to see; empty texts mean all of it."""

    who: str
    action: str
    subject: str
    since: str
    until: str
    before: str

    @classmethod
    def read(cls) -> "Asked":
        """From the address, each part bounded."""
        return cls(*(request.args.get(name, "")[:80].replace("\0", "").strip() for name in FIELDS))

    @property
    def address(self) -> dict[str, str]:
        """What stands in the address for the same filter."""
        return {
            name: getattr(self, name) for name in FIELDS if name != "before" and getattr(self, name)
        }


FIELDS = ("who", "action", "subject", "since", "until", "before")


@pages.get("/", Permission.SEE_AUDIT)
def index(visit: Visit) -> Any:
    """The newest first, a page at a time, or as a file."""
    asked = Asked.read()
    zone = ZoneInfo(visit.programme.time_zone)
    with visit.read() as session:
        wanted = _wanted(asked, zone)
        if request.args.get("as") == "csv":
            return _csv(visit, session, wanted)
        last = session.get(AuditEntry, asked.before) if _is_id(asked.before) else None
        if last is not None:
            earlier = and_(AuditEntry.at == last.at, AuditEntry.id < last.id)
            wanted = wanted.where(or_(AuditEntry.at < last.at, earlier))
        found = session.scalars(wanted.limit(ON_A_PAGE + 1)).all()
        actions = session.scalars(
            select(AuditEntry.action).distinct().order_by(AuditEntry.action).limit(300)
        ).all()
    return visit.show(
        "staff/office/log.html",
        entries=found[:ON_A_PAGE],
        older=found[ON_A_PAGE - 1].id if len(found) > ON_A_PAGE else "",
        asked=asked,
        actions=sorted(((each, action_words(each)) for each in actions), key=lambda each: each[1]),
        action_words=action_words,
    )


def _wanted(asked: Asked, zone: ZoneInfo) -> Select[AuditEntry]:
    wanted = select(AuditEntry).order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
    if asked.who:
        wanted = wanted.where(AuditEntry.actor.icontains(asked.who, autoescape=True))
    if asked.action:
        wanted = wanted.where(AuditEntry.action == asked.action)
    if asked.subject:
        wanted = wanted.where(AuditEntry.subject == asked.subject)
    since, until = _day(asked.since, zone), _day(asked.until, zone, days=1)
    if since is not None:
        wanted = wanted.where(AuditEntry.at >= since)
    if until is not None:
        wanted = wanted.where(AuditEntry.at < until)
    return wanted


def _csv(visit: Visit, session: Session, wanted: Select[AuditEntry]) -> Any:
    rows = [
        (
            each.at.isoformat(),
            each.actor_kind,
            each.actor,
            each.action,
            each.subject,
            _detail(each.detail),
        )
        for each in session.scalars(wanted.limit(MOST_ROWS))
    ]
    head = [_("When"), _("By"), _("Who"), _("What"), _("To what"), _("Further")]
    return visit.csv("audit-log", head, rows)


def _detail(detail: dict[str, Any]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in detail.items())


def _day(text: str, zone: ZoneInfo, *, days: int = 0) -> datetime | None:
    """The beginning of a day in the programme's zone; None where *text* is no day."""
    try:
        return datetime.combine(date.fromisoformat(text) + timedelta(days=days), time(), zone)
    except (ValueError, OverflowError):
        return None


def _is_id(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text) is not None
