"""Cards as Google takes them: classes, objects and save links."""

import logging
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.cards.models import Card
from app.cards.service import totp_keys
from app.certs import google_issuer, is_development_account, load_google_account
from app.config import GOOGLE_API_URL, Config
from app.context import Context
from app.delivery.google_api import Answer, GoogleApi, GoogleSilent, GoogleUnreachable, Pacer
from app.delivery.models import GooglePass
from app.delivery.wanted import present_version
from app.errors import Misconfigured, NotFound, Unavailable
from app.keys import Purpose
from app.programmes.faces import face_of
from app.programmes.models import Programme
from app.programmes.service import programme_by_id
from passes.card import CardFace
from passes.google.loyalty import loyalty_class, loyalty_object
from passes.google.rotating import rotating_barcode
from passes.google.save_link import SaveLinkSigner

_log = logging.getLogger(__name__)

#: Where Google's own service accounts ask for tokens.
GOOGLE_TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address


@dataclass(frozen=True, slots=True)
class GoogleCard:
    """A card as Google is told of it; *version* is never newer than the face."""

    card_id: str
    programme_id: str
    class_id: str
    object_id: str
    logo_url: str
    version: int
    face: CardFace
    rotating: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Service:
    """A service account, opened."""

    version: int
    issuer_id: str
    is_development: bool
    api: GoogleApi
    signer: SaveLinkSigner


