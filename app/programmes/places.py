"""What a location is called in rules: its slug, by its id."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.programmes.models import Location

#: A slug never changes, and no two locations ever have the same id.
_MOST_KEPT = 65_536
_kept: dict[str, str] = {}


def slug_of(session: Session, location_id: str) -> str | None:
    """The slug of a location of the session's programme, or None where there is none of that id."""
    slug = _kept.get(location_id)
    if slug is None:
        slug = session.scalar(select(Location.slug).where(Location.id == location_id))
        if slug is not None:
            if len(_kept) >= _MOST_KEPT:
                _kept.clear()
            _kept[location_id] = slug
    return slug
