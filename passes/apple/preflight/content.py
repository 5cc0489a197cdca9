"""What a pass.json says, beyond the types of its keys."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from passes.apple.pass_json import MIN_TOKEN_LENGTH
from passes.apple.preflight.fields import check_fields
from passes.apple.preflight.finding import Finding, error, warning
from passes.apple.preflight.languages import Tables
from passes.apple.preflight.schema import check_pass
from passes.errors import FaceError
from passes.extras import CodeFormat, FurtherCode

_KNOWN_FORMATS = (
    "PKBarcodeFormatQR",
    "PKBarcodeFormatPDF417",
    "PKBarcodeFormatAztec",
    "PKBarcodeFormatCode128",
)
#: Since iOS 27; older systems skip to the next entry.
_NEWER_FORMATS = {
    "PKBarcodeFormatCode39": CodeFormat.CODE_39,
    "PKBarcodeFormatCodabar": CodeFormat.CODABAR,
    "PKBarcodeFormatEAN13": CodeFormat.EAN_13,
    "PKBarcodeFormatI2of5": CodeFormat.ITF,
}
_MAX_NFC_BYTES = 64
_MAX_MESSAGE = 4096
_NEVER_CHANGE = ("serialNumber", "passTypeIdentifier", "teamIdentifier", "authenticationToken")


def check_content(
    content: dict[str, Any], *, nfc_entitled: bool, tables: Tables
) -> Iterator[Finding]:
    """Yield what is wrong with the pass.json `content`, the signature's side left out.

    `tables` are the strings of its languages.
    """
    yield from check_pass("", content)
    if isinstance(content.get("formatVersion"), int) and content["formatVersion"] != 1:
        yield error(
            "format_version",
            "formatVersion",
            "formatVersion is not 1.",
            "Write 1: there is no other.",
        )
    yield from check_fields(content, tables)
    yield from _check_barcodes(content)
    yield from _check_service(content)
    yield from _check_nfc(content, nfc_entitled)
    yield from _check_relevance(content)
    yield from _check_actions(content)
    if "appLaunchURL" in content and not content.get("associatedStoreIdentifiers"):
        yield error(
            "app_missing",
            "appLaunchURL",
            "appLaunchURL names no app: associatedStoreIdentifiers is missing.",
            "Add the app's number in the App Store as associatedStoreIdentifiers.",
        )


def check_unchanged(content: dict[str, Any], before: dict[str, Any]) -> Iterator[Finding]:
    """Yield what differs from the earlier pass.json `before` and must never."""
    codes = {"serialNumber": "serial_changed", "authenticationToken": "token_changed"}
    for name in _NEVER_CHANGE:
        if content.get(name) != before.get(name):
            yield error(
                codes.get(name, "identifier_changed"),
                name,
                f"{name} is another than in the earlier pass: to a phone this is a new pass.",
                f"Keep {name} for the life of a pass.",
            )


def _check_nfc(content: dict[str, Any], nfc_entitled: bool) -> Iterator[Finding]:
    nfc = content.get("nfc")
    if "nfc" in content and not nfc_entitled:
        yield error(
            "nfc_entitlement",
            "nfc",
            "The pass has nfc, which phones take only under a certificate with the entitlement.",
            "Remove nfc, or ask Apple for the entitlement and say that you have it.",
        )
    message = nfc.get("message") if isinstance(nfc, dict) else None
    if isinstance(message, str) and len(message.encode(errors="replace")) > _MAX_NFC_BYTES:
        yield error(
            "nfc_message",
            "nfc.message",
            f"The NFC message has more than {_MAX_NFC_BYTES} bytes.",
            "Send a short number that the terminal looks up.",
        )


def _check_relevance(content: dict[str, Any]) -> Iterator[Finding]:
    for where, place in _objects(content, "locations"):
        for name, most in (("latitude", 90), ("longitude", 180)):
            degrees = place.get(name)
            if _is_number(degrees) and abs(degrees) > most:
                yield error(
                    "location_bad",
                    f"{where}.{name}",
                    f"There is no {name} of {str(degrees)[:40]} degrees.",
                    f"Write degrees between -{most} and {most}; latitude comes first.",
                )
    for where, times in _objects(content, "relevantDates"):
        if ("startDate" in times) != ("endDate" in times):
            yield error(
                "date_half",
                where,
                "An interval has a startDate and an endDate; one of them is missing.",
                "Add the other, or write a single date.",
            )
    for where, beacon in _objects(content, "beacons"):
        for name in ("major", "minor"):
            number = beacon.get(name)
            if _is_number(number) and not 0 <= number <= 0xFFFF:
                yield error(
                    "beacon_bad",
                    f"{where}.{name}",
                    f"A beacon's {name} lies between 0 and 65535.",
                    "Write the number that the beacon is set to.",
                )


def _check_actions(content: dict[str, Any]) -> Iterator[Finding]:
    seen: set[str] = set()
    for where, action in _objects(content, "featuredActions"):
        wanted = "placeIdentifier" if action.get("type") == "place" else "url"
        if wanted not in action:
            yield error(
                "action_incomplete",
                where,
                f"The featured action has no {wanted}: it leads nowhere.",
                f"Add {wanted}.",
            )
        name = action.get("identifier")
        if isinstance(name, str) and name in seen:
            yield error(
                "action_twice",
                where,
                f"Two featured actions are called {name[:60]!r}.",
                "Give each an identifier of its own.",
            )
        seen.add(str(name))


def _objects(content: dict[str, Any], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    listed = content.get(name)
    for number, item in enumerate(listed[:20] if isinstance(listed, list) else ()):
        if isinstance(item, dict):
            yield f"{name}[{number}]", item


def _is_number(found: Any) -> TypeGuard[float]:
    return isinstance(found, int | float) and not isinstance(found, bool)


def _check_barcodes(content: dict[str, Any]) -> Iterator[Finding]:
    listed = list(_objects(content, "barcodes"))
    single = content.get("barcode")
    found = [("barcode", single)] if isinstance(single, dict) else []
    found += listed
    formats = [item.get("format") for _, item in found]
    for where, item in found:
        message, encoding = item.get("message"), item.get("messageEncoding")
        if isinstance(message, str) and isinstance(encoding, str):
            yield from _check_encoding(where, message, encoding)
        yield from _check_format(where, item.get("format"), message)
    if found and not any(form in _KNOWN_FORMATS for form in formats):
        yield error(
            "barcode_format",
            found[-1][0],
            "No barcode has a format that every phone knows.",
            "Add one in PKBarcodeFormatQR as the last entry.",
        )
    known = [item.get("format") in _KNOWN_FORMATS for _, item in listed]
    if True in known and False in known[known.index(True) :]:
        yield warning(
            "barcode_order",
            listed[known.index(True)][0],
            "Barcodes after this one are never shown: every phone knows its format.",
            "Put the formats of iOS 27 first and PKBarcodeFormatQR last.",
        )


def _check_format(where: str, form: Any, message: Any) -> Iterator[Finding]:
    if not isinstance(form, str) or form in _KNOWN_FORMATS:
        return
    if form not in _NEWER_FORMATS:
        yield warning(
            "barcode_format_unknown",
            f"{where}.format",
            f"{form[:60]!r} is no barcode format that Apple knows; phones skip it.",
            f"Use one of: {', '.join((*_KNOWN_FORMATS, *_NEWER_FORMATS))}.",
        )
        return
    try:
        FurtherCode(_NEWER_FORMATS[form], message if isinstance(message, str) else "0")
    except FaceError as fault:
        yield error(
            "barcode_message",
            f"{where}.message",
            f"No barcode can be drawn: {fault}.",
            "Give the digits or letters that the format has, with their check digit.",
        )


def _check_encoding(where: str, message: str, encoding: str) -> Iterator[Finding]:
    try:
        # No barcode holds more. An encoding that does not exist is a LookupError.
        message[:_MAX_MESSAGE].encode(encoding)
    except (LookupError, ValueError):
        yield error(
            "barcode_encoding",
            f"{where}.messageEncoding",
            f"The message cannot be written in {encoding[:40]!r}.",
            'Use "iso-8859-1" and a message of Latin characters.',
        )


def _check_service(content: dict[str, Any]) -> Iterator[Finding]:
    url, token = content.get("webServiceURL"), content.get("authenticationToken")
    if (url is None) != (token is None):
        missing = "webServiceURL" if url is None else "authenticationToken"
        yield error(
            "web_service_half",
            missing,
            f"{missing} is missing: the pass would never update.",
            "Set webServiceURL and authenticationToken, or neither.",
        )
    if isinstance(token, str) and len(token) < MIN_TOKEN_LENGTH:
        yield error(
            "token_short",
            "authenticationToken",
            f"authenticationToken has {len(token)} characters.",
            f"Use at least {MIN_TOKEN_LENGTH}, drawn at random.",
        )
    elif isinstance(token, str) and not _is_for_a_header(token):
        yield error(
            "token_characters",
            "authenticationToken",
            "authenticationToken has blanks or other characters that no HTTP header carries whole.",
            "Draw it at random from letters, digits, - and _.",
        )
    if isinstance(url, str):
        yield from _check_address(url)


def _is_for_a_header(token: str) -> bool:
    # Phones send it as one word: "Authorization: ApplePass TOKEN".
    return token.isascii() and token.isprintable() and " " not in token


def _check_address(url: str) -> Iterator[Finding]:
    try:
        parts = urlsplit(url)
        # Asking for the port is what checks it.
        host = parts.hostname if parts.port != 0 else None
    except ValueError:
        parts, host = None, None
    if parts is None or not host or parts.scheme not in ("http", "https"):
        yield error(
            "web_service_url",
            "webServiceURL",
            f"webServiceURL is no web address: {url[:80]!r}.",
            "Write the address of the service, as https://cards.example.com/apple.",
        )
    elif parts.scheme == "http" and _is_loopback(host):
        yield warning(
            "web_service_not_https",
            "webServiceURL",
            "webServiceURL is http on this machine: good for development, refused by phones.",
            "Serve it over https before a phone is to install the pass.",
        )
    elif parts.scheme == "http":
        yield error(
            "web_service_not_https",
            "webServiceURL",
            "webServiceURL is not https.",
            "Serve the web service over https.",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
