"""The names of who has worked at this till, for the tiles of the pages that ask for a PIN."""

from __future__ import annotations

from pathlib import Path

from scanner.config import read_private, write_private

FILE = "page.json"
#: The roles that may approve what a cashier may not.
MANAGERS = ("manager", "owner")
MOST_NAMES = 8


class People:
    """The last of them by name, the latest first; kept in page.json. `managers` may approve."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        kept = read_private(folder, FILE) or {}
        self.names, self.managers = _names(kept.get("names")), _names(kept.get("managers"))

    def remember(self, name: str, role: str) -> None:
        """Put a name first; raises ConfigError where the disk refuses."""
        names = _first(name, self.names)
        managers = [each for each in self.managers if each != name]
        if role in MANAGERS:
            managers = _first(name, self.managers)
        if (names, managers) != (self.names, self.managers):
            self.names, self.managers = names, managers
            write_private(self._folder, FILE, {"names": names, "managers": managers})


def _first(name: str, names: list[str]) -> list[str]:
    return [name, *(known for known in names if known != name)][:MOST_NAMES]


def _names(kept: object) -> list[str]:
    return [str(name) for name in kept][:MOST_NAMES] if isinstance(kept, list) else []
