"""counterfoil webhook: from adding an address to sending again, with a receiver that listens."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import standardwebhooks

from app.delivery.wallets import Wallets
from app.delivery.worker import Worker


@dataclass
class Ear:
    """What a shop system on this machine has heard."""

    url: str
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    status: int = 200


@pytest.fixture
def ear() -> Iterator[Ear]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.heard.append(({key.lower(): value for key, value in self.headers.items()}, body))
            self.send_response(made.status)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"heard")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    made = Ear(f"http://127.0.0.1:{server.server_address[1]}/hook")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def shop(cafe: Any) -> Any:
    """An installation where webhooks may go to this machine."""
    cafe.settings["COUNTERFOIL_WEBHOOKS_LOCAL"] = "yes"
    return cafe


def work(shop: Any) -> None:
    """Run the background work once."""
    with shop.open() as context:
        Worker(context, Wallets(context)).run_once()


def test_from_adding_an_address_to_sending_again(shop: Any, ear: Ear) -> None:
    added = shop.json("webhook", "add", ear.url, "--event", "card.issued")
    assert "arrived: status 200" in shop.run("webhook", "test", ear.url)
    shop.json("card", "issue")
    work(shop)
    headers, body = ear.heard[1]
    witness = standardwebhooks.Webhook(added["secret"])
    assert witness.verify(body, headers)["type"] == "card.issued"
    log = shop.run("webhook", "log", added["id"])
    assert "card.issued  delivered" in log and "200" in log and "heard" in log
    told = shop.json("webhook", "log", ear.url)
    event = next(each["event_id"] for each in told if each["type"] == "card.issued")
    shop.run("webhook", "resend", ear.url, event)
    assert "1 waiting" in shop.run("webhook", "list")
    work(shop)
    assert ear.heard[2][0]["webhook-id"] == headers["webhook-id"] == f"evt_{event}"
    rotated = shop.json("webhook", "secret", "rotate", ear.url)
    shop.run("webhook", "test", ear.url)
    headers, body = ear.heard[3]
    for secret in (added["secret"], rotated["secret"]):
        standardwebhooks.Webhook(secret).verify(body, headers)
    shop.run("webhook", "remove", ear.url)
    assert "Nobody is told" in shop.run("webhook", "list")


def test_a_test_that_does_not_arrive_says_so(shop: Any, ear: Ear) -> None:
    shop.run("webhook", "add", ear.url)
    ear.status = 503
    assert "did not arrive: status 503" in shop.refused("webhook", "test", ear.url)


def test_one_that_is_gone_is_shown_disabled_and_enabled_again(shop: Any, ear: Ear) -> None:
    shop.run("webhook", "add", ear.url)
    shop.json("card", "issue")
    ear.status = 410
    work(shop)
    assert "DISABLED" in shop.run("webhook", "list")
    ear.status = 200
    shop.run("webhook", "enable", ear.url)
    work(shop)
    assert "0 waiting" in shop.run("webhook", "list")
    assert [json.loads(body)["type"] for _, body in ear.heard] == ["card.issued"] * 2


def test_a_private_address_is_refused_with_or_without_the_setting(cafe: Any) -> None:
    for url in ("https://10.0.0.1/", "https://169.254.169.254/", "https://[fd00::1]/"):
        refused = cafe.type("webhook", "add", url)
        assert (refused.exit_code, "public addresses only" in refused.stderr) == (1, True)
    assert "https://" in cafe.type("webhook", "add", "http://127.0.0.1/").stderr
    cafe.settings["COUNTERFOIL_WEBHOOKS_LOCAL"] = "yes"
    assert cafe.type("webhook", "add", "http://10.0.0.1/").exit_code == 1
    cafe.run("webhook", "add", "http://127.0.0.1:9/")


def test_what_is_not_there_is_said(cafe: Any) -> None:
    assert "No webhook goes to" in cafe.refused("webhook", "remove", "https://shop.example/")
    assert "points.accrued" in cafe.run("webhook", "events")
    assert "points.accrued" in cafe.json("webhook", "events")
    wrong = cafe.type("webhook", "add", "https://8.8.8.8/", "--event", "points.lost")
    assert (wrong.exit_code, "points.accrued" in wrong.stderr) == (1, True)
