"""An answer of the ledger as a till shows it: points and tiers by their names, reasons told."""

from typing import Any

from app.ledger.explain import tell
from app.programmes import wording
from app.programmes.settings import Settings
from app.programmes.voices import Named, voice_of
from app.till.service import tier_name


def spoken(answer: dict[str, Any], programme: Named, settings: Settings) -> dict[str, Any]:
    """The ledger counts and gives codes; how that is said is the programme's business."""
    language = answer.get("language") or "en"
    told = dict(answer)
    told["explain"] = tell(answer["explain"], voice_of(programme, settings, language))
    told["tier"] = tier_name(settings, answer.get("tier"), language)
    standing = answer.get("standing")
    if standing is not None:
        label = wording.points_label(programme.points_names, standing["balance"], language)
        told["standing"] = {**standing, "points_label": label}
    return told
