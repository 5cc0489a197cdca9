"""How far the wallets are: for the owner, the console, the logs and the metrics."""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, union, union_all
from sqlalchemy.orm import Session

from app.cards.models import Card
from app.delivery.google.estimate import estimate
from app.delivery.models import AppleRegistration, GooglePass
from app.delivery.sending import UNKNOWN_DEVICE, Wallet
from app.delivery.wanted import VERSION, table_of
from app.errors import NotFound
from app.languages import _
from app.ledger.models import Account

NAMES: dict[str, Wallet] = {"apple": AppleRegistration, "google": GooglePass}
#: Kinds of errors are counted over the most frequent texts alone.
_MOST_TEXTS = 200
#: What stands in an error's text, and the word that it is counted under; the first that fits.
_KINDS = (
    ("unreachable", re.compile("cannot be reached|gave no access|did not answer the passes")),
    ("no_answer", re.compile("no answer|silent|too slowly|broke|has no end|took too long")),
    ("not_renderable", re.compile("cannot be shown")),
    ("too_many_requests", re.compile(r"quota|\b429\b|[Rr]ate ?[Ll]imit|TooMany")),
    ("server_error", re.compile(r"\b5\d\d\b")),
    ("not_allowed", re.compile(r"\b40[13]\b")),
    ("refused", re.compile(r"\b4\d\d\b")),
)


@dataclass(frozen=True, slots=True)
class Errors:
    """How many wallets met one kind of error the last time, and one of them in words."""

    kind: str
    count: int
    example: str


@dataclass(frozen=True, slots=True)
class WalletState:
    """All passes of one kind of wallet.

    `behind` of `passes` are not up to date; `waiting` of these are due now and not yet sent;
    `failed` were tried in vain at least once. `oldest_behind_seconds` leaves out what Apple does
    not know. `estimate_seconds` is how long it takes at most, at
    the pace that the other side allows, where it names one.
    """

    passes: int
    delivered: int
    behind: int
    failed: int
    waiting: int
    oldest_behind_seconds: float | None = None
    estimate_seconds: float | None = None
    errors: list[Errors] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CardWallet:
    """One wallet that holds a card's pass. *place* is the device, or the object at Google."""

    wallet: str
    place: str
    is_behind: bool
    behind_since: datetime | None
    delivered_at: datetime | None
    last_error: str | None
    attempts: int
    next_attempt_at: datetime | None


def status(session: Session) -> dict[str, dict[str, int]]:
    """For each wallet how many passes are there, `delivered` (up to date), `behind`, and how many
    of these are `failed`: tried in vain at least once."""
    return {name: _totals(session, wallet) for name, wallet in NAMES.items()}


def wallet_states(session: Session, *, now: datetime) -> dict[str, WalletState]:
    """The state of each wallet, in a session that is open for all programmes."""
    return {name: _state(session, wallet, now) for name, wallet in NAMES.items()}


@dataclass(frozen=True, slots=True)
class Behind:
    """Wallets of one kind and programme that are not up to date: *count* of them (*is_more*: there
    are others), without the newest change since *since*, *failed* of them tried in vain, the most
    frequent *error* among these."""

    count: int
    is_more: bool
    since: datetime | None
    failed: int
    error: str | None


#: So many wallets are looked at for a page; a campaign's million is not counted each time.
_MOST_LOOKED_AT = 5_000


def behind(session: Session) -> dict[str, Behind]:
    """What is behind of the session's programme, for each wallet: cheap however much it is."""
    return {name: _behind(session, wallet) for name, wallet in NAMES.items()}


def _behind(session: Session, wallet: Wallet) -> Behind:
    came = wallet.inserted_at if wallet is GooglePass else AppleRegistration.registered_at
    rows = session.execute(
        select(func.coalesce(wallet.behind_since, came), wallet.last_error)
        .where(_is_listed(wallet))
        .order_by(wallet.next_attempt_at)
        .limit(_MOST_LOOKED_AT + 1)
    ).all()
    # A push token that Apple does not know is nobody's to put right.
    known = [(since, error) for since, error in rows if UNKNOWN_DEVICE not in (error or "")]
    errors = Counter(error for _, error in known if error)
    return Behind(
        count=min(len(known), _MOST_LOOKED_AT),
        is_more=len(rows) > _MOST_LOOKED_AT,
        since=min((since for since, _ in known), default=None),
        failed=errors.total(),
        error=errors.most_common(1)[0][0] if errors else None,
    )


def card_wallets(session: Session, card: str) -> list[CardWallet]:
    """Every wallet with the pass of a card, by the card's id or serial number.

    Raises `NotFound` for an unknown card.
    """
    found = session.scalar(select(Card).where(or_(Card.id == card, Card.serial_number == card)))
    if found is None:
        raise NotFound(_("There is no such card."))
    return [
        _card_wallet(name, row, version)
        for name, wallet in NAMES.items()
        for row, version in session.execute(_with_version(wallet, found.id))
    ]


