"""Rows as they stand in files: CSV that no spreadsheet runs, and JSON Lines. Pure."""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, BinaryIO

#: A spreadsheet takes text that begins so for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def cell(value: Any) -> Any:
    """A value as it stands in CSV; text that a spreadsheet would run is made plain text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False, default=_plain)
    # One apostrophe more, also where there are some: so that exactly one is taken off again.
    if isinstance(value, str) and value.lstrip("'").startswith(FORMULA):
        return "'" + value
    return value


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A small table as a CSV file in UTF-8, with the mark that spreadsheets look for."""
    text = _lines([header, *([cell(value) for value in row] for row in rows)])
    return b"\xef\xbb\xbf" + text.encode()


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else str(value)


class Written:
    """A file that is being written: its rows, bytes and digest so far."""

    def __init__(self, file: BinaryIO, columns: Sequence[str], form: str) -> None:
        self._file, self._columns, self._form = file, list(columns), form
        self._digest = hashlib.sha256()
        self.rows = self.bytes = 0
        if form == "csv":
            self._put(_lines([self._columns]))

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Write some rows, their values in the order of the columns."""
        if self._form == "csv":
            text = _lines([cell(value) for value in row] for row in rows)
        else:
            text = "".join(
                json.dumps(
                    dict(zip(self._columns, row, strict=True)), ensure_ascii=False, default=_plain
                )
                + "\n"
                for row in rows
            )
        self._put(text)
        self.rows += len(rows)

    def _put(self, text: str) -> None:
        data = text.encode()
        self._file.write(data)
        self._digest.update(data)
        self.bytes += len(data)

    @property
    def sha256(self) -> str:
        """The digest of what was written."""
        return self._digest.hexdigest()


def _lines(rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()
