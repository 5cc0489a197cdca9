"""Somebody with a phone, and their letters."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from app.cards import links
from app.cards.models import Card
from app.delivery.letters import COMPOSER
from app.demo.mail import MailServer
from app.mail import sending

URL = "http://127.0.0.1:8000"


@dataclass
class Guest:
    """Somebody with a phone, and their letters."""

    shop: Any
    server: MailServer

    @property
    def context(self) -> Any:
        """The installation, which knows the mail server."""
        config = replace(
            self.shop.context.config,
            smtp_server=self.server.address,
            smtp_ca=self.server.ca,
            smtp_from="cards@example.com",
        )
        return replace(self.shop.context, config=config)

    def join(self, **form: Any) -> str:
        """Join; the token of the card's page."""
        answer = self.shop.client.post(f"/join/{self.shop.slug}", data=form)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["Location"]).rpartition("/")[2].partition("?")[0]

    def get(self, path: str, **options: Any) -> Any:
        return self.shop.client.get(path, **options)

    def post(self, path: str, **form: Any) -> Any:
        return self.shop.client.post(path, data=form)

    def card(self, token: str) -> Card:
        with self.shop.context.database.read_all() as session:
            return links.card_by_link(session, self.shop.context.keys, token)

    def letters(self) -> list[Any]:
        """Have what waits sent; the letters that came."""
        self.server.letters.clear()
        while sent := sending.step(self.context, COMPOSER, now=self.context.clock()):
            if not sent.done:
                break
        return self.server.letters

    def settings(self, token: str) -> str:
        return str(self.get(f"/card/{token}/settings").text)


def link_in(letter: Any, path: str) -> str:
    """The address on our pages that a letter holds, without the host."""
    found = re.search(re.escape(URL) + rf"({path}/\S+)", letter.part())
    assert found is not None, letter.part()
    return found[1]


@pytest.fixture
def guest(shop: Any, tmp_path: Path) -> Any:
    with MailServer(tmp_path) as server:
        yield Guest(shop, server)
