"""Reading a camera: the live schedule, and what is learnt carried from frame to frame.

Of one frame the next learns: what moved and where, which places look like a code but never are
one (a menu board, a shelf), which attempt read or nearly read, and the weak pictures themselves,
laid over each other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from scanner.clutter import Clutter
from scanner.decode import Decoder, zxing
from scanner.hints import Hint, Hints, measure
from scanner.motion import Motion
from scanner.picture import Image, Picture
from scanner.places import Box, Read
from scanner.regions import Region, find_regions
from scanner.schedule import (
    AGAIN,
    HALF,
    LIVE,
    LIVE_IN_TURN,
    WHOLE,
    Attempt,
    Costs,
    Ran,
    Sighting,
    is_ours,
    run,
    stacked,
)
from scanner.stack import Stack
from scanner.view import View

IN_TURN_PER_FRAME = 3
MOST_SECONDS = 0.045  # of processor time a frame; the next frame is worth more than the rest
AWAKE_SECONDS = 2.0  # after the last movement or read
GLANCE_SECONDS = 1.0  # asleep, the whole picture is read so often
MOST_REGIONS = 3
# Somebody walking past looks lively for long and is never read: after so many seconds all that
# there is is tried on every third frame only.
PATIENCE_SECONDS = 5.0
QUIET_SECONDS = 1.0


class LiveReader:
    """Reads frame after frame of one camera."""

    def __init__(self, decoder: Decoder = zxing) -> None:
        self._decoder = decoder
        self._motion, self._clutter = Motion(), Clutter()
        self._stack, self._hints = Stack(), Hints()
        self._turn = 0
        self._frames = 0
        self._costs, self._careful = Costs(), False
        self._worked: Attempt | None = None
        self._read_at = self._glanced_at = self._at = float("-inf")
        self._lively_at = self._lively_since = float("-inf")
        self._places: list[Box] = []

    def read(self, image: Image, at: float | None = None) -> Sighting:
        """Read one BGR or grey frame; see `look`."""
        return self.look(Picture.of(image), at)

    def look(self, picture: Picture, at: float | None = None, *, careful: bool = False) -> Sighting:
        """Read one frame seen `at` seconds; without a time frames are a thirtieth apart.

        `careful` leaves out what has no bound to its cost: a reader was killed of late.
        """
        self._frames += 1
        self._costs.next_frame()
        self._careful = careful
        at = self._frames / 30 if at is None else at
        if not self._awake(picture, at):
            return Sighting([], self._places, awake=False)
        self._glanced_at = self._at = at
        view = View(picture)
        until = time.thread_time() + MOST_SECONDS

        def late() -> bool:
            return time.thread_time() > until

        first = [HALF] if self._worked is None else [HALF, self._worked]
        ran = self._run(view, first, late)
        reads, places = ran.reads, list[Region]()
        if not any(is_ours(read.text) for read in reads):
            places = self._places_beside(view, reads)
            lively = self._sorted(view, places, at)
            if lively or not reads:
                ran = self._search(view, lively, late)
                reads = [*reads, *ran.reads]
        self._places = [view.share(r.left, r.top, r.right, r.bottom) for r in places]
        hint = self._after(view, reads, ran.by, at)
        return Sighting(reads, self._places, hint)

    def _places_beside(self, view: View, reads: Sequence[Read]) -> list[Region]:
        """Return the places that look like a code and are none of `reads`."""
        places = find_regions(view.half, MOST_REGIONS + self._clutter.known + len(reads))
        if not reads:
            return places
        boxes = [view.share(r.left, r.top, r.right, r.bottom) for r in places]
        return [
            place
            for place, box in zip(places, boxes, strict=True)
            if not any(box.touches(read.box) for read in reads)
        ]

    def _awake(self, picture: Picture, at: float) -> bool:
        """Whether the frame is worth reading: something moved or was read a moment ago."""
        tiny = picture.tiny
        if tiny is None:
            return False
        self._motion.look(tiny, at)
        last = max(self._motion.last, self._read_at)
        return at - last < AWAKE_SECONDS or at - self._glanced_at >= GLANCE_SECONDS

    def _sorted(self, view: View, places: Sequence[Region], at: float) -> bool:
        """Put the places into the view, what may be a phone first; tell whether any may be."""
        boxes = [view.share(r.left, r.top, r.right, r.bottom) for r in places]
        dull = self._clutter.frame(at, boxes, [place.strength for place in places])
        pairs = list(zip(places, dull, boxes, strict=True))
        came = [place for place, known, box in pairs if not (known or self._clutter.stood(box))]
        stood = [place for place, known, box in pairs if not known and self._clutter.stood(box)]
        known = [place for place, known, _ in pairs if known]
        # Strong edges that were there before are a card terminal's: the phone is what came.
        view.regions = [*came, *stood, *known][:MOST_REGIONS]
        return bool(came or stood) or not known

    def _search(self, view: View, lively: bool, late: Callable[[], bool]) -> Ran:
        """Look for a code in the regions: with all that there is where one may be a phone."""
        if not lively or self._fruitless():
            # It is clutter most likely: a look now and then, should it be a phone after all.
            now = self._frames % 3 == 0
            return self._run(view, self._next_in_turn(view) if now else (), late)
        ran = self._run(view, LIVE[1:], late)
        # Whatever there is no time for on one frame goes first on the next.
        both = [self._stacked, self._next_in_turn]
        for attempts in both if self._frames % 2 else reversed(both):
            if ran.reads or late():
                return ran
            ran = self._run(view, attempts(view), late)
        return ran

    def _fruitless(self) -> bool:
        """Whether this frame is one of those that need not be tried hard."""
        if self._at - self._lively_at > QUIET_SECONDS:
            self._lively_since = self._at
        self._lively_at = self._at
        return self._at - self._lively_since > PATIENCE_SECONDS and self._frames % 3 > 0

    def _run(self, view: View, schedule: Sequence[Attempt], late: Callable[[], bool]) -> Ran:
        if self._careful:
            schedule = [tried for tried in schedule if tried not in WHOLE]
        return run(view, schedule, self._decoder, late, self._costs)

    def _after(
        self, view: View, reads: Sequence[Read], by: Attempt | None, at: float
    ) -> Hint | None:
        """Learn from how the frame ended; return what would help the customer."""
        if reads:
            self._read_at = self._lively_since = at
            self._stack.clear()
            self._hints.clear()
            if by in AGAIN:
                self._worked = by
            for read in reads:
                self._clutter.forget(read.box)
            return None
        region = view.region(0)
        if region is None:
            self._hints.clear()
            return None
        box = view.share(region.left, region.top, region.right, region.bottom)
        if self._clutter.knows(box):
            return None
        return self._hints.frame(at, box, lambda: measure(view.crop(region), region.code_side))

    def _next_in_turn(self, view: View) -> Sequence[Attempt]:
        """Return the attempts whose turn it is."""
        chosen = [
            LIVE_IN_TURN[(self._turn + step) % len(LIVE_IN_TURN)]
            for step in range(IN_TURN_PER_FRAME)
        ]
        self._turn += IN_TURN_PER_FRAME
        return chosen

    def _stacked(self, view: View) -> Sequence[Attempt]:
        """Return the attempts on the stacked frames."""
        region = view.region(0)
        if region is None:
            self._stack.clear()
            return []
        self._stack.add(view.grey, region)
        blend, darkest, window = self._stack.blend(), self._stack.darkest(), self._stack.window
        if blend is None or darkest is None or window is None:
            return []
        return stacked(blend, darkest, window, self._stack.scale, self._frames)
