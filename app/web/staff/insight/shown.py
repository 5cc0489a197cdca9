"""A finding as pages show it: a title that states it, a sentence, a chart, and its numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from app.languages import _
from app.programmes.wording import currency_exponent
from app.web import formats

#: So much more or less than before is no news.
_SAME = 0.005


class Cell(NamedTuple):
    """A cell of a table: as people read it, and as it is sorted and taken away."""

    text: str
    value: Any


@dataclass(frozen=True, slots=True)
class Shown:
    """One finding. Headers that begin with "#" are of numbers; *option* is for charts.js, empty
    where there is nothing to draw."""

    id: str
    title: str
    sentence: str
    headers: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    option: dict[str, Any] | None = None
    tall: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with what it was before; *better* is empty where neither is better."""

    label: str
    value: str
    before: str
    better: bool | None = None


def words(text: str) -> Cell:
    """A cell of text."""
    return Cell(text, text)


def count(value: int | None) -> Cell:
    """A cell of a number of things."""
    return Cell("–", "") if value is None else Cell(formats.number(value), value)


def amount(minor: int | None, currency: str) -> Cell:
    """A cell of money; taken away in whole units."""
    if minor is None:
        return Cell("–", "")
    return Cell(formats.money(minor, currency), Decimal(minor).scaleb(-currency_exponent(currency)))


def share(value: float | None, decimals: int = 1) -> Cell:
    """A cell of a share of 1."""
    if value is None:
        return Cell("–", "")
    return Cell(formats.percent(value, decimals), round(value, 6))


def change(now: float | None, before: float | None) -> float | None:
    """By which part something rose; None where that cannot be said."""
    if now is None or not before:
        return None
    return now / before - 1


def direction(now: float | None, before: float | None) -> int:
    """1 where it rose, -1 where it fell, 0 where it is the same or cannot be compared."""
    rose = change(now, before)
    if rose is None or abs(rose) < _SAME:
        return 0
    return 1 if rose > 0 else -1


def compared(before: str, now: float | None, then: float | None) -> str:
    """What it was before, and by how much it changed."""
    rose = change(now, then)
    if rose is None:
        return _("before: %(before)s", before=before)
    sign = "+" if rose > 0 else "−" if rose < 0 else "±"
    return _(
        "before: %(before)s (%(change)s)",
        before=before,
        change=sign + formats.percent(abs(rose), 0 if abs(rose) >= 0.1 else 1),
    )


def money_format(currency: str) -> dict[str, Any]:
    """Tells charts.js to write money."""
    return {"kind": "money", "currency": currency, "exponent": currency_exponent(currency)}


PERCENT = {"kind": "percent"}


def bars(
    names: Sequence[str],
    values: Sequence[float | None],
    name: str,
    *,
    before: Sequence[float | None] = (),
    before_name: str = "",
    format: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Bars from zero, a piece each; and as a line what the pieces of the period before brought."""
    series: list[dict[str, Any]] = [
        {"type": "bar", "name": name, "data": list(values), "barMaxWidth": 48}
    ]
    if before:
        series.append(
            {
                "type": "line",
                "name": before_name,
                "data": list(before),
                "endLabel": {"show": True, "formatter": before_name},
            }
        )
    option: dict[str, Any] = {
        "xAxis": {"type": "category", "data": list(names)},
        "yAxis": {
            "type": "value",
            "name": name,
            "nameLocation": "end",
            "nameTextStyle": {"align": "left"},
        },
        "series": series,
    }
    return option | ({"format": format} if format else {})


def lines(
    names: Sequence[str],
    series: Sequence[tuple[str, Sequence[float | None]]],
    *,
    format: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Lines from zero, each with its name at its end."""
    option: dict[str, Any] = {
        "xAxis": {"type": "category", "data": list(names), "boundaryGap": False},
        "yAxis": {"type": "value", "min": 0},
        "series": [
            {
                "type": "line",
                "name": name,
                "data": list(values),
                "endLabel": {"show": True, "formatter": "{a}"},
            }
            for name, values in series
        ],
    }
    return option | ({"format": format} if format else {})
