"""The measurement of draining, in short: and that it would notice what it is there to notice."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.ledger.models import Entry
from benchmarks import drain_exactly_once as measurement
from benchmarks._killed import few_cards
from benchmarks._service import Running, running
from scanner.unsent import Queue

ACCRUALS = 150


@pytest.fixture(params=["sqlite", "postgresql"])
def service(
    request: pytest.FixtureRequest, database_urls: Callable[[str], str], tmp_path: Path
) -> Iterator[Running]:
    with running(
        tmp_path / "service", database_url=database_urls(request.param), fill=few_cards
    ) as service:
        yield service


def test_every_accrual_is_there_once_though_a_third_of_the_answers_was_lost(
    service: Running, tmp_path: Path
) -> None:
    figure: dict[str, Any] = measurement.outcome(
        service, tmp_path / "till", ACCRUALS, random.Random(5)
    )
    assert figure["value"] == 1, figure
    assert figure["detail"]["lost"] > ACCRUALS / 4
    with service.context.database.read_all() as session:
        assert session.scalar(select(func.count()).select_from(Entry)) == ACCRUALS


def test_an_accrual_that_is_missing_and_one_that_nobody_made_are_noticed(
    service: Running, tmp_path: Path
) -> None:
    figure = measurement.outcome(service, tmp_path / "till", 20, random.Random(6))
    assert figure["value"] == 1, figure
    with Queue(tmp_path / "till") as queue:
        ids = [posting.id for posting in queue.all()]
    assert measurement._wrong(service, [*ids, "lost"])
    assert measurement._wrong(service, ids[1:])
    assert measurement._wrong(service, ids) == []
