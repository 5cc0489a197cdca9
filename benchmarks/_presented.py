"""What presentations a till counts in a sequence of frames: reader and presentations as live."""

from collections.abc import Iterable

from app.demo.counter import Shot
from scanner.live import LiveReader
from scanner.picture import Picture
from scanner.presentation import Presentation, Presentations


def presented(shots: Iterable[Shot], fps: float) -> list[Presentation]:
    """Read every frame and return the presentations that began."""
    reader = LiveReader()
    presentations = Presentations(only_held=True)
    begun: list[Presentation] = []
    for number, shot in enumerate(shots):
        seen = reader.look(Picture(jpeg=shot.data), number / fps)
        begun += presentations.frame(number / fps, seen.reads, seen.like_codes)
    return begun
