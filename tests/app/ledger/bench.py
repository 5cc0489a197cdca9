"""Short ways to post to the ledger, and the proof after each that its books are right."""

import hashlib
import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select

from app.clock import FixedClock
from app.db import Database
from app.ledger import by_hand, service
from app.ledger.check import check
from app.ledger.facts import kept_of
from app.ledger.grounds import Kept
from app.ledger.models import Account, EarningDay, Entry, EntryKind, Lot, TierChange
from app.ledger.postings import (
    Accrue,
    Adjust,
    Capture,
    Circumstances,
    HoldPoints,
    Operation,
    Posted,
    Release,
    Request,
    Reverse,
    Terms,
    Value,
)
from app.ledger.reports.settlement import settlement
from app.ledger.rules import Standing
from app.programmes.models import Programme
from app.programmes.partners import add_partner

QUARTER_OF_AN_HOUR = timedelta(minutes=15)


def accrual(
    account_id: str,
    points: int,
    available_from: datetime | None,
    *,
    amount_minor: int | None = None,
    **facts: Any,
) -> Accrue:
    """An accrual of so many points for as many euros."""
    valued = {name: facts.pop(name) for name in Value.__slots__ if name in facts}
    return Accrue(
        account_id=account_id,
        amount_minor=points * 100 if amount_minor is None else amount_minor,
        currency="EUR",
        value=Value(points, available_from, **valued),
        **facts,
    )


