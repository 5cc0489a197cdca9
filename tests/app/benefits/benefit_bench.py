"""The ledger's bench with benefits: what is posted goes through `app.benefits`."""

import hashlib
import uuid
from datetime import datetime
from typing import Any

from counterfoil_tests_ledger_bench import Bench
from sqlalchemy import func, select

from app.benefits import service as benefits
from app.benefits.check import check
from app.benefits.models import Coupon, Grant
from app.clock import FixedClock
from app.db import Database
from app.ledger.postings import Circumstances, Merge, Operation, Posted, Request, Unmerge
from app.programmes.giving import RuledPromises
from app.programmes.models import ProgrammeVersion
from app.programmes.service import ALWAYS
from app.programmes.settings import settings_from_json
from app.programmes.terms import rulebook_of

SETTINGS = {
    "points": "1",
    "per_amount": "1",
    "stamps": [
        {"code": "coffee", "names": {"en": "Coffee card"}, "size": 10, "per": "rule"},
        {"code": "lunch", "names": {"en": "Lunch card"}, "size": 5, "per": "rule"},
        {
            "code": "tea",
            "names": {"en": "Tea card"},
            "size": 6,
            "per": "rule",
            "lasts_months": 1,
        },
    ],
    "rewards": [
        {"code": "free-coffee", "names": {"en": "Free coffee"}, "stamps": "coffee"},
        {"code": "free-lunch", "names": {"en": "Free lunch"}, "stamps": "lunch"},
        {"code": "mug", "names": {"en": "A mug"}, "points": 50, "stock": 2},
    ],
    "coupons": [
        {"code": "cake", "names": {"en": "A slice of cake"}},
        {"code": "week", "names": {"en": "A week's offer"}, "valid_days": 7},
    ],
}


class BenefitBench(Bench):
    """One programme, whose rules promise what `SETTINGS` say."""

    def __init__(self, database: Database, clock: FixedClock) -> None:
        super().__init__(database, clock)
        self.policy("allow_debt", number=1, valid_from=ALWAYS)

    def policy(self, policy: str, *, number: int = 2, valid_from: datetime | None = None) -> None:
        """What returns may do from now on."""
        settings = settings_from_json(SETTINGS | {"return_policy": policy})
        with self.database.write(self.programme_id) as session:
            session.add(
                ProgrammeVersion(
                    number=number,
                    valid_from=valid_from or self.clock.now,
                    settings=settings.as_json(),
                )
            )

    def post(
        self,
        operation: Operation,
        posting_id: str | None = None,
        *,
        occurred_at: datetime | None = None,
        late: bool = False,
        till_id: str | None = None,
    ) -> Posted:
        where = Circumstances(
            occurred_at or self.clock.now, late=late, actor_kind="till", till_id=till_id
        )
        request = self.request(operation, posting_id)
        now = self.clock.now
        with self.database.write(self.programme_id) as session:
            if isinstance(operation, Merge):
                return benefits.merge(session, request, operation, where, now=now, terms=self.terms)
            if isinstance(operation, Unmerge):
                return benefits.unmerge(
                    session, request, operation, where, now=now, terms=self.terms
                )
            promises = RuledPromises(rulebook_of(session, self.programme_id, now), now)
            return benefits.post(
                session, request, operation, where, promises, now=now, terms=self.terms
            )

    def redeem(
        self, account_id: str, order: Any, posting_id: str | None = None, **facts: Any
    ) -> Posted:
        body = repr((account_id, order))
        request = Request(
            posting_id or str(uuid.uuid4()), "redemption", self._mark(body), facts.get("till_id")
        )
        now = self.clock.now
        with self.database.write(self.programme_id) as session:
            promises = RuledPromises(rulebook_of(session, self.programme_id, now), now)
            return benefits.redeem(
                session,
                request,
                account_id,
                order,
                Circumstances(now, actor_kind="till", **facts),
                promises,
                now=now,
                terms=self.terms,
            )

    @staticmethod
    def _mark(body: str) -> bytes:
        return hashlib.sha256(body.encode()).digest()

    def tally(self, account_id: str, kind: str, what: str) -> int:
        with self.database.read(self.programme_id) as session:
            found = benefits.tallies(session, account_id, now=self.clock.now)
            return next((each.count for each in found if (each.kind, each.what) == (kind, what)), 0)

    def coupons(self, account_id: str, what: str) -> list[str]:
        """The states of the account's coupons of one kind, the oldest first."""
        with self.database.read(self.programme_id) as session:
            return list(
                session.scalars(
                    select(Coupon.status)
                    .where(Coupon.account_id == account_id, Coupon.what == what)
                    .join(Grant, Grant.coupon_id == Coupon.id)
                    .group_by(Coupon.id, Coupon.status)
                    .order_by(func.min(Grant.sequence))
                )
            )

    def open_coupons(self, account_id: str, what: str) -> list[str]:
        """Ids, so that they can be redeemed."""
        with self.database.read(self.programme_id) as session:
            found = benefits.coupons(session, account_id, now=self.clock.now)
            return [each.id for each in found if each.what == what]

    def any_coupon(self, account_id: str, what: str) -> str:
        """One that is open no longer, to try it all the same."""
        with self.database.read(self.programme_id) as session:
            found = benefits.coupons(session, account_id, now=self.clock.now, open_only=False)
            return next(each.id for each in found if each.what == what)

    def taken(self, what: str) -> int:
        with self.database.read(self.programme_id) as session:
            return benefits.stock_taken(session).get(what, 0)

    def sweep(self, limit: int = 100) -> int:
        done = super().sweep(limit)
        while True:
            with self.database.write_all() as session:
                piece = benefits.lapse(session, self.clock.now, limit)
            done += piece
            if piece == 0:
                return done

    def prove(self, account_id: str | None = None) -> None:
        super().prove(account_id)
        with self.database.read_all() as session:
            assert [str(difference) for difference in check(session)] == []
