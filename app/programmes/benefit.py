"""The line that says what members get: how it is made of the rate, and since when it says so.

The owner writes it once, in words of their own. When a version with another rate is published, a
line made of the rate may take its place, from the moment on from which the version holds, in each
language. It stays below the owner's own line, which holds again when the version is undone.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from app.errors import Invalid
from app.languages import LANGUAGES, _, speaking
from app.ledger import writing
from app.programmes import wording
from app.programmes.models import Programme
from app.programmes.settings import Settings

LONGEST_LINE = 200
#: One that holds, and those of versions that are planned: earlier ones are over for good.
_MOST_KEPT = 8


def line(programme: Programme, language: str, now: datetime) -> str:
    """What members get, in *language* where it was written in it."""
    for kept in reversed(programme.benefit_lines):
        if datetime.fromisoformat(kept["from"]) <= now:
            texts: dict[str, str] = kept["texts"]
            return texts.get(language) or texts.get(LANGUAGES[0]) or next(iter(texts.values()))
    return programme.benefit


def offer(programme: Programme, before: Settings, after: Settings) -> dict[str, str]:
    """A line of the rate of *after* by language; empty where the rate stays as it was."""
    if not after.points or (before.points, before.per_amount) == (after.points, after.per_amount):
        return {}
    return {language: _of_rate(programme, after, language) for language in LANGUAGES}


def _of_rate(programme: Programme, settings: Settings, language: str) -> str:
    points, per = settings.points, settings.per_amount
    if points != points.to_integral_value():
        # "3 points for every 2 €" is read more easily than one and a half.
        above, below = (points / per).as_integer_ratio()
        points, per = Decimal(above), Decimal(below)
    minor = per.scaleb(wording.currency_exponent(programme.currency))
    with speaking(language):
        return _(
            "%(points)s for every %(amount)s you spend.",
            points=wording.told(programme.points_names, int(points), language),
            amount=writing.money(minor, programme.currency, language),
        )


def take_over(
    programme: Programme, texts: Mapping[str, str], *, version: int, valid_from: datetime
) -> None:
    """Say *texts* by language from *valid_from* on, as *version* begins. Raises `Invalid`."""
    said = {language: " ".join(texts.get(language, "").split()) for language in LANGUAGES}
    wrong = {
        f"line.{language}": [_("Write 1 to %(count)s characters.", count=LONGEST_LINE)]
        for language, text in said.items()
        if not 1 <= len(text) <= LONGEST_LINE or not text.isprintable()
    }
    if wrong:
        raise Invalid(_("Look at the line that customers read."), wrong)
    kept = {"version": version, "from": valid_from.isoformat(), "texts": said}
    # As a new list: what is changed inside one is not noticed.
    programme.benefit_lines = [*programme.benefit_lines, kept][-_MOST_KEPT:]


def take_back(programme: Programme, version: int) -> None:
    """*version* was undone: what was said before it is said again."""
    programme.benefit_lines = [
        kept for kept in programme.benefit_lines if kept["version"] != version
    ]
