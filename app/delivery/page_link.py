"""The link in a pass to the card's own page, where its holder freezes, finds and erases things."""

from dataclasses import replace

from app.cards.links import pass_token
from app.context import Context
from passes.card import CardFace, CardStatus
from passes.extras import Link
from passes.text import text

LABEL = text(
    {
        "en": "My card: history, freeze, data",
        "de": "Meine Karte: Verlauf, Sperren, Daten",
        "lv": "Mana karte: vēsture, iesaldēšana, dati",
        "ru": "Моя карта: история, заморозка, данные",
    }
)
_OVER = {CardStatus.REPLACED, CardStatus.ERASED}


def with_page_link(context: Context, face: CardFace, card_id: str) -> CardFace:
    """The face with the secret link to the card's page among its own; none once it is over."""
    if face.status in _OVER:
        return face
    link = Link(LABEL, f"{context.config.url}/card/{pass_token(context.keys, card_id)}")
    extras = face.issued.extras
    return replace(
        face, issued=replace(face.issued, extras=replace(extras, links=(*extras.links, link)))
    )
