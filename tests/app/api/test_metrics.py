"""What Prometheus reads, and who may read it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from apiflask import APIFlask
from prometheus_client.parser import text_string_to_metric_families

from app import create_app
from app.api.figures import SETTLED
from app.cards.service import replace_card
from app.certs import make_dev_chain
from app.clock import FixedClock
from app.context import Context
from app.delivery import registrations

TOKEN = "a-token-of-some-length"
FAR = "10.0.0.7"


def scrape(app: APIFlask) -> dict[tuple[str, ...], float]:
    """Every sample: its name, its labels' values and its value."""
    answer = app.test_client().get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    return {
        (sample.name.removeprefix("counterfoil_"), *_labels(sample.labels)): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def _labels(labels: dict[str, str]) -> list[str]:
    """Their values, by the names of the labels backwards: the role before the name."""
    return [labels[name] for name in sorted(labels, reverse=True)]


def configured(context: Context, **changes: Any) -> APIFlask:
    return create_app(replace(context, config=replace(context.config, **changes)))


def test_what_happens_in_a_programme_is_counted(
    app: APIFlask, open_shop: Callable[[], Any], context: Context
) -> None:
    shop, other = open_shop(), open_shop()
    cards = [shop.issue() for _ in range(3)]
    for amount in (1250, 300):
        assert shop.accrue(cards[0], amount).status_code == 201
    held = shop.ask("POST", "/holds", shop.posting(code=cards[0].code, points=5))
    assert held.status_code == 201
    with context.database.write(shop.programme_id) as session:
        replace_card(session, context.keys, cards[1].id, now=context.clock())
    found = scrape(app)
    assert found["enrolments_total", shop.slug] == 3
    assert found["postings_total", shop.slug] == 3
    assert found["holds_open", shop.slug] == 1
    assert found["points_outstanding", shop.slug] == 15
    assert [found[name, other.slug] for name in ("enrolments_total", "postings_total")] == [0, 0]


def test_every_worker_counts_the_same_postings_whenever_it_began(
    context: Context, app: APIFlask, clock: FixedClock, open_shop: Callable[[], Any]
) -> None:
    shop, other = open_shop(), open_shop()
    cards = {each.slug: each.issue() for each in (shop, other)}
    names = [("postings_total", shop.slug), ("postings_total", other.slug)]
    expected = [0, 0]
    for step in (timedelta(0), SETTLED / 2, SETTLED, SETTLED * 3):
        clock.advance(step)
        for place, each in enumerate((shop, other)):
            each.session = each.sign_in()
            for _ in range(place + 1):
                assert each.accrue(cards[each.slug], 100).status_code == 201
                expected[place] += 1
        late = create_app(context)
        for worker in (app, late, app):
            found = scrape(worker)
            assert [found[name] for name in names] == expected


def test_wallets_that_are_behind_are_counted(
    app: APIFlask, shop: Any, context: Context, clock: FixedClock
) -> None:
    card = shop.issue()
    with context.database.write(shop.programme_id) as session:
        registrations.register(session, card, device_id="phone", push_token="a1" * 32, now=clock())
    before = scrape(app)
    assert (before["passes", "apple"], before["passes_behind", "apple"]) == (1, 0)
    assert shop.accrue(card).status_code == 201
    clock.advance(timedelta(seconds=90))
    after = scrape(app)
    assert (after["passes_delivered", "apple"], after["passes_behind", "apple"]) == (0, 1)
    # A change that comes in the same second as the one before it is dated a second later.
    assert after["oldest_behind_seconds", "apple"] == pytest.approx(90, abs=1)
    assert after["passes", "google"] == 0


def test_the_days_of_each_certificate_are_told(
    app: APIFlask, context: Context, clock: FixedClock
) -> None:
    assert not [key for key in scrape(app) if key[0] == "certificate_days_left"]
    make_dev_chain(context.config, context.keys, now=clock())
    clock.advance(timedelta(days=390))
    found = scrape(app)
    days = {key[1]: found[key] for key in found if key[0] == "certificate_days_left"}
    assert days == {"pass": 5, "intermediate": 1435}
    clock.advance(timedelta(days=6))
    found = scrape(app)
    assert found["certificate_days_left", "pass", "Pass Type ID: pass.dev.counterfoil"] == -1


@pytest.mark.parametrize(
    ("config", "asked", "status"),
    [
        ({}, {}, 200),
        ({}, {"address": "::1"}, 200),
        ({}, {"address": FAR}, 404),
        ({}, {"address": ""}, 404),
        # A proxy on this machine that nobody told us of.
        ({}, {"X-Forwarded-For": "127.0.0.1"}, 404),
        ({"url": "https://cards.example.com"}, {}, 404),
        # One that we know of: this machine asks past it, strangers through it.
        ({"url": "https://cards.example.com", "trusted_proxies": 1}, {}, 200),
        ({"trusted_proxies": 1}, {"X-Forwarded-For": "203.0.113.9"}, 404),
        ({"trusted_proxies": 1}, {"X-Forwarded-For": "127.0.0.1, 203.0.113.9"}, 404),
        ({"metrics_token": TOKEN}, {"address": "10.0.0.7"}, 404),
        (
            {"metrics_token": TOKEN},
            {"address": "10.0.0.7", "Authorization": f"Bearer {TOKEN}"},
            200,
        ),
        ({"metrics_token": TOKEN}, {"address": "10.0.0.7", "Authorization": TOKEN}, 404),
        (
            {"metrics_token": TOKEN},
            {"address": "10.0.0.7", "Authorization": "Bearer nonsense"},
            404,
        ),
        ({"metrics_token": TOKEN}, {"address": "10.0.0.7", "Authorization": "Bearer ä"}, 404),
        ({}, {"address": "10.0.0.7", "Authorization": "Bearer None"}, 404),
        ({}, {"address": "10.0.0.7", "Authorization": "Bearer "}, 404),
    ],
)
def test_only_this_machine_or_the_token_reads_them(
    context: Context, config: dict[str, Any], asked: dict[str, str], status: int
) -> None:
    headers = dict(asked)
    address = headers.pop("address", "127.0.0.1")
    client = configured(context, **config).test_client()
    environ = {"REMOTE_ADDR": address}
    answer = client.get("/metrics", headers=headers, environ_base=environ)
    assert answer.status_code == status
    if status == 404:
        nothing = client.get("/nothing", headers=headers, environ_base=environ)
        assert answer.data == nothing.data
