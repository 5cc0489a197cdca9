"""What Google asks of a loyalty class or object, in Google's words. Pure but for one file read.

The witness is Google's own discovery document of walletobjects v1, as google-api-python-client
ships it: fields, types, enums, and "Required." at the beginning of a field's prose.
"""

from __future__ import annotations

import base64
import binascii
import copy
import functools
import json
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

Json = dict[str, Any]
_RESOURCE_ID = re.compile(r"([0-9]{1,20})\.[A-Za-z0-9._-]{1,100}", re.ASCII)
_PLAIN: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "object": (dict,),
}
_RANGES = {
    "int32": range(-(2**31), 2**31),
    "uint32": range(2**32),
    "int64": range(-(2**63), 2**63),
    "uint64": range(2**64),
}
_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}


class GoogleRefuses(Exception):
    """An answer that is an error: status, Google's short reason, and its message."""

    def __init__(
        self, status: int, reason: str, message: str, *, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.retry_after = retry_after

    @property
    def body(self) -> Json:
        """The error as Google writes it."""
        domain = "global" if self.reason == "badRequest" else "walletobjects"
        item = {"message": self.message, "domain": domain, "reason": self.reason}
        return {
            "error": {
                "code": self.status,
                "message": self.message,
                "errors": [item],
                "status": _STATUS.get(self.status, "INTERNAL"),
            }
        }


@functools.cache
def schemas() -> Mapping[str, Any]:
    """The schemas of walletobjects v1 by name."""
    folder = resources.files("googleapiclient") / "discovery_cache" / "documents"
    document = json.loads((folder / "walletobjects.v1.json").read_text("utf-8"))
    found: Mapping[str, Any] = document["schemas"]
    return found


def issuer_of(resource_id: object) -> str:
    """The issuer in an id. Raises GoogleRefuses for an id that is none."""
    found = _RESOURCE_ID.fullmatch(resource_id) if isinstance(resource_id, str) else None
    if found is None:
        raise GoogleRefuses(400, "invalidResource", f"Invalid resource ID: {resource_id}")
    return found[1]


def check_body(schema: str, body: object, *, is_patch: bool = False) -> Json:
    """Return `body` if it is a `schema` of the discovery document.

    In a patch null clears a field and required fields may be absent, though not cleared.
    Raises GoogleRefuses for unknown fields, wrong types, unknown enum values, missing fields.
    """
    if not isinstance(body, dict):
        raise _invalid("Invalid JSON payload received. The root is not an object.")
    _check_fields(schema, body, schema[0].lower() + schema[1:], is_patch)
    for name, field in schemas()[schema]["properties"].items():
        required = field.get("description", "").startswith("Required.")
        missing = body.get(name) is None if name in body or not is_patch else False
        if required and (missing or body.get(name) == ""):
            raise _invalid(f"Request contains an invalid argument. {name} is required.")
    return body


def answered(schema: str, value: Mapping[str, Any]) -> Json:
    """A stored resource as Google answers it: enum values in lowerCamel where it has those."""
    shown: Json = {}
    properties = schemas()[schema]["properties"]
    for name, item in value.items():
        shown[name] = _answered_value(properties[name], item)
    return shown


def merged(stored: Mapping[str, Any], patch: Mapping[str, Any]) -> Json:
    """`stored` after a PATCH: objects merge, arrays replace, null clears."""
    result = dict(copy.deepcopy(dict(stored)))
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = merged(result[name], value)
        else:
            result[name] = copy.deepcopy(value)
    return result


def _invalid(message: str) -> GoogleRefuses:
    return GoogleRefuses(400, "badRequest", message)


def _check_fields(schema: str, body: Mapping[str, Any], where: str, is_patch: bool) -> None:
    properties = schemas()[schema]["properties"]
    for name, value in body.items():
        if name not in properties:
            raise _invalid(
                f"Invalid JSON payload received. Unknown name \"{name}\" at '{where}': "
                "Cannot find field."
            )
        if value is None and is_patch:
            continue
        _check_value(properties[name], value, f"{where}.{name}", is_patch)


def _check_value(schema: Mapping[str, Any], value: object, where: str, is_patch: bool) -> None:
    if "$ref" in schema:
        if not isinstance(value, dict):
            raise _wrong(where, schema["$ref"], value)
        _check_fields(schema["$ref"], value, where, is_patch)
        return
    kind = schema["type"]
    if kind == "array":
        if not isinstance(value, list):
            raise _wrong(where, "list", value)
        for number, item in enumerate(value):
            _check_value(schema["items"], item, f"{where}[{number}]", False)
        return
    plain = _PLAIN[kind]
    if not isinstance(value, plain) or (isinstance(value, bool) and kind != "boolean"):
        raise _wrong(where, kind, value)
    if "enum" in schema and value not in schema["enum"]:
        raise _wrong(where, "enum", value)
    _check_format(schema.get("format"), value, where)


def _check_format(form: str | None, value: object, where: str) -> None:
    if form in _RANGES:
        digits = isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,20}", value, re.ASCII)
        if isinstance(value, str) and not digits:
            raise _wrong(where, form, value)
        if int(str(value)) not in _RANGES[form]:
            raise _wrong(where, form, value)
    elif form == "byte":
        try:
            base64.b64decode(str(value), validate=True)
        except (binascii.Error, ValueError):
            raise _wrong(where, "base64", value) from None


def _wrong(where: str, kind: str, value: object) -> GoogleRefuses:
    shown = json.dumps(value)[:60]
    return _invalid(f"Invalid value at '{where}' ({kind}), {shown}")


def _answered_value(schema: Mapping[str, Any], value: Any) -> Any:
    if "$ref" in schema:
        return answered(schema["$ref"], value)
    if schema["type"] == "array":
        return [_answered_value(schema["items"], item) for item in value]
    if "enum" in schema:
        head, *rest = str(value).lower().split("_")
        alias = head + "".join(part.capitalize() for part in rest)
        return alias if alias in schema["enum"] else value
    return value
