"""Cameras, and recordings that play as one."""

import re
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from scanner.camera import Camera, ask_for_size, sources_of
from scanner.errors import CameraError


def numbers(camera: Camera) -> tuple[list[int], str]:
    """The frames that were seen until the end, and how it is told."""
    seen = []
    try:
        for frame in camera.frames():
            seen.append(frame.number)
    except CameraError as error:
        return seen, str(error)
    raise AssertionError("frames only end with an error")


@pytest.mark.parametrize("name", ["a.mjpeg", "a.avi", "a.mp4", "a.y4m"])
def test_a_recording_of_any_kind_is_a_camera(
    tmp_path: Path, film: Callable[..., Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine all of so short a film may be late; here none of it is passed over.
    monkeypatch.setattr("scanner.camera.LATE_SECONDS", 60.0)
    path = film(tmp_path / name, (None, 6), fps=30)
    with Camera(str(path), fps=100) as camera:
        seen, end = numbers(camera)
    assert seen[-1] == 5 and "ended without a card" in end


def test_an_image_sequence_is_a_camera(tmp_path: Path, draw: Callable[..., np.ndarray]) -> None:
    for index in range(4):
        cv2.imwrite(str(tmp_path / f"f{index:03d}.jpg"), draw(None))
    with Camera(str(tmp_path / "f%03d.jpg"), fps=60) as camera:
        assert numbers(camera)[0][-1] == 3


def test_a_recording_plays_at_30_frames_a_second_whatever_opencv_says(
    tmp_path: Path, film: Callable[..., Path]
) -> None:
    path = film(tmp_path / "a.mjpeg", (None, 19))
    # On a busy machine one play takes longer and shows fewer; of several, one goes as it should.
    for _ in range(5):
        began = time.monotonic()
        with Camera(str(path)) as camera:
            seen, _ = numbers(camera)
        took = time.monotonic() - began
        assert took > 0.55
        if took < 1.2 and len(seen) >= 15:
            return
    pytest.fail(f"{len(seen)} of 19 frames in {took:.2f} s")


def test_frames_that_the_reader_is_too_slow_for_are_lost(
    tmp_path: Path, film: Callable[..., Path]
) -> None:
    path = film(tmp_path / "a.mjpeg", (None, 30))
    seen = []
    with Camera(str(path)) as camera, pytest.raises(CameraError):
        for frame in camera.frames():
            seen.append(frame.number)
            assert time.monotonic() - frame.at < 1  # never an old frame: they play for one second
            time.sleep(0.15)
    assert len(seen) < 12 and seen[-1] == 29


@pytest.mark.parametrize("source", ["99", "/dev/video99", "missing.mjpeg", "missing%03d.jpg", ""])
def test_a_camera_that_does_not_open_is_one_clear_line(source: str) -> None:
    with pytest.raises(CameraError, match=r"does not open|No camera") as error, Camera(source):
        pass
    assert "\n" not in str(error.value)
    # and it says what to do
    assert re.search(
        r"name another one|has to be \.mjpeg|no such file|Give --camera", str(error.value)
    )


def test_a_file_without_pictures_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "a.mjpeg"
    path.write_bytes(b"this was never a film" * 1000)
    with Camera(str(path)) as camera:
        seen, end = numbers(camera)
    assert not seen and "no pictures" in end


class Stream:
    """A network camera: MJPEG over HTTP, that can be unplugged and plugged in again."""

    def __init__(self, jpeg: bytes) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.jpeg = jpeg
        self.unplugged = threading.Event()

    def plug_in(self) -> None:
        stream = self
        self.unplugged = unplugged = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                while not unplugged.wait(0.02):
                    part = "--frame\r\nContent-Type: image/jpeg\r\n"
                    part += f"Content-Length: {len(stream.jpeg)}\r\n\r\n"
                    try:
                        self.wfile.write(part.encode() + stream.jpeg + b"\r\n")
                    except OSError:
                        return

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def unplug(self) -> None:
        self.unplugged.set()
        self.server.shutdown()
        self.server.server_close()


def test_a_camera_that_vanishes_comes_back_without_a_restart(
    draw: Callable[..., np.ndarray],
) -> None:
    stream = Stream(cv2.imencode(".jpg", draw(None, (320, 240)))[1].tobytes())
    stream.plug_in()
    said: list[str] = []
    url = f"http://127.0.0.1:{stream.port}/cam.mjpeg"
    with Camera(url, on_change=said.append) as camera:
        frames = camera.frames()
        first = next(frames)
        stream.unplug()
        until = time.monotonic() + 60
        while not said and time.monotonic() < until:
            time.sleep(0.02)
        stream.plug_in()
        newest = first
        while len(said) < 2 and time.monotonic() < until:
            newest = next(frames)
        newest = next(frames)
        stream.unplug()
    assert newest.number > first.number
    assert "is gone" in said[0] and "is back" in said[1]


def test_a_setting_names_one_camera_or_several(tmp_path: Path) -> None:
    assert sources_of("0") == ["0"]
    assert sources_of("0, /dev/video2") == ["0", "/dev/video2"]
    odd = tmp_path / "a, b.mjpeg"
    odd.touch()
    assert sources_of(str(odd)) == [str(odd)]


class Webcam:
    """A driver that takes every property and writes down the order."""

    def __init__(self) -> None:
        self.taken: dict[int, float] = {}

    def set(self, prop: int, value: float) -> bool:
        self.taken[prop] = value
        return True

    def get(self, prop: int) -> float:
        return self.taken.get(prop, 0.0)


def test_a_webcam_is_asked_for_720_lines_as_jpeg_and_not_to_decode_it() -> None:
    webcam = Webcam()
    ask_for_size(webcam, raw=True)
    assert (webcam.get(cv2.CAP_PROP_FRAME_WIDTH), webcam.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (
        1280, 720,
    )  # fmt: skip
    assert webcam.get(cv2.CAP_PROP_FOURCC) == cv2.VideoWriter.fourcc(*"MJPG")
    assert webcam.taken[cv2.CAP_PROP_CONVERT_RGB] == 0
    elsewhere = Webcam()
    ask_for_size(elsewhere, raw=False)
    assert cv2.CAP_PROP_CONVERT_RGB not in elsewhere.taken
