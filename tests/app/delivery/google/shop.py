"""What tests of Google's side look at."""

from datetime import datetime
from typing import Any

from app.clock import FixedClock
from app.context import Context
from app.delivery.bringing import Senders, bring
from app.delivery.models import GooglePass
from app.demo.google import GoogleStandIn, Seen

ISSUER = "3388000000022000001"


def shown(google: GoogleStandIn, card: Any) -> dict[str, Any]:
    """The card's object as Google has it."""
    return google.objects[f"{ISSUER}.{card.serial_number}"]


def points(google: GoogleStandIn, card: Any) -> int:
    """The points that Google shows."""
    balance: int = shown(google, card)["loyaltyPoints"]["balance"]["int"]
    return balance


def patches(google: GoogleStandIn) -> list[dict[str, Any]]:
    """The bodies of all patches of objects."""
    return [seen.body or {} for seen in changes(google)]


def changes(google: GoogleStandIn) -> list[Seen]:
    """All patches of objects."""
    return [
        seen for seen in google.requests if seen.method == "PATCH" and "loyaltyObject" in seen.path
    ]


def deliver(context: Context, senders: Senders, *, now: datetime) -> int:
    """One step for Google alone: how much is no longer to be done."""
    step = bring(context, senders.google(), now=now)
    return step.done if step else 0


def issue_many(
    programme: Any, context: Context, senders: Senders, count: int, clock: FixedClock
) -> list[Any]:
    """Fresh cards whose objects delivery has made at Google, as after a promised link."""
    issued = [programme.issue() for _ in range(count)]
    now = clock()
    with context.database.write(programme.programme_id) as session:
        for card in issued:
            session.add(
                GooglePass(
                    card_id=card.id,
                    object_id=f"{ISSUER}.{card.serial_number}",
                    inserted_at=now,
                    wanted_version=2,
                    next_attempt_at=now,
                )
            )
    deliver(context, senders, now=now)
    return issued
