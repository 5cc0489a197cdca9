"""What one look at the counter showed, as the cashier's page and the terminal are told it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from passes.code import Kind, Outcome
from scanner.camera import Frame
from scanner.check import KeyRing, check
from scanner.hints import Hint
from scanner.presentation import Presentation


class What(StrEnum):
    """What was held up, as far as the till can tell without asking anybody."""

    CARD = "card"
    COUPON = "coupon"
    PRINTED_CARD = "printed_card"
    TEST = "test"
    OTHER_PROGRAMME = "other_programme"
    """A card code signed with a key that is not this programme's."""
    NOT_OURS = "not_ours"
    """Any other QR code."""


_KINDS = {
    Kind.MEMBER: What.CARD,
    Kind.COUPON: What.COUPON,
    Kind.PRINTED: What.PRINTED_CARD,
    Kind.TEST: What.TEST,
}


def what_is(text: str, ring: KeyRing, now: datetime) -> What:
    """Tell what the code `text` is. Without any keys a card is taken at its word."""
    verdict = check(text, ring, now)
    if verdict.reading is None:
        return What.NOT_OURS
    if verdict.outcome in (Outcome.UNKNOWN_KEY, Outcome.OTHER_PROGRAMME):
        return What.OTHER_PROGRAMME
    return _KINDS[verdict.reading.card.kind]


__all__ = ["Hint", "Mark", "Seen", "What", "what_is"]

Corners = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A place to outline in the picture: its corners in shares of the picture's width and
    height, and the text of the code there, None where something like a code is not read."""

    corners: Corners
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """One look through one camera.

    `camera` is the number of the camera among those watched, `at` seconds of `time.monotonic`.
    `begun` and `ended` are presentations; `hint` is there while a customer should be told it.
    `awake` is False while nothing moves and the counter is looked at less often.
    """

    camera: int
    at: float
    frame: Frame
    marks: Sequence[Mark] = ()
    begun: Sequence[Presentation] = ()
    ended: Sequence[Presentation] = ()
    hint: Hint | None = None
    awake: bool = True
