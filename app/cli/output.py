"""Reports as text, JSON or CSV: text as people write, the others exact and for programs.

In JSON and CSV money is in minor units, moments are ISO 8601 in UTC. Rows go out as they come.
"""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import wraps
from typing import Any

import click

from app.transfer.writing import cell


def format_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command --format (and --json for short); it is called with `form`."""

    @click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json", "csv"]),
        default="text",
        show_default=True,
        help="Text is for people, the others for programs.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Short for --format json.")
    @wraps(command)
    def chosen(*arguments: Any, form: str, as_json: bool, **named: Any) -> Any:
        return command(*arguments, form="json" if as_json else form, **named)

    return chosen


class Csv:
    """A CSV file on standard output; columns that a row does not have stay empty."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._writer = csv.DictWriter(sys.stdout, columns, restval="", lineterminator="\n")
        self._writer.writeheader()

    def row(self, **values: Any) -> None:
        """Write a row."""
        self._writer.writerow({name: cell(value) for name, value in values.items()})


def write_json(head: Mapping[str, Any], **lists: Iterable[Any]) -> None:
    """One object on standard output: *head*, then the lists, an item a line as it comes."""
    click.echo("{")
    parts = [f"  {_json(name)}: {_json(value)}" for name, value in head.items()]
    click.echo(",\n".join(parts), nl=False)
    separator = ",\n" if parts else ""
    for name, items in lists.items():
        click.echo(f"{separator}  {_json(name)}: [", nl=False)
        between = "\n    "
        for item in items:
            click.echo(between + _json(item), nl=False)
            between = ",\n    "
        click.echo("]" if between == "\n    " else "\n  ]", nl=False)
        separator = ",\n"
    click.echo("\n}")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else f"{value:f}"


def printable(text: str) -> str:
    """Text from elsewhere without what would move a terminal's cursor."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def grid(rows: Sequence[Sequence[str]], *, left: int = 1) -> list[str]:
    """Lines with their columns in line: the first *left* to the left, the others to the right."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))] if rows else []
    return [
        "  ".join(
            text.ljust(width) if place < left else text.rjust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
