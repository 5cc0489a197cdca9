"""Why Google refuses a loyalty class or object, or a phone shows "Something went wrong".

`inspect_resource` looks at the JSON alone and asks nobody; it also runs before the first insert of
a class. `pictures` fetches the pictures as Google would, `rights` asks Google.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from app.delivery.google.reach import from_outside
from app.delivery.google.schema import Json, check, schemas
from passes.apple.preflight.finding import Finding, Severity, error, warning

_ID = re.compile(r"([0-9]{1,20})\.[A-Za-z0-9._-]{1,100}", re.ASCII)
_COLOUR = re.compile(r"#(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})", re.ASCII)
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}){16,64}", re.ASCII)
#: Google's issuer ids have 16 to 19 digits; a project's number has 12.
_SHORTEST_ISSUER = 15
#: Longer names are cut off on small phones.
_SHOWN = {"issuerName": 20, "programName": 20, "accountIdLabel": 15, "accountNameLabel": 15}
_MOST = {
    "textModulesData": 10,
    "messages": 10,
    "merchantLocations": 10,
    "valueAddedModuleData": 15,
    "linkedObjectIds": 50,
}
_DEEPEST = 20
_REVIEW = ("UNDER_REVIEW", "DRAFT")


def inspect_resource(
    body: object,
    *,
    is_google: bool = True,
    issuer: str | None = None,
    known: Json | None = None,
    is_offer: bool = False,
) -> list[Finding]:
    """What Google would refuse, or not show, in a class or object: of a loyalty card, or an offer.

    An offer's class is known by its fields, its object by *is_offer* alone.

    *is_google* is False where another server stands in for Google: it reaches this machine's own
    addresses. *issuer* is our own number, *known* another discovery document's schemas.
    """
    if not isinstance(body, dict):
        return [
            error(
                "no_object",
                "loyalty",
                "This is not a JSON object.",
                "Give a loyalty class or a loyalty object as Google documents it.",
            )
        ]
    is_class = "classId" not in body
    kind = "Offer" if is_offer or (is_class and "redemptionChannel" in body) else "Loyalty"
    name = f"{kind}Class" if is_class else f"{kind}Object"
    findings = list(check(name, body, known or schemas()))
    findings += _ids(body, issuer)
    findings += _class(body) if is_class else _object(body)
    findings += _lengths(body, name[0].lower() + name[1:])
    for where, address in addresses(body):
        findings += from_outside(where, address, is_google=is_google)
    return findings


def inspect_issuer(issuer: str | None) -> list[Finding]:
    """Whether an issuer's number can be one."""
    where = "COUNTERFOIL_GOOGLE_ISSUER_ID"
    cure = "Copy the number beside your name at https://pay.google.com/business/console."
    if not issuer:
        return [error("issuer_missing", where, "There is no issuer id.", cure)]
    if not re.fullmatch(r"[0-9]{1,20}", issuer, re.ASCII):
        return [
            error("issuer_malformed", where, "An issuer id is a number of up to 20 digits.", cure)
        ]
    if len(issuer) < _SHORTEST_ISSUER:
        return [
            warning(
                "issuer_short",
                where,
                f"{issuer} is shorter than issuer ids are; a Cloud project's number looks like it.",
                cure,
            )
        ]
    return []


