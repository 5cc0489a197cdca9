"""The pages of a programme: its blueprint, and what stands above each of them."""

from collections.abc import Iterable
from typing import Any

from flask import current_app

from app.languages import Lazy, lazy
from app.programmes.drafts.service import Draft
from app.staff.permissions import Permission
from app.web.staff.door import StaffPages
from app.web.staff.navigation import NavItem
from app.web.staff.programme.forms.kernel import Around
from app.web.staff.programme.sections import SECTION_OF

pages = StaffPages("programme", __name__)

NAV = (
    NavItem(30, lazy("Programme"), "programme.index", Permission.SEE_PROGRAMME, lazy("Programme")),
)

#: The pages beside one another: endpoint, words, and which endpoints are part of it.
TABS: tuple[tuple[str, Lazy, tuple[str, ...]], ...] = (
    ("programme.index", lazy("In force"), ()),
    ("programme.draft", lazy("Draft"), ("section", "thing", "new_thing")),
    ("programme.compare", lazy("Compare and publish"), ("trial",)),
    ("programme.versions", lazy("Versions"), ()),
    ("programme.names", lazy("Names"), ()),
    ("programme.places", lazy("Locations"), ()),
    ("programme.draws_list", lazy("Prize draws"), ("draw", "new_draw")),
    ("programme.file", lazy("File"), ()),
    ("programme.setup", lazy("Set-up"), ("setup_step",)),
)


@pages.blueprint.app_context_processor
def _for_templates() -> dict[str, Any]:
    """What templates of these pages may call."""
    return {"programme_tabs": _tabs, "changed_titles": _changed_titles, "scope": _scope}


def _tabs() -> list[tuple[str, Lazy, tuple[str, ...]]]:
    return [each for each in TABS if each[0] in current_app.view_functions]


def _changed_titles(draft: Draft) -> list[str]:
    """The mechanics that a draft changes."""
    return list(dict.fromkeys(str(SECTION_OF[name].title) for name in draft.changes))


def _scope(locations: Iterable[str], segments: Iterable[str], around: Around) -> str:
    """In which places and for whom something holds."""
    return ", ".join([*(around.locations.get(each, each) for each in locations), *segments])
