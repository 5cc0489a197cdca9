"""Lets a history that was made at once be one that was lived through: the background work added its
rows up on the days on which they came, not all of them while something is measured."""

from datetime import UTC, datetime

from sqlalchemy import func, select

from app.cards.models import Card
from app.context import Context
from app.figures.models import FiguresMark
from app.insight import folding
from app.insight.models import InsightMark
from app.ledger.models import Entry, TierChange


def note_added_up(context: Context, programme_id: str) -> None:
    """Let figures and insight go on from here. Their sums of the days before stay empty: nothing
    that is measured reads them."""
    with context.database.write_all() as session:
        entries = session.scalar(select(func.max(Entry.sequence))) or 0
        changes = session.scalar(select(func.max(TierChange.sequence))) or 0
        for source, until in (
            (folding.POINTS, entries),
            (folding.VISITS, entries),
            (folding.TIERS, changes),
        ):
            session.add(InsightMark(source=source, until=until, seen=until))
        last = session.execute(
            select(Card.issued_at, Card.id).order_by(Card.issued_at.desc(), Card.id.desc()).limit(1)
        ).one()
        session.add(FiguresMark(source="entries", sequence=entries))
        session.add(
            FiguresMark(source=f"cards {programme_id}", moment=last.issued_at, row_id=last.id)
        )
    # What is left is to count the members.
    with context.database.write_all() as session:
        folding.step(session, datetime.now(UTC))
