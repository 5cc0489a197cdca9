"""Whose the installation is. Keys and certificates that all programmes share are changed on these
pages only where there is but one programme; else by the machine's operator, with the commands."""

from app.errors import Forbidden
from app.languages import _
from app.programmes.service import only_slug
from app.web.staff.door import Visit


def is_theirs(visit: Visit) -> bool:
    """Whether the whole installation is this programme's."""
    with visit.context.database.read_all() as session:
        return only_slug(session) == visit.programme.slug


def check_theirs(visit: Visit) -> None:
    """Raise `Forbidden` where other programmes share what is to be changed."""
    if not is_theirs(visit):
        raise Forbidden(
            _(
                "Other programmes use this too. Ask who runs this machine: they change it with the "
                "command that stands on the page."
            )
        )
