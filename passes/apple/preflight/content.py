"""What a pass.json says, beyond the types of its keys."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from passes.apple.pass_json import MIN_TOKEN_LENGTH
from passes.apple.preflight.finding import Finding, error, warning
from passes.apple.preflight.schema import FIELD_LISTS, STYLES, check_pass

_KNOWN_FORMATS = (
    "PKBarcodeFormatQR",
    "PKBarcodeFormatPDF417",
    "PKBarcodeFormatAztec",
    "PKBarcodeFormatCode128",
)
_MAX_MESSAGE = 4096
_NEVER_CHANGE = ("serialNumber", "passTypeIdentifier", "teamIdentifier", "authenticationToken")


def check_content(content: dict[str, Any], *, nfc_entitled: bool) -> Iterator[Finding]:
    """Yield what is wrong with the pass.json `content`, the signature's side left out."""
    yield from check_pass("", content)
    if isinstance(content.get("formatVersion"), int) and content["formatVersion"] != 1:
        yield error(
            "format_version",
            "formatVersion",
            "formatVersion is not 1.",
            "Write 1: there is no other.",
        )
    yield from _check_style(content)
    yield from _check_fields(content)
    yield from _check_barcodes(content)
    yield from _check_service(content)
    if "nfc" in content and not nfc_entitled:
        yield error(
            "nfc_entitlement",
            "nfc",
            "The pass has nfc, which phones take only under a certificate with the entitlement.",
            "Remove nfc, or ask Apple for the entitlement and say that you have it.",
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


def _check_style(content: dict[str, Any]) -> Iterator[Finding]:
    # A posterGeneric comes with another style, for the systems before iOS 27.
    styles = [name for name in STYLES if name in content and name != "posterGeneric"]
    if len(styles) == 1:
        return
    shown = " and ".join(styles) if styles else "none"
    yield error(
        "style",
        "pass.json",
        f"A pass has exactly one style; this one has {shown}.",
        "Use storeCard for a card and coupon for a coupon.",
    )


def _fields(content: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each field with the place it stands in."""
    for style in STYLES:
        for listed in FIELD_LISTS:
            holder = content.get(style)
            members = holder.get(listed) if isinstance(holder, dict) else None
            for number, field in enumerate(members if isinstance(members, list) else ()):
                if isinstance(field, dict):
                    yield f"{style}.{listed}[{number}]", field


def _check_fields(content: dict[str, Any]) -> Iterator[Finding]:
    seen: set[tuple[str, str]] = set()
    with_message: list[str] = []
    for where, field in _fields(content):
        key, message = field.get("key"), field.get("changeMessage")
        style = where.partition(".")[0]
        if isinstance(key, str):
            if (style, key) in seen:
                yield error(
                    "field_key_twice",
                    where,
                    f"Two fields have the key {key[:60]!r}.",
                    "Give every field a key of its own.",
                )
            seen.add((style, key))
        if isinstance(message, str):
            with_message.append(where)
            if "%@" not in message:
                yield warning(
                    "change_message_without_value",
                    f"{where}.changeMessage",
                    "The change message has no %@, so the lock screen shows no new value.",
                    'Write it like "You now have %@ points".',
                )
    if len(with_message) > 1:
        yield error(
            "change_messages",
            ", ".join(with_message[:5]),
            f"{len(with_message)} fields have a change message: where two change, the lock "
            "screen shows a generic line and none of them.",
            "Leave one change message, on the field whose change people care for.",
        )


def _check_barcodes(content: dict[str, Any]) -> Iterator[Finding]:
    listed = content.get("barcodes")
    barcodes = [("barcode", content["barcode"])] if "barcode" in content else []
    if isinstance(listed, list):
        barcodes += [(f"barcodes[{number}]", item) for number, item in enumerate(listed[:20])]
    found = [(where, item) for where, item in barcodes if isinstance(item, dict)]
    for where, item in found:
        message, encoding = item.get("message"), item.get("messageEncoding")
        if isinstance(message, str) and isinstance(encoding, str):
            yield from _check_encoding(where, message, encoding)
    if found and not any(item.get("format") in _KNOWN_FORMATS for _, item in found):
        yield error(
            "barcode_format",
            found[-1][0],
            "No barcode has a format that every phone knows.",
            "Add one in PKBarcodeFormatQR as the last entry.",
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
    if isinstance(url, str):
        yield from _check_address(url)


def _check_address(url: str) -> Iterator[Finding]:
    try:
        parts = urlsplit(url)
        host = parts.hostname
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
