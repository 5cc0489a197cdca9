"""What stands on a piece of paper, in millimetres from its upper left corner."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

FONT = "DejaVuSans"
FONT_FILE = Path(__file__).parent / "fonts/DejaVuSans.ttf"
POINT_MM = 25.4 / 72


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle; *radius* rounds its corners. Without *fill* it is an outline."""

    x: float
    y: float
    width: float
    height: float
    fill: str | None
    radius: float = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A thin line, such as a mark to cut along."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True)
class Words:
    """One line of text: *y* is its baseline, *size* the height of its type."""

    x: float
    y: float
    size: float
    text: str
    fill: str
    anchor: str = "start"


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code with its white margin."""

    x: float
    y: float
    side: float
    text: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A page of *width* by *height*."""

    width: float
    height: float
    marks: list[Box | Line | Words | Code] = field(default_factory=list)


def width_of(text: str, size: float) -> float:
    """How wide a line of text is, in millimetres, at a type of *size* millimetres."""
    _font()
    return float(pdfmetrics.stringWidth(text, FONT, size))


def fitting(text: str, size: float, width: float, *, smallest: float) -> tuple[str, float]:
    """The text and a size at which it fits into *width*; shortened where it would be too small."""
    text = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    wide = width_of(text, size)
    if wide <= width:
        return text, size
    smaller = size * width / wide
    if smaller >= smallest:
        return text, smaller
    while text and width_of(text + "…", smallest) > width:
        text = text[:-1].rstrip()
    return text + "…", smallest


def wrapped(text: str, size: float, width: float, *, most: int) -> list[str]:
    """The text in at most *most* lines that fit into *width*; the last one shortened."""
    lines: list[str] = []
    for word in text.split():
        if lines and width_of(f"{lines[-1]} {word}", size) <= width:
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(word)
    if len(lines) > most:
        lines = [*lines[: most - 1], " ".join(lines[most - 1 :])]
    return [fitting(line, size, width, smallest=size)[0] for line in lines]


@cache
def _font() -> None:
    pdfmetrics.registerFont(TTFont(FONT, str(FONT_FILE)))
