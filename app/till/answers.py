"""An answer of the ledger as a till shows it: points and tiers by their names, reasons told."""

from typing import Any, Protocol

from app.ledger.explain import tell
from app.programmes import rules
from app.programmes.rules import Settings
from app.programmes.voices import voice_of
from app.till.service import tier_name


class Named(Protocol):
    """What a programme calls its points, and its zone."""

    @property
    def points_names(self) -> dict[str, dict[str, str]]: ...

    @property
    def time_zone(self) -> str: ...


def spoken(answer: dict[str, Any], programme: Named, settings: Settings) -> dict[str, Any]:
    """The ledger counts and gives codes; how that is said is the programme's business."""
    language = answer.get("language") or "en"
    told = dict(answer)
    told["explain"] = tell(answer["explain"], voice_of(programme, settings, language))
    told["tier"] = tier_name(settings, answer.get("tier"), language)
    standing = answer.get("standing")
    if standing is not None:
        label = rules.points_label(programme.points_names, standing["balance"], language)
        told["standing"] = {**standing, "points_label": label}
    return told
