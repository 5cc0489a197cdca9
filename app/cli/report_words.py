"""What the reports on points share: what they call partners, points and money."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cli.output import grid, printable
from app.cli.periods import Number
from app.ledger import writing
from app.programmes.models import Location, Programme
from app.programmes.partners import partners
from app.programmes.wording import currency_exponent
from app.till.models import Till

#: A point is worth less than this, in any currency.
HIGHEST_VALUE = 1_000_000
OWN = "the programme itself"

value_option = click.option(
    "--point-value",
    type=Number(HIGHEST_VALUE),
    help="Money a point, in major units; without it the programme's setting.",
)


class Names:
    """What locations and tills are called; each is looked up once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[str, str | None] = {}

    def location(self, id_: str | None) -> str | None:
        """The name of a location."""
        return self._find(id_, Location)

    def till(self, id_: str | None) -> str | None:
        """The name of a till."""
        return self._find(id_, Till)

    def _find(self, id_: str | None, model: Any) -> str | None:
        if id_ is None:
            return None
        if id_ not in self._known:
            self._known[id_] = self._session.scalar(select(model.name).where(model.id == id_))
        return self._known[id_]


class Words:
    """Points, money and partners of a programme as people write them."""

    def __init__(self, session: Session, programme: Programme) -> None:
        self._names = {each.id: each.name for each, _ in partners(session, programme.id)}
        self._currency = programme.currency
        #: What a location is called.
        self.location = Names(session).location

    def partner(self, id_: str | None) -> str:
        """What a partner is called."""
        return OWN if id_ is None else printable(self._names.get(id_, id_))

    def count(self, points: int) -> str:
        """A number of points."""
        return writing.number(points, "en")

    def money(self, minor: int | None) -> str:
        """Money, or nothing where there is none."""
        return "" if minor is None else writing.money(minor, self._currency, "en")

    def value(self, point_value: Decimal | None) -> str:
        """What a point is worth, as a sentence on a line of its own."""
        if point_value is None:
            return ""
        minor = point_value.scaleb(currency_exponent(self._currency))
        return f"A point is {writing.money(minor, self._currency, 'en')}.\n"


def show(title: str, rows: Sequence[tuple[str, ...]]) -> None:
    """A small table under its title; nothing where it has no rows."""
    if rows:
        click.echo(f"\n{title}" if title else "")
    for line in grid(rows):
        click.echo(f"  {line}")
