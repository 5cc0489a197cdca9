"""Places that look like a code and never are one: a menu board, a shelf, a printed cloth.

They get little effort and no hints, so that a busy shop costs no more than an empty one. A phone
held before them is stronger or of another size, and is no clutter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scanner.places import Box, overlap

DULL_SECONDS = 6.0  # a customer who is not read for so long has had all that helps
BEGINNING_SECONDS = 0.5  # what is there when a camera begins was not held up to it
FIRST_SECONDS = 0.1  # before any hand can be in the picture
FORGOTTEN_SECONDS = 30.0  # somebody may stand before it for a while
SAME_PLACE = 0.5
SAME_STRENGTH = 1.35
MOST = 12


@dataclass(slots=True)
class _Place:
    box: Box
    strength: float
    since: float
    seen_at: float
    from_beginning: bool


class Clutter:
    """What a camera's places that look like a code turned out to be."""

    def __init__(self) -> None:
        self._places: list[_Place] = []
        self._began: float | None = None
        self._at = 0.0

    @property
    def known(self) -> int:
        """How many places there are that are nothing but clutter; at most 4."""
        return min(4, sum(self._is_dull(place) for place in self._places))

    def frame(self, at: float, boxes: Sequence[Box], strengths: Sequence[float]) -> list[bool]:
        """Take in the unread places of a frame; return for each whether it is clutter."""
        if self._began is None or at < self._at:
            self._began, self._places = at, []
        self._at = at
        self._places = [p for p in self._places if at - p.seen_at < FORGOTTEN_SECONDS][-MOST:]
        return [
            self._is_dull(self._place(at, box, strength))
            for box, strength in zip(boxes, strengths, strict=True)
        ]

    def stood(self, box: Box) -> bool:
        """Whether what is at `box` was there in the first pictures: nobody has held that up."""
        began = self._at if self._began is None else self._began
        return any(
            place.since - began < FIRST_SECONDS and overlap(place.box, box) >= SAME_PLACE
            for place in self._places
        )

    def knows(self, box: Box) -> bool:
        """Whether what is at `box` is clutter, or was there from the beginning."""
        return any(
            overlap(place.box, box) >= SAME_PLACE and (place.from_beginning or self._is_dull(place))
            for place in self._places
        )

    def forget(self, box: Box) -> None:
        """A code was read at `box`: what is there is none."""
        self._places = [place for place in self._places if not place.box.touches(box)]

    def _is_dull(self, place: _Place) -> bool:
        return self._at - place.since >= DULL_SECONDS

    def _place(self, at: float, box: Box, strength: float) -> _Place:
        for place in self._places:
            ratio = max(strength, 1e-6) / max(place.strength, 1e-6)
            if overlap(place.box, box) >= SAME_PLACE and 1 / SAME_STRENGTH < ratio < SAME_STRENGTH:
                place.box, place.seen_at = box, at
                place.strength += 0.1 * (strength - place.strength)
                return place
        began = self._began if self._began is not None else at
        place = _Place(box, strength, at, at, at - began < BEGINNING_SECONDS)
        self._places.append(place)
        return place
