"""Members: found in one box, each with a page that shows what happened and does what is asked."""

from app.languages import lazy
from app.staff.permissions import Permission
from app.web.staff.members import changes, coupons, deciding, finding, merging, profile, removing
from app.web.staff.members.area import pages
from app.web.staff.navigation import NavItem

NAV = [NavItem(20, lazy("Members"), "members.index", Permission.SEE_MEMBERS)]

__all__ = [
    "NAV",
    "changes",
    "coupons",
    "deciding",
    "finding",
    "merging",
    "pages",
    "profile",
    "removing",
]
