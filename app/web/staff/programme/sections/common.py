"""Parts that several mechanics have."""

from collections.abc import Callable, Mapping
from typing import Any

from app.languages import Lazy, lazy
from app.web.staff.programme.forms.compound import Names
from app.web.staff.programme.forms.kernel import Around, Part
from app.web.staff.programme.forms.scalars import Code, Day, Picks, Words
from app.web.staff.programme.forms.section import Fieldset, Many

CODE = Code(
    "code",
    lazy("Code"),
    lazy("Stands in files and receipts and never changes. Left empty, it is made from the name."),
)
NAMES = Names("names", lazy("What members read"), lazy("In English at least."))
TIERS = Picks(
    "tiers", lazy("Only for these tiers"), lazy("None ticked: for everybody."), source="tiers"
)
GROUPS = Picks(
    "tiers",
    lazy("Only for these tiers and clubs"),
    lazy("None ticked: for everybody."),
    source="groups",
)
EXCLUDED = Words(
    "excluded_categories",
    lazy("Categories of goods that do not count"),
    lazy("One a line, as the till names them."),
)
KIND_WORDS = (
    ("goods", lazy("Goods")),
    ("gift", lazy("A gift")),
    ("amount_off", lazy("An amount off")),
    ("percent_off", lazy("Percent off")),
)
ACCOUNT_WORDS = (
    ("personal", lazy("Persons")),
    ("household", lazy("Households")),
    ("company", lazy("Companies")),
)
FROM = Day("valid_from", lazy("First day"))
TO = Day("valid_to", lazy("Last day"))


def named_list(
    code: str,
    title: Lazy,
    what: Lazy,
    *parts: Part,
    one: Lazy,
    summary: Callable[[Mapping[str, Any], Around], str],
    more: tuple[Fieldset, ...] = (),
) -> Many:
    """A list of things of one kind that members know by name: the form asks for the names and the
    code, then *parts*; *more* stands below."""
    form = (Fieldset(None, (NAMES, CODE, *parts)), *more)
    return Many(code, title, what, one=one, forms={"": form}, summary=summary)
