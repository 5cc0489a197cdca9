"""A segment in words, for whoever looks at a campaign without its form."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.campaigns.segments import Node
from app.languages import _
from app.web.staff.campaigns import form, words

#: Names of values by parameter, as `looking.choices` has them.
Choices = Mapping[str, Sequence[tuple[str, Any]]]


def in_words(node: Node, currency: str, choices: Choices) -> list[str]:
    """One sentence a group: all of them hold, and of each group one condition; none: everybody."""
    return [
        f" {_('or')} ".join(_row(row, choices) for row in rows)
        for rows in form.rows_of(node, currency)
    ]


def _row(row: form.Row, choices: Choices) -> str:
    said = ", ".join(
        f"{words.PARAMETERS[name]} {_value(name, value, choices)}"
        if name not in choices
        else _value(name, value, choices)
        for name, value in row["values"].items()
    )
    found = f"{words.KINDS[row['kind']]}: {said}"
    return f"{_('not')} ({found})" if row["not"] else found


def _value(name: str, value: Any, choices: Choices) -> str:
    names = {each: str(said) for each, said in choices.get(name, ())}
    several = value if isinstance(value, list | tuple) else [value]
    return ", ".join(names.get(each, str(each)) for each in several)
