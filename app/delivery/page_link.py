"""The link in a pass to the card's own page, where its holder freezes, finds and erases things."""

from dataclasses import replace

from app.cards.links import pass_token
from app.context import Context
from passes.card import CardFace, CardStatus

_OVER = {CardStatus.REPLACED, CardStatus.ERASED}


def page_of(context: Context, card_id: str, status: str) -> str | None:
    """The secret address of the card's page; none once the card is over."""
    if status in _OVER:
        return None
    return f"{context.config.url}/card/{pass_token(context.keys, card_id)}"


def with_page_link(context: Context, face: CardFace, card_id: str) -> CardFace:
    """The face with the address of the card's page."""
    page = page_of(context, card_id, face.status)
    return replace(face, issued=replace(face.issued, page=page))
