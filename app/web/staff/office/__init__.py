"""Running the shop and its installation: tills, people, keys, certificates, what comes and goes."""

from types import ModuleType

from app.web.staff.office import (
    api_keys,
    certificates,
    hooks,
    keyring,
    log,
    moving,
    team,
    tills,
)

#: The areas in the order of the menu.
AREAS: tuple[ModuleType, ...] = (tills, team, keyring, certificates, api_keys, hooks, moving, log)
