"""How a programme speaks: what it calls its points and tiers, in the reader's language."""

from functools import partial

from app.ledger.explain import Voice
from app.programmes import rules
from app.programmes.models import Programme
from app.programmes.rules import Settings


def voice_of(programme: Programme, settings: Settings, language: str) -> Voice:
    """The voice that tells reasons of *programme*; the tiers' names are those of *settings*.

    A tier without a name in that language is called as in English, else as in the first language
    that it has a name in, else by its code.
    """
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
    return rules.points_label(names, points, language)
