"""The API for shop systems, `/api/pos/v1`: `blueprint` with all its routes."""

from app.api.pos import coupons, document, members, postings, quotes, webhooks
from app.api.pos.door import blueprint

__all__ = ["blueprint", "coupons", "document", "members", "postings", "quotes", "webhooks"]
