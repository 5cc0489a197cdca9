"""How Google's side is: where the passes are, how long the waiting ones take, and the root keys."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.context import Context
from app.delivery.google.estimate import Estimate, estimate
from app.delivery.google.roots import address_of
from app.delivery.models import GooglePass, GoogleRootKeys
from app.delivery.status import status


class Whereabouts(StrEnum):
    """Where a card's pass is, as far as Google told us."""

    #: Its object is at Google, and nobody has saved it yet.
    OFFERED = "offered"
    #: It is in a customer's wallet.
    SAVED = "saved"
    #: The customer removed it.
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class GoogleState:
    """*offered*, *saved* and *removed* passes, as callbacks told; what waits, and for how long."""

    offered: int
    saved: int
    removed: int
    waiting: Estimate
    root_keys_from: str
    root_keys_fetched_at: datetime | None
    root_keys_error: str | None


def google_state(session: Session, context: Context) -> GoogleState:
    """The state of Google's side, in a session that is open for all programmes."""
    where = case(
        (GooglePass.removed_at.is_not(None), Whereabouts.REMOVED),
        (GooglePass.saved_at.is_not(None), Whereabouts.SAVED),
        else_=Whereabouts.OFFERED,
    )
    rows = session.execute(select(where, func.count()).group_by(where))
    found: dict[str, int] = {str(place): count for place, count in rows}
    config = context.config
    keys = session.get(GoogleRootKeys, address_of(config))
    return GoogleState(
        offered=found.get(Whereabouts.OFFERED, 0),
        saved=found.get(Whereabouts.SAVED, 0),
        removed=found.get(Whereabouts.REMOVED, 0),
        waiting=estimate(status(session)["google"]["behind"]),
        root_keys_from=str(config.google_root_keys or address_of(config)),
        root_keys_fetched_at=keys.fetched_at if keys else None,
        root_keys_error=keys.last_error if keys else None,
    )
