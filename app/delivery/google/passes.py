"""Cards as Google takes them: classes, objects and save links."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.cards.models import Card
from app.cards.service import totp_keys
from app.context import Context
from app.delivery.google.account import Service, ServiceAccount
from app.delivery.google.api import (
    PATIENCE_SECONDS,
    TIMEOUT_SECONDS,
    Answer,
    GoogleSilent,
    GoogleUnreachable,
    Pace,
)
from app.delivery.google.changes import Change, change
from app.delivery.google.classes import GoogleClasses, kind_of
from app.delivery.google.look import class_body, class_suffix, object_body, refuse_faults
from app.delivery.models import GooglePass
from app.delivery.page_link import with_page_link
from app.delivery.wanted import present_version
from app.errors import NotFound, Unavailable
from app.keys import Purpose
from app.languages import _
from app.programmes.faces import face_of
from app.programmes.service import programme_by_id

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GoogleCard:
    """A card as Google is to be told of it; *version* is never newer than the bodies.

    *told*, *notices* and *is_removed* are what our own row knows of Google (see `GooglePass`);
    *is_known* says whether there is such a row, *is_there* whether Google has the object.
    """

    card_id: str
    programme_id: str
    class_id: str
    object_id: str
    version: int
    class_body: dict[str, Any]
    body: dict[str, Any]
    told: dict[str, str] | None
    notices: list[int] | None
    is_known: bool
    is_there: bool
    is_removed: bool

    @property
    def kind(self) -> str:
        """Which of Google's kinds of passes it is: "loyalty", or "offer" for a coupon."""
        return kind_of(self.class_body)


