"""Where something is in a frame."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of the frame, in shares of its width and height (0 to 1)."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        """The share of the frame that it covers."""
        return max(0.0, self.right - self.left) * max(0.0, self.bottom - self.top)

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
    """One code read in a frame, and where it was: upright, and its corners, in shares."""

    text: str
    box: Box
    corners: tuple[tuple[float, float], ...] = ()


def overlap(one: Box, other: Box) -> float:
    """Return the common area of two boxes as a share of the area they cover together."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return common / (one.area + other.area - common)