class GooglePasses:
    """Makes classes, objects and save links. Safe to share between threads."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._service: _Service | None = None
        self._opening = threading.Lock()
        self._pacer = Pacer()
        #: Classes that are known to be there.
        self._classes: set[str] = set()

    @property
    def available(self) -> bool:
        """Whether an issuer id and a service account are there."""
        return self.obstacle() is None

    def obstacle(self) -> str | None:
        """Why nothing can be made at Google, in words; None where all is well."""
        try:
            service = self.service()
        except Misconfigured as error:
            return error.message
        if service.is_development and self._context.config.google_api_url == GOOGLE_API_URL:
            return "The Google account was made for development: Google knows nothing of it."
        return None

    def save_link(self, card_id: str, *, now: datetime) -> str:
        """The address that saves the card; class and object are inserted before, if need be.

        Works without asking Google where the object was inserted earlier. Raises `NotFound`,
        `Misconfigured`, and `Unavailable` in plain words when Google is slow, down or refuses.
        """
        card, is_there = self._find(card_id, now)
        if not is_there:
            if obstacle := self.obstacle():
                raise Unavailable(obstacle)
            try:
                answer = self.insert(card)
            except (GoogleUnreachable, GoogleSilent) as error:
                _log.warning("save link: %s", error)
                raise Unavailable(
                    "Google Wallet does not answer right now. Please try again in a minute."
                ) from error
            if not answer.is_good and answer.status != 409:
                _log.error("save link: %s", answer)
                raise Unavailable("Google Wallet did not take the card. Please try again later.")
            # One that was there before may show an older state: delivery brings it up to date.
            self._record(card, card.version if answer.is_good else 0, now)
        return self._link(card, now)

    def promise_link(self, card_id: str, *, now: datetime) -> str:
        """The same address without asking Google: it works once delivery has made the object."""
        card, is_there = self._find(card_id, now)
        if not is_there:
            self._record(card, 0, now)
        return self._link(card, now)

    def read(self, session: Session, card_id: str, *, now: datetime) -> GoogleCard:
        """The card as Google is to be told of it. Raises `NotFound`, `Misconfigured`."""
        # The version first: a change in between makes the face newer, never older.
        version = present_version(session, card_id)
        card = session.scalar(select(Card).where(Card.id == card_id))
        if card is None or version is None:
            raise NotFound("There is no such card.")
        context = self._context
        issuer = self.service().issuer_id
        programme = programme_by_id(session, card.programme_id)
        key = totp_keys(context.keys, card.id)[0]
        return GoogleCard(
            card_id=card.id,
            programme_id=card.programme_id,
            class_id=f"{issuer}.{programme.slug}",
            object_id=f"{issuer}.{card.serial_number}",
            logo_url=logo_url(context, programme),
            version=version,
            face=face_of(session, context.keys, card, now=now, programme=programme),
            rotating=rotating_barcode(card.code, key),
        )

    def insert(self, card: GoogleCard) -> Answer:
        """Insert the class, where it is not known to be there, and the object.

        The last answer; 409 means that the object was there before. Raises `GoogleUnreachable`
        or `GoogleSilent`.
        """
        api = self.service().api
        is_class_known = card.class_id in self._classes
        if not is_class_known:
            answer = api.request("POST", "loyaltyClass", self._class(card))
            if not answer.is_good and answer.status != 409:
                return answer
            self._classes.add(card.class_id)
        body = loyalty_object(
            card.face, object_id=card.object_id, class_id=card.class_id, rotating=card.rotating
        )
        answer = api.request("POST", "loyaltyObject", body)
        if answer.status == 404:
            # The class is not there (another issuer account, a fresh stand-in): made once more.
            self._classes.discard(card.class_id)
            return self.insert(card) if is_class_known else answer
        return answer

    def service(self) -> _Service:
        """The service account in use; a new one takes effect at once. Raises `Misconfigured`."""
        config, keys = self._context.config, self._context.keys
        versions = [
            info.version
            for info in keys.list()
            if info.purpose == Purpose.GOOGLE_SERVICE and info.retired_at is None
        ]
        newest = max(versions, default=0)
        known = self._service
        if known is not None and known.version == newest:
            return known
        with self._opening:
            account = load_google_account(keys)
            if account is None:
                raise Misconfigured(
                    "There is no Google service account. Install its JSON file: "
                    "counterfoil certs install FILE"
                )
            issuer = google_issuer(config, account)
            if issuer is None:
                raise Misconfigured("COUNTERFOIL_GOOGLE_ISSUER_ID is not set.")
            key = serialization.load_pem_private_key(account["private_key"].encode(), None)
            assert isinstance(key, rsa.RSAPrivateKey)  # noqa: S101 - checked when it was loaded
            self._service = _Service(
                newest,
                issuer,
                is_development_account(account),
                GoogleApi(_reached(account, config), config.google_api_url, self._pacer),
                SaveLinkSigner(account["client_email"], key),
            )
            return self._service

    def _find(self, card_id: str, now: datetime) -> tuple[GoogleCard, bool]:
        """The card, and whether its object was made before."""
        with self._context.database.read_all() as session:
            card = self.read(session, card_id, now=now)
            known = session.scalar(select(GooglePass.id).where(GooglePass.card_id == card_id))
            return card, known is not None

    def _record(self, card: GoogleCard, delivered: int, now: datetime) -> None:
        """Note that the card is to have an object, and how far that one is."""
        with self._context.database.write(card.programme_id) as session:
            wanted = present_version(session, card.card_id, locked=True) or card.version
            row = GooglePass(
                card_id=card.card_id,
                object_id=card.object_id,
                inserted_at=now,
                wanted_version=wanted,
                delivered_version=delivered,
                delivered_at=now if delivered else None,
                next_attempt_at=now if wanted > delivered else None,
                behind_since=now if wanted > delivered else None,
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
            card.object_id, card.class_id, int(now.timestamp()), [self._context.config.url]
        )

    def _class(self, card: GoogleCard) -> dict[str, Any]:
        config = self._context.config
        hears = config.google_root_keys is not None and config.url.startswith("https://")
        return loyalty_class(
            card.face,
            class_id=card.class_id,
            issuer_name=card.face.organisation,
            logo_url=card.logo_url,
            callback_url=f"{config.url}/google/callback" if hears else None,
        )


def _reached(account: dict[str, Any], config: Config) -> dict[str, Any]:
    """The account as it asks for tokens: with another Google API, Google itself is not asked."""
    if config.google_api_url == GOOGLE_API_URL or account["token_uri"] != GOOGLE_TOKEN_URI:
        return account
    return account | {"token_uri": f"{config.google_api_url}/token"}


def logo_url(context: Context, programme: Programme) -> str:
    """Where Google fetches the programme's logo; its own servers ask, so it must be public."""
    return f"{context.config.url}/google/logo/{programme.slug}.png"
