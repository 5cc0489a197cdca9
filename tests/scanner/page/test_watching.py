"""What the page is told of the camera."""

import time
from pathlib import Path

from app.demo.counter import Scene, film
from scanner.page.showing import Showing
from scanner.page.watching import Eye


def _camera_after(source: Path) -> object:
    """What the page shows of the camera once nothing more comes of it."""
    showing = Showing()
    eye = Eye(str(source), showing, lambda text: None)
    eye.start()
    until = time.monotonic() + 60
    while showing.fact("camera") in (None, "on") and time.monotonic() < until:
        time.sleep(0.05)
    eye.stop()
    return showing.fact("camera")


def test_a_recording_that_was_seen_has_ended_and_is_no_camera_to_plug_in(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mjpeg"
    shots = film([], scene=Scene(), seed=1, size=(320, 240), fps=10, seconds=1).shots
    clip.write_bytes(b"".join(shot.data for shot in shots))
    assert _camera_after(clip) == "ended"


def test_a_file_that_shows_nothing_has_not_ended(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mjpeg"
    clip.write_bytes(b"no picture at all")
    assert _camera_after(clip) == "off"
