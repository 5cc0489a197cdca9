"""A programme to import into, on either database, and files to import."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.cards.models import Card
from app.cards.service import create_signing_key
from app.context import Context
from app.db import enter
from app.ledger import service as ledger
from app.ledger.models import Lot
from app.ledger.rules import Standing
from app.members import service as members
from app.programmes.models import Programme
from app.programmes.service import create_programme
from app.transfer import columns as columns_of
from app.transfer.importing import Importer, Summary
from app.transfer.lines import Problem, Reader
from app.transfer.reading import look

TIERS = {
    "levels": [
        {"code": "silver", "at_least": 500, "names": {"en": "Silver", "lv": "Sudrabs"}},
        {"code": "gold", "at_least": 1000, "names": {"en": "Gold", "lv": "Zelts"}},
    ]
}


@dataclass
class Desk:
    """A programme, and a hand that imports files into it."""

    context: Context
    programme: Programme
    folder: Path

    def write(self, text: str, name: str = "old.csv", encoding: str = "utf-8") -> Path:
        path = self.folder / name
        path.write_bytes(text.encode(encoding))
        return path

    def reader(self, importer: Importer, path: Path, **options: Any) -> Reader:
        named = options.pop("named", {})
        dates = options.pop("dates", None)
        sheet = look(path, **options)
        columns = columns_of.place(sheet.header.cells, named)
        return Reader(sheet, columns, importer.frame(dates))

    def importer(self, name: str = "old") -> Importer:
        return Importer(
            self.context.database,
            self.context.keys,
            self.programme,
            name,
            now=self.context.clock(),
        )

    def check(self, path: Path, name: str = "old", **options: Any) -> tuple[Summary, list[Problem]]:
        importer = self.importer(name)
        problems: list[Problem] = []
        return importer.check(self.reader(importer, path, **options), problems.append), problems

    def run(self, path: Path, name: str = "old", **options: Any) -> Summary:
        importer = self.importer(name)
        return importer.run(self.reader(importer, path, **options))

    def account(self, number: str) -> str:
        with self.context.database.read(self.programme.id) as session:
            found = members.members_by_numbers(
                session, self.context.keys, self.programme.id, [number]
            )
            account = session.scalar(select(Card.account_id).where(Card.member_id == found[number]))
            assert account is not None
            return account

    def standing(self, number: str) -> Standing:
        with self.context.database.read(self.programme.id) as session:
            return ledger.standing(session, self.account(number), now=self.context.clock())

    def lots(self, number: str) -> list[tuple[int, str | None]]:
        with self.context.database.read(self.programme.id) as session:
            rows = session.execute(
                select(Lot.remaining, Lot.expires_at)
                .where(Lot.account_id == self.account(number))
                .order_by(Lot.sequence)
            )
            return [(points, end and end.isoformat()) for points, end in rows]


@pytest.fixture
def open_desk(context: Context, tmp_path: Path) -> Callable[..., Desk]:
    def make(slug: str = "kaffa", **settings: Any) -> Desk:
        now = context.clock()
        with context.database.write_all() as session:
            programme = create_programme(
                session, slug=slug, name="Kaffa", settings=settings, now=now
            )
            enter(session, programme.id)
            create_signing_key(session, context.keys, programme.id, now=now)
        return Desk(context, programme, tmp_path)

    return make


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    return open_desk(expires_after_months=12, tiers=TIERS)
