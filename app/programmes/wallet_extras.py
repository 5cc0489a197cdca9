"""What a phone does with a card besides showing it: buttons, beacons, times, the shop's app, NFC.

Kept as JSON by the names of `READERS`; each reader checks what somebody gave and says what to give
instead. Source of the limits: developer.apple.com/documentation/walletpasses/pass.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from app.errors import Invalid
from app.languages import _
from passes.card import MAX_ACTIONS, MAX_BEACONS
from passes.errors import FaceError
from passes.extras import (
    NOTHING_MORE,
    Action,
    ActionKind,
    Beacon,
    CodeFormat,
    Extras,
    FurtherCode,
    Moment,
    Nfc,
)

#: Codes that hold the whole text of a card: whatever reads them knows the card.
FORMATS = (CodeFormat.PDF_417, CodeFormat.AZTEC)
MOST_MOMENTS = 10
MOST_STORE_IDENTIFIERS = 10
_LONGEST_WORDS = 120
_LONGEST_URL = 2000


@dataclass(frozen=True, slots=True)
class WalletExtras:
    """What all cards of a design have. `valid_until` is the last local day on which they work."""

    beacons: tuple[Beacon, ...] = ()
    actions: tuple[Action, ...] = ()
    sharing_prohibited: bool = False
    store_identifiers: tuple[int, ...] = ()
    app_launch_url: str | None = None
    moments: tuple[Moment, ...] = ()
    codes: tuple[CodeFormat, ...] = ()
    nfc_key: str | None = None
    nfc_authentication: bool = False
    valid_until: date | None = None

    def of_card(self, *, serial_number: str, code: str) -> Extras:
        """What of it stands on one card: an NFC reader is told its serial number."""
        if not (self.moments or self.codes or self.nfc_key):
            return NOTHING_MORE
        nfc = None
        if self.nfc_key is not None:
            nfc = Nfc(serial_number, self.nfc_key, self.nfc_authentication)
        codes = tuple(FurtherCode(each, code) for each in self.codes)
        return Extras(moments=self.moments, codes=codes, nfc=nfc)

    def ends_at(self, time_zone: str) -> datetime | None:
        """The first moment at which the cards no longer work; None where they go on."""
        if self.valid_until is None:
            return None
        after = self.valid_until + timedelta(days=1)
        return datetime.combine(after, time(), ZoneInfo(time_zone))


NO_EXTRAS = WalletExtras()


def extras_from_json(kept: Mapping[str, Any]) -> WalletExtras:
    """As `read_extras` kept them."""
    return WalletExtras(
        beacons=tuple(
            Beacon(each["uuid"], each.get("major"), each.get("minor"), each.get("text"))
            for each in kept.get("beacons", ())
        ),
        actions=tuple(Action(ActionKind(kind), url) for kind, url in kept.get("actions", ())),
        sharing_prohibited=bool(kept.get("no_sharing")),
        store_identifiers=tuple(kept.get("app_store_ids", ())),
        app_launch_url=kept.get("app_url"),
        moments=tuple(
            Moment(
                datetime.fromisoformat(start),
                None if end is None else datetime.fromisoformat(end),
            )
            for start, end in kept.get("times", ())
        ),
        codes=tuple(CodeFormat(each) for each in kept.get("codes", ())),
        nfc_key=kept.get("nfc_key"),
        nfc_authentication=bool(kept.get("nfc_authentication")),
        valid_until=None if (day := kept.get("valid_until")) is None else date.fromisoformat(day),
    )


def read_extras(kept: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """*kept* with *changes* by name; None takes a thing away. Raises `Invalid`: what to give."""
    found = dict(kept)
    for name, value in changes.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = READERS[name](value)
    if found.get("app_url") and not found.get("app_store_ids"):
        raise Invalid(_("Give the app's number in the App Store too: its address needs it."))
    return found


def _beacons(value: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(value) > MAX_BEACONS:
        raise Invalid(
            _(
                "Phones know at most %(max_beacons)s beacons of a card: keep the best.",
                max_beacons=MAX_BEACONS,
            )
        )
    for each in value:
        text = each.get("text")
        if text is not None and (not text.isprintable() or len(text) > _LONGEST_WORDS):
            raise Invalid(
                _(
                    "What is said beside a beacon has at most %(longest_words)s characters.",
                    longest_words=_LONGEST_WORDS,
                )
            )
        try:
            Beacon(each["uuid"], each.get("major"), each.get("minor"), text)
        except FaceError as error:
            raise Invalid(
                _("%(error)s. Write it as UUID or UUID,MAJOR,MINOR.", error=error)
            ) from error
    return value


def _actions(value: list[tuple[str, str]]) -> list[list[str]]:
    if len(value) > MAX_ACTIONS:
        raise Invalid(
            _("A card has at most %(max_actions)s buttons: keep the best.", max_actions=MAX_ACTIONS)
        )
    for kind, url in value:
        if kind not in set(ActionKind):
            raise Invalid(
                _(
                    "There is no button %(kind)s. Choose: %(known)s.",
                    kind=repr(kind),
                    known=", ".join(ActionKind),
                )
            )
        try:
            Action(ActionKind(kind), url)
        except FaceError as error:
            raise Invalid(_("%(kind)s: %(error)s.", kind=kind, error=error)) from error
    return [[kind, url] for kind, url in value]


def _store_identifiers(value: list[int]) -> list[int]:
    if len(value) > MOST_STORE_IDENTIFIERS or not all(0 < each < 10**12 for each in value):
        raise Invalid(_("The number of an app stands in its App Store address, behind 'id'."))
    return value


def _app_url(value: str) -> str:
    parts = urlsplit(value)
    if not parts.scheme.isascii() or not parts.scheme or len(value) > _LONGEST_URL:
        raise Invalid(_("The address that the app opens looks like myapp://card or https://…"))
    return value


def _times(value: list[tuple[str, str | None]]) -> list[list[str | None]]:
    if len(value) > MOST_MOMENTS:
        raise Invalid(
            _(
                "Give at most %(most_moments)s times in which phones offer the card.",
                most_moments=MOST_MOMENTS,
            )
        )
    for start, end in value:
        try:
            until = None if end is None else datetime.fromisoformat(end)
            Moment(datetime.fromisoformat(start), until)
        except (ValueError, FaceError) as error:
            raise Invalid(
                _(
                    "Write a time as 2026-12-24T09:00+02:00, or two with a / between them: "
                    "%(error)s.",
                    error=error,
                )
            ) from error
    return [[start, end] for start, end in value]


def _codes(value: list[str]) -> list[str]:
    for each in value:
        if each not in FORMATS:
            raise Invalid(
                _(
                    "A card's code fits into %(known)s, not into %(each)s.",
                    known=" or ".join(FORMATS),
                    each=each,
                )
            )
    return list(dict.fromkeys(value))


def _nfc_key(value: str) -> str:
    """A P-256 public key, X.509 SubjectPublicKeyInfo in base64 (or the lines of a PEM file)."""
    lines = value.strip().splitlines()
    text = "".join(line.strip() for line in lines if not line.startswith("-----"))
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error):
        key = None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Invalid(_("The reader's key is a P-256 public key in PEM or base64."))
    return text


def _yes(value: bool) -> bool:
    return bool(value)


def _day(value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise Invalid(
            _("Write the last day as 2027-12-31, not %(given)s.", given=repr(value[:30]))
        ) from None


READERS: dict[str, Callable[[Any], Any]] = {
    "beacons": _beacons,
    "actions": _actions,
    "no_sharing": _yes,
    "app_store_ids": _store_identifiers,
    "app_url": _app_url,
    "times": _times,
    "codes": _codes,
    "nfc_key": _nfc_key,
    "nfc_authentication": _yes,
    "valid_until": _day,
}
