"""Where each key of a TOML document stands: line and column, for words about what is wrong. Pure.

The document has been read by `tomllib` already, so it is valid; here it is walked through once more
for the places alone.
"""

from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]
Position: TypeAlias = tuple[int, int]


def positions(text: str) -> dict[Path, Position]:
    """Line and column (both from 1) of every key, table and element of a list."""
    return _Walk(text).run()


class _Walk:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.found: dict[Path, Position] = {(): (1, 1)}
        self.lists: dict[Path, int] = {}
        self._line, self._line_start, self._counted = 1, 0, 0

    def run(self) -> dict[Path, Position]:
        table: Path = ()
        while self._skip(newlines=True):
            if self.text.startswith("[[", self.at):
                table = self._header(2)
            elif self.text[self.at] == "[":
                table = self._header(1)
            else:
                self._pair(table)
        return self.found

    def _here(self, at: int) -> Position:
        """The position of an index; they only ever rise."""
        while (end := self.text.find("\n", self._counted, at)) >= 0:
            self._line, self._line_start, self._counted = self._line + 1, end + 1, end + 1
        return self._line, at - self._line_start + 1

    def _skip(self, *, newlines: bool) -> bool:
        """Go on to what means something; False at the end."""
        blanks = " \t\r\n" if newlines else " \t"
        while self.at < len(self.text):
            if self.text[self.at] in blanks:
                self.at += 1
            elif self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            else:
                return True
        return False

    def _header(self, brackets: int) -> Path:
        begun = self.at
        self.at += brackets
        names = self._keys()
        self.at += brackets
        path: Path = ()
        for place, name in enumerate(names):
            path = (*path, name)
            if brackets == 2 and place == len(names) - 1:
                self.lists[path] = self.lists.get(path, 0) + 1
                self.found.setdefault(path, self._here(begun))
            if path in self.lists:
                path = (*path, self.lists[path] - 1)
            self.found.setdefault(path, self._here(begun))
        return path

    def _pair(self, table: Path) -> None:
        begun = self.at
        path = table
        for name in self._keys():
            path = (*path, name)
            self.found.setdefault(path, self._here(begun))
        self._skip(newlines=False)
        self.at += 1  # The equals sign.
        self._skip(newlines=False)
        self._value(path)

    def _keys(self) -> list[str]:
        names = []
        while True:
            self._skip(newlines=False)
            if self.text[self.at] in "\"'":
                names.append(self._quoted())
            else:
                begun = self.at
                while self.text[self.at].isalnum() or self.text[self.at] in "-_":
                    self.at += 1
                names.append(self.text[begun : self.at])
            self._skip(newlines=False)
            if self.text[self.at] != ".":
                return names
            self.at += 1

    def _quoted(self) -> str:
        mark = self.text[self.at]
        fence = mark * 3 if self.text.startswith(mark * 3, self.at) else mark
        begun = self.at = self.at + len(fence)
        while not self.text.startswith(fence, self.at):
            self.at += 2 if mark == '"' and self.text[self.at] == "\\" else 1
        # A text of three marks may end with one or two of its own.
        while len(fence) == 3 and self.text.startswith(fence, self.at + 1):
            self.at += 1
        told = self.text[begun : self.at]
        self.at += len(fence)
        return told

    def _value(self, path: Path) -> None:
        letter = self.text[self.at]
        if letter in "\"'":
            self._quoted()
        elif letter == "[":
            self.at += 1
            number = 0
            while self._skip(newlines=True) and self.text[self.at] != "]":
                self.found.setdefault((*path, number), self._here(self.at))
                self._value((*path, number))
                number += 1
                if self._skip(newlines=True) and self.text[self.at] == ",":
                    self.at += 1
            self.at += 1
        elif letter == "{":
            self.at += 1
            while self._skip(newlines=True) and self.text[self.at] != "}":
                self._pair(path)
                if self._skip(newlines=True) and self.text[self.at] == ",":
                    self.at += 1
            self.at += 1
        else:
            while self.at < len(self.text) and self.text[self.at] not in ",]}\n#":
                self.at += 1
