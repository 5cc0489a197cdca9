"""`counterfoil-scan read`: what codes are in these pictures and clips?

A picture gets full effort. A clip is read as a camera would be: its frames arrive at their rate
on a clock that advances with the processing time, and those the reader is too slow for are lost.

Where a file NAME.txt lies beside NAME.jpg it is the answer, and the reading is scored: right,
wrong (anything else was read) or unread.
"""

from __future__ import annotations

import glob
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from passes.code import Outcome
from scanner.camera import is_sequence, open_source, rate_of
from scanner.check import KeyRing, check
from scanner.decode import Decoder
from scanner.errors import CameraError, ConfigError
from scanner.live import LiveReader
from scanner.presentation import Presentations
from scanner.schedule import read_still

PICTURES = frozenset(".jpg .jpeg .png .bmp .webp .tif .tiff .gif .avif .jp2 .ppm .pgm .pbm".split())
CLIPS = frozenset(".mjpeg .mjpg .avi .mp4 .m4v .mov .mkv .webm .y4m".split())


LARGEST_ANSWER = 100_000  # bytes


@dataclass(frozen=True, slots=True)
class Code:
    """One code of a source. `first_ms` on the clip's clock, `read_ms` of processing so far."""

    text: str
    outcome: str
    first_ms: float
    read_ms: float


@dataclass(frozen=True, slots=True)
class Result:
    """The codes of one source, in the order in which they were read."""

    source: str
    codes: list[Code]
    answer: str | None = None

    @property
    def score(self) -> Score | None:
        """How the reading compares with the answer, None where there is no answer."""
        if self.answer is None:
            return None
        read = {code.text for code in self.codes}
        if not read:
            return Score.UNREAD if self.answer else Score.RIGHT
        # Of several codes in one picture the answer has one a line.
        expected = {self.answer, *self.answer.splitlines()}
        return Score.RIGHT if read <= expected else Score.WRONG

    def as_json(self) -> dict[str, Any]:
        """Return the line that is printed with --json."""
        said: dict[str, Any] = {
            "source": self.source,
            "codes": [asdict(code) for code in self.codes],
        }
        return said if self.score is None else said | {"score": str(self.score)}


class Score(StrEnum):
    """How a reading compares with its answer."""

    RIGHT = "right"
    WRONG = "wrong"
    UNREAD = "unread"


class Tally:
    """Counts what came of the sources that have answers, and of codes that cannot be genuine."""

    def __init__(self) -> None:
        self.scores = dict.fromkeys(Score, 0)
        self.wrong_accepted = 0
        """Texts that are not the answer and were accepted all the same: there are to be none."""
        self.not_genuine = 0
        """Card codes whose signature or form is wrong: misread, or forged."""

    def add(self, result: Result) -> None:
        """Count one source."""
        outcomes = [code.outcome for code in result.codes]
        self.not_genuine += sum(o in (Outcome.BAD_SIGNATURE, Outcome.MALFORMED) for o in outcomes)
        if result.score is not None:
            self.scores[result.score] += 1
            if result.score is Score.WRONG:
                self.wrong_accepted += outcomes.count(Outcome.ACCEPTED)

    def __str__(self) -> str:
        total = sum(self.scores.values())
        line = ", ".join(f"{count} {score}" for score, count in self.scores.items())
        line = f"Of {total} with an answer: {line}" if total else ""
        if self.wrong_accepted:
            line += f"; {self.wrong_accepted} wrong ones ACCEPTED"
        if self.not_genuine:
            line += f"{'; ' if line else ''}{self.not_genuine} card codes not genuine"
        return f"{line}." if line else ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A source that is not a picture or a clip, and why."""

    source: str
    why: str


def sources(paths: Sequence[str]) -> Iterator[str]:
    """Yield every file named or in a folder named, in order; raises ConfigError for a missing."""
    for name in paths:
        path = Path(name)
        if path.is_dir():
            yield from (str(inner) for inner in sorted(path.rglob("*")) if inner.is_file())
        elif path.is_file() or is_sequence(name):
            yield name
        else:
            raise ConfigError(f"There is no file or folder {name}.")


def read_sources(
    paths: Sequence[str], *, fps: float | None, decoder: Decoder, ring: KeyRing, now: datetime
) -> Iterator[Result | Skipped]:
    """Read each source in turn; `fps` overrides the rate of clips."""
    for source in sources(paths):
        kind = Path(source).suffix.lower()
        if kind == ".txt" and _is_answer(Path(source)):
            continue
        try:
            if kind in CLIPS or is_sequence(source):
                codes = read_clip(source, fps=fps, decoder=decoder)
            elif kind in PICTURES:
                codes = read_picture(source, decoder=decoder)
            else:
                yield Skipped(source, "it is not a picture or a clip")
                continue
        except (CameraError, cv2.error, OSError, MemoryError):
            yield Skipped(source, "it holds no picture that can be read")
            continue
        yield Result(
            source,
            [Code(text, check(text, ring, now).outcome, *times) for text, *times in codes],
            answer_of(source),
        )


def answer_of(source: str) -> str | None:
    """Return the text of NAME.txt beside `source`, None where there is none that can be read."""
    path = Path(source).with_suffix(".txt")
    try:
        if path.is_file() and path.stat().st_size <= LARGEST_ANSWER:
            return path.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeError):
        pass
    return None


def _is_answer(path: Path) -> bool:
    """Whether a picture or clip of the same name lies beside a .txt."""
    for beside in path.parent.glob(f"{glob.escape(path.stem)}.*"):
        if beside.suffix.lower() in PICTURES | CLIPS:
            return True
    return False


def read_picture(source: str, *, decoder: Decoder) -> list[tuple[str, float, float]]:
    """Return (text, first_ms, read_ms) of each code; raises CameraError for no picture."""
    data = np.fromfile(source, np.uint8)  # imread cannot open every name on every system
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if image is None:
        raise CameraError(f"{source} is not a picture.")
    began = time.thread_time()
    reads = read_still(np.asarray(image, np.uint8), decoder)
    spent = round((time.thread_time() - began) * 1000, 3)
    return [(read.text, 0.0, spent) for read in reads]


def read_clip(
    source: str, *, fps: float | None, decoder: Decoder
) -> list[tuple[str, float, float]]:
    """Return (text, first_ms, read_ms) of each presentation in a clip; raises CameraError.

    Processing is timed on this thread alone, so that a busy machine does not lose frames that
    a till would have read.
    """
    capture = open_source(source)
    rate = rate_of(source, capture, fps)
    reader, presentations = LiveReader(decoder), Presentations()
    codes: list[tuple[str, float, float]] = []
    free_at = spent = 0.0
    number = -1
    while capture.grab():
        number += 1
        if (number + 1) / rate <= free_at:
            continue  # a newer frame came while the last one was read: this one is lost
        picture = capture.retrieve()
        if picture is None:
            continue
        began = time.thread_time()
        sighting = reader.look(picture, number / rate)
        cost = time.thread_time() - began
        spent += cost
        free_at = max(free_at, number / rate) + cost
        for begun in presentations.frame(number / rate, sighting.reads, sighting.like_codes):
            codes.append((begun.text, round(number * 1000 / rate, 3), round(spent * 1000, 3)))
    capture.release()
    if number < 0:
        raise CameraError(f"{source} holds no pictures.")
    return codes
