"""The brands of a coalition, and whose a location is.

Points say who issued them and who redeemed them; `ledger.reports.settlement` says who owes whom.
What is recorded keeps the partner that it was recorded with.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Conflict, Invalid, NotFound
from app.programmes.models import Location, Partner
from app.programmes.service import location_by_slug


def add_partner(
    session: Session,
    programme_id: str,
    *,
    name: str,
    locations: Sequence[str] = (),
    now: datetime,
) -> Partner:
    """Make a partner and give it the *locations* (slugs).

    Raises `Invalid` for a name that is none, `NotFound` for a location that is not there and
    `Conflict` where the name is taken or a location is another partner's.
    """
    name = name.strip()
    if not name or len(name) > 80 or not name.isprintable():
        raise Invalid("A name has 1 to 80 characters.", {"name": ["1 to 80 characters"]})
    if _find(session, programme_id, name) is not None:
        raise Conflict(f"There is a partner {name!r} already.")
    partner = Partner(programme_id=programme_id, name=name, created_at=now)
    session.add(partner)
    session.flush()
    give_locations(session, partner, locations)
    return partner


def give_locations(session: Session, partner: Partner, locations: Sequence[str]) -> None:
    """Say that the *locations* (slugs) are the partner's from now on.

    Raises `NotFound`, and `Conflict` for a location of another partner: what it issued would
    change hands without anybody's word.
    """
    for slug in dict.fromkeys(locations):
        location = location_by_slug(session, partner.programme_id, slug)
        if location.partner_id not in (None, partner.id):
            other = session.get_one(Partner, location.partner_id)
            raise Conflict(f"The location {slug!r} belongs to {other.name} already.")
        location.partner_id = partner.id
    session.flush()


def partner_by_name(session: Session, programme_id: str, name: str) -> Partner:
    """The partner of that name. Raises `NotFound`."""
    found = _find(session, programme_id, name.strip())
    if found is None:
        raise NotFound(f"There is no partner {name!r}. Make it: counterfoil partner add")
    return found


def partners(session: Session, programme_id: str) -> list[tuple[Partner, list[str]]]:
    """Every partner with the slugs of its locations, by name."""
    slugs: dict[str | None, list[str]] = {}
    for partner_id, slug in session.execute(
        select(Location.partner_id, Location.slug)
        .where(Location.programme_id == programme_id, Location.partner_id.is_not(None))
        .order_by(Location.slug)
    ):
        slugs.setdefault(partner_id, []).append(slug)
    rows = session.scalars(
        select(Partner).where(Partner.programme_id == programme_id).order_by(Partner.name)
    )
    return [(partner, slugs.get(partner.id, [])) for partner in rows]


def partner_of(session: Session, location_id: str | None) -> str | None:
    """The id of the partner whose location it is; None: the programme's own."""
    if location_id is None:
        return None
    return session.scalar(select(Location.partner_id).where(Location.id == location_id))


def _find(session: Session, programme_id: str, name: str) -> Partner | None:
    return session.scalar(
        select(Partner).where(Partner.programme_id == programme_id, Partner.name == name)
    )
