"""A till's surroundings: the service that it talks to, cards, and frames of its counter."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from passes.code import CardCode, Kind, encode
from passes.image import code_png
from tests.scanner.stand_in import Running, Service


@pytest.fixture(scope="session")
def signing_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
def service(signing_key: Ed25519PrivateKey) -> Service:
    return Service(signing_key, 7)


@pytest.fixture
def running(service: Service) -> Iterator[Running]:
    running = Running(service)
    yield running
    if service.gate is not None:
        service.gate.opened.set()
    running.stop()


def card_text(key: Ed25519PrivateKey, number: int = 1, *, key_id: int = 7) -> str:
    return encode(CardCode(key_id, number.to_bytes(8, "big"), date(2026, 5, 1), Kind.MEMBER), key)


@pytest.fixture
def make_card(signing_key: Ed25519PrivateKey) -> Callable[..., str]:
    """Makes the text of a card; number tells cards apart."""

    def make(number: int = 1, *, key: Ed25519PrivateKey = signing_key, key_id: int = 7) -> str:
        return card_text(key, number, key_id=key_id)

    return make


def counter_frame(text: str | None, size: tuple[int, int] = (1280, 720)) -> np.ndarray:
    """A grey counter with a bright phone that shows `text`."""
    width, height = size
    frame = np.full((height, width, 3), 90, np.uint8)
    if text is not None:
        png = np.frombuffer(code_png(text, module_px=4), np.uint8)
        code = cv2.imdecode(png, cv2.IMREAD_COLOR)
        top, left = (height - code.shape[0]) // 2, (width - code.shape[1]) // 2
        frame[top : top + code.shape[0], left : left + code.shape[1]] = code
    return frame


@pytest.fixture(scope="session")
def draw() -> Callable[..., np.ndarray]:
    """Draws one frame of the counter."""
    return counter_frame


@pytest.fixture(scope="session")
def film() -> Callable[..., Path]:
    """Writes a clip of (text or None, frames) in turn, as concatenated JPEG or as AVI, MP4, Y4M."""

    def write(path: Path, *scenes: tuple[str | None, int], fps: float = 30) -> Path:
        frames = [(counter_frame(text), count) for text, count in scenes]
        if path.suffix == ".mjpeg":
            jpegs = [(cv2.imencode(".jpg", frame)[1].tobytes(), count) for frame, count in frames]
            path.write_bytes(b"".join(data * count for data, count in jpegs))
        elif path.suffix == ".y4m":
            _write_y4m(path, frames, fps)
        else:
            four = {".avi": "MJPG", ".mp4": "mp4v"}[path.suffix]
            code = cv2.VideoWriter.fourcc(*four)
            writer = cv2.VideoWriter(str(path), code, fps, (1280, 720))
            for frame, count in frames:
                for _ in range(count):
                    writer.write(frame)
            writer.release()
        return path

    return write


def _write_y4m(path: Path, frames: list[tuple[np.ndarray, int]], fps: float) -> None:
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W1280 H720 F{fps:.0f}:1 Ip A1:1 C420jpeg\n".encode())
        for frame, count in frames:
            planes = cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420).tobytes()
            for _ in range(count):
                file.write(b"FRAME\n" + planes)
