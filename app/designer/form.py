"""What was typed into the designer, read field by field.

A draft keeps what was typed as it was, by the names of the fields: nothing is lost because it is
not right yet. `read` makes a design of what is right, and says of the rest what to do, by field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.errors import Invalid
from app.languages import _, lazy
from app.programmes import designs
from app.programmes.design_texts import LONGEST_LABEL, LONGEST_NAME
from app.programmes.wallet_extras import FORMATS, MOST_MOMENTS, READERS
from passes.card import MAX_ACTIONS, MAX_BEACONS, MAX_LINKS, CardKind, Section, rgb
from passes.errors import FaceError
from passes.extras import ActionKind, Beacon, Link, Place
from passes.text import LANGUAGES, MAX_TEXT

PICTURES = ("logo", "hero", "icon", "poster")
COLOURS = ("background", "foreground", "label")
TEXTS = ("name", "terms", "contact")
LONGEST_VALUE = 5000
MOST_VALUES = 1500
#: More than twice what a design can have: a draft is one line of a backup.
MOST_CHARACTERS = 200_000
_LONGEST = {"name": LONGEST_NAME, "terms": MAX_TEXT, "contact": MAX_TEXT}
_LONGEST_LINK_LABEL = 60
_HIDDEN = "hidden"
_LANGUAGE = "|".join(LANGUAGES)
_NAME = re.compile(
    r"kind|background|foreground|label|app_ids|app_url|no_sharing|valid_until|nfc_key"
    r"|nfc_authentication|code_[a-z0-9]{1,12}"
    rf"|(?:name|terms|contact)_(?:{_LANGUAGE})"
    rf"|label_[a-z0-9_]{{1,40}}_(?:{_LANGUAGE})"
    r"|field_[a-z0-9_]{1,40}_(?:place|order)"
    rf"|link_[0-9]{{1,2}}_(?:url|{_LANGUAGE})"
    r"|place_[a-z0-9-]{1,40}"
    r"|beacon_[0-9]{1,2}_(?:uuid|major|minor|text)"
    r"|action_[0-9]{1,2}_(?:kind|url)"
    r"|time_[0-9]{1,2}_(?:from|until)",
    re.ASCII,
)
_LINK_CURE = lazy("Write an address that begins with https://, mailto: or tel:")
_DIGITS = re.compile(r"[0-9]{1,12}", re.ASCII)

Typed = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Drafted:
    """A design as far as what was typed makes one; `problems` by the name of the field.

    `read`, `places` and `extras` are for `designs.change`: all of a design, so that what is not
    there is taken away.
    """

    kind: CardKind
    colours: dict[str, str]
    read: dict[str, Any]
    places: dict[str, tuple[float, float] | None]
    extras: dict[str, Any]
    problems: dict[str, list[str]] = field(default_factory=dict)


def known(typed: Mapping[str, str]) -> dict[str, str]:
    """Those of *typed* that are fields of the designer, cut to what any design may have."""
    found: dict[str, str] = {}
    left = MOST_CHARACTERS
    for name, value in typed.items():
        if _NAME.fullmatch(name) and len(found) < MOST_VALUES:
            found[name] = value[: min(LONGEST_VALUE, left)]
            left -= len(found[name])
    return found


def read(
    typed: Typed, *, colours: Mapping[str, str], locations: Sequence[str], time_zone: str
) -> Drafted:
    """A design of what was typed. *colours* stand in for those that are none; *locations* are the
    slugs of the programme's places, *time_zone* that of the times."""
    reader = _Reader(typed)
    changes: dict[str, Any] = {"kind": reader.kind(), "links": reader.links() or None}
    for name in TEXTS:
        changes[name] = reader.said(f"{name}_", _LONGEST[name], lines=name != "name")
    changes["fields"] = reader.fields() or None
    changes["labels"] = reader.labels() or None
    extras: dict[str, Any] = dict.fromkeys(READERS)
    extras |= reader.extras(time_zone)
    return Drafted(
        kind=CardKind(changes["kind"]),
        colours=reader.colours(colours),
        read=designs.read_changes(changes),
        places={slug: reader.place(slug) for slug in locations},
        extras=extras,
        problems=reader.problems,
    )


