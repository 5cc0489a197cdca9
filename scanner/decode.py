"""The libraries that find QR codes in a grey picture."""

from __future__ import annotations

import ctypes.util
from typing import NamedTuple, Protocol

import cv2
import numpy as np
import zxingcpp

from scanner.errors import DecoderError
from scanner.picture import Image

# Model 2 alone: the wider QRCode includes kinds that misread.
_MODEL_2 = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCodeModel2])

MAX_TEXT = 8000  # a QR code holds 7,089 characters at most

cv2.setNumThreads(1)  # one core for reading; the others belong to the shop's own till


class Found(NamedTuple):
    """A text and the corners of its code in pixels of the picture that was decoded."""

    text: str
    corners: tuple[tuple[float, float], ...]


class Decoder(Protocol):
    """A library that finds QR codes in a grey picture."""

    def __call__(self, picture: Image, *, black_and_white: bool) -> list[Found]:
        """Return the codes in `picture`; `black_and_white` where it holds only 0 and 255."""


def zxing(picture: Image, *, black_and_white: bool) -> list[Found]:
    """Decode with zxing-cpp."""
    binarizer = zxingcpp.Binarizer
    read = zxingcpp.read_barcodes(
        picture,
        _MODEL_2,
        binarizer=binarizer.FixedThreshold if black_and_white else binarizer.LocalAverage,
        text_mode=zxingcpp.TextMode.Plain,
    )
    found = []
    for code in read:
        if code.text and len(code.text) <= MAX_TEXT:
            p = code.position
            corners = (p.top_left, p.top_right, p.bottom_right, p.bottom_left)
            found.append(Found(code.text, tuple((q.x, q.y) for q in corners)))
    return found


def load_pyzbar() -> Decoder:
    """Return a decoder that uses zbar; raises DecoderError naming the library that is missing."""
    try:
        from pyzbar import pyzbar
    except ImportError:
        where = ctypes.util.find_library("zbar")
        raise DecoderError(
            "The decoder pyzbar needs the library libzbar, which "
            + ("does not load" if where else "is not installed")
            + ". On Debian and Ubuntu: apt install libzbar0; on macOS: brew install zbar. "
            "Or leave the decoder at zxing, which needs nothing."
        ) from None

    def decode(picture: Image, *, black_and_white: bool) -> list[Found]:
        found: list[Found] = []
        # zbar reads dark on light only; a phone in dark mode is the other way round.
        for shown in (picture, cv2.bitwise_not(picture)):
            for code in pyzbar.decode(np.asarray(shown), symbols=[pyzbar.ZBarSymbol.QRCODE]):
                text = code.data.decode("utf-8", "replace")
                if text and len(text) <= MAX_TEXT:
                    found.append(Found(text, tuple((p.x, p.y) for p in code.polygon)))
            if found:
                break
        return found

    return decode


def load_decoder(name: str) -> Decoder:
    """Return the decoder called `name` (zxing or pyzbar); raises DecoderError."""
    return load_pyzbar() if name == "pyzbar" else zxing
