"""A test pass of a draft on the owner's own phone: a link that works once, and what it leads to.

The pass is nobody's card: its code is of no key, no points are on it, it says that it is a test and
ends after a week. It is never updated, since no web service knows it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.context import Context
from app.delivery.apple_passes import ApplePasses
from app.designer import drafts, showing
from app.designer.checking import signed
from app.designer.drafts import Draft
from app.designer.models import TrialLink
from app.designer.samples import Person
from app.errors import NotFound
from app.languages import Lazy, _, lazy
from app.programmes.models import Programme
from passes.card import Arrangement, CardFace
from passes.text import said, text

LINK_LASTS = timedelta(minutes=30)
#: Phones ask for a file more than once.
PASS_LASTS = timedelta(minutes=10)
TEST_LASTS = timedelta(days=7)
#: 192 random bits.
_TOKEN_BYTES = 24
_SERIAL_BYTES = 12

TEST = text({"en": "Test pass", "de": "Testkarte", "lv": "Izmēģinājums", "ru": "Пробная карта"})
_NOTHING = text(
    {
        "en": "This is a test pass of a design: no card, no points, good for nothing. It ends by "
        "itself after seven days, and you may remove it at any time.",
        "de": "Das ist eine Testkarte eines Entwurfs: keine echte Karte, keine Punkte, nichts "
        "wert. Sie endet nach sieben Tagen von selbst und kann jederzeit entfernt werden.",
        "lv": "Šī ir dizaina izmēģinājuma karte: nav īsta, bez punktiem, nekam neder. Tā beidzas "
        "pati pēc septiņām dienām, un to var izņemt jebkurā brīdī.",
        "ru": "Это пробная карта для проверки вида: не настоящая, без баллов, ничего не даёт. Она "
        "закончится сама через семь дней, её можно удалить в любой момент.",
    }
)
#: What the page behind the link says.
OFFER: dict[str, Lazy] = {
    "title": lazy("Test pass"),
    "what": lazy(
        "A design on trial, as this phone shows it: no card, no points. It ends by itself after "
        "seven days."
    ),
    "add": lazy("Add to Apple Wallet"),
    "google": lazy("Add to Google Wallet"),
    "once": lazy("The link works once, on one phone."),
    "no_wallet": lazy("No wallet is set up here yet: there is nothing to add the pass to."),
}
RandomBytes = Callable[[int], bytes]


def make_link(
    session: Session,
    programme: Programme,
    draft: Draft,
    *,
    language: str,
    now: datetime,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> str:
    """A token that leads to a test pass of the draft as it is now, once, for half an hour."""
    session.execute(
        delete(TrialLink).where(
            TrialLink.programme_id == programme.id, TrialLink.expires_at < now - TEST_LASTS
        )
    )
    token = random_bytes(_TOKEN_BYTES).hex()
    session.add(
        TrialLink(
            programme_id=programme.id,
            token_hash=_hash(token),
            typed=draft.typed,
            pictures=draft.pictures,
            language=language,
            serial_number=f"TEST{random_bytes(_SERIAL_BYTES).hex()}",
            made_at=now,
            expires_at=now + LINK_LASTS,
        )
    )
    session.flush()
    return token


def find(session: Session, token: str, *, now: datetime) -> TrialLink:
    """The link behind a token that is still good, in a session open for all programmes.

    Raises `NotFound`, for whatever reason it is not.
    """
    row = session.scalar(select(TrialLink).where(TrialLink.token_hash == _hash(token[:200])))
    if row is None or row.taken_at is not None or row.expires_at <= now:
        raise NotFound(
            _("This link was used already, or is over. Make a new test pass in the designer.")
        )
    return row


def take(
    session: Session, token: str, *, now: datetime, random_bytes: RandomBytes = secrets.token_bytes
) -> str:
    """Use the link up: a second token, for the file itself, good for some minutes."""
    row = find(session, token, now=now)
    locked = session.scalar(
        select(TrialLink)
        .where(TrialLink.id == row.id, TrialLink.taken_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if locked is None:
        raise NotFound(_("This link was used already."))
    made = random_bytes(_TOKEN_BYTES).hex()
    locked.taken_at, locked.pass_hash, locked.pass_until = now, _hash(made), now + PASS_LASTS
    session.flush()
    return made


def taken(session: Session, pass_token: str, *, now: datetime) -> TrialLink:
    """The trial whose file the second token leads to. Raises `NotFound`."""
    row = session.scalar(select(TrialLink).where(TrialLink.pass_hash == _hash(pass_token[:200])))
    if row is None or row.pass_until is None or row.pass_until <= now:
        raise NotFound(_("This link is over. Make a new test pass in the designer."))
    return row


def shown(session: Session, serial_number: str, *, now: datetime) -> TrialLink:
    """The trial of a test pass that is in a wallet, by its number. Raises `NotFound`."""
    row = session.scalar(select(TrialLink).where(TrialLink.serial_number == serial_number[:32]))
    if row is None or row.made_at + TEST_LASTS <= now:
        raise NotFound(_("This link is over. Make a new test pass in the designer."))
    return row


def face_of(session: Session, programme: Programme, trial: TrialLink, *, now: datetime) -> CardFace:
    """The face of a test pass, in a session that is open for its programme."""
    draft = Draft(dict(trial.typed), dict(trial.pictures), 0, 0)
    drafted = drafts.read(session, programme, draft)
    pictures = drafts.picture_bytes(session, programme, draft)
    shaped, design = drafts.designed(session, programme, drafted, pictures)
    if design.arrangement is not None:
        # Whatever else the owner leaves out: that it is a test stands on its front.
        places = tuple(each for each in design.arrangement.places if each[0] != "member")
        design = replace(design, arrangement=Arrangement(places, design.arrangement.labels))
    person = Person(
        name=said(TEST, trial.language),
        balance=0,
        serial_number=trial.serial_number,
        message=said(_NOTHING, trial.language),
    )
    face = showing.made_up(
        session, shaped, design, drafted.kind, language=trial.language, now=now, person=person
    )
    until = trial.made_at + TEST_LASTS
    extras = replace(face.issued.extras, nfc=None)
    issued = replace(face.issued, valid_until=until, valid_from=None, extras=extras)
    return replace(face, issued=issued)


def build(context: Context, passes: ApplePasses, face: CardFace, *, now: datetime) -> bytes:
    """The test pass, signed. Raises `Unavailable` without a certificate."""
    return signed(context, passes.usable().signer, face, now=now, is_updated=False)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
