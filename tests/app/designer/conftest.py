"""A shop with certificates, members and phones, and somebody who designs its cards."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from app.cards.models import Card
from app.cards.service import issue_card
from app.certs import make_dev_chain
from app.clock import FixedClock
from app.config import Config
from app.context import Context
from app.db import Database
from app.delivery.wallets import Wallets
from app.designer import drafts, uploads
from app.designer.drafts import Draft
from app.designer.form import Drafted
from app.keys import KeyRing
from app.ledger import service as ledger
from app.members import service as members
from app.members.service import Contact
from app.programmes.models import Programme as ProgrammeRow
from tests.app.api.programmes import Programme


@pytest.fixture(scope="session")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with certificates, made once."""
    data = tmp_path_factory.mktemp("certified") / "data"
    data.mkdir(mode=0o700)
    config = Config(data=data, database_url="sqlite://", url="https://cards.kaffa.example")
    make_dev_chain(config, KeyRing.open(config), now=datetime(2026, 6, 1, tzinfo=UTC))
    return data


@pytest.fixture
def context(database: Database, clock: FixedClock, certified: Path, tmp_path: Path) -> Context:
    data = tmp_path / "data"
    shutil.copytree(certified, data)
    config = Config(
        data=data,
        database_url=database.url,
        url="https://cards.kaffa.example",
        google_issuer_id="3388000000022000000",
    )
    return Context(config, database, KeyRing.open(config, now=clock), clock)


@dataclass
class Designer(Programme):
    """A programme whose cards somebody designs."""

    def row(self) -> ProgrammeRow:
        with self.context.database.read_all() as session:
            return session.scalars(
                select(ProgrammeRow).where(ProgrammeRow.id == self.programme_id)
            ).one()

    def wallets(self) -> Wallets:
        return Wallets(self.context)

    def draft(self) -> Draft:
        with self.context.database.read(self.programme_id) as session:
            return drafts.current(session, self.row())

    def type(self, edit: int | None = None, by: str = "Olga", **typed: str) -> Draft:
        with self.context.database.write(self.programme_id) as session:
            return drafts.save(
                session, self.row(), typed, edit=edit, by=by, now=self.context.clock()
            )

    def upload(self, **pictures: bytes | None) -> Draft:
        for name, data in pictures.items():
            kept = None if data is None else uploads.kept_picture(name, data)
            with self.context.database.write(self.programme_id) as session:
                drafts.put_picture(
                    session, self.row(), name, kept, by="Olga", now=self.context.clock()
                )
        return self.draft()

    def read(self) -> Drafted:
        with self.context.database.read(self.programme_id) as session:
            return drafts.read(session, self.row(), drafts.current(session, self.row()))

    def join(self, name: str, balance: int = 0) -> Card:
        now, keys = self.context.clock(), self.context.keys
        with self.context.database.write(self.programme_id) as session:
            member = members.add_member(
                session,
                keys,
                self.programme_id,
                Contact(name, f"{name.split()[0].lower()}@kaffa.example"),
                language="en",
                now=now,
            )
            account = ledger.open_account(session, now=now)
            card = issue_card(
                session,
                keys,
                self.programme_id,
                account_id=account.id,
                member_id=member.id,
                now=now,
            )
        if balance:
            self.earn(card, balance)
        return card


@pytest.fixture
def kaffa(context: Context) -> Designer:
    return Designer.open(context, "kaffa")


Open = Callable[[str], Designer]
Pictures = Mapping[str, bytes]
