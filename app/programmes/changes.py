"""A change of settings as somebody wrote it down: JSON or TOML, read by one reader. Pure.

Both say settings by name, at the top or under "settings". Numbers with a fraction are read as the
text that stands there, so that no rate is rounded; a day or a local time of TOML becomes text.
"""

import json
import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from app.errors import Invalid

LONGEST_TEXT = 1_000_000


def read_change(text: str) -> dict[str, Any]:
    """The settings that a change names, ready for `settings_from_json`.

    Raises `Invalid` that says where the text stops making sense.
    """
    if len(text) > LONGEST_TEXT:
        raise Invalid(f"A change has at most {LONGEST_TEXT:,} characters.")
    data = _parsed(text)
    if isinstance(data, dict) and isinstance(data.get("settings"), dict):
        data = data["settings"]
    if not isinstance(data, dict) or not data:
        raise Invalid('Say which settings change, such as {"points": "2"} or points = 2 (TOML).')
    plain = _plain(data)
    for name in ("points", "per_amount", "point_value", "expected_redemption"):
        if type(plain.get(name)) is int:
            plain[name] = str(plain[name])
    found: dict[str, Any] = plain
    return found


def _parsed(text: str) -> Any:
    is_json = text.lstrip()[:1] in ("{", "[")
    try:
        if is_json and not _is_table(text):
            return json.loads(text, parse_float=str, parse_constant=str)
        return tomllib.loads(text, parse_float=str)
    except json.JSONDecodeError as wrong:
        raise Invalid(f"Line {wrong.lineno} is no JSON: {wrong.msg}.") from wrong
    except tomllib.TOMLDecodeError as wrong:
        raise Invalid(f"That is no TOML: {wrong}.") from wrong
    except (ValueError, RecursionError) as wrong:
        raise Invalid("That is neither JSON nor TOML.") from wrong


def _is_table(text: str) -> bool:
    """Whether it begins as a table of TOML does: [name], which is no JSON."""
    first = text.lstrip().partition("\n")[0].strip()
    return first.startswith("[") and not first.startswith(("[{", "[]")) and '"' not in first


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    return value
