"""What a programme's settings say of the worth of points, over time; for the liability report."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.ledger.reports.liability import Valuation
from app.programmes.models import ProgrammeVersion
from app.programmes.settings import settings_from_json


def valuations(session: Session, programme_id: str) -> tuple[Valuation, ...]:
    """What held and from when, in that order; versions that change neither are left out."""
    rows = session.execute(
        select(ProgrammeVersion.valid_from, ProgrammeVersion.settings)
        .where(ProgrammeVersion.programme_id == programme_id)
        .order_by(ProgrammeVersion.valid_from, ProgrammeVersion.number)
    )
    found: list[Valuation] = []
    for valid_from, data in rows:
        settings = settings_from_json(data)
        said = Valuation(valid_from, settings.point_value, settings.expected_redemption)
        if found and found[-1].since == valid_from:
            found.pop()  # Of several from the same moment the one that was published last holds.
        if not found or _worth(found[-1]) != _worth(said):
            found.append(said)
    return tuple(found) or (Valuation(),)


def _worth(valuation: Valuation) -> tuple[object, object]:
    return (valuation.point_value, valuation.expected_share)
