"""One holding of a phone to the camera is one scan.

A presentation begins with the first read of a code and ends with the code's absence: several
frames, over more than a moment, in which nothing like a code is where it was. A frame that is
merely unreadable (blur, glare, autofocus) ends nothing. What makes two reads the same
presentation is the card, not the text: a rotating code changes in the hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scanner.check import identity

# Absence: this many frames in a row without anything like a code in its place, over this long.
ABSENT_FRAMES = 4
ABSENT_SECONDS = 0.5
# A cluttered counter may look like a code for ever: nothing read for so long is absence too.
UNREAD_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of the frame, in shares of its width and height (0 to 1)."""

    left: float
    top: float
    right: float
    bottom: float

    def touches(self, other: Box) -> bool:
        """Whether the two have any point in common."""
        return (
            self.left <= other.right
            and other.left <= self.right
            and self.top <= other.bottom
            and other.top <= self.bottom
        )


@dataclass(frozen=True, slots=True)
class Read:
    """One code read in a frame, and where it was."""

    text: str
    box: Box


@dataclass(slots=True)
class Presentation:
    """One holding: `text` is the code as first read, `began_at` in seconds of the frames."""

    identity: str
    text: str
    began_at: float
    box: Box
    read_at: float
    present_at: float
    absent_frames: int = 0


class Presentations:
    """Turns what each frame shows into presentations."""

    def __init__(self) -> None:
        self._open: dict[str, Presentation] = {}

    @property
    def going_on(self) -> list[Presentation]:
        """The presentations that have not ended."""
        return list(self._open.values())

    def frame(
        self, at: float, reads: Sequence[Read], like_codes: Sequence[Box]
    ) -> list[Presentation]:
        """Take in one frame seen `at` seconds; return the presentations that begin with it.

        `reads` are the codes read, `like_codes` the places that look like a code, read or not.
        """
        self._end_absent(at, reads, like_codes)
        begun = []
        for read in reads:
            who = identity(read.text)
            known = self._open.get(who)
            if known is None:
                known = Presentation(who, read.text, at, read.box, at, at)
                self._open[who] = known
                begun.append(known)
            known.box, known.read_at, known.present_at, known.absent_frames = read.box, at, at, 0
        return begun

    def _end_absent(self, at: float, reads: Sequence[Read], like_codes: Sequence[Box]) -> None:
        taken = {identity(read.text): read.box for read in reads}
        for who, known in list(self._open.items()):
            if who in taken:
                continue
            # Where another code is read, the first one is not: the next phone has come.
            replaced = any(known.box.touches(box) for box in taken.values())
            if not replaced and any(known.box.touches(box) for box in like_codes):
                known.present_at, known.absent_frames = at, 0
            else:
                known.absent_frames += 1
            away = at - known.present_at
            gone = known.absent_frames >= ABSENT_FRAMES and away >= ABSENT_SECONDS
            if gone or at - known.read_at >= UNREAD_SECONDS:
                del self._open[who]
