"""Who runs a programme, and what becomes of what members tell it."""

from sqlalchemy import exists, select

from app.context import current_context
from app.db import enter
from app.delivery.wallets import current_wallets
from app.programmes.models import Partner
from app.programmes.service import programme_by_slug
from app.web.customer.door import blueprint, page


@blueprint.get("/privacy/<slug>")
def privacy(slug: str) -> str:
    """The notice (GDPR, articles 13 and 14), in the reader's language."""
    wallets = current_wallets()
    with current_context().database.read_all() as session:
        programme = programme_by_slug(session, slug)
        enter(session, programme.id)
        has_partners = bool(session.scalar(select(exists().where(Partner.id.is_not(None)))))
    return page(
        "privacy",
        programme,
        has_partners=has_partners,
        apple=wallets.apple.available,
        google=wallets.google.available,
    )
