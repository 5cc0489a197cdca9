"""A draft becomes the design of every pass, and how far that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from app.delivery import fetches
from app.delivery.google.estimate import estimate
from app.delivery.models import AppleRegistration, GooglePass
from app.delivery.sending import Wallet
from app.delivery.status import Errors, errors_of
from app.designer import drafts
from app.designer.drafts import Draft
from app.designer.filling import typed_of
from app.designer.form import PICTURES, Drafted
from app.errors import Conflict, Invalid
from app.languages import _
from app.ledger.models import Account
from app.programmes import design_releases, designs
from app.programmes.models import Programme, ProgrammeDesign

#: Phones that are off come back within this time, or never ask again.
WATCHED = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Audience:
    """How many passes a new design reaches."""

    apple: int
    google: int

    @property
    def passes(self) -> int:
        """All of them."""
        return self.apple + self.google


@dataclass(frozen=True, slots=True)
class WalletProgress:
    """How far the passes of one kind of wallet are with a release.

    `waiting` have not been told yet, `failed` of these were tried in vain; `told` were (a phone was
    woken, or Google has it); `fetched` are cards whose pass a phone has fetched since.
    """

    passes: int
    waiting: int
    failed: int
    errors: list[Errors]
    fetched: int | None = None
    #: At most, for what is waiting; None where nobody knows.
    left_seconds: float | None = None

    @property
    def told(self) -> int:
        """How many are not waiting any more."""
        return self.passes - self.waiting


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a release is."""

    number: int
    published_at: datetime
    published_by: str
    #: Accounts that are yet to be marked as changed, of all.
    unmarked: int
    accounts: int
    apple: WalletProgress
    google: WalletProgress

    @property
    def passes(self) -> int:
        """All passes."""
        return self.apple.passes + self.google.passes

    @property
    def waiting(self) -> int:
        """Those that do not know of the release yet."""
        return self.apple.waiting + self.google.waiting

    @property
    def is_done(self) -> bool:
        """Whether every pass was told of it."""
        return not self.waiting and not self.unmarked


def audience(session: Session) -> Audience:
    """Of the programme that the session is open for."""
    apple, google = (
        session.scalar(select(func.count()).select_from(wallet)) or 0
        for wallet in (AppleRegistration, GooglePass)
    )
    return Audience(apple, google)


def publish(
    session: Session,
    programme: Programme,
    draft: Draft,
    drafted: Drafted,
    *,
    by: str,
    now: datetime,
    over: bool = False,
) -> int:
    """Make the draft the design of every pass, whole; the number of the release.

    Raises `Invalid` for a draft with something wrong in it, `Conflict` where another design was
    published since the draft was begun, unless it is to be written *over*.
    """
    if drafted.problems:
        raise Invalid(
            _("Something in the draft is not right yet: see the fields that are marked."),
            drafted.problems,
        )
    if newest(session, programme) != draft.base and not over:
        raise Conflict(
            _(
                "Another design was published since this draft was begun. Publish all the same, "
                "or discard the draft and begin with that one."
            )
        )
    pictures = drafts.picture_bytes(session, programme, draft)
    number = _change(session, programme, drafted, pictures, by=by, now=now)
    drafts.discard(session, programme)
    return number


def publish_again(
    session: Session, programme: Programme, number: int, *, by: str, now: datetime
) -> int:
    """Publish an earlier release once more, under a new number. Raises `NotFound`."""
    found = design_releases.release(session, programme.id, number)
    typed = typed_of(found.content, time_zone=programme.time_zone)
    draft = Draft(typed, dict(found.pictures), number, 0)
    drafted = drafts.read(session, programme, draft)
    if drafted.problems:
        raise Invalid(
            _("This design cannot be published again as it is: make it the draft, and mend it."),
            drafted.problems,
        )
    pictures = drafts.picture_bytes(session, programme, draft)
    return _change(session, programme, drafted, pictures, by=by, now=now)


def newest(session: Session, programme: Programme) -> int:
    """The number of the release that is published; 0 for none."""
    found = session.scalar(
        select(ProgrammeDesign.version).where(ProgrammeDesign.programme_id == programme.id)
    )
    return found or 0


def progress(session: Session, programme: Programme, *, now: datetime) -> Progress | None:
    """How far the release is that is published; None where none ever was."""
    design = session.scalar(
        select(ProgrammeDesign).where(ProgrammeDesign.programme_id == programme.id)
    )
    if design is None:
        return None
    accounts, unmarked = _unmarked(session, design)
    since = design.changed_at
    kept = design_releases.releases(session, programme.id)
    apple = _wallet(session, AppleRegistration, since)
    google = _wallet(session, GooglePass, since)
    seconds = (now - since).total_seconds()
    # As fast as until now: Apple names no pace, phones and networks make it.
    left = apple.waiting * seconds / apple.told if apple.told and seconds > 0 else None
    return Progress(
        design.version,
        since,
        kept[0].published_by if kept else "",
        unmarked,
        accounts,
        WalletProgress(
            apple.passes,
            apple.waiting,
            apple.failed,
            apple.errors,
            min(fetches.fetched_since(session, programme.id, since), apple.told),
            left if apple.waiting else 0.0,
        ),
        WalletProgress(
            google.passes,
            google.waiting,
            google.failed,
            google.errors,
            left_seconds=estimate(google.waiting).at_most_seconds,
        ),
    )


def _change(
    session: Session,
    programme: Programme,
    drafted: Drafted,
    pictures: Mapping[str, bytes],
    *,
    by: str,
    now: datetime,
) -> int:
    whole: dict[str, Any] = {name: pictures.get(name) for name in PICTURES}
    design = designs.change(
        session,
        programme.id,
        drafted.read | whole,
        places=drafted.places,
        extras=drafted.extras,
        colours=drafted.colours,
        by=by,
        now=now,
    )
    fetches.watch(session, programme.id, until=now + WATCHED)
    return design.version


def _unmarked(session: Session, design: ProgrammeDesign) -> tuple[int, int]:
    accounts = session.scalar(select(func.count()).select_from(Account)) or 0
    if design.version == design.spread_version:
        return accounts, 0
    left = select(func.count()).select_from(Account)
    if design.spread_after is not None:
        left = left.where(Account.id > design.spread_after)
    return accounts, session.scalar(left) or 0


def _wallet(session: Session, wallet: Wallet, since: datetime) -> WalletProgress:
    came: Any = wallet.inserted_at if wallet is GooglePass else AppleRegistration.registered_at
    # Who came later has it from the beginning.
    is_waiting: ColumnElement[bool] = and_(
        came < since, or_(wallet.delivered_at.is_(None), wallet.delivered_at < since)
    )
    is_failed = and_(is_waiting, wallet.last_error.is_not(None))
    row = session.execute(
        select(
            func.count(),
            func.sum(case((is_waiting, 1), else_=0)),
            func.sum(case((is_failed, 1), else_=0)),
        ).select_from(wallet)
    ).one()
    failed = int(row[2] or 0)
    return WalletProgress(
        row[0], int(row[1] or 0), failed, errors_of(session, wallet) if failed else []
    )
