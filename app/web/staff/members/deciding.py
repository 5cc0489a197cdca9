"""What waits for a second person, and receipts that wait for a manager."""

from typing import Any

from sqlalchemy import select

from app.approvals import service as approvals
from app.approvals.models import Approval
from app.cards.models import Card
from app.languages import Lazy, _, lazy
from app.members.reads import note_reads
from app.members.service import contact_of
from app.staff.models import Staff
from app.staff.permissions import Permission
from app.till import waiting as receipts
from app.till.models import Till, WaitingPosting
from app.web.staff.door import Visit
from app.web.staff.members.area import names, pages, reader
from app.web.staff.members.deeds import approve, refuse

KINDS: dict[str, Lazy] = {
    "adjustment": lazy("Points by hand"),
    "merge": lazy("Merge two accounts"),
    "erasure": lazy("Forget a member for good"),
}


@pages.get("/approvals", Permission.APPROVE)
def approvals_page(visit: Visit) -> Any:
    """Everything that waits."""
    with visit.write() as session:
        asked = approvals.waiting(session)
        people = names(session, Staff)
        rows = [_row(visit, session, each, people) for each in asked]
        seen = [row["member_id"] for row in rows if row["member_id"] is not None]
        note_reads(session, seen, reader(visit), "list", now=visit.now)
        tills = names(session, Till)
        waiting = [_receipt(each, tills) for each in receipts.waiting(session)[:100]]
    return visit.show("staff/members/approvals.html", rows=rows, receipts=waiting, kinds=KINDS)


@pages.post("/approvals/<uuid:deed_id>", Permission.APPROVE)
def decide(visit: Visit, deed_id: Any) -> Any:
    """Agree or refuse."""
    if visit.form.get("decision") == "approve":
        approve(visit, str(deed_id))
        said = _("Agreed, and done.")
    else:
        refuse(visit, str(deed_id))
        said = _("Refused. Nothing was changed.")
    return visit.go("members.approvals_page", said=said)


@pages.post("/approvals/receipts/<uuid:posting_id>", Permission.APPROVE)
def decide_receipt(visit: Visit, posting_id: Any) -> Any:
    """Let a receipt in that could not be believed, or refuse it for good."""
    is_let_in = visit.form.get("decision") == "approve"
    with visit.write() as session:
        receipts.decide(session, str(posting_id), visit.person, approved=is_let_in, now=visit.now)
        visit.note(session, "receipt.decide", str(posting_id), {"approved": is_let_in})
    said = _("The receipt is let in.") if is_let_in else _("The receipt is refused for good.")
    return visit.go("members.approvals_page", said=said)


def _row(visit: Visit, session: Any, asked: Approval, people: dict[str, str]) -> dict[str, Any]:
    card = session.scalar(select(Card).where(Card.id == asked.card_id))
    member_id = None if card is None else card.member_id
    return {
        "asked": asked,
        "member_id": member_id,
        "name": contact_of(session, visit.context.keys, member_id).name,
        "by": people.get(asked.asked_by_id, ""),
        "is_mine": asked.asked_by_id == visit.person.id,
    }


def _receipt(waiting: WaitingPosting, tills: dict[str, str]) -> dict[str, Any]:
    body = waiting.body
    amount = body.get("amount_minor")
    return {
        "waiting": waiting,
        "till": tills.get(waiting.till_id, ""),
        "occurred_at": str(body.get("occurred_at", ""))[:25],
        "amount_minor": amount if isinstance(amount, int) else None,
        "currency": body.get("currency") or "",
    }
