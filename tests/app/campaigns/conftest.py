"""A programme with members whom campaigns may tell, and hands to run the background work with."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

import pytest

from app.campaigns import habits, service, step
from app.campaigns.models import Campaign, Recipient
from app.cards.models import Card
from app.cards.service import create_signing_key, issue_card
from app.clock import FixedClock
from app.config import Config
from app.context import Context
from app.db import Database
from app.delivery import registrations
from app.delivery.models import AppleRegistration
from app.delivery.reaching import Reaching
from app.keys import KeyRing
from app.ledger import service as ledger
from app.ledger.postings import Accrue, Circumstances, Request, Value
from app.members import service as members
from app.members.service import Contact
from app.programmes.service import add_location, create_programme, version_at

MARTA, ILZE = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))
HELLO: dict[str, Any] = {
    "content": {"message": {"en": "Hello"}},
    "limits": {"hold_out_percent": 0, "per_week": 0},
}


@dataclass
class Shop:
    """A programme in Riga with two locations."""

    context: Context
    programme_id: str
    places: dict[str, str]
    reaching: Reaching = field(default_factory=Reaching)

    @classmethod
    def open(cls, context: Context, **settings: Any) -> Self:
        now = context.clock()
        with context.database.write_all() as session:
            made = create_programme(
                session, slug="kaffa", name="Kaffa", now=now, time_zone="Europe/Riga",
                settings=settings or None,
            )  # fmt: skip
            create_signing_key(session, context.keys, made.id, now=now)
            places = {
                slug: add_location(session, made.id, slug=slug, name=slug, now=now).id
                for slug in ("old-town", "station")
            }
            return cls(context, made.id, places)

    @property
    def now(self) -> datetime:
        return self.context.clock()

    def member(
        self,
        contact: Contact | None = None,
        *,
        phone: bool = True,
        joined: datetime | None = None,
        language: str = "en",
    ) -> Card:
        """Somebody with a card; on a phone, unless said otherwise."""
        now = joined or self.now
        with self.context.database.write(self.programme_id) as session:
            keys = self.context.keys
            member_id = None
            if contact is not None:
                member_id = members.add_member(
                    session, keys, self.programme_id, contact, language=language, now=now
                ).id
            account = ledger.open_account(session, now=now)
            card = issue_card(
                session, keys, self.programme_id, account_id=account.id, member_id=member_id,
                language=language, now=now,
            )  # fmt: skip
            if phone:
                registrations.register(
                    session, card, device_id=f"phone-{card.id}", push_token=uuid.uuid4().hex,
                    now=now,
                )  # fmt: skip
        return card

    def crowd(self, count: int) -> list[Card]:
        return [self.member() for _ in range(count)]

    def buy(
        self,
        card: Card,
        points: int = 10,
        *,
        at: datetime | None = None,
        place: str | None = None,
        expires_at: datetime | None = None,
    ) -> None:
        at = at or self.now
        with self.context.database.write(self.programme_id) as session:
            ledger.post(
                session,
                Request(str(uuid.uuid4()), "accrual", bytes(32)),
                Accrue(card.account_id, points * 100, "EUR", Value(points, at, expires_at)),
                Circumstances(at, location_id=self.places[place] if place else None),
                now=at,
            )

    def balance(self, card: Card) -> int:
        with self.context.database.read(self.programme_id) as session:
            return ledger.standing(session, card.account_id, now=self.now).balance

    def know(self) -> None:
        """Have everybody's habits counted."""
        with self.context.database.write(self.programme_id) as session:
            habits.catch_up(session, self.programme_id, self.now, 10_000)

    def draft(self, plan: dict[str, Any], name: str = "Hello", seed: str = "5eed" * 8) -> str:
        with self.context.database.write(self.programme_id) as session:
            made = service.create(
                session, self.programme_id, name, HELLO | plan, by=MARTA, now=self.now, seed=seed
            )
            return made.id

    def send(self, plan: dict[str, Any] | None = None, **named: Any) -> str:
        """A campaign that goes out."""
        campaign_id = self.draft(plan or {}, **named)
        with self.context.database.write(self.programme_id) as session:
            settings = version_at(session, self.programme_id, self.now).settings
            service.propose(session, campaign_id, settings, by=MARTA, now=self.now)
            service.approve(session, campaign_id, by=MARTA, now=self.now)
        return campaign_id

    def do(self, what: Callable[..., Any], campaign_id: str) -> None:
        """Pause, resume, stop."""
        with self.context.database.write(self.programme_id) as session:
            what(session, campaign_id, now=self.now)

    def step(self, **options: Any) -> int:
        return step.step(self.context, self.reaching, now=self.now, **options)

    def work(self, most: int = 50, **options: Any) -> None:
        """The background work until nothing is to be done at this moment."""
        for _ in range(most):
            if not self.step(**options):
                return
        raise AssertionError("the work comes to no end")

    def after(self, clock: FixedClock, **span: float) -> None:
        clock.advance(timedelta(**span))

    def campaign(self, campaign_id: str) -> Campaign:
        with self.context.database.read(self.programme_id) as session:
            return service.campaign_by_id(session, campaign_id)

    def recipients(self, campaign_id: str) -> list[Recipient]:
        with self.context.database.read(self.programme_id) as session:
            return list(session.query(Recipient).filter_by(campaign_id=campaign_id))

    def states(self, campaign_id: str) -> dict[str, int]:
        """The recipients' states; the campaign's counts say the same."""
        found: dict[str, int] = {}
        for each in self.recipients(campaign_id):
            found[each.state] = found.get(each.state, 0) + 1
        counts = {
            name: number
            for name, number in self.campaign(campaign_id).counts.items()
            if name != "to_hold_out" and not name.startswith("reason:")
        }
        assert counts == found
        return found

    def arrive(self) -> None:
        """Every wallet is brought up to date, as if delivery had done it."""
        with self.context.database.write(self.programme_id) as session:
            for row in session.query(AppleRegistration):
                row.delivered_version = row.wanted_version = 10_000
                row.delivered_at = self.now


@pytest.fixture
def context(database: Database, clock: FixedClock, tmp_path: Path) -> Context:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    config = Config(data=data, database_url=database.url, url="http://127.0.0.1:8000")
    return Context(config, database, KeyRing.open(config, now=clock), clock)


@pytest.fixture
def shop(context: Context) -> Shop:
    return Shop.open(context)
