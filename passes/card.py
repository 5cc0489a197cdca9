"""The neutral card. Each wallet renders its pass from a CardFace and from nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

_COLOUR = re.compile(r"#[0-9a-f]{6}", re.ASCII)


class CardStatus(StrEnum):
    """Whether a card works, and if not, why."""

    ACTIVE = "active"
    BLOCKED = "blocked"
    REPLACED = "replaced"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Colours:
    """The brand's colours as lower-case "#rrggbb". Raises ValueError for anything else."""

    background: str
    foreground: str
    label: str

    def __post_init__(self) -> None:
        for colour in (self.background, self.foreground, self.label):
            rgb(colour)


def rgb(colour: str) -> tuple[int, int, int]:
    """Return "#rrggbb" as three numbers from 0 to 255. Raises ValueError for anything else."""
    if not _COLOUR.fullmatch(colour):
        raise ValueError(f'a colour is written like "#1a2b3c", not {colour!r}')
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


@dataclass(frozen=True, slots=True)
class Link:
    """An address on the back of the card, with the words that stand for it."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class CardFace:
    """What a card shows.

    `code` is the text of the barcode. `balance` and `pending` are whole points; a balance may be
    negative (debt). `points_label` names them as they are to be read beside the balance
    ("beans"). `language` is a BCP 47 tag.
    """

    programme_name: str
    organisation: str
    description: str
    serial_number: str
    code: str
    balance: int
    points_label: str
    colours: Colours
    issued_on: date
    member_name: str | None = None
    tier: str | None = None
    pending: int = 0
    message: str | None = None
    links: tuple[Link, ...] = ()
    status: CardStatus = CardStatus.ACTIVE
    language: str = "en"

    @property
    def is_active(self) -> bool:
        """Whether the card may be used at the counter."""
        return self.status is CardStatus.ACTIVE
