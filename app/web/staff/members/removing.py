"""Forgetting a member: what will be gone, and asking for it."""

import uuid
from typing import Any

from app.approvals import service as approvals
from app.approvals.models import Kind
from app.delivery import leaving
from app.languages import _
from app.staff.permissions import Permission
from app.web.staff.door import Visit
from app.web.staff.members.area import pages, read_subject, subject_of
from app.web.staff.members.deeds import do_or_ask


@pages.get("/<card_id>/erase", Permission.ADJUST_POINTS)
def erasure(visit: Visit, card_id: str) -> Any:
    """Say what would be gone."""
    subject = read_subject(visit, card_id, "show")
    with visit.read() as session:
        has = leaving.belongings(session, visit.context.keys, subject.person, now=visit.now)
        takes_two = approvals.takes_another(session, visit.person)
    return visit.show(
        "staff/members/erase.html",
        subject=subject,
        has=has,
        takes_two=takes_two,
        deed_id=str(uuid.uuid4()),
    )


@pages.post("/<card_id>/erase", Permission.ADJUST_POINTS)
def erase(visit: Visit, card_id: str) -> Any:
    """Ask for it, or do it where there is nobody to ask."""
    reason = approvals.check_reason(visit.form.get("reason", ""))
    deed_id = approvals.check_id(visit.form.get("deed_id", ""))
    with visit.read() as session:
        card = subject_of(session, visit, card_id).card
    if do_or_ask(visit, Kind.ERASURE, deed_id, card.id, {}, reason):
        said = _("Forgotten. The passes on the phones turn void.")
    else:
        said = _("Nothing is changed yet: somebody else has to agree.")
    return visit.go("members.show", said=said, card_id=card_id)
