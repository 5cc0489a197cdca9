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

    def of(self, face: CardFace) -> PassTemplate:
        """The template for `face`: pictures and string tables, hashed and deflated.

        Raises ImageError for an upload that cannot be used, FaceError for texts that collide.
        """
        stamps = stamps_on(face)
        with self._lock:
            template = self._found((face.look, None))
            return template if stamps is None else self._found((face.look, stamps))

    def _found(self, key: _Key) -> PassTemplate:
        template = self._kept.get(key)
        if template is None:
            look, stamps = key
            if stamps is None:
                template = PassTemplate({**apple.images(look), **strings.files(look)})
            else:
                template = PassTemplate(
                    apple.stamp_strips(look, stamps), base=self._found((look, None))
                )
            self._kept[key] = template
            if len(self._kept) > self._most_kept:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return template


def stamps_on(face: CardFace) -> int | None:
    """How many stamps are drawn into the picture of `face`; None on other cards."""
    if face.kind is not CardKind.STAMPS:
        return None
    field = face.field("stamps")
    return 0 if field is None else int(str(field.value).partition("/")[0])
