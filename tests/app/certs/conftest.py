"""Installations with and without certificates."""

import shutil
from pathlib import Path

import pytest

from app.certs import (
    make_dev_chain,
)
from tests.app.certs.shops import NOW, Issued, Shop, issue, open_shop


@pytest.fixture(scope="session")
def dev_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shop = open_shop(tmp_path_factory.mktemp("made"))
    make_dev_chain(
        shop.config,
        shop.keyring,
        pass_type_identifier="pass.example.beans",
        team_identifier="TEAM123456",
        now=NOW,
    )
    return shop.config.data


@pytest.fixture
def shop(dev_data: Path, tmp_path: Path) -> Shop:
    return open_shop(Path(shutil.copytree(dev_data, tmp_path / "shop")))


@pytest.fixture
def bare(tmp_path: Path) -> Shop:
    return open_shop(tmp_path / "bare")


@pytest.fixture
def apple() -> Issued:
    return issue(NOW)
