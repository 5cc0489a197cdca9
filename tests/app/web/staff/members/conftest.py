"""Members whom the staff look at."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from app.members.service import add_member, read_contact

XSS = "<script>alert(1)</script>"


@pytest.fixture
def join(shop: Any) -> Callable[..., Any]:
    """A card of somebody with a name."""

    def make(name: str = "Līga Ozola", email: str = "liga@example.com", of: Any = None) -> Any:
        where = of or shop
        with where.context.database.write(where.programme_id) as session:
            member = add_member(
                session,
                where.context.keys,
                where.programme_id,
                read_contact(name, email, "+371 26123456"),
                language="lv",
                consents=frozenset({"messages"}),
                now=where.context.clock(),
            )
        return where.issue(member_id=member.id)

    return make


def deed(**more: Any) -> dict[str, Any]:
    return {"deed_id": str(uuid.uuid4()), "reason": "Forgotten receipts", **more}


def balance(shop: Any, card: Any) -> int:
    return int(shop.balance(card))
