"""In which table of the file each setting stands, and what it is called there. Pure.

A setting that is not named here stands at the top under its own name: so does what is added later.
"""

from collections.abc import Mapping
from typing import Any

from app.programmes.settings import setting_names

#: Tables with their settings: the key in the file, and the setting's own name.
GROUPS: Mapping[str, Mapping[str, str]] = {
    "earning": {
        "points": "points",
        "per_amount": "per_amount",
        "earn_on": "earn_on",
        "carry_remainder": "carry_remainder",
        "excluded_categories": "excluded_categories",
        "pending_days": "pending_days",
        "pending_until_confirmed": "pending_until_confirmed",
        "stacking": "stacking",
    },
    "expiry": {
        "mode": "expiry_mode",
        "after_months": "expires_after_months",
        "round_up": "expires_round_up",
        "inactivity_months": "inactivity_months",
    },
    "redeeming": {
        "point_value": "point_value",
        "minimum": "redeem_minimum",
        "step": "redeem_step",
        "maximum_share": "redeem_maximum_share",
        "static_limit": "static_redeem_limit",
        "expected": "expected_redemption",
    },
    "returns": {
        "policy": "return_policy",
        "debt_floor": "debt_floor",
        "grace_days": "grace_days",
    },
}
_PLACES = {setting: (table, key) for table, keys in GROUPS.items() for key, setting in keys.items()}
PROGRAMME = "programme"
LOCATIONS = "locations"
#: Keys of the table of the programme itself.
ABOUT = ("slug", "name", "benefit", "currency", "time_zone", "points_names", "colours")
LOCATION = ("slug", "name", "latitude", "longitude")


def place_of(setting: str) -> tuple[str, ...]:
    """Where a setting stands in the file."""
    return _PLACES.get(setting, (setting,))


def top_level() -> list[str]:
    """Every table and key that may stand at the top."""
    return [
        PROGRAMME,
        *GROUPS,
        *(each for each in setting_names() if each not in _PLACES),
        LOCATIONS,
    ]


def known_settings() -> Mapping[str, Any]:
    """The groups, without settings that this release does not have."""
    there = set(setting_names())
    return {
        table: {key: setting for key, setting in keys.items() if setting in there}
        for table, keys in GROUPS.items()
    }
