"""A shop, and a shop system that is told what happens there."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from app.webhooks import sending, service
from app.webhooks.models import Delivery, Endpoint, Try
from tests.app.webhooks.receiver import NAME, Receiver, receiver


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Receiver]:
    with receiver(tmp_path) as made:
        yield made


@dataclass
class Line:
    """A shop, a receiver, and the background work between them."""

    shop: Any
    remote: Receiver
    secret: str = ""
    endpoint_id: str = ""
    resolver: Any = None
    deadline_seconds: float = 5.0
    logs: list[str] = field(default_factory=list)

    @property
    def context(self) -> Any:
        """The shop's installation, where webhooks may go to this machine."""
        context = self.shop.context
        return replace(context, config=replace(context.config, webhooks_local=True))

    @property
    def sender(self) -> sending.Sender:
        """Trusts the receiver, and finds it under whatever name."""
        return sending.Sender(
            self.context,
            resolver=self.resolver or self.remote.resolver(),
            tls=self.remote.tls,
            deadline_seconds=self.deadline_seconds,
        )

    def add(self, *wanted: str, path: str = "/hook") -> str:
        """Register the receiver; the endpoint's id."""
        with self.context.database.write(self.shop.programme_id) as session:
            endpoint, self.secret = service.add_endpoint(
                session,
                self.context.keys,
                self.shop.programme_id,
                url=f"https://{NAME}:{self.remote.port}{path}",
                wanted=wanted or ("*",),
                now=self.context.clock(),
            )
        self.endpoint_id = endpoint.id
        return endpoint.id

    def work(self) -> int:
        """Do all that is due."""
        done = 0
        while True:
            step = sending.step(
                self.context, self.sender, now=self.context.clock(), jitter=lambda: 1.0
            )
            if not step:
                return done
            done += step

    def endpoint(self, endpoint_id: str | None = None) -> Endpoint:
        with self.context.database.read(self.shop.programme_id) as session:
            return session.get_one(Endpoint, endpoint_id or self.endpoint_id)

    def log(self) -> list[tuple[Delivery, list[Try]]]:
        with self.context.database.write(self.shop.programme_id) as session:
            endpoint = service.endpoint_by(session, self.endpoint_id)
            return service.log_of(session, endpoint, limit=100)


@pytest.fixture
def line(shop: Any, remote: Receiver) -> Line:
    return Line(shop, remote)


Make = Callable[[], Line]
