"""The programme's pages: what is in force, the draft, comparison, versions, names, set-up."""

from app.web.staff.programme import (
    drafting,
    drawing,
    files,
    history,
    naming,
    overview,
    pricing_list,
    publishing,
    setting_up,
)
from app.web.staff.programme.pages import NAV, pages

__all__ = [
    "NAV",
    "drafting",
    "drawing",
    "files",
    "history",
    "naming",
    "overview",
    "pages",
    "pricing_list",
    "publishing",
    "setting_up",
]
