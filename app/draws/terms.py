"""What a draw promises, fixed and hashed before the first ticket. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.draws import rules
from app.draws.rules import Prize
from app.errors import Invalid

MOST_PRIZES = 10_000
MOST_KINDS = 100
_CODE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a draw. *value_named* says which public value decides, and where it is told;
    nobody can know it before *value_from*, which is not before *closes_at*."""

    code: str
    title: str
    prizes: tuple[Prize, ...]
    one_each: bool
    closes_at: datetime
    value_named: str
    value_from: datetime

    def as_json(self) -> dict[str, Any]:
        """As they are published."""
        return {
            "code": self.code,
            "title": self.title,
            "prizes": [
                {"code": each.code, "name": each.name, "count": each.count} for each in self.prizes
            ],
            "one_prize_each": self.one_each,
            "closes_at": self.closes_at.isoformat(),
            "public_value": self.value_named,
            "public_value_known_from": self.value_from.isoformat(),
        }


def hashed(told: Mapping[str, Any]) -> str:
    """The SHA-256 of terms as they are published: JSON with sorted names and no blanks, UTF-8."""
    return rules.digest(json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


def read_terms(told: Any) -> Terms:
    """Terms as they are published. Raises `Invalid` that names what is wrong."""
    wrong: dict[str, list[str]] = {}

    def text(name: str, longest: int) -> str:
        value = told.get(name)
        if not isinstance(value, str) or not value.strip() or len(value) > longest:
            wrong[name] = [f"Give 1 to {longest} characters."]
            return ""
        return value

    def moment(name: str) -> datetime:
        try:
            found = datetime.fromisoformat(told.get(name))
            if found.tzinfo is not None:
                return found
        except (TypeError, ValueError):
            pass
        wrong[name] = ["Give a moment with its zone, such as 2026-12-24T18:00:00+00:00."]
        return datetime.fromisoformat("2000-01-01T00:00:00+00:00")

    if not isinstance(told, Mapping):
        raise Invalid("The terms of a draw are an object.")
    code, title = text("code", 40), text("title", 120)
    value_named = text("public_value", 400)
    closes_at, value_from = moment("closes_at"), moment("public_value_known_from")
    if code and not _CODE.fullmatch(code):
        wrong["code"] = ["Use small letters, digits and hyphens."]
    if value_from < closes_at:
        wrong["public_value_known_from"] = [
            "Somebody could know it before the list is closed: name a value that comes later."
        ]
    if not isinstance(told.get("one_prize_each"), bool):
        wrong["one_prize_each"] = ["Choose true or false."]
    prizes = _prizes(told.get("prizes"), wrong)
    if wrong:
        raise Invalid("The terms of the draw do not make sense.", wrong)
    return Terms(
        code, title, prizes, bool(told["one_prize_each"]), closes_at, value_named, value_from
    )


def _prizes(value: Any, wrong: dict[str, list[str]]) -> tuple[Prize, ...]:
    prizes: list[Prize] = []
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_KINDS:
        wrong["prizes"] = [f"Give 1 to {MOST_KINDS} kinds of prizes, the first to be drawn first."]
        return ()
    for each in value:
        fine = (
            isinstance(each, Mapping)
            and isinstance(each.get("code"), str)
            and _CODE.fullmatch(each["code"]) is not None
            and isinstance(each.get("name"), str)
            and 0 < len(each["name"]) <= 120
            and type(each.get("count")) is int
            and 1 <= each["count"] <= MOST_PRIZES
        )
        if not fine:
            wrong["prizes"] = ['Write each as {"code": "bike", "name": "A bicycle", "count": 1}.']
            return ()
        prizes.append(Prize(each["code"], each["name"], each["count"]))
    if len({prize.code for prize in prizes}) < len(prizes):
        wrong["prizes"] = ["Two prizes have the same code: give each its own."]
    if sum(prize.count for prize in prizes) > MOST_PRIZES:
        wrong["prizes"] = [f"There are at most {MOST_PRIZES:,} prizes in a draw."]
    return tuple(prizes)
