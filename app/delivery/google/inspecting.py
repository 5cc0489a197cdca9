"""Looks into everything that a programme's cards need at Google, before customers do."""

from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards.models import Card
from app.config import GOOGLE_API_URL
from app.context import Context
from app.delivery.google.passes import GoogleCard, GooglePasses
from app.delivery.google.pictures import inspect_picture
from app.delivery.google.preflight import inspect_issuer, inspect_resource, pictures
from app.delivery.google.rights import inspect_rights
from app.errors import Misconfigured
from app.programmes.models import Programme
from passes.apple.preflight.finding import Finding, error, warning


def inspect_programme(
    context: Context, passes: GooglePasses, programme: Programme, *, offline: bool = False
) -> Iterator[Finding]:
    """What stands between a programme's cards and Google Wallet.

    The class and the newest card's object as they would be sent; then, unless *offline*, the
    pictures in them and the service account's rights.
    """
    is_google = context.config.google_api_url == GOOGLE_API_URL
    yield from inspect_issuer(context.config.google_issuer_id)
    if obstacle := passes.obstacle():
        yield error(
            "not_set_up",
            "Google Wallet",
            obstacle,
            "docs/go-live-google.md says step by step how Google Wallet is set up.",
        )
    try:
        service = passes.service()
    except Misconfigured:
        return
    with context.database.read(programme.id) as session:
        card = _newest_card(session, passes, context)
    if card is None:
        yield warning(
            "no_card",
            programme.slug,
            "The programme has no card yet: nothing could be rendered.",
            "Join once yourself, or run counterfoil card issue, and look again.",
        )
    else:
        for body in (card.class_body, card.body):
            yield from inspect_resource(
                body,
                is_google=is_google,
                issuer=service.issuer_id,
                is_offer=card.kind == "offer",
            )
    if offline:
        return
    if card is not None:
        named = [*pictures(card.class_body), *pictures(card.body)]
        # A picture that stands in both is fetched once.
        for address, where in {address: where for where, address in reversed(named)}.items():
            yield from inspect_picture(where, address, is_google=is_google)
    class_id = f"{service.issuer_id}.{programme.slug}"
    for finding in inspect_rights(service, class_id, context.clock):
        yield replace(finding, where=finding.where or class_id)


def _newest_card(session: Session, passes: GooglePasses, context: Context) -> GoogleCard | None:
    card_id = session.scalar(select(Card.id).order_by(Card.issued_at.desc()).limit(1))
    if card_id is None:
        return None
    return passes.read(session, card_id, now=context.clock())
