"""The customer's pages: joining, the card in the browser, and what links in letters lead to.

No account and no password: whoever has the secret link to a card's page holds the card.
"""

from app.web.customer import (
    answering,
    brand,
    card,
    changing,
    finding,
    history,
    joining_pages,
    muting,
    posters,
    privacy,
    self_service,
    settings_page,
)
from app.web.customer.door import blueprint

__all__ = [
    "answering",
    "blueprint",
    "brand",
    "card",
    "changing",
    "finding",
    "history",
    "joining_pages",
    "muting",
    "posters",
    "privacy",
    "self_service",
    "settings_page",
]
