"""The link in a pass to the card's own page, where its holder freezes, finds and erases things."""

from collections.abc import Callable
from dataclasses import replace

from app.cards.links import pass_tokens
from app.context import Context
from passes.card import CardFace, CardStatus

#: The page of a card by its id and status.
Pages = Callable[[str, str], str | None]

_OVER = {CardStatus.REPLACED, CardStatus.ERASED}


def page_of(context: Context, card_id: str, status: str) -> str | None:
    """The secret address of the card's page; none once the card is over."""
    return pages(context)(card_id, status)


def pages(context: Context) -> Pages:
    """`page_of` for many cards at once; not to be kept: a rotated key is not noticed."""
    begin, token = f"{context.config.url}/card/", pass_tokens(context.keys)

    def page_of(card_id: str, status: str) -> str | None:
        return None if status in _OVER else begin + token(card_id)

    return page_of


def with_page_link(context: Context, face: CardFace, card_id: str) -> CardFace:
    """The face with the address of the card's page."""
    page = page_of(context, card_id, face.status)
    return replace(face, issued=replace(face.issued, page=page))