def _with_version(wallet: Wallet, card_id: str) -> Select[Any, int]:
    return (
        select(wallet, VERSION)
        .join(Card, Card.id == wallet.card_id)
        .join(Account, Account.id == Card.account_id)
        .where(wallet.card_id == card_id)
        .order_by(wallet.id)
    )


def _card_wallet(name: str, row: AppleRegistration | GooglePass, version: int) -> CardWallet:
    if isinstance(row, GooglePass):
        place, came = row.object_id, row.inserted_at
    else:
        place, came = f"…{row.device_id[-6:]}", row.registered_at
    behind = version > row.delivered_version
    return CardWallet(
        wallet=name,
        place=place,
        is_behind=behind,
        behind_since=(row.behind_since or came) if behind else None,
        delivered_at=row.delivered_at,
        last_error=row.last_error if behind else None,
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at if behind else None,
    )


def kind_of(error: str) -> str:
    """The kind of an error by its words: one of a short list, so that it can be counted."""
    return next((kind for kind, pattern in _KINDS if pattern.search(error)), "other")


def _state(session: Session, wallet: Wallet, now: datetime) -> WalletState:
    totals = _totals(session, wallet)
    oldest = _oldest_behind(session, wallet) if totals["behind"] else None
    waiting = session.scalar(
        select(func.count())
        .select_from(wallet)
        .where(_is_listed(wallet), wallet.next_attempt_at <= now)
    )
    takes = estimate(totals["behind"])
    return WalletState(
        **totals,
        waiting=waiting or 0,
        oldest_behind_seconds=max((now - oldest).total_seconds(), 0.0) if oldest else None,
        estimate_seconds=takes.at_most_seconds if wallet is GooglePass else None,
        errors=errors_of(session, wallet) if totals["failed"] else [],
    )


def _longest(updates: int) -> float:
    return estimate(updates).at_most_seconds


def _totals(session: Session, wallet: Wallet) -> dict[str, int]:
    passes = session.scalar(select(func.count()).select_from(wallet)) or 0
    behind = select(wallet.id).where(_is_listed(wallet)).union(_not_listed(wallet, wallet.id))
    late = session.scalar(select(func.count()).select_from(behind.subquery())) or 0
    failed = session.scalar(
        select(func.count())
        .select_from(wallet)
        .where(_is_listed(wallet), or_(wallet.attempts > 0, wallet.last_error.is_not(None)))
    )
    return {"passes": passes, "delivered": passes - late, "behind": late, "failed": failed or 0}


def _oldest_behind(session: Session, wallet: Wallet) -> datetime | None:
    """When the change came that a wallet has been without for the longest time.

    A push token that Apple does not know is left out: anybody may register one, nobody can put it
    right, and an alarm that it held up would say nothing of the others. It counts as failed.
    """
    came = wallet.inserted_at if wallet is GooglePass else AppleRegistration.registered_at
    listed = select(func.min(func.coalesce(wallet.behind_since, came))).where(
        _is_listed(wallet),
        or_(wallet.last_error.is_(None), wallet.last_error.not_like(f"%{UNKNOWN_DEVICE}%")),
    )
    rows = session.scalars(union_all(listed, _not_listed(wallet, func.min(Account.changed_at))))
    return min((moment for moment in rows if moment is not None), default=None)


def _not_listed(wallet: Wallet, column: Any) -> Select[Any]:
    """Of wallets whose card or account has changed without having been taken up yet.

    These are few at any time, and partial indexes hold nothing else: written so that a database
    begins with them, and does not read every wallet to find them.
    """
    accounts = select(Account.id).where(Account.version > Account.delivered_version)
    cards = union(
        select(Card.id).where(Card.version > Card.delivered_version),
        select(Card.id).where(Card.account_id.in_(accounts)),
    )
    return (
        select(column)
        .select_from(wallet)
        .join(Card, Card.id == wallet.card_id)
        .join(Account, Account.id == Card.account_id)
        .where(wallet.card_id.in_(cards), table_of(wallet).c.delivered_version < VERSION)
    )


def errors_of(session: Session, wallet: Wallet) -> list[Errors]:
    """What kept the wallets that are behind from being brought up to date, by kind."""
    rows = session.execute(
        select(wallet.last_error, func.count())
        .where(_is_listed(wallet), wallet.last_error.is_not(None))
        .group_by(wallet.last_error)
        .order_by(func.count().desc())
        .limit(_MOST_TEXTS)
    )
    found: dict[str, Errors] = {}
    for error, count in rows:
        if error is None:
            continue
        kind = kind_of(error)
        before = found.get(kind)
        found[kind] = Errors(
            kind, count + (before.count if before else 0), before.example if before else error
        )
    return sorted(found.values(), key=lambda each: (-each.count, each.kind))


def _is_listed(wallet: Wallet) -> ColumnElement[bool]:
    return wallet.wanted_version > wallet.delivered_version
