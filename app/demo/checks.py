"""What every step of the main job may ask for: that something holds, in words."""

import time
from collections.abc import Callable


class CheckFailed(Exception):
    """Something that had to hold did not; the message says what."""


def check(holds: object, what: str) -> None:
    """Raise `CheckFailed` with *what* unless *holds*."""
    if not holds:
        raise CheckFailed(what)


def wait_until(holds: Callable[[], object], what: str, *, seconds: float = 15.0) -> None:
    """Wait until *holds* is true; raise `CheckFailed` with *what* when it takes too long."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise CheckFailed(f"{what} (waited {seconds:.0f} s)")
        time.sleep(0.02)
