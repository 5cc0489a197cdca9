"""Whether a colour can be read on another, and the nearest one that can. Pure.

Sources: WCAG 2.2, "relative luminance" and "contrast ratio"; Björn Ottosson, "A perceptual color
space for image processing" (OKLab), for what is near to the eye.
"""

from __future__ import annotations

from dataclasses import dataclass

from passes.card import rgb

#: WCAG 2.2 AA for text.
TEXT = 4.5
#: The same for what is no text.
SHAPE = 3.0
_STEPS = 512

Lab = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Judged:
    """How a text stands out of its ground: the ratio, and better colours where it is too low.

    `text` would be read on the ground as it is, `ground` would let the text as it is be read.
    """

    ratio: float
    text: str | None = None
    ground: str | None = None

    @property
    def passes(self) -> bool:
        """Whether it can be read."""
        return self.text is None


def ratio(one: str, other: str) -> float:
    """The contrast of two colours, 1 to 21. Raises ValueError for what is no colour."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def judged(text: str, ground: str, least: float = TEXT) -> Judged:
    """Whether `text` can be read on `ground`. Raises ValueError for what is no colour."""
    found = ratio(text, ground)
    if found >= least:
        return Judged(found)
    return Judged(found, nearest(text, ground, least), nearest(ground, text, least))


def nearest(colour: str, ground: str, least: float = TEXT) -> str:
    """The colour of the same hue nearest to `colour` that has the contrast `least` on `ground`.

    Black or white, whichever stands out more, where `ground` lets nothing else pass.
    """
    if ratio(colour, ground) >= least:
        return colour
    own = _lab(colour)
    found: tuple[float, str] | None = None
    for step in range(_STEPS + 1):
        lightness = step / _STEPS
        made = _hex((lightness, *_faded(own, lightness)))
        if ratio(made, ground) < least:
            continue
        distance = _distance(own, _lab(made))
        if found is None or distance < found[0]:
            found = (distance, made)
    if found is None:
        return max(("#000000", "#ffffff"), key=lambda each: ratio(each, ground))
    return found[1]


def ink_on(ground: str) -> str:
    """Black or white, whichever is easier to read on `ground`."""
    return "#ffffff" if ratio("#ffffff", ground) >= ratio("#1f1f1f", ground) else "#1f1f1f"


def mixed(one: str, other: str, share: float) -> str:
    """`one` with `share` (0 to 1) of `other` in it."""
    pairs = zip(rgb(one), rgb(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(part / 255) for part in rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _lab(colour: str) -> Lab:
    red, green, blue = (_linear(part / 255) for part in rgb(colour))
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _hex(lab: Lab) -> str:
    long = (lab[0] + 0.3963377774 * lab[1] + 0.2158037573 * lab[2]) ** 3
    middle = (lab[0] - 0.1055613458 * lab[1] - 0.0638541728 * lab[2]) ** 3
    short = (lab[0] - 0.0894841775 * lab[1] - 1.2914855480 * lab[2]) ** 3
    parts = (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )
    return "#" + "".join(f"{round(255 * _gamma(part)):02x}" for part in parts)


def _gamma(part: float) -> float:
    part = min(1.0, max(0.0, part))
    return 12.92 * part if part <= 0.0031308 else float(1.055 * part ** (1 / 2.4) - 0.055)


def _faded(own: Lab, lightness: float) -> tuple[float, float]:
    """The hue of `own` at another lightness: very light and very dark colours have little of it."""
    room = min(1.0, 4 * lightness, 4 * (1 - lightness))
    return own[1] * room, own[2] * room


def _distance(one: Lab, other: Lab) -> float:
    return float(sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5)
