"""A shop, a mail server on this machine, and the background work between them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.delivery.letters import COMPOSER
from app.demo.mail import MailServer
from app.mail import queue, sending
from app.mail.models import OutgoingMail
from app.mail.posting import Post
from app.members import service as members
from app.members.service import Contact

LOGIN = ("counterfoil", "a pass:wörd")


@dataclass
class Room:
    """Where letters are written and sent."""

    shop: Any
    server: MailServer

    @property
    def context(self) -> Any:
        """The installation, which knows the mail server."""
        config = replace(
            self.shop.context.config,
            smtp_server=self.server.address,
            smtp_ca=self.server.ca,
            smtp_name=LOGIN[0],
            smtp_password=LOGIN[1],
            smtp_from="cards@example.com",
        )
        return replace(self.shop.context, config=config)

    def member(self, email: str | None = "liga@example.com", **more: Any) -> str:
        """Somebody with an address; *consents* as at joining."""
        with self.context.database.write(self.shop.programme_id) as session:
            return members.add_member(
                session,
                self.context.keys,
                self.shop.programme_id,
                Contact("Līga", email),
                language="lv",
                now=self.context.clock(),
                **more,
            ).id

    def write(self, member_id: str, key: str = "k1", **more: Any) -> bool:
        """Queue a letter."""
        told: dict[str, Any] = {"subject": "Sveiki, Līga", "text": "Labdien!\n"} | more
        with self.context.database.write(self.shop.programme_id) as session:
            return queue(session, member_id=member_id, key=key, now=self.context.clock(), **told)

    def step(self, **more: Any) -> sending.Sent | None:
        """One step of the background work."""
        now = self.context.clock()
        return sending.step(self.context, COMPOSER, now=now, jitter=lambda: 1.0, **more)

    def work(self, hours: float = 0) -> None:
        """All that is due, after so many hours."""
        self.context.clock.advance(timedelta(hours=hours))
        while (sent := self.step()) is not None and sent.done:
            pass

    def post(self) -> Post:
        """A connection to the mail server."""
        return Post(self.context.config, patience_seconds=2)

    def mails(self) -> list[OutgoingMail]:
        with self.context.database.read(self.shop.programme_id) as session:
            return list(session.scalars(select(OutgoingMail).order_by(OutgoingMail.key)))


@pytest.fixture
def room(shop: Any, tmp_path: Path) -> Iterator[Room]:
    with MailServer(tmp_path, login=LOGIN) as server:
        yield Room(shop, server)
