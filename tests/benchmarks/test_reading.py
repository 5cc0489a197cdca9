"""The measurements of reading in short: that they run, and that what they count holds."""

import pytest

from benchmarks import false_presentations, frame_cost_vs_zxing, frames_all, frames_low, two_phones
from benchmarks.__main__ import holds, names
from benchmarks._clips import clips
from benchmarks._stream import network_camera
from benchmarks._till import measured
from benchmarks.loop_stall_ms import finders

FIGURES = {
    "frames_all", "frames_low", "frame_cost_vs_zxing", "clips_300ms", "clips_1s", "clips_hard_2s",
    "loop_stall_ms", "idle_cpu", "idle_mb", "false_presentations", "two_phones",
}  # fmt: skip


@pytest.fixture(autouse=True)
def seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTER_SEED", "77000")


def test_every_figure_of_reading_has_its_measurement() -> None:
    assert FIGURES <= set(names())


def test_a_figure_with_two_limits_keeps_both() -> None:
    figure = {"value": 1.0, "at_least": 1, "at_most": 1}
    assert holds(figure)
    assert not holds(figure | {"value": 1.001}) and not holds(figure | {"value": 0.999})


def test_most_frames_are_read_at_a_small_multiple_of_the_cost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FRAMES_EACH", "3")
    assert frames_low.measure()["value"] > 0.8
    assert frames_all.measure()["value"] > 0.6
    # Eighteen frames are few: one that is not read at all weighs much.
    assert frame_cost_vs_zxing.measure()["value"] < 5
    assert frames_all.measure()["detail"]["wrong_reads"] == 0


def test_mild_clips_are_read_within_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPS_EACH", "2")
    tally = clips(0, 1)
    assert tally.within(1.0) == 1 and tally.wrong == 0


def test_two_phones_are_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIRS", "2")
    figure = two_phones.measure()
    assert figure["value"] == 1, figure["detail"]


def test_an_empty_shop_presents_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FALSE_SECONDS", "60")
    monkeypatch.setenv("FALSE_FPS", "1")
    figure = false_presentations.measure()
    assert figure["value"] == 0, figure["detail"]


def test_a_till_on_a_picture_of_finders_goes_on() -> None:
    with network_camera([finders()], 15) as address:
        done = measured(address, 2.0)
    # Bounds for a machine that does other things too; the measurement itself is strict.
    assert done["turns"] > 5 and done["longest_ms"] < 1500 and done["megabytes"] < 400
