"""What a campaign gives besides its words: points, coupons, rewards; and what it costs the shop."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy.orm import Session

from app.campaigns.choosing import gift_id
from app.campaigns.models import Campaign
from app.campaigns.plans import Plan
from app.languages import _, speaking
from app.ledger import rules as ledger_rules
from app.ledger import service as ledger
from app.ledger.postings import Adjust, Circumstances, Given, Operation, Present, Request
from app.programmes import giving
from app.programmes.mechanics.coupons import CouponKind
from app.programmes.mechanics.rewards import Reward
from app.programmes.settings import Settings
from app.programmes.terms import rulebook_of
from app.programmes.wording import currency_exponent

_OPERATION = "campaign"


def gives(plan: Plan) -> bool:
    """Whether there is anything to be given."""
    return bool(plan.content.points or plan.content.gives)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one recipient gets of one thing, and what that costs the shop at most, in minor units;
    *each_minor* None: nobody said, and the thing's own terms do not tell."""

    kind: str
    what: str
    count: int
    each_minor: int | None

    @property
    def minor(self) -> int:
        """What all of it costs for one recipient."""
        return self.count * (self.each_minor or 0)


POINTS = "points"


def costs(plan: Plan, settings: Settings, currency: str) -> list[Cost]:
    """What one recipient's gifts cost, each: points at what one of them is worth; things at what
    the marketer said that one costs, else at what their own terms say that they are worth."""
    found = []
    if plan.content.points:
        worth = _minor(plan.content.points * settings.point_value, currency)
        found.append(Cost(POINTS, "", 1, worth))
    said = plan.content.thing_cost_minor or None
    for kind, what, count in plan.content.gives:
        found.append(Cost(kind, what, count, said or _worth(kind, what, settings, currency)))
    return found


def cost_each_minor(plan: Plan, settings: Settings, currency: str) -> int:
    """What one recipient's gifts cost the shop at most, in minor units; see `costs`."""
    return sum(each.minor for each in costs(plan, settings, currency))


def _worth(kind: str, what: str, settings: Settings, currency: str) -> int | None:
    """What one thing is worth by its terms: money off by its amount, a reward by its points."""
    things: dict[str, tuple[CouponKind | Reward, ...]] = {
        "coupon": settings.coupons,
        "gift": settings.rewards,
    }
    thing = next((each for each in things.get(kind, ()) if each.code == what), None)
    if thing is None:
        return None
    if thing.amount is not None:
        return _minor(thing.amount, currency)
    points = (thing.points or thing.points_from) if isinstance(thing, Reward) else None
    return None if points is None else _minor(points * settings.point_value, currency)


def _minor(major: Decimal, currency: str) -> int:
    scaled = major.scaleb(currency_exponent(currency))
    return int(scaled.quantize(Decimal(1), ROUND_HALF_UP))


def give(
    session: Session,
    campaign: Campaign,
    plan: Plan,
    account_id: str,
    occasion: str,
    language: str,
    *,
    now: datetime,
) -> None:
    """Give one account what the campaign gives, once; what the ledger refuses is logged there."""
    if not gives(plan):
        return
    book = rulebook_of(session, campaign.programme_id, now)
    # The member reads it in the card's history; the campaign's name is for the shop alone.
    with speaking(language):
        reason = (plan.content.article.get(language) or (_("A present"),))[0]
    operations: dict[str, Operation] = {}
    if plan.content.points:
        expires_at = None
        if plan.content.points_last_days:
            expires_at = ledger_rules.expiry(
                now, time_zone=book.time_zone, days=plan.content.points_last_days
            )
        operations["points"] = Adjust(
            account_id,
            plan.content.points,
            reason,
            available_from=now,
            expires_at=expires_at,
        )
    if plan.content.gives:
        given = tuple(
            Given(kind, what, count, f"campaign {campaign.id}")
            for kind, what, count in plan.content.gives
        )
        operations["things"] = Present(account_id, given, reason)
    for what, operation in operations.items():
        posting_id = gift_id(campaign.id, account_id, occasion, what)
        mark = ledger.fingerprint(
            campaign.programme_id, None, _OPERATION, {"id": posting_id, "what": what}
        )
        where = Circumstances(now, language=language)
        request = Request(posting_id, _OPERATION, mark)
        giving.post_apart(session, book, request, operation, where, now=now)
