"""The programme's pages: what is in force, the draft, comparison, versions, names, set-up."""

from app.web.staff.programme import drafting, overview
from app.web.staff.programme.pages import NAV, pages

__all__ = ["NAV", "drafting", "overview", "pages"]
