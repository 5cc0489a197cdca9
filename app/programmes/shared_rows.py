"""The row of a programme beside the rows of its cards: sent once, however many cards are read.

A programme's texts are the larger part of what a card's face is made of, and the same for all its
cards. So the first card of a programme brings them in a column of its own, as one text; the others
bring nothing. The text is read once for as long as it stays the same.
"""

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import JSON, ColumnElement, String, Table, case, func
from sqlalchemy import cast as as_type
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from app.programmes.models import Programme

#: Where the text stands in a row, by name.
COLUMN = "programme"

_programmes = cast(Table, Programme.__table__)
#: A programme's look is made of all but these.
_NOT_LOOKED_AT = {
    "id",
    "created_at",
    *(column.name for column in _programmes.c if column.name.startswith("operator_")),
}
_LOOK = [column for column in _programmes.c if column.name not in _NOT_LOOKED_AT]


class SharedRow:
    """What all cards of a programme share of its row. The same text gives the same object."""

    __slots__ = ("mark", "programme", "time_zone")

    def __init__(self, text: str) -> None:
        values = json.loads(text)
        #: Not of any session, and without what nobody looks at.
        self.programme = Programme(
            **{
                column.name: json.loads(value) if isinstance(column.type, JSON) else value
                for column, value in zip(_LOOK, values, strict=True)
            }
        )
        self.time_zone: str = self.programme.time_zone
        #: What tells it from others.
        self.mark = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def __repr__(self) -> str:
        return f"SharedRow({self.mark})"


read_shared = lru_cache(maxsize=256)(SharedRow)


class _AsText(FunctionElement[str]):
    """Values as one text: a JSON array, which both databases write."""

    inherit_cache = True
    type = String()


@compiles(_AsText)
def _as_text(element: _AsText, compiler: SQLCompiler, **kw: Any) -> str:
    values = compiler.process(element.clauses, **kw)
    if compiler.dialect.name == "postgresql":
        return f"CAST(json_build_array({values}) AS VARCHAR)"
    return f"json_array({values})"


def shared_column(programme_id: ColumnElement[str]) -> Any:
    """The column, for a statement about cards of *programme_id* joined with their programmes."""
    values = (
        as_type(column, String) if isinstance(column.type, JSON) else column for column in _LOOK
    )
    is_first = func.row_number().over(partition_by=programme_id) == 1
    return case((is_first, _AsText(*values))).label(COLUMN)


def share_out(rows: Sequence[list[Any]], *, programme_at: int, text_at: int) -> None:
    """Put into each of *rows* the `SharedRow` of its programme, where the text stood or nothing."""
    found = {row[programme_at]: read_shared(row[text_at]) for row in rows if row[text_at]}
    for row in rows:
        row[text_at] = found[row[programme_at]]
