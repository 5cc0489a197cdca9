"""A programme whose passes go to real devices: APNs and Google are the strict stand-ins."""

import shutil
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.cards.models import Card
from app.certs import ROOT, WWDR, make_dev_chain
from app.clock import FixedClock, system_clock
from app.config import Config
from app.context import Context
from app.db import Database
from app.delivery import registrations
from app.delivery.models import AppleRegistration, GooglePass
from app.demo.apns import ApnsStandIn
from app.keys import KeyRing
from tests.app.api.programmes import Programme as PlainProgramme


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with keys and certificates in it, made once and copied for each test."""
    data = tmp_path_factory.mktemp("certificates") / "data"
    data.mkdir(mode=0o700)
    config = Config(data=data, database_url="sqlite://", url="http://127.0.0.1:8000")
    make_dev_chain(config, KeyRing.open(config), now=datetime.now(UTC))
    return data


@pytest.fixture
def clock() -> FixedClock:
    """Stands still too, but at the machine's time: TLS looks at that one."""
    return FixedClock(system_clock())


@pytest.fixture(scope="session")
def apns_server(certificates: Path) -> Iterator[ApnsStandIn]:
    chain = b"".join((certificates / "certs" / name).read_bytes() for name in (ROOT, WWDR))
    with ApnsStandIn(client_ca=chain) as apns:
        yield apns


@pytest.fixture
def apns(apns_server: ApnsStandIn) -> Iterator[ApnsStandIn]:
    """APNs, well and with nothing pushed yet."""
    apns_server.well()
    apns_server.pushes.clear()
    apns_server.received.clear()
    apns_server.answers.clear()
    apns_server.violations.clear()
    yield apns_server
    assert apns_server.violations == []


@pytest.fixture
def config(certificates: Path, apns: ApnsStandIn, tmp_path: Path) -> Config:
    data = tmp_path / "data"
    shutil.copytree(certificates, data)
    ca = tmp_path / "apns-ca.pem"
    ca.write_bytes(apns.ca_pem)
    return Config(
        data=data,
        database_url="sqlite://",
        url="http://127.0.0.1:8000",
        apns_url=apns.url,
        apns_ca=ca,
    )


@pytest.fixture
def context(config: Config, database: Database, clock: FixedClock) -> Context:
    config = replace(config, database_url=database.url)
    return Context(config, database, KeyRing.open(config, now=clock), clock)


class Programme(PlainProgramme):
    """A programme whose cards are on devices."""

    def register(self, card: Card, *, device: str = "phone", token: str | None = None) -> str:
        """Register a device for a card; its push token."""
        token = token or uuid.uuid4().hex * 2
        with self.context.database.write(self.programme_id) as session:
            registrations.register(
                session, card, device_id=device, push_token=token, now=self.context.clock()
            )
        return token

    def watched(self) -> tuple[Card, str]:
        """A fresh card on a device, and the device's push token."""
        card = self.issue()
        return card, self.register(card, device=f"phone-{card.id}")

    def registration(self, card: Card) -> AppleRegistration | None:
        with self.context.database.read(self.programme_id) as session:
            rows = session.query(AppleRegistration).filter_by(card_id=card.id).all()
            return rows[0] if rows else None

    def google_pass(self, card: Card) -> GooglePass | None:
        with self.context.database.read(self.programme_id) as session:
            return session.query(GooglePass).filter_by(card_id=card.id).one_or_none()


@pytest.fixture
def programme(context: Context) -> Programme:
    return Programme.open(context, "kaffa")
