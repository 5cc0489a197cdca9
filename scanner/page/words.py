"""The texts of the page in four languages, one file each in `texts/`."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("en", "de", "lv", "ru")


@cache
def words(language: str) -> dict[str, Any]:
    """Return the texts of `language`: `page` (labels) and `outcomes` (title and what to do).

    Raises FileNotFoundError for a language that is not in `LANGUAGES`.
    """
    source = files("scanner.page") / "texts" / f"{language}.json"
    read: dict[str, Any] = json.loads(source.read_text("utf-8"))
    return read
