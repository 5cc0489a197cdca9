"""Reads a file of comma separated values as it comes out of a spreadsheet: a row at a time."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.errors import Invalid
from app.transfer import encoding as encodings
from app.transfer.columns import recognised

#: A line as long as this is none: somebody forgot a line's end, or it is another kind of file.
LONGEST_LINE = 1_000_000
MOST_COLUMNS = 500
SEPARATORS = (",", ";", "\t")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Row:
    """A record and the line that it begins on (the file's first is 1)."""

    line: int
    cells: list[str]


class BrokenLine(Invalid):
    """The file cannot be read from a line on; `line` says which."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message, line=line)
        self.line = line


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file that was looked at: how it is written, and what its columns are called."""

    path: Path
    encoding: str
    separator: str
    header: Row
    #: About how many lines the file has; what a progress bar counts.
    lines: int

    def rows(self) -> Iterator[Row]:
        """Every record after the header, empty ones left out. Raises `BrokenLine`."""
        found = _records(self.path, self.encoding, self.separator)
        for row in found:
            if row.line > self.header.line:
                yield row


def look(path: Path, *, encoding: str | None = None, separator: str | None = None) -> Sheet:
    """Find out how a file is written. Raises `Invalid` that says what to do."""
    if separator is not None and separator not in SEPARATORS:
        raise Invalid("Columns are separated by a comma, a semicolon or a tab.")
    codec = (
        encodings.detect(lambda: _chunks(path)) if encoding is None else encodings.named(encoding)
    )
    best: tuple[int, int, str, Row] | None = None
    for each in SEPARATORS if separator is None else (separator,):
        try:
            header = next(iter(_records(path, codec, each)), None)
        except BrokenLine:
            if separator is not None:
                raise
            continue
        if header is None:
            raise Invalid(f"{path.name} is empty.")
        found = (recognised(header.cells), len(header.cells), each, header)
        if best is None or found[:2] > best[:2]:
            best = found
    if best is None:
        raise Invalid(f"{path.name} is no file of comma separated values.")
    if best[1] > MOST_COLUMNS:
        raise Invalid(f"{path.name} has {best[1]:,} columns: is it the right file?")
    lines = sum(chunk.count(b"\n") for chunk in _chunks(path)) + 1
    return Sheet(path, codec, best[2], best[3], lines)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _records(path: Path, codec: str, separator: str) -> Iterator[Row]:
    with path.open("rb") as raw, io.TextIOWrapper(raw, codec, newline="") as text:
        lines = _Lines(text, codec)
        reader = csv.reader(lines, delimiter=separator)
        while True:
            line = lines.number + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise BrokenLine(line, _why(error)) from error
            if line == 1 and len(cells) <= 2 and cells and cells[0].casefold().startswith("sep="):
                continue  # Excel's own word for the separator.
            if any(cell.strip() for cell in cells):
                yield Row(line, cells)


def _why(error: csv.Error) -> str:
    if "field" in str(error):
        return (
            f"A field is longer than {csv.field_size_limit():,} letters: is a quotation mark "
            "missing in this line?"
        )
    return f"This line cannot be read ({error}). Save the file anew as CSV."


class _Lines:
    """Lines of a bounded length, counted."""

    def __init__(self, text: io.TextIOWrapper, codec: str) -> None:
        self._text, self._codec = text, codec
        self.number = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        try:
            line = self._text.readline(LONGEST_LINE)
        except UnicodeError as error:
            codec = self._codec.removesuffix("-sig")
            raise BrokenLine(
                self.number + 1,
                f"Here or a little later there is a letter that {codec} does not have. "
                "Name the file's encoding with --encoding.",
            ) from error
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) >= LONGEST_LINE and line[-1] not in "\r\n":
            raise BrokenLine(
                self.number, f"This line has more than {LONGEST_LINE:,} letters: is it a CSV file?"
            )
        return line
