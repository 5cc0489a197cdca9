"""Reads the file of a programme; what is wrong is told by line and column, with the cure. Pure."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any

from app.errors import Invalid
from app.programmes.file import layout
from app.programmes.file.positions import Path, Position, positions
from app.programmes.settings import Settings, setting_names, settings_from_json

LONGEST_FILE = 1_000_000
MOST_LOCATIONS = 10_000
_QUOTED = re.compile(r"'([^']{1,80})'")
_NUMBERED = re.compile(r"(?:[A-Z][a-z]+(?: [a-z]+)? )?(?P<number>[0-9]{1,4}): ")
_NAMED = re.compile(r"(?:[A-Z][a-z]+(?: [a-z]+)? )(?P<quote>['\"])(?P<name>.{1,80}?)(?P=quote): ")
_KEYED = re.compile(r"(?P<keys>[a-z_]\w*(?:\.\w+)*): ")


class BrokenFile(Invalid):
    """What is wrong in a file, each with its line: ``problems`` are (line, column, text)."""

    def __init__(self, name: str, problems: Sequence[tuple[int, int, str]]) -> None:
        self.problems = sorted(problems)
        first = f"{name} cannot be used like this."
        fields = {f"line {line}, column {column}": [text] for line, column, text in self.problems}
        super().__init__(first, fields)


@dataclass(frozen=True, slots=True)
class Place:
    """A location as the file tells."""

    slug: str
    name: str
    degrees: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Described:
    """A programme as a file describes it. *about* are its own fields, as far as they are told."""

    about: Mapping[str, Any]
    settings: Settings
    #: None: the file is silent about them.
    locations: tuple[Place, ...] | None


def read(text: str, name: str = "The file") -> Described:
    """Read a file. Raises `BrokenFile`."""
    if len(text) > LONGEST_FILE:
        raise Invalid(f"{name} has more than {LONGEST_FILE:,} characters.")
    try:
        data = tomllib.loads(text, parse_float=str)
    except tomllib.TOMLDecodeError as error:
        raise BrokenFile(name, [_syntax(text, str(error))]) from error
    except RecursionError as error:
        raise Invalid(f"{name} is nested too deeply.") from error
    return _Reading(name, data, positions(text)).described()


def _syntax(text: str, told: str) -> tuple[int, int, str]:
    match = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", told)
    if match is None:
        return 1, 1, told
    why = told[: match.start()]
    if match[1] is None:
        return text.count("\n") + 1, 1, f"{why}: the file ends too early."
    line, column = int(match[1]), int(match[2])
    why = re.sub(r"\('(.+)',\)", r"[\1]", why).replace("', '", ".")
    cure = ""
    if why.startswith(("Invalid value", "Expected newline")):
        cure = ': text stands between quotation marks, such as name = "Kaffa"; yes is true'
    elif why.startswith(("Cannot declare", "Cannot overwrite")):
        cure = ": it stands in the file twice; put the two together"
    elif why.startswith("Expected '=' after a key"):
        cure = ": write name = value"
    return line, column, f"{why}{cure}."


class _Reading:
    def __init__(self, name: str, data: dict[str, Any], places: Mapping[Path, Position]) -> None:
        self.name, self.data, self.places = name, data, places
        self.problems: list[tuple[int, int, str]] = []

    def wrong(self, path: Path, text: str) -> None:
        while path not in self.places:
            path = path[:-1]
        self.problems.append((*self.places[path], text))

    def described(self) -> Described:
        known = layout.top_level()
        for key in self.data:
            if key not in known:
                self.unknown((key,), key, known)
        about = self.about()
        flat, paths = self.flat()
        locations = self.locations()
        settings = None
        try:
            settings = settings_from_json({"points": "1", "per_amount": "1"} | flat)
        except Invalid as error:
            for setting, texts in error.fields.items():
                for each in texts:
                    path = paths.get(setting, layout.place_of(setting))
                    self.wrong(self.refined(path, each), self.told(path, each))
        if self.problems or settings is None:
            raise BrokenFile(self.name, self.problems)
        return Described(about, settings, locations)

    # --- parts --------------------------------------------------------------------------------

    def unknown(self, path: Path, key: str, known: Sequence[str]) -> None:
        close = get_close_matches(key, known, 1, 0.6)
        where = ".".join(str(each) for each in path[:-1])
        text = f"There is no {key[:40]!r}" + (f" in {where}. " if where else ". ")
        if not where and not close:
            inside = {each: table for table, keys in layout.GROUPS.items() for each in keys}
            near = get_close_matches(key, inside, 1, 0.8)
            if near:
                self.wrong(path, f"{text}{near[0]} stands in the table [{inside[near[0]]}].")
                return
        cure = f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(known)}."
        self.wrong(path, text + cure)

    def table(self, path: Path, value: Any) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        self.wrong(path, f"Write it as a table: [{'.'.join(map(str, path))}].")
        return {}

    def about(self) -> dict[str, Any]:
        told: dict[str, Any] = {}
        root = (layout.PROGRAMME,)
        for key, value in self.table(root, self.data.get(layout.PROGRAMME, {})).items():
            path = (*root, key)
            if key not in layout.ABOUT:
                self.unknown(path, key, layout.ABOUT)
            elif key == "points_names":
                self.names(path, value)
                told[key] = value
            elif key == "colours":
                self.texts(path, value)
                told[key] = value
            elif not isinstance(value, str):
                self.wrong(path, f'Write text between quotation marks: {key} = "...".')
            else:
                told[key] = value
        return told

    def names(self, path: Path, value: Any) -> None:
        for language, forms in self.table(path, value).items():
            self.texts((*path, language), forms)

    def texts(self, path: Path, value: Any) -> None:
        for key, each in self.table(path, value).items():
            if not isinstance(each, str):
                self.wrong((*path, key), f'Write text between quotation marks: {key} = "...".')

    def flat(self) -> tuple[dict[str, Any], dict[str, Path]]:
        """The settings by their own names, and where each stands."""
        flat: dict[str, Any] = {}
        paths: dict[str, Path] = {}
        groups = layout.known_settings()
        for key, value in self.data.items():
            if key in groups:
                for inner, each in self.table((key,), value).items():
                    if inner not in groups[key]:
                        self.unknown((key, inner), inner, list(groups[key]))
                        continue
                    setting = groups[key][inner]
                    flat[setting], paths[setting] = _plain(each), (key, inner)
            elif key in setting_names() and len(layout.place_of(key)) == 1:
                flat[key], paths[key] = _plain(value), (key,)
        return flat, paths

    def locations(self) -> tuple[Place, ...] | None:
        value = self.data.get(layout.LOCATIONS)
        if value is None:
            return None
        if not isinstance(value, list) or len(value) > MOST_LOCATIONS:
            self.wrong((layout.LOCATIONS,), "Write each as a table: [[locations]].")
            return ()
        found: list[Place] = []
        for number, each in enumerate(value):
            path: Path = (layout.LOCATIONS, number)
            data = self.table(path, each)
            for key in data:
                if key not in layout.LOCATION:
                    self.unknown((*path, key), key, layout.LOCATION)
            place = self.location(path, data)
            if place is not None and any(place.slug == other.slug for other in found):
                self.wrong((*path, "slug"), f"Another location is called {place.slug!r}.")
            elif place is not None:
                found.append(place)
        return tuple(found)

    def location(self, path: Path, data: Mapping[str, Any]) -> Place | None:
        slug, name = data.get("slug"), data.get("name")
        for key, value in (("slug", slug), ("name", name)):
            if not isinstance(value, str):
                self.wrong((*path, key), f'A location has a {key}: write {key} = "...".')
                return None
        degrees = [data.get(key) for key in ("latitude", "longitude")]
        if degrees == [None, None]:
            return Place(str(slug), str(name), None)
        try:
            latitude, longitude = (float(str(each)) for each in degrees)
        except ValueError:
            text = "Give latitude and longitude in degrees, both or neither: latitude = 56.9496."
            self.wrong((*path, "latitude"), text)
            return None
        return Place(str(slug), str(name), (latitude, longitude))

    # --- where it is wrong, exactly -----------------------------------------------------------

    def refined(self, path: Path, text: str) -> Path:
        """As near to what *text* is about as its own words lead: a rule, a tier, a key of it."""
        while True:
            step = self._step(path, text)
            if step is None:
                break
            path, text = step
        for name in _QUOTED.findall(text):
            if (*path, name) in self.places:
                return (*path, name)
        return path

    def _step(self, path: Path, text: str) -> tuple[Path, str] | None:
        text = text.lstrip()
        if match := _NAMED.match(text):
            for number, each in enumerate(self._list(path)):
                if isinstance(each, dict) and match["name"] in (each.get("name"), each.get("code")):
                    return (*self._list_path(path), number), text[match.end() :]
            if (*path, match["name"]) in self.places:
                return (*path, match["name"]), text[match.end() :]
        elif match := _NUMBERED.match(text):
            inner = (*self._list_path(path), int(match["number"]) - 1)
            if inner in self.places:
                return inner, text[match.end() :]
        elif match := _KEYED.match(text):
            inner = path
            for key in match["keys"].split("."):
                step: str | int = int(key) - 1 if key.isdigit() else key
                if (*inner, step) not in self.places:
                    break
                inner = (*inner, step)
            if inner != path:
                return inner, text[match.end() :]
        return None

    def _list_path(self, path: Path) -> Path:
        return (*path, "levels") if (*path, "levels") in self.places else path

    def _list(self, path: Path) -> list[Any]:
        value: Any = self.data
        for step in self._list_path(path):
            value = value[step]
        return value if isinstance(value, list) else []

    def told(self, path: Path, text: str) -> str:
        """The words, with what may have been meant where a name is unknown."""
        match = re.search(r"no (?:such )?[a-z ]*'([^']{1,40})'", text)
        if match:
            words = [each for each in re.findall(r"[a-z_]{2,}", text) if each != match[1]]
            close = get_close_matches(match[1], words, 1, 0.75)
            if close:
                text = f"{text} Did you mean {close[0]!r}?"
        return f"{'.'.join(map(str, path))}: {text}"


def _plain(value: Any) -> Any:
    """A value as JSON has it; a day or a local time of TOML becomes text."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")
    return value.isoformat() if isinstance(value, date) else value
