"""The list of members and the search: names for everybody, the rest for whoever may see it."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request

from app.cards.finding import Found, Hit, Order, find
from app.languages import _
from app.members.changing import masked
from app.members.reads import note_reads
from app.programmes.service import version_at
from app.programmes.voices import voice_of
from app.staff.permissions import Permission
from app.web.staff.door import Visit
from app.web.staff.members.area import pages, reader
from app.web.staff.members.words import status_of

PAGE = 50
#: Rows of the file of what was found; everybody's data is taken away with the export.
MOST_EXPORTED = 1_000


@pages.get("/", Permission.SEE_MEMBERS)
def index(visit: Visit) -> Any:
    """Look through all members, or find some."""
    return _list(visit)


@pages.post("/find", Permission.SEE_MEMBERS)
def search(visit: Visit) -> Any:
    """Find somebody: what is searched for stands in no address, which others write down."""
    return _list(visit)


def _list(visit: Visit) -> Any:
    found, tiers = _found(visit, PAGE, "list"), _tiers(visit)
    return visit.show(
        "staff/members/index.html",
        found=found,
        rows=[_row(visit, hit, tiers) for hit in found.hits],
        text=_asked(),
        order=_order(),
        orders=_orders(),
        after=request.values.get("after"),
    )


@pages.get("/export.csv", Permission.SEE_CONTACTS)
def export(visit: Visit) -> Any:
    """The first of all members, as a file; recorded as a reading of each."""
    return _file(visit)


@pages.post("/export.csv", Permission.SEE_CONTACTS)
def export_found(visit: Visit) -> Any:
    """What was found, as a file."""
    return _file(visit)


def _file(visit: Visit) -> Any:
    found = _found(visit, MOST_EXPORTED, "list file")
    with visit.write() as session:
        visit.note(session, "members.file", detail={"rows": len(found.hits)})
    header = [
        _("Card"), _("Name"), _("E-mail"), _("Telephone"), _("Language"), _("Status"), _("Points"),
        _("Tier"), _("VIP"), _("Since"),
    ]  # fmt: skip
    rows, tiers = [], _tiers(visit)
    for hit in found.hits:
        told = _row(visit, hit, tiers)
        rows.append(
            [
                hit.card_id,
                hit.contact.name,
                hit.contact.email,
                hit.contact.phone,
                hit.language,
                told["status"][0],
                hit.points,
                told["tier"],
                hit.is_vip,
                hit.issued_at.date(),
            ]
        )
    return visit.csv(f"members-{visit.programme.slug}", header, rows)


def _found(visit: Visit, limit: int, purpose: str) -> Found:
    with visit.write() as session:
        found = find(
            session,
            visit.context.keys,
            visit.programme.id,
            _asked(),
            order=_order(),
            after=request.values.get("after") or None,
            limit=limit,
        )
        seen = (hit.member_id for hit in found.hits if hit.member_id is not None)
        note_reads(session, seen, reader(visit), purpose, now=visit.now)
    return found


def shown_hits(visit: Visit, hits: Sequence[Hit], purpose: str) -> list[dict[str, Any]]:
    """Hits as this person may see them; on record as read."""
    with visit.write() as session:
        seen = (hit.member_id for hit in hits if hit.member_id is not None)
        note_reads(session, seen, reader(visit), purpose, now=visit.now)
    tiers = _tiers(visit)
    return [_row(visit, hit, tiers) for hit in hits]


def _row(visit: Visit, hit: Hit, tiers: Mapping[str, str]) -> dict[str, Any]:
    contact = hit.contact if visit.may(Permission.SEE_CONTACTS) else masked(hit.contact)
    return {
        "hit": hit,
        "name": contact.name or _("No name told"),
        "email": contact.email,
        "phone": contact.phone,
        "status": status_of(hit.status),
        "tier": tiers.get(hit.tier, hit.tier) if hit.tier else "",
    }


def _tiers(visit: Visit) -> Mapping[str, str]:
    with visit.read() as session:
        settings = version_at(session, visit.programme.id, visit.now).settings
    return voice_of(visit.programme, settings, visit.language).tiers


def _asked() -> str:
    return request.values.get("q", "")[:300]


def _order() -> Order:
    try:
        return Order(request.values.get("order", Order.NEWEST))
    except ValueError:
        return Order.NEWEST


def _orders() -> list[tuple[str, str]]:
    return [
        (Order.NEWEST, _("newest first")),
        (Order.OLDEST, _("oldest first")),
        (Order.POINTS, _("most points first")),
    ]
