"""The line that says what members get: how it is made of the rules, and since when it says so.

The owner writes it once, in words of their own. When a version that gives something else is
published, as another rate, a line made of it may take its place, from the moment on from which the
version holds, in each language. It stays below the owner's own line, which holds again when the
version is undone. The line of a pilot is said in its locations alone: on their posters and to
whoever joins there.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.errors import Invalid
from app.languages import LANGUAGES, _, ngettext, speaking
from app.ledger import writing
from app.programmes import wording
from app.programmes.models import Programme
from app.programmes.settings import Settings

LONGEST_LINE = 200
#: One that holds, and those of versions that are planned: earlier ones are over for good.
_MOST_KEPT = 8


def line(programme: Programme, language: str, now: datetime, location: str = "") -> str:
    """What members get, in *language* where it was written in it; in *location*, a slug, where one
    is named: something may be on trial there."""
    for kept in reversed(programme.benefit_lines):
        is_here = not kept["locations"] or location in kept["locations"]
        until = kept["until"]
        is_over = until is not None and datetime.fromisoformat(until) <= now
        if is_here and not is_over and datetime.fromisoformat(kept["from"]) <= now:
            texts: dict[str, str] = kept["texts"]
            return texts.get(language) or texts.get(LANGUAGES[0]) or next(iter(texts.values()))
    return programme.benefit


def offer(programme: Programme, before: Settings, after: Settings) -> dict[str, str]:
    """A line of what *after* gives, by language; empty where that stays as it was."""
    made = proposed(programme, after)
    return {} if made == proposed(programme, before) else made


def proposed(programme: Programme, settings: Settings) -> dict[str, str]:
    """A line of what *settings* give above all, by language; empty where there is none to make."""
    made = {}
    for language in LANGUAGES:
        with speaking(language):
            made[language] = _of_settings(programme, settings, language)
    return made if all(0 < len(text) <= LONGEST_LINE for text in made.values()) else {}


def _of_settings(programme: Programme, settings: Settings, language: str) -> str:
    """What is given for every purchase, in the language that is spoken."""
    if settings.points:
        return _of_rate(programme, settings, language)
    for card in settings.stamps:
        for reward in settings.rewards:
            if reward.stamps == card.code:
                return _of_stamps(card.size, reward.name(language))
    for discount in settings.discounts:
        shares = [step.percent for step in discount.scale] or [discount.percent]
        percent = writing.decimal_text(f"{max(shares).normalize():f}", language)
        clubs = {club.code: club for club in settings.clubs}
        for code in discount.tiers:
            if code in clubs:
                name = clubs[code].name(language)
                return _("%(club)s: %(percent)s %% off every purchase.", club=name, percent=percent)
        if len(shares) > 1:
            return _("Up to %(percent)s %% off every purchase.", percent=percent)
        return _("%(percent)s %% off every purchase.", percent=percent)
    return ""


def _of_stamps(size: int, reward: str) -> str:
    return ngettext(
        "Every %(num)d stamp: %(reward)s.", "Every %(num)d stamps: %(reward)s.", size, reward=reward
    )


def _of_rate(programme: Programme, settings: Settings, language: str) -> str:
    points, per = settings.points, settings.per_amount
    if points != points.to_integral_value():
        # "3 points for every 2 €" is read more easily than one and a half.
        above, below = (points / per).as_integer_ratio()
        points, per = Decimal(above), Decimal(below)
    minor = per.scaleb(wording.currency_exponent(programme.currency))
    return _(
        "%(points)s for every %(amount)s you spend.",
        points=wording.told(programme.points_names, int(points), language),
        amount=writing.money(minor, programme.currency, language),
    )


def take_over(
    programme: Programme,
    texts: Mapping[str, str],
    *,
    number: int,
    valid_from: datetime,
    locations: Collection[str] = (),
) -> None:
    """Say *texts* by language from *valid_from* on, as the version or pilot of that *number*
    begins; of a pilot in its *locations* (slugs). Raises `Invalid`."""
    said = {language: " ".join(texts.get(language, "").split()) for language in LANGUAGES}
    wrong = {
        f"line.{language}": [_("Write 1 to %(count)s characters.", count=LONGEST_LINE)]
        for language, text in said.items()
        if not 1 <= len(text) <= LONGEST_LINE or not text.isprintable()
    }
    if wrong:
        raise Invalid(_("Look at the line that customers read."), wrong)
    _keep(programme, said, number, valid_from, locations)


def pass_on(
    programme: Programme,
    number: int,
    *,
    to: int,
    valid_from: datetime,
    locations: Collection[str] = (),
) -> None:
    """What was said for the pilot *number* is said for the wider one that takes its place, or for
    the version that it becomes."""
    found = next((kept for kept in programme.benefit_lines if kept["version"] == number), None)
    if found is not None:
        over = found | {"until": valid_from.isoformat()}
        programme.benefit_lines = [
            over if kept is found else kept for kept in programme.benefit_lines
        ]
        _keep(programme, found["texts"], to, valid_from, locations)


def _keep(
    programme: Programme,
    texts: Mapping[str, str],
    number: int,
    valid_from: datetime,
    locations: Collection[str],
) -> None:
    kept: dict[str, Any] = {
        "version": number,
        "from": valid_from.isoformat(),
        "until": None,
        "texts": dict(texts),
        "locations": sorted(locations),
    }
    # As a new list: what is changed inside one is not noticed.
    programme.benefit_lines = [*programme.benefit_lines, kept][-_MOST_KEPT:]


def take_back(programme: Programme, number: int) -> None:
    """That version or pilot was undone: what was said before it is said again."""
    programme.benefit_lines = [
        kept for kept in programme.benefit_lines if kept["version"] != number
    ]