class _Reader:
    """Reads one form, noting what is wrong."""

    def __init__(self, typed: Typed) -> None:
        self._typed = typed
        self.problems: dict[str, list[str]] = {}

    def wrong(self, name: str, problem: str) -> None:
        self.problems.setdefault(name, []).append(problem)

    def of(self, name: str) -> str:
        return self._typed.get(name, "").strip()

    def kind(self) -> str:
        kind = self.of("kind") or CardKind.POINTS
        if kind in designs.ISSUED_KINDS:
            return kind
        self.wrong("kind", _("Choose what the cards do."))
        return CardKind.POINTS

    def colours(self, instead: Mapping[str, str]) -> dict[str, str]:
        found = {}
        for name in COLOURS:
            value = self.of(name).lower() or instead[name]
            try:
                rgb(value)
            except ValueError:
                self.wrong(name, _("Write a colour as #1a2b3c, or pick one."))
                value = instead[name]
            found[name] = value
        return found

    def said(self, begins: str, longest: int, *, lines: bool = False) -> Any:
        """A text by language; plain where it is given in one language alone."""
        found = {}
        for language in LANGUAGES:
            name = f"{begins}{language}"
            value = self.of(name).replace("\r\n", "\n")
            shown = value.replace("\n", "").replace("\t", "") if lines else value
            if len(value) > longest:
                self.wrong(name, _("At most %(most)s characters fit here.", most=longest))
            elif not shown.isprintable():
                self.wrong(name, _("This has characters that cannot be shown: type it anew."))
            elif value:
                found[language] = value
        return found.get(LANGUAGES[0]) if found.keys() == {LANGUAGES[0]} else found or None

    def labels(self) -> dict[str, Any]:
        keys = {
            name[len("label_") : -3]
            for name in self._typed
            if name.startswith("label_") and name[-3:-2] == "_"
        }
        read = {key: self.said(f"label_{key}_", LONGEST_LABEL) for key in sorted(keys)}
        return {key: said for key, said in read.items() if said}

    def fields(self) -> list[tuple[str, str | None]]:
        """The fields that were moved, in the order of their numbers."""
        chosen = []
        for name in self._typed:
            if not name.startswith("field_") or not name.endswith("_place"):
                continue
            key, place = name[len("field_") : -len("_place")], self.of(name)
            order = self.of(f"field_{key}_order")
            if order and not re.fullmatch("[0-9]{1,2}", order, re.ASCII):
                self.wrong(f"field_{key}_order", _("Give a number from 1 to 99."))
                order = ""
            if place and place not in {*Section, _HIDDEN}:
                self.wrong(name, _("Choose a place on the card."))
                place = ""
            if place:
                chosen.append((int(order or 99), key, None if place == _HIDDEN else place))
        return [(key, place) for _order, key, place in sorted(chosen, key=lambda each: each[:2])]

    def links(self) -> list[tuple[Any, str]]:
        found = []
        for number in range(MAX_LINKS):
            name = f"link_{number}_url"
            url, label = self.of(name), self.said(f"link_{number}_", _LONGEST_LINK_LABEL)
            if not url and not label:
                continue
            if not label:
                self.wrong(f"link_{number}_en", _("Write what stands for the link."))
            elif self._is_right(name, _LINK_CURE, Link, "x", url):
                found.append((label, url))
        return found

    def place(self, slug: str) -> tuple[float, float] | None:
        name = f"place_{slug}"
        value = self.of(name)
        if not value:
            return None
        try:
            latitude, longitude = (float(part) for part in value.split(","))
            Place(latitude, longitude)
        except (ValueError, FaceError):
            self.wrong(
                name, _("Write latitude and longitude in degrees, such as 56.9496, 24.1052.")
            )
            return None
        return latitude, longitude

    def extras(self, time_zone: str) -> dict[str, Any]:
        """What phones do besides, by the names of `wallet_extras`."""
        found: dict[str, Any] = {
            "beacons": self._beacons() or None,
            "actions": self._actions() or None,
            "times": self._times(ZoneInfo(time_zone)) or None,
            "codes": [each for each in FORMATS if self.of(f"code_{each}")] or None,
            "no_sharing": bool(self.of("no_sharing")) or None,
            "nfc_authentication": bool(self.of("nfc_authentication")) or None,
            "app_store_ids": self._app_ids() or None,
        }
        for name, cure in (
            ("app_url", _("Write an address such as myapp://card or https://…")),
            ("valid_until", _("Choose a day.")),
            ("nfc_key", _("Paste the reader's P-256 public key, as PEM or base64.")),
        ):
            value = self.of(name)
            if value and self._is_right(name, cure, READERS[name], value):
                found[name] = value
        if found.get("app_url") and not found["app_store_ids"]:
            self.wrong("app_ids", _("Give the app's number too: its address needs it."))
            del found["app_url"]
        return found

    def _beacons(self) -> list[dict[str, Any]]:
        found = []
        for number in range(MAX_BEACONS):
            at = f"beacon_{number}_"
            if not (uuid := self.of(f"{at}uuid")):
                continue
            made: dict[str, Any] = {"uuid": uuid}
            for part in ("major", "minor"):
                value = self.of(f"{at}{part}")
                if value and not (_DIGITS.fullmatch(value) and int(value) <= 0xFFFF):
                    self.wrong(f"{at}{part}", _("Give a number from 0 to 65535."))
                elif value:
                    made[part] = int(value)
            text = self.of(f"{at}text")
            if len(text) > 120 or not text.isprintable():
                self.wrong(f"{at}text", _("At most %(most)s characters fit here.", most=120))
            elif text:
                made["text"] = text
            cure = _("Write the beacon's UUID, such as f8f589e9-9d29-4a5c-9f5c-1f5b7d0ea7a1.")
            if self._is_right(f"{at}uuid", cure, Beacon, uuid):
                found.append(made)
        return found

    def _actions(self) -> list[tuple[str, str]]:
        found = []
        for number in range(MAX_ACTIONS):
            name = f"action_{number}_url"
            kind, url = self.of(f"action_{number}_kind"), self.of(name)
            if not kind and not url:
                continue
            if kind not in set(ActionKind):
                self.wrong(f"action_{number}_kind", _("Choose what the button does."))
            elif self._is_right(
                name,
                _("Write an address that begins with https:// or tel:"),
                READERS["actions"],
                [(kind, url)],
            ):
                found.append((kind, url))
        if len(found) == MAX_ACTIONS and len({kind for kind, _url in found}) < MAX_ACTIONS:
            self.wrong("action_1_kind", _("Two buttons that do the same: choose another."))
            found.pop()
        return found

    def _times(self, zone: ZoneInfo) -> list[tuple[str, str | None]]:
        found: list[tuple[str, str | None]] = []
        for number in range(MOST_MOMENTS):
            name = f"time_{number}_from"
            start = self._moment(name, zone)
            end = self._moment(f"time_{number}_until", zone)
            if start is None and end is None:
                continue
            if start is None:
                self.wrong(name, _("Say when it begins."))
            elif end is not None and end < start:
                self.wrong(f"time_{number}_until", _("It ends before it begins."))
            else:
                found.append((start.isoformat(), None if end is None else end.isoformat()))
        return found

    def _moment(self, name: str, zone: ZoneInfo) -> datetime | None:
        value = self.of(name)
        if not value:
            return None
        try:
            made = datetime.fromisoformat(value)
        except ValueError:
            self.wrong(name, _("Choose a day and a time."))
            return None
        return made if made.tzinfo is not None else made.replace(tzinfo=zone)

    def _app_ids(self) -> list[int]:
        parts = self.of("app_ids").replace(",", " ").split()
        cure = _("The number of an app stands in its App Store address, behind “id”.")
        if not all(_DIGITS.fullmatch(part) for part in parts):
            self.wrong("app_ids", cure)
            return []
        found = [int(part) for part in parts]
        if found and not self._is_right("app_ids", cure, READERS["app_store_ids"], found):
            return []
        return found

    def _is_right(self, name: str, cure: Any, check: Callable[..., Any], *given: Any) -> bool:
        try:
            check(*given)
        except (Invalid, FaceError, ValueError):
            self.wrong(name, str(cure))
            return False
        return True
