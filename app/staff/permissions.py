"""Who may do what: the one place that says it. Every staff page names one of these."""

from collections.abc import Mapping
from enum import StrEnum

from app.staff.models import Role

_EVERYBODY = frozenset(Role)
_OFFICE = _EVERYBODY - {Role.CASHIER}
_LEADERS = frozenset({Role.OWNER, Role.MANAGER})
_MARKETING = frozenset({Role.OWNER, Role.MARKETER})
_OWNER = frozenset({Role.OWNER})
_CONTROL = frozenset({Role.OWNER, Role.AUDITOR})


class Permission(StrEnum):
    """What one may be allowed to do. To change something implies to see it."""

    #: One's own account: password, second factor, sessions, language.
    OWN_ACCOUNT = "own_account"
    SEE_TODAY = "see_today"
    SEE_MEMBERS = "see_members"
    #: Contacts are masked for whoever lacks it.
    SEE_CONTACTS = "see_contacts"
    CHANGE_MEMBERS = "change_members"
    #: Points given or taken by hand, merges, erasures; some of it takes two people.
    ADJUST_POINTS = "adjust_points"
    APPROVE = "approve"
    SEE_PROGRAMME = "see_programme"
    CHANGE_PROGRAMME = "change_programme"
    SEE_DESIGN = "see_design"
    CHANGE_DESIGN = "change_design"
    SEE_CAMPAIGNS = "see_campaigns"
    CHANGE_CAMPAIGNS = "change_campaigns"
    APPROVE_CAMPAIGNS = "approve_campaigns"
    SEE_INSIGHT = "see_insight"
    SEE_TILLS = "see_tills"
    CHANGE_TILLS = "change_tills"
    SEE_STAFF = "see_staff"
    CHANGE_STAFF = "change_staff"
    #: Keys, certificates, API keys, webhooks.
    SEE_INSTALLATION = "see_installation"
    CHANGE_INSTALLATION = "change_installation"
    TRANSFER = "transfer"
    SEE_AUDIT = "see_audit"


ROLES: Mapping[Permission, frozenset[Role]] = {
    Permission.OWN_ACCOUNT: _EVERYBODY,
    Permission.SEE_TODAY: _EVERYBODY,
    Permission.SEE_MEMBERS: _EVERYBODY,
    Permission.SEE_CONTACTS: _OFFICE - {Role.AUDITOR},
    Permission.CHANGE_MEMBERS: _LEADERS,
    Permission.ADJUST_POINTS: _LEADERS,
    Permission.APPROVE: _LEADERS,
    Permission.SEE_PROGRAMME: _OFFICE,
    Permission.CHANGE_PROGRAMME: _MARKETING,
    Permission.SEE_DESIGN: _OFFICE,
    Permission.CHANGE_DESIGN: _MARKETING,
    Permission.SEE_CAMPAIGNS: _OFFICE,
    Permission.CHANGE_CAMPAIGNS: _MARKETING,
    Permission.APPROVE_CAMPAIGNS: _LEADERS | _MARKETING,
    Permission.SEE_INSIGHT: _OFFICE,
    Permission.SEE_TILLS: _LEADERS | {Role.AUDITOR},
    Permission.CHANGE_TILLS: _LEADERS,
    Permission.SEE_STAFF: _LEADERS | {Role.AUDITOR},
    Permission.CHANGE_STAFF: _OWNER,
    Permission.SEE_INSTALLATION: _CONTROL,
    Permission.CHANGE_INSTALLATION: _OWNER,
    Permission.TRANSFER: _OWNER,
    Permission.SEE_AUDIT: _CONTROL,
}

#: Who signs in with a second factor, always.
SECOND_FACTOR = frozenset({Role.OWNER, Role.MARKETER})


def may(role: str, permission: Permission) -> bool:
    """Whether somebody of that role is allowed to."""
    return role in ROLES[permission]