def addresses(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every address in a resource that Google itself asks: pictures and the callback."""
    yield from pictures(body)
    callback = body.get("callbackOptions")
    if isinstance(callback, dict) and isinstance(callback.get("url"), str):
        yield "callbackOptions.url", callback["url"]


def pictures(body: object, where: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Every picture's place and address in a resource."""
    if depth > _DEEPEST:
        return  # Google nests nothing that deep: the schema has said so.
    if isinstance(body, dict):
        source = body.get("sourceUri")
        if isinstance(source, dict) and isinstance(source.get("uri"), str):
            yield where, source["uri"]
        for name, value in body.items():
            yield from pictures(value, f"{where}.{name}".lstrip("."), depth + 1)
    elif isinstance(body, list):
        for number, value in enumerate(body[:100]):
            yield from pictures(value, f"{where}[{number}]", depth + 1)


def is_refused(findings: list[Finding]) -> bool:
    """Whether Google would not take it."""
    return any(finding.severity == Severity.ERROR for finding in findings)


def _ids(body: Json, issuer: str | None) -> Iterator[Finding]:
    for field in ("id", "classId"):
        value = body.get(field)
        if not isinstance(value, str):
            continue
        found = _ID.fullmatch(value)
        if found is None:
            yield error(
                "id_malformed",
                field,
                f"{value[:60]!r} is no id that Google takes.",
                "Write the issuer's number, a dot, and letters, digits, dots, dashes or _.",
            )
        elif issuer is not None and found[1] != issuer:
            yield error(
                "id_of_another_issuer",
                field,
                f"The id begins with {found[1]}, and our issuer is {issuer}: Google answers 403.",
                "Use our own number, or set COUNTERFOIL_GOOGLE_ISSUER_ID to the other one.",
            )


def _class(body: Json) -> Iterator[Finding]:
    status = body.get("reviewStatus")
    if isinstance(status, str) and status not in _REVIEW:
        yield error(
            "review_status",
            "reviewStatus",
            f"Google refuses a class that says {status[:40]!r}: only Google approves.",
            "Send UNDER_REVIEW with every insert and update, whatever a GET has answered.",
        )
    if status == "DRAFT":
        yield warning(
            "draft",
            "reviewStatus",
            "Cards of a class that is a draft cannot be saved.",
            "Send UNDER_REVIEW.",
        )
    colour = body.get("hexBackgroundColor")
    if isinstance(colour, str) and not _COLOUR.fullmatch(colour):
        yield error(
            "bad_colour",
            "hexBackgroundColor",
            f"{colour[:40]!r} is no colour.",
            'Write it like "#1a2b3c".',
        )
    if body.get("merchantLocations"):
        yield warning(
            "merchant_locations",
            "merchantLocations",
            "Google takes these only from issuers on its list, and answers 400 to others.",
            "Ask Google's support for it first.",
        )


def _object(body: Json) -> Iterator[Finding]:
    rotating = body.get("rotatingBarcode")
    if rotating is None and body.get("barcode") is None:
        yield warning(
            "no_barcode",
            "barcode",
            "The card has no code to scan.",
            "Add barcode or rotatingBarcode.",
        )
    if not isinstance(rotating, dict):
        return
    if body.get("barcode") is not None:
        yield error(
            "static_beside_rotating",
            "barcode",
            "A static code beside the rotating one defeats it.",
            "Leave barcode out.",
        )
    details = rotating.get("totpDetails")
    pattern = rotating.get("valuePattern")
    if not isinstance(pattern, str) or "{totp_value_0}" not in pattern:
        yield error(
            "rotating_pattern",
            "rotatingBarcode.valuePattern",
            "Without {totp_value_0} the code never changes.",
            "Put {totp_timestamp_seconds} and {totp_value_0} into it.",
        )
    keys = details.get("parameters") if isinstance(details, dict) else None
    for parameter in keys if isinstance(keys, list) else [{}]:
        key = parameter.get("key") if isinstance(parameter, dict) else None
        if not isinstance(key, str) or not _HEX.fullmatch(key):
            yield error(
                "rotating_key",
                "rotatingBarcode.totpDetails.parameters",
                "A key of the rotating code is not 16 to 64 bytes in hexadecimal.",
                "Write the card's key in hexadecimal; base64 or base32 gives other codes.",
            )


def _lengths(body: Json, place: str) -> Iterator[Finding]:
    for field, most in _MOST.items():
        value = body.get(field)
        if isinstance(value, list) and len(value) > most:
            yield error(
                "too_many",
                f"{place}.{field}",
                f"Google takes at most {most} of these, not {len(value)}.",
                "Leave the least important ones out.",
            )
    for field, most in _SHOWN.items():
        value = body.get(field)
        if isinstance(value, str) and len(value) > most:
            yield warning(
                "long_text",
                f"{place}.{field}",
                f"Of its {len(value)} characters small phones show about {most}.",
                "Shorten it if what is cut off matters.",
            )