class GooglePasses:
    """Makes classes, objects and save links. Safe to share between threads."""

    def __init__(
        self,
        context: Context,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        pace: Pace | None = None,
    ) -> None:
        self._context = context
        self._account = ServiceAccount(context, timeout_seconds=timeout_seconds, pace=pace)
        self._classes = GoogleClasses(context)

    @property
    def available(self) -> bool:
        """Whether an issuer id and a service account are there."""
        return self.obstacle() is None

    def obstacle(self) -> str | None:
        """Why nothing can be made at Google, in words; None where all is well."""
        return self._account.obstacle()

    def service(self) -> Service:
        """The service account in use; a new one takes effect at once. Raises `Misconfigured`."""
        return self._account.open()

    def save_link(self, card_id: str, *, now: datetime) -> str:
        """The address that saves the card; class and object are inserted before, if need be.

        Works without asking Google where the object was inserted earlier. Raises `NotFound`,
        `Misconfigured`, and `Unavailable` in plain words when Google is slow, down or refuses.
        """
        card = self._find(card_id, now)
        if not card.is_there:
            if obstacle := self.obstacle():
                raise Unavailable(obstacle)
            try:
                answer = self.insert(card, patience_seconds=PATIENCE_SECONDS)
            except (GoogleUnreachable, GoogleSilent) as error:
                _log.warning("save link: %s", error)
                raise Unavailable(
                    _("Google Wallet does not answer right now. Please try again in a minute.")
                ) from error
            if not answer.is_good and answer.status != 409:
                _log.error("save link: %s", answer)
                raise Unavailable(_("Google Wallet did not take the card. Please try again later."))
            # One that was there before may show an older state: delivery brings it up to date.
            self._record(card, now, is_told=answer.is_good)
        return self._link(card, now)

    def promise_link(self, card_id: str, *, now: datetime) -> str:
        """The same address without asking Google: it works once delivery has made the object."""
        card = self._find(card_id, now)
        if not card.is_known:
            self._record(card, now, is_told=False)
        return self._link(card, now)

    def read(self, session: Session, card_id: str, *, now: datetime) -> GoogleCard:
        """The card as Google is to be told of it; *session* is open for its programme.

        Raises `NotFound`, `Misconfigured`.
        """
        # The version first: a change in between makes the face newer, never older.
        version = present_version(session, card_id)
        card = session.scalar(select(Card).where(Card.id == card_id))
        if card is None or version is None:
            raise NotFound(_("There is no such card."))
        context, issuer = self._context, self.service().issuer_id
        row = session.scalar(select(GooglePass).where(GooglePass.card_id == card_id))
        programme = programme_by_id(session, card.programme_id)
        class_id = f"{issuer}.{programme.slug}"
        object_id = row.object_id if row else f"{issuer}.{card.serial_number}"
        face = face_of(session, context.keys, card, now=now, programme=programme)
        face = with_page_link(context, face, card.id)
        class_id += class_suffix(face)
        key = totp_keys(context.keys, card.id)[0]
        return GoogleCard(
            card_id=card.id,
            programme_id=card.programme_id,
            class_id=class_id,
            object_id=object_id,
            version=version,
            class_body=class_body(face, programme, context.config, class_id=class_id),
            body=object_body(
                face,
                programme,
                context.config,
                object_id=object_id,
                class_id=class_id,
                totp_key=key,
            ),
            told=row.told if row else None,
            notices=row.notices if row else None,
            is_known=row is not None,
            is_there=row is not None and (row.delivered_version > 0 or row.told is not None),
            is_removed=row is not None and row.removed_at is not None,
        )

    def change(self, card: GoogleCard) -> Change:
        """The request that brings the card's object up to date."""
        return change(card.body, card.told, self._digest_key())

    def ensure_class(
        self, card: GoogleCard, *, patience_seconds: float | None = None
    ) -> Answer | None:
        """Make the card's class what it has to be; None where it is there, else why it is not.

        Raises `GoogleUnreachable`, `GoogleSilent`, and `Misconfigured` for a class that Google
        would refuse, before it is asked.
        """
        if not self._classes.is_known(card.class_body):
            refuse_faults(card.class_body, self._context.config)
        api = self.service().api
        return self._classes.ensure(
            api, card.programme_id, card.class_body, patience_seconds=patience_seconds
        )

    def forget_class(self, card: GoogleCard) -> None:
        """Google says that the class is not there (a fresh stand-in): it is inserted anew."""
        self._classes.forget(card.programme_id, card.class_id)

    def insert(self, card: GoogleCard, *, patience_seconds: float | None = None) -> Answer:
        """Insert the class, where it is not known to be there, and the object.

        The last answer; 409 means that the object was there before. Raises `GoogleUnreachable`
        or `GoogleSilent`.
        """
        api = self.service().api
        for is_last in (False, True):
            refused = self.ensure_class(card, patience_seconds=patience_seconds)
            if refused is not None:
                return refused
            answer = api.request(
                "POST", f"{card.kind}Object", card.body, patience_seconds=patience_seconds
            )
            if answer.status != 404 or is_last:
                break
            self.forget_class(card)
        return answer

    def programmes_of(self, card_ids: Iterable[str]) -> dict[str, list[str]]:
        """The cards of each programme; unknown ones are left out."""
        found: dict[str, list[str]] = {}
        with self._context.database.read_all() as session:
            rows = session.execute(
                select(Card.programme_id, Card.id).where(Card.id.in_(list(card_ids)))
            )
            for programme_id, card_id in rows:
                found.setdefault(programme_id, []).append(card_id)
        return found

    def _find(self, card_id: str, now: datetime) -> GoogleCard:
        for programme_id in self.programmes_of([card_id]):
            with self._context.database.read(programme_id) as session:
                return self.read(session, card_id, now=now)
        raise NotFound(_("There is no such card."))

    def _record(self, card: GoogleCard, now: datetime, *, is_told: bool) -> None:
        """Note that the card is to have an object, and how far that one is."""
        delivered = card.version if is_told else 0
        with self._context.database.write(card.programme_id) as session:
            wanted = present_version(session, card.card_id, locked=True) or card.version
            row = GooglePass(
                card_id=card.card_id,
                object_id=card.object_id,
                inserted_at=now,
                wanted_version=wanted,
                delivered_version=delivered,
                delivered_at=now if is_told else None,
                next_attempt_at=now if wanted > delivered else None,
                behind_since=now if wanted > delivered else None,
                told=self.change(card).digests if is_told else None,
            )
            try:
                with session.begin_nested():
                    session.add(row)
            except IntegrityError:
                # Two taps at once: the other one has noted it.
                _log.info("the pass of card %s at Google was noted already", card.card_id)

    def _link(self, card: GoogleCard, now: datetime) -> str:
        signer = self.service().signer
        return signer.link(
            card.object_id,
            card.class_id,
            int(now.timestamp()),
            [self._context.config.url],
            is_offer=card.kind == "offer",
        )

    def _digest_key(self) -> bytes:
        keys = self._context.keys
        newest = keys.current(Purpose.BLIND_INDEX)
        return keys.derive(Purpose.BLIND_INDEX, newest.version, b"told to Google")
