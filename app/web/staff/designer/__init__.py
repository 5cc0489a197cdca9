"""The pass designer: fields on one side, phones on the other; then published to every pass."""

from app.languages import lazy
from app.staff.permissions import Permission
from app.web.staff.designer import editing, releasing
from app.web.staff.designer.area import pages
from app.web.staff.navigation import NavItem

NAV = [NavItem(35, lazy("Card design"), "designer.index", Permission.SEE_DESIGN, lazy("Programme"))]

__all__ = ["NAV", "editing", "pages", "releasing"]
