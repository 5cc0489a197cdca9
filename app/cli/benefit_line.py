"""The line that customers read, where a command changes the rate that it may speak of."""

from collections.abc import Collection
from datetime import datetime

import click

from app.languages import LANGUAGES
from app.programmes import benefit
from app.programmes.models import Programme
from app.programmes.settings import Settings

line_option = click.option(
    "--line",
    "takes_line",
    is_flag=True,
    help="Have customers read a line made of the new rate from then on, in each language.",
)


def follow_rate(
    programme: Programme,
    before: Settings,
    after: Settings,
    *,
    takes_line: bool,
    number: int,
    valid_from: datetime,
    now: datetime,
    locations: Collection[str] = (),
) -> str:
    """Change the line as *takes_line* asks, and say what customers read; "" where nothing is asked
    and the rate stays."""
    texts = benefit.offer(programme, before, after)
    if not texts:
        return "The rate stays, and so does the line that customers read." if takes_line else ""
    if takes_line:
        benefit.take_over(
            programme, texts, number=number, valid_from=valid_from, locations=locations
        )
        return f"Customers read from then on: {texts[LANGUAGES[0]]}"
    said = benefit.line(programme, LANGUAGES[0], now)
    return f"Customers still read: {said or 'nothing'} (with --line they read of the new rate)"
