"""What forms have to know of the programme: its places, tiers, things, by code and name."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.draws import service as draws
from app.programmes.models import Location
from app.programmes.settings import Settings
from app.programmes.wording import currency_exponent
from app.web.staff.door import Visit
from app.web.staff.programme.editing import names_of, tier_names
from app.web.staff.programme.forms.kernel import Around


def around_of(visit: Visit, session: Session, settings: Settings) -> Around:
    """The programme as *settings* make it."""
    language = visit.language
    tiers = tier_names(settings, language)
    return Around(
        currency=visit.programme.currency,
        exponent=currency_exponent(visit.programme.currency),
        language=language,
        time_zone=visit.programme.time_zone,
        locations=places_by_slug(session),
        tiers=tiers,
        groups=tiers | names_of(settings.clubs, language),
        segments={each.name: each.name for each in settings.segments},
        stamps=names_of(settings.stamps, language),
        coupons=names_of(settings.coupons, language),
        draws={each.code: each.terms.get("title", each.code) for each in draws.draws(session)},
    )


def places_by_slug(session: Session) -> dict[str, str]:
    """The programme's locations, by slug."""
    rows: Any = session.execute(select(Location.slug, Location.name).order_by(Location.slug))
    found: Mapping[str, str] = {slug: name for slug, name in rows}
    return dict(found)
