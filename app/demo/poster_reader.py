"""What a camera would read off our poster: its SVG code, drawn and decoded."""

import re

import cv2
import numpy as np
import zxingcpp

from app.demo.checks import check

_RUN = re.compile(r"M(\d+) (\d+)h(\d+)v1")
_MODULE_PX = 8


def read_svg_code(svg: str) -> str:
    """The text of the QR code in *svg*. Raises `CheckFailed` where there is none to read."""
    code = svg[svg.rindex("<svg ") :]
    side = re.search(r'viewBox="0 0 (\d+) \d+"', code)
    check(side, "the poster has no code on it")
    assert side is not None  # noqa: S101 - said by the check above
    width = int(side[1]) * _MODULE_PX
    picture = np.full((width, width), 255, np.uint8)
    for x, y, run in _RUN.findall(code[code.rindex('d="') :]):
        left, top = int(x) * _MODULE_PX, int(y) * _MODULE_PX
        picture[top : top + _MODULE_PX, left : left + int(run) * _MODULE_PX] = 0
    found = zxingcpp.read_barcodes(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
    check(len(found) == 1, "the poster's code cannot be read")
    return str(found[0].text)
