"""What is done to an account by hand, at once or once a second person has agreed."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.approvals import service as approvals
from app.approvals.models import Approval, Kind
from app.benefits import service as benefits
from app.delivery import leaving
from app.delivery.leaving import Person
from app.errors import Conflict, Invalid
from app.languages import _, ngettext
from app.ledger import service as ledger
from app.ledger.errors import InsufficientPoints
from app.ledger.postings import Adjust, Circumstances, Merge, Posted, Request, Unmerge, fingerprint
from app.ledger.rules import RoundUp, expiry
from app.programmes.settings import Settings
from app.programmes.terms import Rulebook, rulebook_of
from app.web.staff.door import Visit
from app.web.staff.members.area import circumstances, reader

#: No adjustment is larger: beyond this somebody has slipped on the keys.
MOST_POINTS = 10_000_000


@dataclass(frozen=True, slots=True)
class Desk:
    """The session in which something is posted by hand, and the rules that hold."""

    session: Session
    visit: Visit
    book: Rulebook

    @classmethod
    def sit(cls, session: Session, visit: Visit) -> "Desk":
        """Read the rules."""
        return cls(session, visit, rulebook_of(session, visit.programme.id, visit.now))

    @property
    def settings(self) -> Settings:
        """Those that hold now."""
        return self.book.at(self.visit.now).settings

    def adjust(
        self, deed_id: str, body: dict[str, Any], reason: str, where: Circumstances
    ) -> Posted:
        """Give points, or take them (below zero). Raises `Conflict` for more than there are."""
        operation = Adjust(
            body["account_id"], body["points"], reason, expires_at=self._expiry(body["points"])
        )
        request = self._request(deed_id, "adjustment", {**body, "reason": reason})
        try:
            return ledger.post(self.session, request, operation, where, **self._terms())
        except InsufficientPoints as error:
            raise Conflict(_too_few(error.available)) from error

    def merge(
        self, deed_id: str, body: dict[str, Any], reason: str, where: Circumstances
    ) -> Posted:
        """Move all that one account has into another."""
        operation = Merge(
            body["from"],
            body["into"],
            reason,
            self.settings.return_policy,
            self.settings.debt_floor,
        )
        request = self._request(deed_id, "merge", {**body, "reason": reason})
        return benefits.merge(self.session, request, operation, where, **self._terms())

    def unmerge(self, deed_id: str, merge_id: str, reason: str, where: Circumstances) -> Posted:
        """Make two accounts of one again."""
        operation = Unmerge(merge_id, reason)
        request = self._request(deed_id, "unmerge", asdict(operation))
        return benefits.unmerge(self.session, request, operation, where, **self._terms())

    def _request(self, deed_id: str, operation: str, body: dict[str, Any]) -> Request:
        mark = fingerprint(self.visit.programme.id, None, operation, body)
        return Request(deed_id, operation, mark)

    def _terms(self) -> dict[str, Any]:
        return {"now": self.visit.now, "terms": self.book.terms(self.visit.now)}

    def _expiry(self, points: int) -> datetime | None:
        """Points by hand last as those of a receipt of today do, where these expire by a date."""
        settings = self.settings
        if points < 0 or settings.expiry_mode != "fixed" or not settings.expires_after_months:
            return None
        period = settings.expires_round_up
        return expiry(
            self.visit.now,
            time_zone=self.visit.programme.time_zone,
            months=settings.expires_after_months,
            round_up=None if period == "none" else RoundUp(period),
        )


def read_points(text: str) -> int:
    """The points of a form: a whole number with or without a sign. Raises `Invalid`."""
    plain = text.strip().replace("\u2212", "-").replace("\u00a0", "").replace(" ", "")
    digits = plain.removeprefix("-").removeprefix("+")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 9:
        raise _wrong(_("Write a whole number, such as 50 or -50."))
    points = int(plain)
    if points == 0 or abs(points) > MOST_POINTS:
        raise _wrong(_("Write a number other than 0, of at most 10,000,000."))
    return points


def _too_few(there: int) -> str:
    return ngettext(
        "This member has %(num)s point to take.",
        "This member has %(num)s points to take.",
        there,
    )


def _wrong(words: str) -> Invalid:
    return Invalid(_("Please look at the fields that are marked."), {"points": [words]})


def do_or_ask(
    visit: Visit, kind: Kind, deed_id: str, card_id: str, body: dict[str, Any], reason: str
) -> bool:
    """Do it at once where one person may; else ask for a second one. Whether it was done."""
    with visit.write() as session:
        desk = Desk.sit(session, visit)
        small = kind is Kind.ADJUSTMENT and abs(body["points"]) < desk.settings.adjust_alone_below
        if not small and approvals.takes_another(session, visit.person):
            is_new = not approvals.was_asked(session, deed_id)
            approvals.ask(
                session, deed_id, kind, card_id, body, reason, visit.person, now=visit.now
            )
            if is_new:
                visit.note(session, f"member.{kind}.ask", card_id, {"id": deed_id, **body})
            return False
        if kind is not Kind.ERASURE:
            where = circumstances(visit, card_id)
            posted = _post(desk, kind, deed_id, body, reason, where)
            if not posted.repeated:
                alone = {"alone": True} if not small else {}
                visit.note(session, f"member.{kind}", card_id, {"id": deed_id, **body, **alone})
            return True
    erase(visit, card_id, {"alone": True})
    return True


def approve(visit: Visit, deed_id: str) -> Approval:
    """Agree to what another one asked for, and do it. Raises what the deed raises: it then waits
    on, and nothing was changed."""
    with visit.read() as session:
        asked = approvals.find(session, deed_id)
        approvals.check_second(asked, visit.person)
    if asked.kind == Kind.ERASURE and asked.decided_at is None:
        # Before it is decided: interrupted in between it is asked again, and erases nothing twice.
        erase(visit, asked.card_id, {"asked_by": asked.asked_by_id})
    with visit.write() as session:
        decided = approvals.decide(session, deed_id, visit.person, approved=True, now=visit.now)
        if decided.kind != Kind.ERASURE:
            # Whoever asked is the one who does it; who agreed stands with the approval.
            where = Circumstances(
                occurred_at=visit.now,
                actor_kind="staff",
                actor_id=decided.asked_by_id,
                card_id=decided.card_id,
            )
            desk = Desk.sit(session, visit)
            _post(desk, Kind(decided.kind), deed_id, decided.body, decided.reason, where)
        detail = {"id": deed_id, "asked_by": decided.asked_by_id}
        visit.note(session, f"member.{decided.kind}.approve", decided.card_id, detail)
    return decided


def refuse(visit: Visit, deed_id: str) -> Approval:
    """Refuse what another one asked for, or take back what one asked for oneself."""
    with visit.write() as session:
        decided = approvals.decide(session, deed_id, visit.person, approved=False, now=visit.now)
        detail = {"id": deed_id, "asked_by": decided.asked_by_id}
        visit.note(session, f"member.{decided.kind}.refuse", decided.card_id, detail)
    return decided


def _post(
    desk: Desk,
    kind: Kind,
    deed_id: str,
    body: dict[str, Any],
    reason: str,
    where: Circumstances,
) -> Posted:
    if kind is Kind.MERGE:
        return desk.merge(deed_id, body, reason, where)
    return desk.adjust(deed_id, body, reason, where)


def erase(visit: Visit, card_id: str, detail: dict[str, Any]) -> Person:
    """Forget the person behind a card."""
    person = leaving.erase(visit.context, visit.programme.id, card_id, reader(visit), now=visit.now)
    with visit.write() as session:
        visit.note(session, "member.erasure", card_id, detail)
    return person
