"""A programme with people, for tests of signing in."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from app.clock import FixedClock
from app.config import Config
from app.db import Database
from app.keys import KeyRing
from app.programmes.service import create_programme
from app.staff import links
from app.staff.models import Staff
from app.staff.service import add_staff

PASSWORD = "four words of my own"


@pytest.fixture
def keys(tmp_path: Path, clock: FixedClock) -> KeyRing:
    config = Config(data=tmp_path / "d", database_url="sqlite://", url="http://127.0.0.1:8000")
    config.data.mkdir(mode=0o700)
    return KeyRing.open(config, now=clock)


@pytest.fixture
def kaffa(database: Database, clock: FixedClock) -> str:
    """The id of a programme."""
    with database.write_all() as session:
        return create_programme(session, slug="kaffa", name="Kaffa", now=clock()).id


@pytest.fixture
def session(database: Database, kaffa: str) -> Iterator[Session]:
    """A session that writes, committed at the end."""
    with database.write(kaffa) as session:
        yield session


@pytest.fixture
def hire(database: Database, kaffa: str, clock: FixedClock) -> Callable[..., Staff]:
    """Adds a person with a password."""

    def add(name: str = "Olga", role: str = "owner", password: str | None = PASSWORD) -> Staff:
        with database.write(kaffa) as session:
            person = add_staff(session, kaffa, name=name, role=role, pin="274913", now=clock())
            if password:
                links.set_password(session, person, password, programme_name="Kaffa", now=clock())
        return person

    return add
