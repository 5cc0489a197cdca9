"""A shop system: a key, and a hand that asks with it."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.pos import keys
from app.pos.rules import Scope


@dataclass
class ShopSystem:
    """A shop system of a shop."""

    shop: Any
    key: str
    key_id: str

    @classmethod
    def at(
        cls,
        shop: Any,
        *,
        scopes: Iterable[str] = tuple(Scope),
        location: str | None = None,
        name: str | None = None,
    ) -> "ShopSystem":
        """A shop system with a fresh key."""
        with shop.context.database.write(shop.programme_id) as session:
            key, text = keys.add_key(
                session,
                shop.programme_id,
                name=name or f"web shop {uuid.uuid4().hex[:6]}",
                scopes=scopes,
                location=location,
                now=shop.context.clock(),
            )
            return cls(shop, text, key.id)

    def ask(
        self, method: str, path: str, body: Any = None, *, id: str | None = None, **headers: str
    ) -> Any:
        """Ask the API; *id* is the Idempotency-Key."""
        given = {"Authorization": f"Bearer {self.key}"}
        if id is not None:
            given["Idempotency-Key"] = id
        return self.shop.client.open(
            f"/api/pos/v1{path}", method=method, json=body, headers=given | headers
        )

    def post(self, path: str, body: Any, *, id: str | None = None) -> Any:
        """Post something under a fresh id."""
        return self.ask("POST", path, body, id=id or str(uuid.uuid4()))

    def accrue(self, card: Any, amount_minor: int = 1250, **more: Any) -> Any:
        return self.post(
            "/accruals",
            {"card": card.code, "amount_minor": amount_minor, "currency": "EUR", **more},
        )

    def hold(self, card: Any, points: int, **more: Any) -> Any:
        return self.post("/holds", {"card": card.code, "points": points, **more})
