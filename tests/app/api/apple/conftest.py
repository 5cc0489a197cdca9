"""Shops with certificates, and a phone."""

import itertools
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.certs import make_dev_chain
from app.clock import FixedClock
from app.config import Config
from app.context import Context
from app.db import Database
from app.keys import KeyRing
from tests.app.api.apple_device import Device
from tests.app.api.programmes import Programme


@pytest.fixture(scope="session")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with certificates, made once."""
    data = tmp_path_factory.mktemp("certified") / "data"
    data.mkdir(mode=0o700)
    config = Config(data=data, database_url="sqlite://", url="http://127.0.0.1:8000")
    make_dev_chain(config, KeyRing.open(config), now=datetime(2026, 6, 1, tzinfo=UTC))
    return data


@pytest.fixture
def context(database: Database, clock: FixedClock, certified: Path, tmp_path: Path) -> Context:
    data = tmp_path / "data"
    shutil.copytree(certified, data)
    config = Config(data=data, database_url=database.url, url="http://127.0.0.1:8000")
    return Context(config, database, KeyRing.open(config, now=clock), clock)


@pytest.fixture
def open_shop(context: Context) -> Callable[[], Programme]:
    numbers = itertools.count(1)
    return lambda: Programme.open(context, f"shop-{next(numbers)}")


@pytest.fixture
def device(client: FlaskClient) -> Device:
    return Device(client)
