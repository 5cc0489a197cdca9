"""Cards of paper or plastic, alone or ten to a sheet."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from app.printing.drawing import Box, Code, Drawing, Line, Words, fitting, wrapped

#: ISO/IEC 7810, ID-1: the size of a bank card.
WIDTH, HEIGHT = 85.6, 53.98
_RADIUS = 3.18
_SHEET = (210.0, 297.0)
_COLUMNS, _ROWS = 2, 5
A_SHEET = _COLUMNS * _ROWS
#: A module of it is 0.7 mm wide: any webcam reads it a hand's breadth away.
_CODE_SIDE = 34.0
_EDGE = 5.0
_CUT = 4.0


@dataclass(frozen=True, slots=True)
class PaperCard:
    """What is printed: the code, and beside it what people read. Colours as "#rrggbb"."""

    code: str
    number: str
    programme: str
    benefit: str
    background: str
    foreground: str
    holder: str | None = None


def card_drawing(card: PaperCard) -> Drawing:
    """One card on a page of its own size, for a card printer."""
    return Drawing(WIDTH, HEIGHT, list(_marks(card, 0, 0, radius=0)))


def sheet_drawings(cards: Iterable[PaperCard]) -> Iterator[Drawing]:
    """A4 sheets of ten cards each, with marks to cut along."""
    left = iter(cards)
    while some := list(islice(left, A_SHEET)):
        yield _sheet(some)


def _sheet(cards: Sequence[PaperCard]) -> Drawing:
    drawing = Drawing(*_SHEET)
    x0 = (_SHEET[0] - _COLUMNS * WIDTH) / 2
    y0 = (_SHEET[1] - _ROWS * HEIGHT) / 2
    for number, card in enumerate(cards):
        row, column = divmod(number, _COLUMNS)
        drawing.marks.extend(_marks(card, x0 + column * WIDTH, y0 + row * HEIGHT, radius=_RADIUS))
    for column in range(_COLUMNS + 1):
        x = x0 + column * WIDTH
        drawing.marks.append(Line(x, y0 - _CUT, x, y0 - 1))
        drawing.marks.append(Line(x, _SHEET[1] - y0 + 1, x, _SHEET[1] - y0 + _CUT))
    for row in range(_ROWS + 1):
        y = y0 + row * HEIGHT
        drawing.marks.append(Line(x0 - _CUT, y, x0 - 1, y))
        drawing.marks.append(Line(_SHEET[0] - x0 + 1, y, _SHEET[0] - x0 + _CUT, y))
    return drawing


def _marks(
    card: PaperCard, x: float, y: float, *, radius: float
) -> Iterator[Box | Line | Words | Code]:
    ink = card.foreground
    yield Box(x, y, WIDTH, HEIGHT, card.background, radius)
    code_x = x + WIDTH - _EDGE - _CODE_SIDE
    code_y = y + (HEIGHT - _CODE_SIDE) / 2
    yield Code(code_x, code_y, _CODE_SIDE, card.code)
    wide = code_x - x - 2 * _EDGE
    for row, line in enumerate(wrapped(card.programme, 5, wide, most=2)):
        yield Words(x + _EDGE, y + 11 + row * 6, 5, line, ink)
    for row, line in enumerate(wrapped(card.benefit, 2.8, wide, most=3)):
        yield Words(x + _EDGE, y + 25 + row * 3.8, 2.8, line, ink)
    if card.holder:
        text, size = fitting(card.holder, 3.4, wide, smallest=2.4)
        yield Words(x + _EDGE, y + HEIGHT - 9.5, size, text, ink)
    text, size = fitting(card.number, 2.6, wide, smallest=1.6)
    yield Words(x + _EDGE, y + HEIGHT - _EDGE, size, text, ink)
