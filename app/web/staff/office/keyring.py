"""The keys: listed without their secrets, rotated, retired, with what follows said before."""

from datetime import UTC, date, datetime
from typing import Any

from flask import request

from app.cards import service as cards
from app.cards.models import SigningKey
from app.errors import Invalid, NotFound
from app.keys import KeyInfo, Purpose
from app.languages import _, lazy
from app.staff.permissions import Permission
from app.web.staff.door import StaffPages, Visit
from app.web.staff.navigation import NavItem
from app.web.staff.office.headings import INSTALLATION
from app.web.staff.office.operator import check_theirs, is_theirs

pages = StaffPages("keys", __name__)
NAV = (NavItem(800, lazy("Keys"), "keys.index", Permission.SEE_INSTALLATION, INSTALLATION),)

#: What each key is for, and what follows from a new one and from the end of an old one.
ABOUT = {
    Purpose.CARD_SIGNING: (
        lazy("Signs card codes"),
        lazy("New cards carry the new key; the old ones stay valid. Tills fetch it by themselves."),
        lazy("With a last day, cards of this key are refused from that day on."),
    ),
    Purpose.TOTP_MASTER: (
        lazy("Makes codes change on the phone"),
        lazy("Phones show new codes once their pass is updated; the old codes hold meanwhile."),
        lazy("Passes that were not updated since show codes that are refused."),
    ),
    Purpose.FIELD: (
        lazy("Seals names and contacts in the database"),
        lazy("What is written from now on is sealed with it; what was written before still opens."),
        lazy("Nothing changes: what it sealed still opens."),
    ),
    Purpose.BLIND_INDEX: (
        lazy("Finds a member by a whole contact"),
        lazy("New contacts are found by it; the earlier ones by the earlier key."),
        lazy("Contacts that were written with it are found no more by typing them."),
    ),
    Purpose.SECOND_FACTOR: (
        lazy("Seals the secrets of the staff's authenticator apps"),
        lazy("Each is sealed anew at its owner's next sign-in; nobody notices."),
        lazy("Nothing changes: what it sealed still opens."),
    ),
    Purpose.APPLE_TOKEN: (
        lazy("Makes the tokens in Apple passes"),
        lazy("New passes get theirs from it; a pass that is out there keeps its own."),
        lazy("Nothing changes: a pass that is out there keeps its own."),
    ),
    Purpose.LETTERS: (
        lazy("Makes the links in letters to members"),
        lazy("New letters carry links of it; those in earlier letters still lead where they did."),
        lazy("Nothing changes: links in earlier letters still lead where they did."),
    ),
    Purpose.APPLE_PASS: (
        lazy("Signs Apple passes"),
        lazy("It comes with a certificate: see the page Certificates."),
        lazy("Passes cannot be signed with its certificate any more."),
    ),
    Purpose.GOOGLE_SERVICE: (
        lazy("Speaks to Google Wallet"),
        lazy("It comes as a file from Google: see the page Certificates."),
        lazy("Google is asked with the newer one alone."),
    ),
}


@pages.get("/", Permission.SEE_INSTALLATION)
def index(visit: Visit) -> Any:
    """Every key of the installation and of this programme."""
    infos = _infos(visit)
    if request.args.get("as") == "csv":
        head = [_("Purpose"), _("Version"), _("Made"), _("Retired")]
        rows = [
            (
                str(each.purpose),
                each.version,
                each.created_at.isoformat(),
                each.retired_at.isoformat() if each.retired_at else "",
            )
            for each in infos
        ]
        return visit.csv("keys", head, rows)
    with visit.read() as session:
        signing = {each.key_id: each for each in cards.public_keys(session)}
    return visit.show(
        "staff/office/keys.html",
        infos=infos,
        signing=signing,
        about=ABOUT,
        purposes=[each for each in ABOUT if each.made_on_demand or each == Purpose.CARD_SIGNING],
        theirs=is_theirs(visit),
        may_change=visit.may(Permission.CHANGE_INSTALLATION),
        in_use={each.purpose: each.version for each in infos if each.retired_at is None},
    )


@pages.post("/rotate", Permission.CHANGE_INSTALLATION)
def rotate(visit: Visit) -> Any:
    """Make the next key of a purpose; nothing stops."""
    purpose = _purpose(visit)
    if purpose == Purpose.CARD_SIGNING:
        with visit.write() as session:
            version = cards.create_signing_key(
                session, visit.context.keys, visit.programme.id, now=visit.now
            )
            visit.note(session, "key.rotate", str(purpose), {"version": version})
    elif purpose.made_on_demand:
        check_theirs(visit)
        version = visit.context.keys.rotate(purpose).version
        with visit.write() as session:
            visit.note(session, "key.rotate", str(purpose), {"version": version})
    else:
        raise Invalid(_("This key comes with a file: see the page Certificates."))
    said = _("Key %(version)s is used from now on.", version=version)
    return visit.go("keys.index", said=said)


@pages.post("/retire", Permission.CHANGE_INSTALLATION)
def retire(visit: Visit) -> Any:
    """Use a key for nothing new any more; a signing key may get a last day."""
    purpose, version = _purpose(visit), _version(visit)
    if purpose == Purpose.CARD_SIGNING:
        _retire_signing_key(visit, version)
    else:
        check_theirs(visit)
        visit.context.keys.retire(purpose, version)
    with visit.write() as session:
        visit.note(session, "key.retire", str(purpose), {"version": version})
    return visit.go("keys.index", said=_("Key %(version)s is retired.", version=version))


def _retire_signing_key(visit: Visit, version: int) -> None:
    text = visit.form.get("valid_until", "")
    try:
        last = date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Invalid(
            _("This is no day: choose one."), {"valid_until": [_("choose one")]}
        ) from error
    with visit.write() as session:
        key = session.get(SigningKey, version)
        if key is None:
            raise NotFound(_("This programme has no such key."))
        if key.retired_at is None:
            raise Invalid(_("This key signs new cards. Make a new one first."))
        if last is not None:
            key.valid_until = datetime(last.year, last.month, last.day, tzinfo=UTC)
    visit.context.keys.retire(Purpose.CARD_SIGNING, version, visit.programme.id)


def _infos(visit: Visit) -> list[KeyInfo]:
    """The keys that all share, and this programme's own."""
    own = (None, visit.programme.id)
    return [each for each in visit.context.keys.list() if each.programme_id in own]


def _purpose(visit: Visit) -> Purpose:
    given = visit.form.get("purpose", "")
    if given not in list(Purpose):
        raise NotFound(_("There is no key for that."))
    return Purpose(given)


def _version(visit: Visit) -> int:
    given = visit.form.get("version", "")
    if not given.isascii() or not given.isdigit() or not 0 < len(given) <= 5:
        raise NotFound(_("This programme has no such key."))
    return int(given)
