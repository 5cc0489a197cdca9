"""30, 14 and 3 days before a certificate ends the owner is told, once each."""

import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from app.certs import WWDR, expiries, make_dev_chain, tell, whole_days_left
from app.certs.apple_root import apple_root
from app.certs.notices import say_end
from app.clock import FixedClock
from app.config import Config
from app.context import Context
from app.db import Database
from app.delivery.wallets import Wallets
from app.delivery.worker import Worker
from app.keys import KeyRing

MADE = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
END = MADE + timedelta(days=395)
WWDR_END = MADE + timedelta(days=1825)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("made") / "data"
    config = Config(data=data, database_url="sqlite://", url="http://127.0.0.1:8000")
    make_dev_chain(config, KeyRing.open(config), now=MADE)
    return data


@pytest.fixture
def config(made: Path, tmp_path: Path, database: Database) -> Config:
    data = Path(shutil.copytree(made, tmp_path / "data"))
    return Config(data=data, database_url=database.url, url="http://127.0.0.1:8000")


Told = Callable[[datetime], list[str]]


@pytest.fixture
def told(config: Config, database: Database, caplog: pytest.LogCaptureFixture) -> Told:
    """What is logged when the workers look, each of them, at a moment."""

    def look(now: datetime) -> list[str]:
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            counts = [tell(config, database, now=now) for _ in range(3)]
        lines = [record.getMessage() for record in caplog.records]
        assert counts == [len(lines), 0, 0]
        return lines

    return look


def test_the_owner_is_told_at_each_threshold_and_not_in_between(told: Told) -> None:
    days = [hours / 24 for hours in range(40 * 24, -48, -6)]
    lines = {left: told(END - timedelta(days=left)) for left in days}
    assert {left for left, said in lines.items() if said} == {30, 14, 3}
    for left, count in ((30, "in 30 days"), (14, "in 14 days"), (3, "in 3 days")):
        [line] = lines[left]
        assert "Pass Type ID: pass.dev.counterfoil" in line
        assert f"expires on {END:%Y-%m-%d}, {count}." in line


@pytest.mark.parametrize(
    ("left", "whole", "says"),
    [(19.6, 19, "in 19 days."), (1.9, 1, "in a day."), (0.9, 0, "within a day.")],
)
def test_a_day_that_has_begun_to_pass_is_not_counted(
    config: Config, left: float, whole: int, says: str
) -> None:
    now = END - timedelta(days=left)
    status = expiries(config)[0].status
    assert whole_days_left(status, now) == whole
    assert say_end(status, now).endswith(says)


def test_whoever_was_away_at_a_threshold_is_told_of_it_once_back(told: Told) -> None:
    assert len(told(END - timedelta(days=10))) == 1
    assert told(END - timedelta(days=9)) == []
    assert len(told(END - timedelta(hours=5))) == 1
    assert told(END - timedelta(hours=1)) == []


def test_the_intermediate_is_told_of_too(told: Told, config: Config) -> None:
    now = WWDR_END - timedelta(days=14)
    make_dev_chain(config, KeyRing.open(config), now=now - timedelta(days=1))
    assert told(now) == []  # a fresh chain has a fresh intermediate
    assert [each.role for each in expiries(config)] == ["pass", "intermediate"]
    later = now - timedelta(days=1) + timedelta(days=1825 - 14)
    assert any("development relations" in line for line in told(later))


def test_a_renewed_certificate_is_told_of_anew(told: Told, config: Config) -> None:
    assert len(told(END - timedelta(days=3))) == 1
    renewed = END - timedelta(days=2)
    make_dev_chain(config, KeyRing.open(config), now=renewed)
    assert told(renewed) == []
    assert len(told(renewed + timedelta(days=392))) == 1


def test_an_intermediate_of_somebody_else_is_nobody_s_worry(told: Told, config: Config) -> None:
    path = config.certs_dir / WWDR
    path.write_bytes(path.read_bytes() + apple_root().public_bytes(Encoding.PEM))
    assert [each.role for each in expiries(config)] == ["pass", "intermediate"]


def test_without_certificates_or_with_broken_ones_there_is_nothing_to_tell(
    told: Told, config: Config
) -> None:
    (config.certs_dir / WWDR).write_text("-----BEGIN CERTIFICATE-----\nAAAA\n")
    assert told(END - timedelta(days=3)) == []
    shutil.rmtree(config.certs_dir)
    assert told(END - timedelta(days=3)) == []


def test_background_work_tells(
    config: Config, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    clock = FixedClock(END - timedelta(days=14))
    context = Context(replace(config), database, KeyRing.open(config, now=clock), clock)
    for _ in range(2):
        Worker(context, Wallets(context)).run_once()
    lines = [each for each in caplog.records if each.name == "app.certs.notices"]
    assert len(lines) == 1


def test_apple_s_root_is_the_one_that_apple_publishes() -> None:
    root = apple_root()
    fingerprint = "b0b1730ecbc7ff4505142c49f1295e6eda6bcaed7e2c68c5be91b5a11001f024"
    assert root.fingerprint(hashes.SHA256()).hex() == fingerprint
    assert root.subject == root.issuer
    usage = root.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.key_cert_sign
