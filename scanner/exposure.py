"""What a till asks of its webcam when a code is not read: another exposure, another focus.

A driver that knows a property takes it, another ignores it; after the phone is read or gone the
camera looks after itself again. Properties are OpenCV's (`cv2.CAP_PROP_...`).
"""

from __future__ import annotations

from collections.abc import Callable

import cv2

from scanner.hints import Hint
from scanner.mjpeg import Source

EVERY_SECONDS = 0.6  # a camera needs some frames to follow
AGAIN_SECONDS = 2.0  # without a hint: the camera looks after itself again
MOST_STEPS = 3
# The numbers are of V4L2 and of what OpenCV makes of other systems: both are tried.
AUTO = (3.0, 0.75)
MANUAL = (1.0, 0.25)


class Exposure:
    """Follows the hints of one camera; `ask` passes a step on to whoever may touch the camera."""

    def __init__(self, ask: Callable[[Callable[[Source], None]], None]) -> None:
        self._ask = ask
        self._asked_at = self._hinted_at = float("-inf")
        self._steps = 0
        self._changed = False

    def frame(self, at: float, hint: Hint | None, was_read: bool) -> None:
        """Take in what a frame seen `at` seconds came to, and ask where it may help."""
        if hint is None or was_read:
            # What let a code be read is kept while it is in the hand.
            if self._changed and not was_read and at - self._hinted_at >= AGAIN_SECONDS:
                self._changed, self._steps = False, 0
                self._ask(leave_alone)
            if was_read:
                self._hinted_at = at
            return
        self._hinted_at = at
        if at - self._asked_at < EVERY_SECONDS or self._steps >= MOST_STEPS:
            return
        step = _STEPS.get(hint)
        if step is not None:
            self._asked_at, self._changed = at, True
            self._steps += 1
            self._ask(step)


def darker(camera: Source) -> None:
    """Halve the exposure: what is burnt out shows."""
    _expose(camera, 0.5)


def brighter(camera: Source) -> None:
    """Double the exposure."""
    _expose(camera, 2.0)


def refocus(camera: Source) -> None:
    """Let the autofocus begin anew."""
    camera.set(cv2.CAP_PROP_AUTOFOCUS, 0)
    camera.set(cv2.CAP_PROP_AUTOFOCUS, 1)


def leave_alone(camera: Source) -> None:
    """Let the camera look after itself."""
    _first(camera, cv2.CAP_PROP_AUTO_EXPOSURE, AUTO)
    camera.set(cv2.CAP_PROP_AUTOFOCUS, 1)


_STEPS = {Hint.TILT: darker, Hint.BRIGHTER: brighter, Hint.HOLD_STILL: refocus}


def _expose(camera: Source, factor: float) -> None:
    now = camera.get(cv2.CAP_PROP_EXPOSURE)
    if now == 0 or not _first(camera, cv2.CAP_PROP_AUTO_EXPOSURE, MANUAL):
        return  # a driver that does not know its exposure cannot be told another
    # Windows counts in powers of two and below zero, Linux in tenths of a millisecond.
    step = 1 if factor > 1 else -1
    camera.set(cv2.CAP_PROP_EXPOSURE, now + step if now < 0 else max(1.0, now * factor))


def _first(camera: Source, prop: int, values: tuple[float, ...]) -> bool:
    return any(camera.set(prop, value) for value in values)
