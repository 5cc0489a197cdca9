"""Enrolling by camera: the service's page shows a QR code with its address and the till's code."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from scanner.camera import sources_of
from scanner.errors import ScanError
from scanner.watch import Watch

# "counterfoil-till", the service's address, sixteen letters in four groups.
_FORM = re.compile(r"counterfoil-till (https?://[^\s]{1,300}) ([A-Z2-7]{4}(?:-[A-Z2-7]{4}){3})\Z")


class Invitation(NamedTuple):
    """Where to enrol, and with which code."""

    service: str
    code: str


def read_invitation(text: str) -> Invitation | None:
    """What a QR code says; None where it is another code."""
    found = _FORM.match(text)
    return Invitation(found[1], found[2]) if found else None


def wait_for_invitation(camera: str, decoder: str, say: Callable[[str], None]) -> Invitation:
    """Watch the camera until the service's page is held up to it. Raises CameraError, ScanError."""
    with Watch(sources_of(camera), decoder=decoder, on_change=say) as watch:
        for seen in watch:
            for mark in seen.marks:
                found = read_invitation(mark.text or "")
                if found is not None:
                    return found
    raise ScanError("The camera was closed.")
