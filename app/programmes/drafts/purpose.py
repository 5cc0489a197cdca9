"""What a programme is for: its goal, its key benefit, its margin; and how far its set-up is."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import programme_of
from app.errors import Invalid
from app.languages import _
from app.programmes.drafts.models import ProgrammePurpose
from app.programmes.fields import Wrong, decimal
from app.programmes.models import Programme


class Goal(StrEnum):
    """What the owner wants of the programme."""

    COME_BACK = "come_back"
    SPEND_MORE = "spend_more"
    STAY = "stay"
    RECOMMEND = "recommend"
    KNOW = "know"


class Benefit(StrEnum):
    """What members are to have of it, above all."""

    FREE_ITEM = "free_item"
    POINTS = "points"
    DISCOUNT = "discount"
    MEMBERSHIP = "membership"


#: The steps of the set-up, in their order.
STEPS = ("goal", "benefit", "margin", "template", "look", "location", "card")
_MARGIN = decimal(100, decimals=2)
_CHOICES: Mapping[str, type[StrEnum]] = {"goal": Goal, "benefit": Benefit}


def look(session: Session) -> ProgrammePurpose | None:
    """What was said of the programme, if anything was."""
    return session.scalar(select(ProgrammePurpose))


def say(
    session: Session, facts: Mapping[str, Any], *, by: str | None = None, now: datetime
) -> ProgrammePurpose:
    """Keep *facts*: goal, benefit, margin (percent of a sale, as text), template. Raises `Invalid`
    by field."""
    read: dict[str, str] = {}
    wrong: dict[str, list[str]] = {}
    for name, value in facts.items():
        if name in _CHOICES:
            if value not in list(_CHOICES[name]):
                wrong[name] = [_("Choose one of them.")]
            read[name] = str(value)
        elif name == "margin":
            try:
                read[name] = f"{_MARGIN(value).normalize():f}"
            except Wrong:
                wrong[name] = [_("Give a number above zero up to 100, such as 30 or 12.5.")]
        else:
            read[name] = str(value)[:20]
    if wrong:
        raise Invalid(_("Something is still missing."), wrong)
    row = _row(session, now)
    for name, value in read.items():
        setattr(row, name, value)
    _mark(row, by, now)
    session.flush()
    return row


def done(session: Session, step: str, *, by: str | None = None, now: datetime) -> ProgrammePurpose:
    """Mark a step of the set-up as done; with the last one it is finished."""
    row = _row(session, now)
    row.steps = [each for each in STEPS if each == step or each in row.steps]
    if step == STEPS[-1] and row.finished_at is None:
        row.finished_at = now
    _mark(row, by, now)
    session.flush()
    return row


def next_step(row: ProgrammePurpose | None) -> str:
    """Where the set-up goes on."""
    return next((each for each in STEPS if row is None or each not in row.steps), STEPS[-1])


def margin_of(row: ProgrammePurpose | None) -> Decimal | None:
    """The margin in percent of a sale, if it was said."""
    return None if row is None or row.margin is None else Decimal(row.margin)


def _row(session: Session, now: datetime) -> ProgrammePurpose:
    session.get(Programme, programme_of(session), with_for_update={"key_share": True})
    row = look(session)
    if row is None:
        row = ProgrammePurpose(began_at=now, steps=[], changed_at=now)
        session.add(row)
    return row


def _mark(row: ProgrammePurpose, by: str | None, now: datetime) -> None:
    row.changed_at, row.changed_by = now, by
