"""Fifty tills redeem one coupon at once, two hundred times: coupons redeemed ÷ coupons.

Over HTTP, on both databases; half of the tills scan the coupon's own code, the others take it from
the member's card. Exactly one of each fifty is answered 201, every other one 409.
"""

import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import select

from app.benefits import service as benefits
from app.benefits.check import check
from app.benefits.models import Coupon
from app.cards.models import Card
from app.context import Context
from app.demo.cafe import CASHIER, CASHIER_PIN
from app.ledger.postings import Circumstances, Given, Present, Request
from app.programmes import giving
from app.programmes.models import Location, Programme
from app.programmes.service import change_settings
from app.programmes.terms import rulebook_of
from app.till import access
from benchmarks._cluster import cluster
from benchmarks._service import running

TILLS = 50
COUPONS = 200
_SETTINGS = {"coupons": [{"code": "cake", "names": {"en": "A slice of cake"}}]}


@dataclass(frozen=True)
class Offered:
    """A coupon, its own code, and the code of the member's card."""

    id: str
    own_code: str
    card_code: str


@dataclass(frozen=True)
class AtTill:
    """A till's credential and the cashier's session at it."""

    token: str
    session: str
    cashier: str


def measure(*, tills: int = TILLS, coupons: int = COUPONS) -> dict[str, Any]:
    """The same rush on SQLite, and on PostgreSQL with two worker processes."""
    detail: dict[str, Any] = {"tills": tills, "coupons": coupons}
    redeemed = 0
    for name in ("sqlite", "postgresql"):
        with tempfile.TemporaryDirectory() as folder:
            if name == "sqlite":
                found = _on(Path(folder), None, 1, tills, coupons)
            else:
                with cluster(Path(folder)) as make:
                    found = _on(Path(folder), make("rush"), 2, tills, coupons)
        redeemed += found.pop("redeemed")
        detail[name] = found
    return {
        "name": "coupon_rush",
        "value": redeemed / (2 * coupons),
        "unit": "ratio",
        "at_least": 1,
        "at_most": 1,
        "detail": detail,
    }


def _on(folder: Path, url: str | None, workers: int, tills: int, coupons: int) -> dict[str, Any]:
    with running(folder, database_url=url, workers=workers, threads=16) as service:
        context = service.context
        at = _tills(context, tills)
        offered = _offer(context, coupons)
        begun = time.perf_counter()
        statuses = _rush(service.service.url, at, offered)
        seconds = time.perf_counter() - begun
        # Of each coupon exactly one redemption was acknowledged, and all others were told why not.
        assert all(each == {201: 1, 409: tills - 1} for each in statuses), statuses
        with context.database.read_all() as session:
            used = list(session.scalars(select(Coupon.status).where(Coupon.status == "used")))
            assert [str(each) for each in check(session)] == []
    return {
        "redeemed": len(used),
        "requests_per_second": round(tills * coupons / seconds, 1),
        "seconds": round(seconds, 1),
    }


def _rush(url: str, at: Sequence[AtTill], offered: Sequence[Offered]) -> list[Counter[int]]:
    statuses: list[Counter[int]] = [Counter() for _ in offered]
    gate = threading.Barrier(len(at))
    lock = threading.Lock()

    def work(number: int) -> None:
        till = at[number]
        headers = {"Authorization": f"Bearer {till.token}", "Counterfoil-Cashier": till.session}
        with httpx2.Client(base_url=url, headers=headers, timeout=60) as client:
            for place, coupon in enumerate(offered):
                body: dict[str, Any] = {
                    "id": str(uuid.uuid4()),
                    "occurred_at": datetime.now(UTC).isoformat(),
                    "cashier_id": till.cashier,
                    "code": coupon.own_code if number % 2 else coupon.card_code,
                }
                if number % 2 == 0:
                    body["coupon_id"] = coupon.id
                gate.wait(timeout=120)  # All at once.
                answer = client.post("/api/till/v1/coupon-redemptions", json=body)
                with lock:
                    statuses[place][answer.status_code] += 1

    with ThreadPoolExecutor(len(at)) as pool:
        for done in [pool.submit(work, number) for number in range(len(at))]:
            done.result()
    return statuses


def _tills(context: Context, count: int) -> list[AtTill]:
    now = context.clock()
    found = []
    with context.database.write_all() as session:
        programme_id = session.scalars(select(Programme.id)).one()
    for number in range(count):
        with context.database.write(programme_id) as session:
            place = session.scalars(select(Location.slug).limit(1)).one()
            till, code = access.add_till(
                session, programme_id, location=place, name=f"Rush {number}", now=now
            )
        with context.database.write_all() as session:
            till, token = access.enrol(session, code, address=f"rush-{number}", now=now)
            signed_in = access.sign_in(session, till, CASHIER, CASHIER_PIN, now=now)
            found.append(AtTill(token, signed_in.token, signed_in.person.id))
    return found


def _offer(context: Context, count: int) -> list[Offered]:
    """Coupons of as many members, each with a pass of its own."""
    now = context.clock()
    with context.database.write_all() as session:
        programme_id = session.scalars(select(Programme.id)).one()
    offered = []
    with context.database.write(programme_id) as session:
        change_settings(session, programme_id, _SETTINGS, valid_from=now)
        book = rulebook_of(session, programme_id, now)
        members = session.scalars(select(Card).where(Card.kind == 0).limit(count)).all()
        for card in members:
            giving.post(
                session,
                book,
                Request(str(uuid.uuid4()), "present", bytes(32)),
                Present(card.account_id, (Given("coupon", "cake", 1, "rush"),), "rush"),
                Circumstances(now),
                now=now,
            )
            [coupon] = benefits.coupons(session, card.account_id, now=now)
            own = benefits.issue_card(session, context.keys, coupon.id, now=now)
            offered.append(Offered(coupon.id, own.code, card.code))
    return offered
