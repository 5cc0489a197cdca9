"""Two cards of one person: what merging makes of them, the merge, and its undoing."""

import uuid
from typing import Any

from flask import request
from sqlalchemy import select

from app.approvals import service as approvals
from app.approvals.models import Kind
from app.cards.finding import find
from app.errors import Conflict, NotFound
from app.languages import _
from app.ledger import service as ledger
from app.ledger.models import Account, AccountMerge
from app.members import changing
from app.programmes.terms import rulebook_of
from app.programmes.voices import voice_of
from app.staff.permissions import Permission
from app.web.staff.door import Visit
from app.web.staff.members import words
from app.web.staff.members.area import Subject, circumstances, pages, read_subject, subject_of
from app.web.staff.members.deeds import Desk, do_or_ask
from app.web.staff.members.finding import shown_hits
from app.web.staff.members.profile import deed


@pages.get("/<card_id>/merge", Permission.ADJUST_POINTS)
def preview(visit: Visit, card_id: str) -> Any:
    """Find the other card, then show what would become of the two."""
    return _preview(visit, card_id)


@pages.post("/<card_id>/merge/find", Permission.ADJUST_POINTS)
def find_other(visit: Visit, card_id: str) -> Any:
    """Find the other card."""
    return _preview(visit, card_id)


@pages.post("/<card_id>/merge", Permission.ADJUST_POINTS)
def merge(visit: Visit, card_id: str) -> Any:
    """Ask for it, or do it where there is nobody to ask: the other card's account comes here."""
    reason = approvals.check_reason(visit.form.get("reason", ""))
    deed_id = approvals.check_id(visit.form.get("deed_id", ""))
    stays, goes = _two(visit, card_id, visit.form.get("with", ""))
    body = {"from": goes.card.account_id, "into": stays.card.account_id}
    if do_or_ask(visit, Kind.MERGE, deed_id, stays.card.id, body, reason):
        said = _("Merged. It can be undone below.")
    else:
        said = _("Nothing is changed yet: somebody else has to agree.")
    return visit.go("members.show", said=said, card_id=card_id)


@pages.post("/<card_id>/unmerge", Permission.ADJUST_POINTS)
@deed("merges")
def unmerge(visit: Visit, card_id: str) -> Any:
    """Make two of them again."""
    deed_id = approvals.check_id(visit.form.get("deed_id", ""))
    merge_id = approvals.check_id(visit.form.get("merge_id", ""))
    with visit.write() as session:
        card = subject_of(session, visit, card_id).card
        known = session.scalar(
            select(AccountMerge.id).where(
                AccountMerge.posting_id == merge_id,
                AccountMerge.into_account_id == card.account_id,
            )
        )
        if known is None:
            raise NotFound(_("There is no such merge here."))
        desk = Desk.sit(session, visit)
        where = circumstances(visit, card.id)
        posted = desk.unmerge(deed_id, merge_id, _("undone by hand"), where)
        if not posted.repeated:
            visit.note(session, "member.unmerge", card_id, {"merge": merge_id})
    return visit.go("members.show", said=_("Two accounts again."), card_id=card_id)


def _two(visit: Visit, card_id: str, other_id: str) -> tuple[Subject, Subject]:
    """The account that stays and the one that goes. Raises `NotFound`, `Conflict`."""
    stays = read_subject(visit, card_id, "merge")
    goes = read_subject(visit, other_id, "merge")
    if stays.card.account_id == goes.card.account_id:
        raise Conflict(_("Both cards are of one account already."))
    return stays, goes


def _preview(visit: Visit, card_id: str) -> Any:
    asked, other = request.values.get("q", "")[:200], request.args.get("with", "")
    facts: dict[str, Any] = {"asked": asked, "rows": [], "both": None, "words": words}
    if other:
        stays, goes = _two(visit, card_id, other)
        facts["both"] = _both(visit, stays, goes)
    else:
        stays = read_subject(visit, card_id, "merge")
        if asked.strip():
            with visit.read() as session:
                found = find(session, visit.context.keys, visit.programme.id, asked, limit=20).hits
            others = [hit for hit in found if hit.account_id != stays.card.account_id]
            facts["rows"] = shown_hits(visit, others, "merge")
    return visit.show("staff/members/merge.html", subject=stays, deed_id=str(uuid.uuid4()), **facts)


def _both(visit: Visit, stays: Subject, goes: Subject) -> dict[str, Any]:
    """What each has, and what the one has afterwards."""
    with visit.read() as session:
        book = rulebook_of(session, visit.programme.id, visit.now)
        terms, settings = book.terms(visit.now), book.at(visit.now).settings
        voice = voice_of(visit.programme, settings, visit.language)
        sides: list[dict[str, Any]] = []
        for subject in (goes, stays):
            looked = ledger.look(session, subject.card.account_id, now=visit.now, terms=terms)
            account = session.get_one(Account, subject.card.account_id)
            given = changing.consents_of(session, subject.member_id) if subject.member_id else []
            sides.append(
                {
                    "subject": subject,
                    "standing": looked.standing(),
                    "tier": voice.tier(looked.account.tier.tier),
                    "since": account.created_at,
                    "consents": {each.purpose for each in given if each.is_given},
                }
            )
        takes_two = approvals.takes_another(session, visit.person)
    return {
        "sides": sides,
        "balance": sum(side["standing"].balance for side in sides),
        "has_tiers": settings.tiers is not None,
        "kept": sorted(sides[0]["consents"] & sides[1]["consents"]),
        "ended": sorted(sides[0]["consents"] ^ sides[1]["consents"]),
        "takes_two": takes_two,
        "voice": voice,
    }
