"""What stands in the menu of the staff pages."""

from dataclasses import dataclass

from app.languages import Lazy
from app.staff.permissions import Permission


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry of the menu: shown to whoever has the permission, in the order of *place*.

    *group* is the heading it stands under; entries without one come first.
    """

    place: int
    label: Lazy
    endpoint: str
    permission: Permission
    group: Lazy | None = None
