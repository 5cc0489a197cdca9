"""Google's own description of a loyalty class and object, where it is installed.

The witness is the discovery document of walletobjects v1, which google-api-python-client ships:
fields, types, enums, and "Required." at the beginning of a field's prose. Without that package our
own list of required fields stands in.
"""

import functools
import json
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

from passes.apple.preflight.finding import Finding, error

Json = Mapping[str, Any]

#: As the prose of the discovery document marks them.
REQUIRED: dict[str, tuple[str, ...]] = {
    "LoyaltyClass": ("id", "issuerName", "programLogo", "programName", "reviewStatus"),
    "LoyaltyObject": ("classId", "id", "state"),
    "OfferObject": ("classId", "id", "state"),
    "OfferClass": ("id", "issuerName", "provider", "redemptionChannel", "reviewStatus", "title"),
}
_PLAIN: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "object": (dict,),
}
_RANGES = {"int32": range(-(2**31), 2**31), "int64": range(-(2**63), 2**63)}


@functools.cache
def schemas() -> Json | None:
    """The schemas of walletobjects v1 by name; None where Google's package is not installed."""
    try:
        folder = resources.files("googleapiclient") / "discovery_cache" / "documents"
        document = json.loads((folder / "walletobjects.v1.json").read_text("utf-8"))
    except (ModuleNotFoundError, FileNotFoundError):
        return None
    found: Json = document["schemas"]
    return found


def check(name: str, body: Json, known: Json | None) -> Iterator[Finding]:
    """What the schema *name* of *known* (see `schemas`) does not allow in *body*."""
    for field in required(name, known):
        if body.get(field) in (None, "", {}):
            yield error(
                "missing_field",
                f"{_place(name)}.{field}",
                "Google calls this field required, and it is missing.",
                "Fill it in.",
            )
    if known is not None:
        yield from _fields(known, name, body, _place(name))


def required(name: str, known: Json | None) -> tuple[str, ...]:
    """The fields without which Google refuses a resource."""
    if known is None:
        return REQUIRED.get(name, ())
    return tuple(
        field
        for field, schema in sorted(known[name]["properties"].items())
        if schema.get("description", "").startswith("Required.")
    )


def _place(name: str) -> str:
    return name[0].lower() + name[1:]


def _fields(known: Json, name: str, body: object, where: str) -> Iterator[Finding]:
    if not isinstance(body, dict):
        yield _wrong(where, "an object")
        return
    properties = known[name]["properties"]
    for field, value in body.items():
        place = f"{where}.{str(field)[:60]}"
        if field not in properties:
            yield error(
                "unknown_field",
                place,
                "Google knows no such field and refuses the whole.",
                "Leave it out, or look for a slip of the pen in its name.",
            )
        elif value is not None:
            yield from _value(known, properties[field], value, place)


def _value(known: Json, schema: Json, value: object, where: str) -> Iterator[Finding]:
    if "$ref" in schema:
        yield from _fields(known, schema["$ref"], value, where)
        return
    kind = schema["type"]
    if kind == "array":
        if not isinstance(value, list):
            yield _wrong(where, "a list")
            return
        for number, item in enumerate(value[:1000]):
            yield from _value(known, schema["items"], item, f"{where}[{number}]")
        return
    if not isinstance(value, _PLAIN[kind]) or (isinstance(value, bool) and kind != "boolean"):
        yield _wrong(where, f"of the type {kind}")
    elif "enum" in schema and value not in schema["enum"]:
        yield error(
            "unknown_value",
            where,
            f"{str(value)[:60]!r} is none of the values that Google knows.",
            f"Write one of {', '.join(v for v in schema['enum'] if v.isupper())[:200]}.",
        )
    elif schema.get("format") in _RANGES:
        yield from _number(schema["format"], value, where)


def _number(form: str, value: object, where: str) -> Iterator[Finding]:
    text = str(value)
    plain = text.removeprefix("-")
    if not plain.isascii() or not plain.isdigit() or len(plain) > 20:
        yield _wrong(where, f"a whole number ({form}, written as text)")
    elif int(text) not in _RANGES[form]:
        yield _wrong(where, f"a number of {form.removeprefix('int')} bits")


def _wrong(where: str, wanted: str) -> Finding:
    return error("wrong_type", where, f"This is not {wanted}.", "Write it as Google documents it.")
