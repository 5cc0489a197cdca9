"""The names of the cashiers who have worked at this till, for the tiles of the sign-in page."""

from __future__ import annotations

from pathlib import Path

from scanner.config import read_private, write_private

FILE = "page.json"
MOST_NAMES = 8


class People:
    """The last cashiers of this till by name, the latest first; kept in page.json."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        kept = read_private(folder, FILE) or {}
        names = kept.get("names")
        self.names = [str(name) for name in names][:MOST_NAMES] if isinstance(names, list) else []

    def remember(self, name: str) -> None:
        """Put a name first; raises ConfigError where the disk refuses."""
        names = [name, *(known for known in self.names if known != name)][:MOST_NAMES]
        if names != self.names:
            self.names = names
            write_private(self._folder, FILE, {"names": names})