class Bench:
    """One programme in an empty database."""

    def __init__(self, database: Database, clock: FixedClock) -> None:
        self.database = database
        self.clock = clock
        self.programme_id = str(uuid.uuid4())
        self.terms = Terms()
        with database.write_all() as session:
            session.add(
                Programme(
                    id=self.programme_id,
                    slug=f"corner-{self.programme_id[:8]}",
                    name="Corner",
                    benefit="Every tenth coffee",
                    points_names={"en": {"one": "bean", "other": "beans"}},
                    colours={},
                    time_zone="Europe/Riga",
                    currency="EUR",
                    created_at=clock.now,
                )
            )

    accrual = staticmethod(accrual)

    def kept(self, posting_id: str) -> Kept:
        """What is kept of the receipt of an accrual."""
        with self.database.read(self.programme_id) as session:
            receipt_id = session.scalar(
                select(Entry.receipt_id).where(
                    Entry.posting_id == posting_id, Entry.kind == EntryKind.ACCRUAL
                )
            )
            assert receipt_id is not None
            return kept_of(session, receipt_id)

    def account(self) -> str:
        with self.database.write(self.programme_id) as session:
            return service.open_account(session, now=self.clock.now).id

    def request(self, operation: Operation, posting_id: str | None = None) -> Request:
        body = hashlib.sha256(repr(operation).encode()).digest()
        return Request(posting_id or str(uuid.uuid4()), type(operation).__name__.lower(), body)

    def post(
        self,
        operation: Operation,
        posting_id: str | None = None,
        *,
        occurred_at: datetime | None = None,
        late: bool = False,
        till_id: str | None = None,
    ) -> Posted:
        circumstances = Circumstances(
            occurred_at or self.clock.now, late=late, actor_kind="till", till_id=till_id
        )
        with self.database.write(self.programme_id) as session:
            return service.post(
                session,
                self.request(operation, posting_id),
                operation,
                circumstances,
                now=self.clock.now,
                terms=self.terms,
            )

    def earn(self, account_id: str, points: int, **facts: Any) -> str:
        """An accrual of so many points for as many euros; the id of its posting."""
        facts = {"available_from": self.clock.now, **facts}
        return self._id(accrual(account_id, points, **facts))

    def adjust(self, account_id: str, points: int, **facts: Any) -> str:
        return self._id(Adjust(account_id, points, "for the test", **facts))

    def hold(self, account_id: str, points: int, **facts: Any) -> str:
        facts = {"expires_at": self.clock.now + QUARTER_OF_AN_HOUR, **facts}
        return self._id(HoldPoints(account_id, points, **facts))

    def capture(self, hold_id: str) -> str:
        return self._id(Capture(hold_id))

    def release(self, hold_id: str) -> str:
        return self._id(Release(hold_id))

    def spend(self, account_id: str, points: int, **facts: Any) -> str:
        """Hold and capture; the id of the capture, which is the redemption's."""
        return self.capture(self.hold(account_id, points, **facts))

    def reverse(self, posting_id: str, **facts: Any) -> str:
        return self._id(Reverse(posting_id, **facts))

    def _id(self, operation: Operation) -> str:
        posting_id: str = self.post(operation).answer["posting_id"]
        return posting_id

    def sweep(self, limit: int = 100) -> int:
        """Every background step until nothing is left to do; how much was done."""
        done = 0
        for step in (
            service.review_tiers,
            service.release_lapsed_holds,
            service.release_pending,
            service.expire_lots,
        ):
            while True:
                with self.database.write_all() as session:
                    piece = step(session, self.clock.now, limit, lambda _: self.terms)
                done += piece
                if piece == 0:
                    break
        return done

    def partner(self, name: str) -> str:
        """The id of a new partner."""
        with self.database.write(self.programme_id) as session:
            return add_partner(session, self.programme_id, name=name, now=self.clock.now).id

    def lift(self, account_id: str, tier: str, until: datetime) -> None:
        """Give the account a tier by hand, until that moment."""
        with self.database.write(self.programme_id) as session:
            by_hand.lift_tier(
                session,
                account_id,
                tier,
                until,
                note="for the test",
                circumstances=Circumstances(self.clock.now),
                now=self.clock.now,
                terms=self.terms,
            )

    def settled(self) -> dict[str | None, int]:
        """What each partner gets (below zero: pays) in points; nothing is left over in all."""
        with self.database.read(self.programme_id) as session:
            report = settlement(session, None, self.clock.now + timedelta(seconds=1))
            assert sum(net.points for net in report.nets) == 0
            return {net.partner: net.points for net in report.nets}

    def changes(self, account_id: str) -> list[TierChange]:
        """What became of the account's tier, as it was written."""
        with self.database.read(self.programme_id) as session:
            found = select(TierChange).where(TierChange.account_id == account_id)
            return list(session.scalars(found.order_by(TierChange.sequence)))

    def counted(self, account_id: str) -> tuple[int, int]:
        """The points and the money (minor units) that all days of the account count."""
        with self.database.read(self.programme_id) as session:
            points, spent = session.execute(
                select(
                    func.coalesce(func.sum(EarningDay.points), 0),
                    func.coalesce(func.sum(EarningDay.spend_minor), 0),
                ).where(EarningDay.account_id == account_id)
            ).one()
            return int(points), int(spent)

    def standing(self, account_id: str) -> Standing:
        with self.database.read(self.programme_id) as session:
            return service.standing(session, account_id, now=self.clock.now, terms=self.terms)

    def lots(self, account_id: str) -> list[tuple[int, datetime | None]]:
        """What is left of the account's lots and until when, in draw order."""
        expires_at = case((Lot.rolling, Account.rolling_expires_at), else_=Lot.expires_at)
        with self.database.read(self.programme_id) as session:
            rows = session.execute(
                select(Lot.remaining, expires_at)
                .join(Account, Account.id == Lot.account_id)
                .where(Lot.account_id == account_id, Lot.remaining > 0)
                .order_by(expires_at.is_(None), expires_at, Lot.sequence)
            )
            return [(remaining, moment) for remaining, moment in rows]

    def row(self, account_id: str) -> Account:
        with self.database.read(self.programme_id) as session:
            return session.scalars(select(Account).where(Account.id == account_id)).one()

    def rule_six(self, account_id: str) -> None:
        """Balance = sum of entries = sum of remainders - debt; what shows is apart and adds up."""
        with self.database.read(self.programme_id) as session:
            account, entries, remainders = session.execute(
                select(
                    Account,
                    select(func.coalesce(func.sum(Entry.points), 0))
                    .where(Entry.account_id == account_id)
                    .scalar_subquery(),
                    select(func.coalesce(func.sum(Lot.remaining), 0))
                    .where(Lot.account_id == account_id)
                    .scalar_subquery(),
                ).where(Account.id == account_id)
            ).one()
        assert account.balance == entries == remainders - account.debt
        shown = self.standing(account_id)
        assert shown.available == shown.balance - shown.pending - shown.held
        assert shown.available >= 0 or shown.available == -shown.debt
        assert shown.debt == 0 or shown.available == -shown.debt

    def prove(self, account_id: str | None = None) -> None:
        """The books are right; and lots that can be spent never stand beside a debt."""
        with self.database.read_all() as session:
            assert [str(difference) for difference in check(session)] == []
        if account_id is not None:
            self.rule_six(account_id)
