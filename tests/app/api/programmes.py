"""A programme without a till and without people: nobody has to sign in to ask for a pass."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from app.cards.models import Card
from app.cards.service import create_signing_key, issue_card
from app.clock import Clock
from app.config import Config
from app.context import Context
from app.db import Database
from app.keys import KeyRing
from app.ledger import service as ledger
from app.ledger.postings import Accrue, Circumstances, Request, Value
from app.programmes.service import create_programme


@dataclass
class Programme:
    """A programme, and what happens to its cards."""

    context: Context
    programme_id: str
    slug: str

    @classmethod
    def open(cls, context: Context, slug: str) -> Self:
        now = context.clock()
        with context.database.write_all() as session:
            made = create_programme(session, slug=slug, name=f"Café {slug}", now=now)
            create_signing_key(session, context.keys, made.id, now=now)
            return cls(context, made.id, slug)

    @classmethod
    def alone(cls, database: Database, clock: Clock, folder: Path) -> Self:
        """The only programme of a new installation, whose data lie in *folder*."""
        data = folder / "data"
        data.mkdir(mode=0o700)
        config = Config(data=data, database_url=database.url, url="http://127.0.0.1:8000")
        keys = KeyRing.open(config, now=clock)
        return cls.open(Context(config, database, keys, clock), "shop")

    def issue(self) -> Card:
        """A fresh card of a fresh account."""
        now, keys = self.context.clock(), self.context.keys
        with self.context.database.write(self.programme_id) as session:
            account = ledger.open_account(session, now=now)
            return issue_card(session, keys, self.programme_id, account_id=account.id, now=now)

    def earn(
        self,
        card: Card,
        points: int = 10,
        *,
        available_from: datetime | None = None,
        expires_at: datetime | None = None,
    ) -> None:
        """Post points to the card's account."""
        now = self.context.clock()
        with self.context.database.write(self.programme_id) as session:
            ledger.post(
                session,
                Request(str(uuid.uuid4()), "accrual", bytes(32)),
                Accrue(
                    card.account_id,
                    points * 100,
                    "EUR",
                    Value(points, available_from or now, expires_at),
                ),
                Circumstances(now),
                now=now,
            )
