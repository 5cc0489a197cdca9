"""A shop system manages what it is told; another programme's endpoints are not there."""

import uuid
from dataclasses import replace
from typing import Any

import pytest

from app import create_app
from app.clock import FixedClock
from tests.app.api.pos.shop_system import ShopSystem

URL = "http://127.0.0.1:9/hook"


@pytest.fixture
def local(shop: Any) -> ShopSystem:
    """A shop system of an installation whose webhooks may go to this machine."""
    config = replace(shop.context.config, webhooks_local=True)
    shop.client = create_app(replace(shop.context, config=config)).test_client()
    return ShopSystem.at(shop)


def test_an_address_is_added_listed_resent_to_and_removed(
    shop: Any, local: ShopSystem, clock: FixedClock
) -> None:
    from app.webhooks import sending

    added = local.ask("POST", "/webhooks", {"url": URL, "events": ["card.issued"]})
    assert added.status_code == 201, added.json
    assert added.json["secret"].startswith("whsec_")
    [listed] = local.ask("GET", "/webhooks").json["items"]
    assert "secret" not in listed and listed["url"] == URL
    assert local.ask("POST", "/webhooks", {"url": URL}).status_code == 409
    cards = [shop.issue() for _ in range(3)]
    with shop.context.database.write_all() as session:
        assert sending.spread(session, clock(), 100) == len(cards)
    path = f"/webhooks/{listed['id']}"
    seen: list[str] = []
    cursor = ""
    while True:
        page = local.ask("GET", f"{path}/log?limit=2{cursor}").json
        seen += [each["event_id"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(set(seen)) == len(cards)
    assert local.ask("POST", f"{path}/resend", {"event_id": seen[0]}).status_code == 202
    assert local.ask("POST", f"{path}/resend", {"event_id": str(uuid.uuid4())}).status_code == 404
    assert local.ask("GET", "/webhooks").json["items"][0]["waiting"] == len(cards) + 1
    assert local.ask("DELETE", path).status_code == 204
    assert local.ask("DELETE", path).status_code == 404


@pytest.mark.parametrize(
    "url", ["https://10.0.0.1/", "https://localhost/", "https://[::1]/", "http://127.0.0.1/", "x"]
)
def test_a_private_address_is_refused(system: ShopSystem, url: str) -> None:
    answer = system.ask("POST", "/webhooks", {"url": url})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["url"])


def test_another_programme_s_endpoints_are_not_there(open_shop: Any, local: ShopSystem) -> None:
    added = local.ask("POST", "/webhooks", {"url": URL}).json
    other = ShopSystem.at(open_shop())
    assert other.ask("GET", "/webhooks").json == {"items": []}
    assert other.ask("DELETE", f"/webhooks/{added['id']}").status_code == 404
    assert other.ask("GET", f"/webhooks/{added['id']}/log").status_code == 404
