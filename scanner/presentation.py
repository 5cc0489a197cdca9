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
from scanner.places import Box, Read, overlap

# Absence: this many frames in a row without anything like a code in its place, over this long.
ABSENT_FRAMES = 4
ABSENT_SECONDS = 0.5
# A cluttered counter may look like a code for ever: nothing read for so long is absence too.
UNREAD_SECONDS = 8.0
# Codes that are not ours, see `Presentations`.
AGAIN_SECONDS = 1.0
BEGINNING_SECONDS = 1.0
FIXTURE_SECONDS = 600.0
SAME_PLACE = 0.5  # common area of two boxes
MOST_FOREIGN = 200


@dataclass(slots=True)
class Presentation:
    """One holding: `text` is the code as first read, `began_at` in seconds of the frames."""

    identity: str
    text: str
    began_at: float
    box: Box
    read_at: float
    present_at: float
    camera: int = 0
    absent_frames: int = 0


@dataclass(slots=True)
class _Foreign:
    """A code that is not ours: where and when it was last read, and what is known of it."""

    box: Box
    at: float
    fixture: bool
    again: bool


class Presentations:
    """Turns what each frame shows into presentations.

    With `only_held` a code that is not ours counts as held up when it is read a second time, and
    not at all where it is a fixture: a poster's, at the place where it was before or, with
    `fixed_at_first`, there when the camera began.
    """

    def __init__(self, *, only_held: bool = False, fixed_at_first: bool = False) -> None:
        self._open: dict[str, Presentation] = {}
        self._only_held, self._fixed_at_first = only_held, fixed_at_first
        self._foreign: dict[str, _Foreign] = {}
        self._began_at: float | None = None
        self.ended: list[Presentation] = []
        """Those that the last frame ended."""

    @property
    def going_on(self) -> list[Presentation]:
        """The presentations that have not ended."""
        return list(self._open.values())

    def frame(
        self, at: float, reads: Sequence[Read], like_codes: Sequence[Box], camera: int = 0
    ) -> list[Presentation]:
        """Take in one frame seen `at` seconds; return the presentations that begin with it.

        `reads` are the codes read, `like_codes` the places that look like a code, read or not.
        A phone that two cameras see is one presentation, in the camera that saw it last.
        """
        if self._began_at is None:
            self._began_at = at
        self._end_absent(at, reads, like_codes, camera)
        begun = []
        for read in reads:
            who = identity(read.text)
            known = self._open.get(who)
            if known is None:
                if not self._is_held(who, read.box, at):
                    continue
                known = Presentation(who, read.text, at, read.box, at, at, camera)
                self._open[who] = known
                begun.append(known)
            known.box, known.read_at, known.present_at = read.box, at, at
            known.absent_frames, known.camera = 0, camera
        return begun

    def _is_held(self, who: str, box: Box, at: float) -> bool:
        """Whether a code read at `box` was held up, and is neither a misread nor a poster's."""
        if not self._only_held or who.startswith("card "):
            return True
        for name, seen in list(self._foreign.items()):
            if at - seen.at > FIXTURE_SECONDS or len(self._foreign) > MOST_FOREIGN:
                del self._foreign[name]
        before = self._foreign.get(who)
        began = at if self._began_at is None else self._began_at
        fixture = self._fixed_at_first and at - began < BEGINNING_SECONDS
        if before is not None:
            fixture = before.fixture and overlap(before.box, box) > SAME_PLACE
        again = before is not None and (at - before.at < AGAIN_SECONDS or before.again)
        self._foreign[who] = _Foreign(box, at, fixture, again)
        return again and not fixture

    def _end_absent(
        self, at: float, reads: Sequence[Read], like_codes: Sequence[Box], camera: int
    ) -> None:
        self.ended = []
        taken = {identity(read.text): read.box for read in reads}
        for who, known in list(self._open.items()):
            if who in taken or known.camera != camera:
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
                self.ended.append(self._open.pop(who))
                if who in self._foreign:
                    # What stays readable where it was shown stays a fixture from now on.
                    self._foreign[who].fixture = True
