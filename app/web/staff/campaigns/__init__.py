"""Campaigns: written as a sentence, tried without sending, approved, watched, measured."""

from app.languages import lazy
from app.staff.permissions import Permission
from app.web.staff.campaigns import editing, sending, watching
from app.web.staff.campaigns.area import pages
from app.web.staff.navigation import NavItem

NAV = [NavItem(50, lazy("Campaigns"), "campaigns.index", Permission.SEE_CAMPAIGNS)]

__all__ = ["NAV", "editing", "pages", "sending", "watching"]
