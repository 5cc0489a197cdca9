"""Google's own discovery document, as a witness for the JSON that is sent to it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import googleapiclient

PLAIN = {"string": str, "boolean": bool, "integer": int, "number": (int, float), "object": dict}


@cache
def schemas() -> dict[str, Any]:
    """The schemas of walletobjects v1, by name."""
    folder = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"
    document: dict[str, Any] = json.loads((folder / "walletobjects.v1.json").read_text())
    found: dict[str, Any] = document["schemas"]
    return found


def faults(name: str, body: Any, *, patch: bool = False, where: str = "") -> list[str]:
    """What the schema `name` does not allow in `body`. In a patch null clears a field and
    nothing is required."""
    where = where or name
    if not isinstance(body, dict):
        return [f"{where} is no object"]
    properties = schemas()[name]["properties"]
    found = [f"{where}.{key} is unknown" for key in body if key not in properties]
    for key, schema in properties.items():
        place = f"{where}.{key}"
        if key not in body:
            if schema.get("description", "").startswith("Required.") and not patch:
                found.append(f"{place} is required")
        elif not (patch and body[key] is None):
            found += _value_faults(schema, body[key], place)
    return found


def _value_faults(schema: dict[str, Any], value: Any, place: str) -> list[str]:
    if "$ref" in schema:
        return faults(schema["$ref"], value, where=place)
    kind = schema["type"]
    if kind == "array":
        if not isinstance(value, list):
            return [f"{place} is no list"]
        return [
            fault
            for number, item in enumerate(value)
            for fault in _value_faults(schema["items"], item, f"{place}[{number}]")
        ]
    wrong = not isinstance(value, PLAIN[kind]) or (isinstance(value, bool) and kind != "boolean")
    if wrong:
        return [f"{place} is no {kind}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{place} is none of the values"]
    if schema.get("format") == "int32" and not -(2**31) <= value < 2**31:
        return [f"{place} has more than 32 bits"]
    if schema.get("format") == "int64" and not (value.isdigit() and int(value) < 2**63):
        return [f"{place} is no int64 as text"]
    return []
