"""How a programme speaks: what it calls its points and tiers, in the reader's language."""

from functools import partial
from typing import Protocol

import msgspec

from app.ledger.explain import Voice
from app.programmes import wording
from app.programmes.settings import Settings


class Named(Protocol):
    """What a programme calls its points, and its zone."""

    @property
    def points_names(self) -> dict[str, dict[str, str]]:
        """By language and CLDR plural."""

    @property
    def time_zone(self) -> str:
        """An IANA zone."""


def voice_of(programme: Named, settings: Settings, language: str) -> Voice:
    """The voice that tells reasons of *programme*; the tiers' names are those of *settings*.

    A tier without a name in that language is called as in English, else as in the first language
    that it has a name in, else by its code.
    """
    tiers = settings.tiers.names if settings.tiers else {}
    named = msgspec.json.encode((programme.points_names, tiers))
    key = (language, programme.time_zone, named)
    voice = _voices.get(key)
    if voice is None:
        if len(_voices) >= _MOST_VOICES:
            _voices.clear()
        voice = _voices[key] = _new_voice(programme, settings, language)
    return voice


#: Those that spoke before, by all that makes them: each keeps what it has said.
_voices: dict[tuple[str, str, bytes], Voice] = {}
_MOST_VOICES = 64


def _new_voice(programme: Named, settings: Settings, language: str) -> Voice:
    tiers = {}
    if settings.tiers:
        for code, names in settings.tiers.names.items():
            tiers[code] = names.get(language) or names.get("en") or next(iter(names.values()), code)
    return Voice(
        language=language,
        time_zone=programme.time_zone,
        label=partial(_label, programme.points_names, language),
        tiers=tiers,
    )


def _label(names: dict[str, dict[str, str]], language: str, points: int) -> str:
    return wording.points_label(names, points, language)
