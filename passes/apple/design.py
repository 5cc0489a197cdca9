"""The files that all passes of a design share, laid out once and kept."""

from __future__ import annotations

import threading
from collections import OrderedDict

from passes.apple import strings
from passes.apple.bundle import PassTemplate
from passes.artwork import apple
from passes.card import CardFace, CardKind, Look

#: A design takes some hundreds of kilobytes, one of a stamp card that for each number of stamps.
MOST_KEPT = 128

_Key = tuple[Look, int | None]


class Designs:
    """Templates by design, the ones used longest ago forgotten. Safe to share between threads."""

    def __init__(self, most_kept: int = MOST_KEPT) -> None:
        self._most_kept = most_kept
        self._kept: OrderedDict[_Key, PassTemplate] = OrderedDict()
        self._lock = threading.Lock()
        # Drawing takes long: only those who wait for a new design wait for it.
        self._laying_out = threading.Lock()

    def of(self, face: CardFace) -> PassTemplate:
        """The template for `face`: pictures and string tables, hashed and deflated.

        Raises ImageError for an upload that cannot be used, FaceError for texts that collide.
        """
        key = (face.look, stamps_on(face))
        found = self._find(key)
        if found is None:
            with self._laying_out:
                found = self._find(key) or self._lay_out(key)
        return found

    def find(self, face: CardFace) -> PassTemplate | None:
        """The same, if it is laid out already."""
        return self._find((face.look, stamps_on(face)))

    def _find(self, key: _Key) -> PassTemplate | None:
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def _lay_out(self, key: _Key) -> PassTemplate:
        look, stamps = key
        if stamps is None:
            made = PassTemplate({**apple.images(look), **strings.files(look)})
        else:
            base = self._find((look, None)) or self._lay_out((look, None))
            made = PassTemplate(apple.stamp_strips(look, stamps), base=base)
        with self._lock:
            self._kept[key] = made
            if len(self._kept) > self._most_kept:
                self._kept.popitem(last=False)
        return made


def stamps_on(face: CardFace) -> int | None:
    """How many stamps are drawn into the picture of `face`; None on other cards."""
    if face.kind is not CardKind.STAMPS:
        return None
    field = face.field("stamps")
    return 0 if field is None else int(str(field.value).partition("/")[0])
