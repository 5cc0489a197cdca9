"""The main job says the truth about itself: a check that fails is seen, and ends it."""

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from app.demo import main_job
from app.demo.checks import CheckFailed, check, wait_until
from app.demo.steps import Job


def fails(_job: Job) -> str:
    raise CheckFailed("the phone is in the river")


def holds(_job: Job) -> str:
    return "as it should be"


@pytest.mark.parametrize(
    ("steps", "held"),
    [([holds, holds], True), ([holds, fails, holds], False), ([fails], False)],
)
def test_one_failed_check_fails_the_job_and_ends_it(
    steps: list[object], held: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main_job, "STEPS", [(f"step {i}", step) for i, step in enumerate(steps)])
    said = StringIO()
    outcome = main_job.run(
        tmp_path / "work", tmp_path / "out", seed=1, console=Console(file=said, width=120)
    )
    assert outcome is held
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    done = steps.index(fails) + 1 if fails in steps else len(steps)
    assert len(report["seconds"]) == done
    assert ("the phone is in the river" in said.getvalue()) is not held


def test_waiting_for_what_never_comes_fails_in_time() -> None:
    with pytest.raises(CheckFailed, match=r"nothing came \(waited 0 s\)"):
        wait_until(lambda: False, "nothing came", seconds=0.1)
    with pytest.raises(CheckFailed, match="is not so"):
        check(None, "is not so")
