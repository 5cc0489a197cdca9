"""Anybody sees what a draw has committed to, and takes the file along that proves it."""

from datetime import timedelta
from typing import Any

import pytest

from app.draws import checking, service
from app.web.draws import WORDS

TERMS = {
    "code": "summer",
    "title": "Summer <draw>",
    "prizes": [{"code": "bike", "name": "A bicycle", "count": 2}],
    "one_prize_each": True,
    "closes_at": "2026-06-10T00:00:00+00:00",
    "public_value": "Viking Lotto of 10 June 2026",
    "public_value_known_from": "2026-06-10T18:00:00+00:00",
}


def step(shop: Any, what: Any, *more: Any) -> None:
    with shop.context.database.write(shop.programme_id) as session:
        what(session, *more, now=shop.context.clock())


def test_a_draw_is_seen_once_it_is_published(shop: Any) -> None:
    address = f"/draws/{shop.slug}/summer"
    step(shop, service.add, TERMS)
    assert shop.client.get(address).status_code == 404
    assert shop.client.get(f"{address}.json").status_code == 404
    step(shop, service.publish, shop.context.keys, "summer")
    page = shop.client.get(address)
    assert page.status_code == 200
    document = shop.client.get(f"{address}.json").json
    assert document["seed_sha256"] in page.text
    assert "Summer &lt;draw&gt;" in page.text
    assert all(each.holds is not False for each in checking.check(document))
    shop.context.clock.advance(timedelta(days=10))
    step(shop, service.close, shop.context.keys, "summer")
    step(shop, service.hold, shop.context.keys, "summer", "1 2 3")
    last = shop.client.get(f"{address}.json").json
    found = checking.check(last, [("first", document)])
    assert all(each.holds is not False for each in found)
    page = shop.client.get(address)
    assert last["drawn"]["seed"] in page.text
    assert last["closed"]["list_sha256"] in page.text


@pytest.mark.parametrize("language", WORDS)
def test_it_speaks_the_readers_language(shop: Any, language: str) -> None:
    step(shop, service.add, TERMS)
    step(shop, service.publish, shop.context.keys, "summer")
    page = shop.client.get(f"/draws/{shop.slug}/summer", headers={"Accept-Language": language}).text
    assert f'<div lang="{language}">' in page
    assert WORDS[language]["until"] in page
    assert WORDS[language].keys() == WORDS["en"].keys()


def test_another_programmes_draw_is_not_there(shop: Any, open_shop: Any) -> None:
    step(shop, service.add, TERMS)
    step(shop, service.publish, shop.context.keys, "summer")
    other = open_shop()
    assert shop.client.get(f"/draws/{other.slug}/summer").status_code == 404
    assert shop.client.get("/draws/none/summer.json").status_code == 404
