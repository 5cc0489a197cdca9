"""Two programmes side by side."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import Database, new_id
from app.programmes.models import Location, Programme

NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


@dataclass
class Two:
    """Two programmes with a location each, of the name of its programme."""

    database: Database
    mine: str
    my_location: str
    theirs: str
    their_location: str

    def locations(self) -> list[tuple[str, str]]:
        """Every location's programme and name, whoever it belongs to."""
        with self.database.read_all() as session:
            rows = session.execute(select(Location.programme_id, Location.name)).all()
        return sorted((programme, name) for programme, name in rows)


@pytest.fixture
def two(database: Database) -> Two:
    ids = []
    with database.write_all() as session:
        for name in ("mine", "theirs"):
            programme = Programme(
                slug=name,
                name=name,
                benefit="",
                points_names={},
                colours={},
                time_zone="UTC",
                currency="EUR",
                created_at=NOW,
            )
            session.add(programme)
            session.flush()
            location = Location(programme_id=programme.id, slug="x", name=name, created_at=NOW)
            session.add(location)
            session.flush()
            ids += [programme.id, location.id]
    return Two(database, *ids)


def row_of(programme_id: str) -> dict[str, Any]:
    return {
        "id": new_id(),
        "programme_id": programme_id,
        "slug": "new",
        "name": "new",
        "created_at": NOW,
    }


Writes = Callable[[Session, Two], object]
