"""A running service killed (SIGKILL) under load: what was acknowledged is there, once."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks._killed import differences, few_cards, load_and_kill
from benchmarks._service import running


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_service_killed_under_load_keeps_what_it_acknowledged(
    database_urls: Callable[[str], str], tmp_path: Path, kind: str
) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    url = database_urls(kind)
    with running(tmp_path, database_url=url, workers=2, fill=few_cards) as service:
        outcome = load_and_kill(service, kills=1, seconds_between=0.7, clients=6, seed=seed)
        assert differences(service, outcome) == []
    assert outcome.kills == 1
    assert outcome.acknowledged
    assert outcome.sent_again, "nothing was under way when the service was killed"
