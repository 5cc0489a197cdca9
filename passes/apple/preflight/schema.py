"""The keys of pass.json and their types, as a table, and a checker that walks it.

Source: developer.apple.com/documentation/walletpasses, the object Pass and those below it, with
the additions of iOS 18 (relevantDates, event guide) and iOS 27 (posterGeneric, featuredActions).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from passes.apple.preflight.finding import Finding, error, warning

Check = Callable[[str, Any], Iterator[Finding]]

_DATE = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?(?P<fraction>[.,]\d+)?(Z|[+-]\d{2}:?\d{2})", re.ASCII
)
_RGB = re.compile(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)", re.ASCII)
_HEX = re.compile(r"#[0-9A-Fa-f]{6}", re.ASCII)
_MAX_FINDINGS_PER_LIST = 20


def _wrong(where: str, found: Any, wanted: str) -> Finding:
    shown = type(found).__name__
    names = {"str": "a text", "dict": "an object", "list": "a list", "bool": "true or false"}
    names |= {"int": "a number", "float": "a number", "NoneType": "null"}
    return error(
        "type_wrong",
        where,
        f"{where} is {names.get(shown, shown)}; it has to be {wanted}.",
        f"Write {where} as {wanted}.",
    )


def _text(where: str, found: Any) -> Iterator[Finding]:
    if not isinstance(found, str):
        yield _wrong(where, found, "a text")


def _filled(where: str, found: Any) -> Iterator[Finding]:
    yield from _text(where, found)
    if isinstance(found, str) and not found.strip():
        yield error(
            "key_empty",
            where,
            f"{where} is there and says nothing.",
            f"Fill in {where}: Apple requires it.",
        )


def _number(where: str, found: Any) -> Iterator[Finding]:
    if isinstance(found, bool) or not isinstance(found, int | float):
        yield _wrong(where, found, "a number")


def _integer(where: str, found: Any) -> Iterator[Finding]:
    if isinstance(found, bool) or not isinstance(found, int):
        yield _wrong(where, found, "a whole number")


def _truth(where: str, found: Any) -> Iterator[Finding]:
    if not isinstance(found, bool):
        yield _wrong(where, found, "true or false")


def _any(where: str, found: Any) -> Iterator[Finding]:
    yield from ()


def _dictionary(where: str, found: Any) -> Iterator[Finding]:
    if not isinstance(found, dict):
        yield _wrong(where, found, "an object")


def _date(where: str, found: Any) -> Iterator[Finding]:
    if not isinstance(found, str):
        yield _wrong(where, found, "a date as text")
        return
    match = _DATE.fullmatch(found)
    if match and match["fraction"]:
        yield error(
            "date_milliseconds",
            where,
            f"{where} has fractions of a second ({found[:40]}).",
            "Write dates to the second, as 2026-11-23T09:30:00Z.",
        )
    elif not match or not _is_moment(found):
        yield error(
            "date_bad",
            where,
            f"{where} is not a date with time and zone ({found[:40]}).",
            "Write dates as 2026-11-23T09:30:00Z or 2026-11-23T11:30+02:00.",
        )


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _colour(where: str, found: Any) -> Iterator[Finding]:
    match = _RGB.fullmatch(found) if isinstance(found, str) else None
    if match and all(int(part) <= 255 for part in match.groups()):
        return
    if isinstance(found, str) and _HEX.fullmatch(found):
        yield warning(
            "colour_form",
            where,
            f"{where} is written as {found}, which Apple does not document.",
            "Write colours as rgb(59, 35, 20).",
        )
        return
    yield error(
        "colour_bad",
        where,
        f"{where} is no colour: {str(found)[:40]!r}.",
        "Write colours as rgb(59, 35, 20), each number from 0 to 255.",
    )


def one_of(*allowed: str) -> Check:
    """A text that is one of `allowed`."""

    def check(where: str, found: Any) -> Iterator[Finding]:
        if not isinstance(found, str):
            yield _wrong(where, found, "a text")
        elif found not in allowed:
            yield error(
                "value_unknown",
                where,
                f"{where} is {found[:40]!r}, which is none of Apple's values.",
                f"Use one of: {', '.join(allowed)}.",
            )

    return check


def list_of(check: Check, at_most: int | None = None, code: str = "too_many") -> Check:
    """A list whose members pass `check`; a longer one than `at_most` is found as `code`."""

    def check_list(where: str, found: Any) -> Iterator[Finding]:
        if not isinstance(found, list):
            yield _wrong(where, found, "a list")
            return
        if at_most is not None and len(found) > at_most:
            yield error(
                code,
                where,
                f"{where} has {len(found)} entries; phones take at most {at_most}.",
                f"Keep the {at_most} that matter most.",
            )
        reported = 0
        for number, member in enumerate(found):
            for finding in check(f"{where}[{number}]", member):
                yield finding
                reported += 1
            if reported >= _MAX_FINDINGS_PER_LIST:
                return

    return check_list


def object_of(keys: Mapping[str, Check], required: tuple[str, ...] = ()) -> Check:
    """An object with no keys but `keys`, each of its kind, and all of `required`."""

    def check_object(where: str, found: Any) -> Iterator[Finding]:
        if not isinstance(found, dict):
            yield _wrong(where, found, "an object")
            return
        prefix = f"{where}." if where else ""
        for name in required:
            if name not in found:
                yield error(
                    "key_missing",
                    f"{prefix}{name}",
                    f"{prefix}{name} is missing.",
                    f"Add {name}: Apple requires it.",
                )
        for name, value in list(found.items())[: len(keys) + _MAX_FINDINGS_PER_LIST]:
            check = keys.get(name)
            if check is not None:
                yield from check(f"{prefix}{name}", value)
                continue
            shown = name[:60]
            close = next((key for key in keys if key.lower() == name.lower()), None)
            yield error(
                "key_unknown",
                f"{prefix}{shown}",
                f"{prefix}{shown} is no key that Apple knows.",
                f"Did you mean {close}?" if close else f"Remove {shown}, or put it into userInfo.",
            )

    return check_object


def _value(where: str, found: Any) -> Iterator[Finding]:
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        yield _wrong(where, found, "a text or a number")


def _field(where: str, found: Any) -> Iterator[Finding]:
    """A field; its value is a date where it has a style for one."""
    yield from _FIELD_KEYS(where, found)
    if isinstance(found, dict) and ("dateStyle" in found or "timeStyle" in found):
        yield from _date(f"{where}.value", found.get("value"))


_DATE_STYLE = one_of(
    *(f"PKDateStyle{name}" for name in ("None", "Short", "Medium", "Long", "Full"))
)
_FIELD_KEYS = object_of(
    {
        "key": _text,
        "value": _value,
        "label": _text,
        "attributedValue": _value,
        "changeMessage": _text,
        "currencyCode": _text,
        "dataDetectorTypes": list_of(
            one_of(
                "PKDataDetectorTypePhoneNumber",
                "PKDataDetectorTypeLink",
                "PKDataDetectorTypeAddress",
                "PKDataDetectorTypeCalendarEvent",
            )
        ),
        "dateStyle": _DATE_STYLE,
        "timeStyle": _DATE_STYLE,
        "ignoresTimeZone": _truth,
        "isRelative": _truth,
        "numberStyle": one_of(
            "PKNumberStyleDecimal",
            "PKNumberStylePercent",
            "PKNumberStyleScientific",
            "PKNumberStyleSpellOut",
        ),
        "row": _integer,
        "semantics": _dictionary,
        "textAlignment": one_of(
            "PKTextAlignmentLeft",
            "PKTextAlignmentCenter",
            "PKTextAlignmentRight",
            "PKTextAlignmentNatural",
        ),
    },
    ("key", "value"),
)
FIELD_LISTS = (
    "headerFields",
    "primaryFields",
    "secondaryFields",
    "auxiliaryFields",
    "backFields",
    "additionalInfoFields",
)
_FIELDS: dict[str, Check] = {name: list_of(_field) for name in FIELD_LISTS}
_STYLE = object_of(_FIELDS)
_POSTER = object_of(_FIELDS | {"footerFields": list_of(_field)})
_TRANSIT = one_of(*(f"PKTransitType{name}" for name in ("Air", "Boat", "Bus", "Generic", "Train")))
_BOARDING = object_of(_FIELDS | {"transitType": _TRANSIT}, ("transitType",))
STYLES: dict[str, Check] = {
    "storeCard": _STYLE,
    "coupon": _STYLE,
    "generic": _STYLE,
    "eventTicket": _STYLE,
    "boardingPass": _BOARDING,
    "posterGeneric": _POSTER,
}

#: What the fields of a style stand in; the footer is the poster's alone.
ALL_FIELD_LISTS = (*FIELD_LISTS, "footerFields")

_BARCODE = object_of(
    {
        # Newer systems know further formats; older ones skip to the next entry.
        "format": _text,
        "message": _text,
        "messageEncoding": _text,
        "altText": _text,
    },
    ("format", "message", "messageEncoding"),
)
_LOCATION = object_of(
    {"latitude": _number, "longitude": _number, "altitude": _number, "relevantText": _text},
    ("latitude", "longitude"),
)
_BEACON = object_of(
    {"proximityUUID": _text, "major": _integer, "minor": _integer, "relevantText": _text},
    ("proximityUUID",),
)
_NFC = object_of(
    {"message": _text, "encryptionPublicKey": _text, "requiresAuthentication": _truth},
    ("message", "encryptionPublicKey"),
)
# Called relevantDate in iOS 18, date since iOS 26.
_RELEVANT_DATE = object_of(
    {"date": _date, "relevantDate": _date, "startDate": _date, "endDate": _date}
)
_ACTION = object_of(
    {
        "identifier": _text,
        "type": one_of(
            "viewSchedule",
            "watchTrailer",
            "listenToMusic",
            "call",
            "place",
            "addToBalance",
            "order",
            "shop",
            "membershipBenefits",
            "bookAppointment",
            "bookCar",
            "bookFlight",
            "bookStay",
            "viewOffersRewards",
        ),
        "url": _text,
        "placeIdentifier": _text,
    },
    ("identifier", "type"),
)

_TEXTS = (
    "appLaunchURL authenticationToken description eventLogoText groupingIdentifier logoText "
    "organizationName passTypeIdentifier serialNumber teamIdentifier webServiceURL "
    "contactVenueEmail contactVenuePhoneNumber transitProviderEmail transitProviderPhoneNumber "
    "accessibilityURL addOnURL bagPolicyURL contactVenueWebsite directionsInformationURL "
    "merchandiseURL orderFoodURL parkingInformationURL purchaseParkingURL sellURL transferURL "
    "transitInformationURL changeSeatURL entertainmentURL managementURL "
    "purchaseAdditionalBaggageURL purchaseLoungeAccessURL purchaseWifiURL registerServiceAnimalURL "
    "reportLostBagURL requestWheelchairURL trackBagsURL transitProviderWebsiteURL upgradeURL"
)
_REQUIRED_TEXTS = (
    "passTypeIdentifier",
    "serialNumber",
    "teamIdentifier",
    "organizationName",
    "description",
)
_TRUTHS = "sharingProhibited suppressHeaderDarkening suppressStripShine useAutomaticColors voided"
_COLOURS = "backgroundColor foregroundColor labelColor stripColor footerBackgroundColor"
_KEYS: dict[str, Check] = {
    **dict.fromkeys(_TEXTS.split(), _text),
    **dict.fromkeys(_REQUIRED_TEXTS, _filled),
    **dict.fromkeys(_TRUTHS.split(), _truth),
    **dict.fromkeys(_COLOURS.split(), _colour),
    **STYLES,
    "formatVersion": _integer,
    "associatedStoreIdentifiers": list_of(_number),
    "auxiliaryStoreIdentifiers": list_of(_number),
    "barcode": _BARCODE,
    "barcodes": list_of(_BARCODE),
    "beacons": list_of(_BEACON, 10, "too_many_beacons"),
    "locations": list_of(_LOCATION, 10, "too_many_locations"),
    "maxDistance": _number,
    "expirationDate": _date,
    "relevantDate": _date,
    "relevantDates": list_of(_RELEVANT_DATE),
    "featuredActions": list_of(_ACTION, 2, "too_many_actions"),
    "nfc": _NFC,
    "preferredStyleSchemes": list_of(_text),
    "upcomingPassInformation": list_of(_dictionary),
    "semantics": _dictionary,
    "userInfo": _any,
}
REQUIRED = ("formatVersion", *_REQUIRED_TEXTS)

check_pass: Check = object_of(_KEYS, REQUIRED)
"""Yields what is wrong with the keys and types of a pass.json: `check_pass("", content)`."""
