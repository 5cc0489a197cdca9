"""The images of a pass: present, PNG, and of the sizes that Apple draws.

Source: developer.apple.com/design/human-interface-guidelines/wallet and the Wallet Developer
Guide, "Pass Design and Creation".
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator, Mapping

from PIL import Image

from passes.apple.preflight.finding import Finding, error, warning

_NAME = re.compile(
    r"(?:[^/]+\.lproj/)?(?P<kind>\w+?)(?:@(?P<scale>[23])x)?\.png", re.ASCII | re.IGNORECASE
)
_PNG_MARK = b"\x89PNG\r\n\x1a\n"
_MAX_SIDE_PX = 4096
# Points: at most this wide and high.
_AT_MOST = {
    "logo": (160, 50),
    "strip": (375, 144),
    "thumbnail": (90, 90),
    "background": (343, 503),
    "footer": (286, 15),
    "artwork": (358, 448),
    "primaryLogo": (126, 30),
    "secondaryLogo": (135, 12),
}
# Apple drew icons at 29 points for years and draws them at 38 now; both are square.
_ICON_POINTS = (29, 38)


def check_pictures(files: Mapping[str, bytes]) -> Iterator[Finding]:
    """Yield what is wrong with the images among `files` (name to bytes)."""
    if "icon.png" not in files:
        others = any(name in files for name in ("icon@2x.png", "icon@3x.png"))
        yield error(
            "icon_missing",
            "icon.png",
            "icon.png is missing." + (" Only larger ones are there." if others else ""),
            "Add icon.png (38×38 pixels), with icon@2x.png and icon@3x.png.",
        )
    elif "icon@2x.png" not in files:
        yield warning(
            "icon_coarse",
            "icon@2x.png",
            "icon@2x.png is missing: the icon looks coarse on every phone sold today.",
            "Add icon@2x.png (76×76 pixels) and icon@3x.png (114×114).",
        )
    for name, data in files.items():
        match = _NAME.fullmatch(name)
        if match:
            yield from _check(name, match["kind"], int(match["scale"] or 1), data)


def check_poster_artwork(files: Mapping[str, bytes]) -> Iterator[Finding]:
    """Yield what a poster lacks, to which `files` belong: it is nothing without its picture."""
    if not any(_NAME.fullmatch(name) and "artwork" in name for name in files):
        yield warning(
            "artwork_missing",
            "artwork@2x.png",
            "A poster has no artwork.png: iOS 27 has no picture to fill it with.",
            "Add artwork.png (358×448 pixels), with artwork@2x.png and artwork@3x.png.",
        )


def _check(name: str, kind: str, scale: int, data: bytes) -> Iterator[Finding]:
    size = _png_size(data)
    if size is None:
        yield error(
            "image_not_png",
            name,
            f"{name} is not a whole PNG picture.",
            "Save it as PNG; renaming another format is not enough.",
        )
        return
    width, height = size
    shown = f"{name} has {width}×{height} pixels"
    if kind == "icon":
        if width != height or width not in {points * scale for points in _ICON_POINTS}:
            side = _ICON_POINTS[-1] * scale
            yield error(
                "image_size", name, f"{shown}; an icon is square.", f"Make it {side}×{side} pixels."
            )
    elif kind in _AT_MOST:
        most = (_AT_MOST[kind][0] * scale, _AT_MOST[kind][1] * scale)
        if width > most[0] or height > most[1]:
            yield error(
                "image_size",
                name,
                f"{shown}, more than the {most[0]}×{most[1]} that it is drawn in.",
                f"Make it at most {most[0]}×{most[1]} pixels.",
            )
        elif kind in ("strip", "artwork") and width < most[0]:
            yield warning(
                "image_small",
                name,
                f"{shown} and is stretched to {most[0]} pixels of width.",
                f"Make it {most[0]}×{most[1]} pixels.",
            )


def _png_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG whose chunks are whole, or None."""
    if not data.startswith(_PNG_MARK) or len(data) < 33 or data[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", data[16:24])
    if not 0 < width <= _MAX_SIDE_PX or not 0 < height <= _MAX_SIDE_PX:
        # Still told by its size; not opened, since it may be made to exhaust us.
        return width, height
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            image.verify()
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error):
        return None
    return width, height
