"""A shop with a shop system."""

from typing import Any

import pytest

from tests.app.api.pos.shop_system import ShopSystem


@pytest.fixture
def system(shop: Any) -> ShopSystem:
    """A shop system that may do everything."""
    return ShopSystem.at(shop)


@pytest.fixture
def rich(shop: Any) -> Any:
    """A card with 500 points."""
    card = shop.issue()
    assert shop.accrue(card, 50000).status_code == 201
    return card
