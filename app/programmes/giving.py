"""What a programme promises besides points, for `app.benefits`: by the rules of the day."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.benefits import service as benefits
from app.benefits.promises import COUPON, GIFT, STAMPS, Offer
from app.errors import CounterfoilError
from app.ledger import rules as ledger_rules
from app.ledger.postings import Circumstances, Operation, Posted, Request
from app.ledger.rules import ReturnPolicy
from app.programmes.mechanics.clubs import KIND as CLUB
from app.programmes.mechanics.clubs import Club
from app.programmes.mechanics.coupons import CouponKind
from app.programmes.mechanics.multipasses import KIND as ENTRIES
from app.programmes.mechanics.multipasses import Multipass
from app.programmes.mechanics.rewards import KIND as REWARD
from app.programmes.mechanics.rewards import Reward
from app.programmes.mechanics.stamps import StampCard
from app.programmes.settings import Settings
from app.programmes.terms import Rulebook

_log = logging.getLogger(__name__)

#: So long lasts a coupon that a rule names and the settings no longer have.
_FORGOTTEN_DAYS = 30


@dataclass(frozen=True, slots=True)
class RuledPromises:
    """The promises of a programme's versions. Names and policies are those that hold at *now*."""

    book: Rulebook
    now: datetime
    #: Coupons issued under these promises end no later; exclusive.
    coupons_until: datetime | None = None

    @property
    def settings(self) -> Settings:
        """The settings that hold now."""
        return self.book.at(self.now).settings

    @property
    def return_policy(self) -> ReturnPolicy:
        """What a return may do about what was used already."""
        return ReturnPolicy(self.settings.return_policy)

    @property
    def grace_days(self) -> int:
        """For how many days a coupon comes back whose last day is over."""
        return self.settings.grace_days

    @property
    def time_zone(self) -> str:
        """The programme's zone."""
        return self.book.time_zone

    def name(self, kind: str, what: str, language: str) -> str:
        """What a thing is called; by its code where the settings no longer have it."""
        settings = self.settings
        things: dict[str, tuple[StampCard | CouponKind | Reward | Multipass | Club, ...]] = {
            CLUB: settings.clubs,
            ENTRIES: settings.multipasses,
            STAMPS: settings.stamps,
            COUPON: settings.coupons,
            REWARD: settings.rewards,
            GIFT: settings.rewards,
        }
        for thing in things.get(kind, ()):
            if thing.code == what:
                return thing.name(language)
        return what

    def size(self, what: str) -> int | None:
        """How many stamps fill a card; None where there is no such card now."""
        return next((card.size for card in self.settings.stamps if card.code == what), None)

    def offer(self, what: str, at: datetime) -> Offer:
        """The coupon of that code as it was promised at that moment."""
        for settings in (self.book.at(min(at, self.now)).settings, self.settings):
            for coupon in settings.coupons:
                if coupon.code == what:
                    return offer_of(
                        coupon, at, time_zone=self.time_zone, expires_at=self.coupons_until
                    )
        forgotten = CouponKind(what, {"en": what}, valid_days=_FORGOTTEN_DAYS)
        return offer_of(forgotten, at, time_zone=self.time_zone)

    def lasts_until(self, kind: str, what: str, at: datetime) -> datetime | None:
        """Until when all of an account's *what* last once some were given at *at*."""
        counted: dict[str, tuple[StampCard | Multipass, ...]] = {
            STAMPS: self.settings.stamps,
            ENTRIES: self.settings.multipasses,
        }
        for each in counted.get(kind, ()):
            if each.code == what and each.lasts_months:
                return ledger_rules.expiry(at, time_zone=self.time_zone, months=each.lasts_months)
        return None


def offer_of(
    coupon: CouponKind,
    at: datetime,
    *,
    time_zone: str,
    valid_from: datetime | None = None,
    expires_at: datetime | None = None,
) -> Offer:
    """A coupon of that kind, issued at that moment; *expires_at* instead of its own, if given."""
    begins = valid_from or at
    if coupon.valid_from is not None:
        begins = max(begins, ledger_rules.start_of_day(coupon.valid_from, time_zone))
    ends = [expires_at] if expires_at is not None else []
    if not ends and coupon.valid_days is not None:
        ends.append(ledger_rules.expiry(begins, time_zone=time_zone, days=coupon.valid_days))
    if coupon.valid_to is not None:
        day_after = coupon.valid_to + timedelta(days=1)
        ends.append(ledger_rules.start_of_day(day_after, time_zone))
    return Offer(coupon.code, coupon.as_json(), begins, min(ends, default=None))


def post(
    session: Session,
    book: Rulebook,
    request: Request,
    operation: Operation,
    circumstances: Circumstances,
    *,
    now: datetime,
) -> Posted:
    """Post to the ledger, and let what follows besides points follow by the programme's rules."""
    return benefits.post(
        session,
        request,
        operation,
        circumstances,
        RuledPromises(book, now),
        now=now,
        terms=book.terms(now),
    )


def post_apart(
    session: Session,
    book: Rulebook,
    request: Request,
    operation: Operation,
    circumstances: Circumstances,
    *,
    now: datetime,
) -> Posted | None:
    """As `post`, for the background work: what the ledger refuses is logged, and None.

    Nothing of it is stored then, and it keeps nobody else from what is theirs.
    """
    try:
        with session.begin_nested():
            return post(session, book, request, operation, circumstances, now=now)
    except CounterfoilError as error:
        _log.warning("posting %s was refused: %s", request.id, error)
        return None
