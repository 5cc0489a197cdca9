"""What the service measures of itself, read from the database whenever it is asked.

Nothing is counted in a process: so it makes no difference how many workers there are, which of
them is asked, and whether one was started a minute ago.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.cards.models import Card
from app.certs import days_left, expiries
from app.context import Context
from app.delivery.status import WalletState, wallet_states
from app.errors import Misconfigured
from app.ledger.models import Account, Hold, HoldStatus, Posting
from app.programmes.models import Programme

#: No transaction lasts this long: what is older than this has been committed, or never will be.
SETTLED = timedelta(minutes=10)
_NO_LIMIT = 2**31 - 1

#: For each wallet: name, description, and what of its state it is.
_OF_WALLETS: tuple[tuple[str, str, Callable[[WalletState], float]], ...] = (
    ("passes", "Passes that wallets hold.", lambda state: state.passes),
    ("passes_behind", "Passes that are not up to date.", lambda state: state.behind),
    ("passes_delivered", "Passes that are up to date.", lambda state: state.delivered),
    (
        "passes_failed",
        "Passes behind that were tried in vain at least once.",
        lambda state: state.failed,
    ),
    ("pushes_waiting", "Passes behind that are due now and not sent.", lambda state: state.waiting),
    (
        "oldest_behind_seconds",
        "How long ago the oldest change came that a wallet does not have.",
        lambda state: state.oldest_behind_seconds or 0.0,
    ),
)


class Figures:
    """A collector for prometheus_client's registry. Safe to share between threads."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._postings = _Postings()

    def describe(self) -> Iterable[Metric]:
        """Nothing: the registry is not to ask the database when the service starts."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Read every figure, all of one moment."""
        context = self._context
        now = context.clock()
        with context.database.read_all() as session:
            slugs = {row.id: row.slug for row in session.execute(_PROGRAMMES)}
            states = wallet_states(session, now=now)
            metrics = [
                *_of_wallets(states),
                *_of_programmes(session, slugs),
                self._postings.metric(session, slugs, now),
            ]
        yield from metrics
        yield _certificates(context, now)


_PROGRAMMES = select(Programme.id, Programme.slug)


def _of_wallets(states: dict[str, WalletState]) -> Iterator[Metric]:
    for name, text, figure in _OF_WALLETS:
        gauge = GaugeMetricFamily(f"counterfoil_{name}", text, labels=["wallet"])
        for wallet, state in states.items():
            gauge.add_metric([wallet], figure(state))
        yield gauge
    errors = GaugeMetricFamily(
        "counterfoil_delivery_errors",
        "Passes behind by the kind of error that the last try met.",
        labels=["wallet", "kind"],
    )
    for wallet, state in states.items():
        for each in state.errors:
            errors.add_metric([wallet, each.kind], each.count)
    yield errors


def _of_programmes(session: Session, slugs: dict[str, str]) -> Iterator[Metric]:
    enrolments = CounterMetricFamily(
        "counterfoil_enrolments",
        "Cards given to somebody who had none: replacements are left out.",
        labels=["programme"],
    )
    # A card that was replaced has one successor: so many were given to somebody who had one.
    enrolled = _counts(
        session,
        select(Card.programme_id, func.count() - func.count(Card.replaced_by_id)).group_by(
            Card.programme_id
        ),
    )
    holds = GaugeMetricFamily(
        "counterfoil_holds_open", "Redemptions that are not finished.", labels=["programme"]
    )
    held = _counts(session, _by_programme(Hold).where(Hold.status == HoldStatus.OPEN))
    points = GaugeMetricFamily(
        "counterfoil_points_outstanding", "The sum of all balances.", labels=["programme"]
    )
    owed = _counts(
        session,
        select(Account.programme_id, func.sum(Account.balance)).group_by(Account.programme_id),
    )
    for programme_id, slug in slugs.items():
        enrolments.add_metric([slug], enrolled.get(programme_id, 0))
        holds.add_metric([slug], held.get(programme_id, 0))
        points.add_metric([slug], owed.get(programme_id, 0))
    yield from (enrolments, holds, points)


@dataclass(slots=True)
class _Postings:
    """Counts postings, of which there are millions, without reading all of them each time.

    What is older than `SETTLED` cannot become more: it is counted once, up to the sequence number
    *until*. So every process says the same number, and it never falls.
    """

    until: int = 0
    settled: dict[str, int] = field(default_factory=dict)
    counting: threading.Lock = field(default_factory=threading.Lock)

    def metric(self, session: Session, slugs: dict[str, str], now: datetime) -> Metric:
        found = CounterMetricFamily(
            "counterfoil_postings", "Postings that the ledger took.", labels=["programme"]
        )
        with self.counting:
            fresh = _counts(session, _after(self.until))
            counted = {
                programme_id: self.settled.get(programme_id, 0) + fresh.get(programme_id, 0)
                for programme_id in slugs
            }
            self._settle(session, now)
        for programme_id, slug in slugs.items():
            found.add_metric([slug], counted[programme_id])
        return found

    def _settle(self, session: Session, now: datetime) -> None:
        """Move *until* on to the last posting before the first that is not settled."""
        later = Posting.sequence > self.until
        first = session.scalar(
            select(func.min(Posting.sequence)).where(later, Posting.recorded_at > now - SETTLED)
        )
        reached = select(func.max(Posting.sequence)).where(later)
        until = session.scalar(
            reached if first is None else reached.where(Posting.sequence < first)
        )
        if until is None:
            return
        more = _counts(session, _by_programme(Posting).where(later, Posting.sequence <= until))
        for programme_id, count in more.items():
            self.settled[programme_id] = self.settled.get(programme_id, 0) + count
        self.until = until


def _after(until: int) -> Select[Any, Any]:
    # In their order: a database would else count them by way of a programme's whole index.
    newest = (
        select(Posting.programme_id)
        .where(Posting.sequence > until)
        .order_by(Posting.sequence)
        .limit(_NO_LIMIT)
        .subquery()
    )
    return select(newest.c.programme_id, func.count()).group_by(newest.c.programme_id)


def _certificates(context: Context, now: datetime) -> Metric:
    gauge = GaugeMetricFamily(
        "counterfoil_certificate_days_left",
        "Days until a certificate ends that passes need; negative once it has.",
        labels=["role", "name"],
    )
    try:
        found = expiries(context.config)
    except Misconfigured:
        found = []  # Said in the log, and by `counterfoil certs check`.
    for each in found:
        gauge.add_metric([each.role, each.status.name], round(days_left(each.status, now), 3))
    return gauge


def _by_programme(model: type[Hold] | type[Posting]) -> Select[Any, Any]:
    return select(model.programme_id, func.count()).group_by(model.programme_id)


def _counts(session: Session, statement: Select[Any, Any]) -> dict[str, int]:
    return {row[0]: int(row[1] or 0) for row in session.execute(statement)}
